//! A layer with random contents, and what it computes.

use gruvy_kernels::{
    Cell, Gradients, Isa, Layer, Noise, Norm, Output, Packed, Pass, Sequence, Tape, Weights,
    Workspace, backward, reference,
};

/// Uniform values in [-scale, scale] from a fixed seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    fn values(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len).map(|_| (self.next() as f32 / (1u64 << 30) as f32 - 1.0) * scale).collect()
    }
}

pub fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

/// Largest difference, relative to the larger of 1 and the largest value expected.
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0f64, |m, v| m.max(v.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs() / scale;
        assert!(error <= tolerance, "{what}[{i}]: got {got}, expected {expected}, error {error:e}");
    }
}

/// What regularises a layer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Regular {
    pub zoneout: f32,
    pub recurrent_dropout: f32,
    pub candidate_dropout: f32,
    pub norm: bool,
    pub drawn: bool,
}

pub const PLAIN: Regular = Regular {
    zoneout: 0.0,
    recurrent_dropout: 0.0,
    candidate_dropout: 0.0,
    norm: false,
    drawn: false,
};

/// Each regulariser alone and all of them together, drawn and not drawn.
const REGULAR: [Regular; 8] = [
    PLAIN,
    Regular { zoneout: 0.3, ..PLAIN },
    Regular { zoneout: 0.3, drawn: true, ..PLAIN },
    Regular { recurrent_dropout: 0.4, drawn: true, ..PLAIN },
    Regular { candidate_dropout: 0.4, drawn: true, ..PLAIN },
    Regular { norm: true, ..PLAIN },
    ALL,
    Regular { drawn: false, ..ALL },
];

pub const ALL: Regular = Regular {
    zoneout: 0.2,
    recurrent_dropout: 0.3,
    candidate_dropout: 0.3,
    norm: true,
    drawn: true,
};

/// What can regularise a cell: [`REGULAR`], without the dropout of a candidate that it lacks.
pub fn regular(cell: Cell) -> [Regular; 8] {
    REGULAR.map(|regular| regular.of(cell))
}

impl Regular {
    /// This without the dropout of a candidate, if the cell has none.
    pub fn of(self, cell: Cell) -> Self {
        let candidate_dropout = if cell.has_candidate() { self.candidate_dropout } else { 0.0 };
        Self { candidate_dropout, ..self }
    }
}

/// A layer with random contents.
pub struct Case {
    pub cell: Cell,
    pub regular: Regular,
    pub t: usize,
    pub b: usize,
    pub i: usize,
    pub h: usize,
    pub lengths: Option<Vec<usize>>,
    pub reverse: bool,
    pub recompute: bool,
    pub w_ih: Vec<f32>,
    pub w_hh: Vec<f32>,
    pub b_ih: Vec<f32>,
    pub b_hh: Vec<f32>,
    pub gain_ih: Vec<f32>,
    pub gain_hh: Vec<f32>,
    pub x: Vec<f32>,
    pub h0: Vec<f32>,
    pub dy: Vec<f32>,
    pub dlast: Vec<f32>,
}

/// What a case computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub y: Vec<f32>,
    pub last: Vec<f32>,
    pub dx: Vec<f32>,
    pub dh0: Vec<f32>,
    pub dw_ih: Vec<f32>,
    pub dw_hh: Vec<f32>,
    pub db_ih: Vec<f32>,
    pub db_hh: Vec<f32>,
    pub dgain_ih: Vec<f32>,
    pub dgain_hh: Vec<f32>,
}

impl Case {
    pub fn new(cell: Cell, [t, b, i, h]: [usize; 4]) -> Self {
        Self::regular(cell, PLAIN, [t, b, i, h])
    }

    pub fn regular(cell: Cell, regular: Regular, [t, b, i, h]: [usize; 4]) -> Self {
        let mut r = Random((t * 1_000_003 + b * 10_007 + i * 101 + h) as u64);
        let (rows, hidden_rows) = (cell.gates() * h, cell.hidden_gates() * h);
        let width = cell.states() * h;
        let weight = 1.0 / (h as f32).sqrt();
        let mut gain = |len| -> Vec<f32> {
            let len = if regular.norm { len } else { 0 };
            r.values(len, 0.5).iter().map(|v| 1.0 + v).collect()
        };
        let (gain_ih, gain_hh) = (gain(rows), gain(hidden_rows));
        Self {
            cell,
            regular,
            t,
            b,
            i,
            h,
            lengths: None,
            reverse: false,
            recompute: false,
            w_ih: r.values(rows * i, weight),
            w_hh: r.values(hidden_rows * h, weight),
            b_ih: r.values(rows, 0.5),
            b_hh: r.values(hidden_rows, 0.5),
            gain_ih,
            gain_hh,
            x: r.values(t * b * i, 1.0),
            h0: r.values(b * width, 1.0),
            dy: r.values(t * b * h, 1.0),
            dlast: r.values(b * width, 1.0),
        }
    }

    /// Lengths between 0 and T, both among them where there is room.
    pub fn ragged(mut self) -> Self {
        let t = self.t;
        let mut lengths: Vec<usize> = (0..self.b).map(|b| (b * 7 + 3) % (t + 1)).collect();
        lengths[0] = t;
        if self.b > 2 {
            lengths[self.b - 1] = 0;
        }
        self.lengths = Some(lengths);
        self
    }

    pub fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }

    pub fn recomputed(mut self) -> Self {
        self.recompute = true;
        self
    }

    pub fn layer(&self) -> Layer<'_> {
        let norm = Norm { gain_ih: &self.gain_ih, gain_hh: &self.gain_hh };
        let weights = Weights {
            w_ih: &self.w_ih,
            w_hh: &self.w_hh,
            b_ih: Some(&self.b_ih),
            b_hh: Some(&self.b_hh),
            norm: self.regular.norm.then_some(norm),
        };
        let zoneout = self.regular.zoneout;
        Layer { cell: self.cell, input: self.i, hidden: self.h, zoneout, weights }
    }

    pub fn noise(&self) -> Noise {
        Noise {
            seed: self.regular.drawn.then_some(0x1234_5678_9abc),
            recurrent_dropout: self.regular.recurrent_dropout,
            candidate_dropout: self.regular.candidate_dropout,
        }
    }

    pub fn pass(&self) -> Pass<'_> {
        let seq = Sequence {
            seq_len: self.t,
            batch: self.b,
            lengths: self.lengths.as_deref(),
            reverse: self.reverse,
        };
        let (h0, recompute) = (Some(&self.h0[..]), self.recompute);
        Pass { seq, x: &self.x, h0, noise: self.noise(), recompute }
    }

    /// y and the last states.
    pub fn forward(&self, ws: &mut Workspace) -> (Vec<f32>, Vec<f32>) {
        let (mut y, mut last) = (vec![f32::NAN; self.dy.len()], vec![f32::NAN; self.h0.len()]);
        let output = Output { y: &mut y, last: Some(&mut last), saved: None };
        Packed::new(&self.layer()).forward(&self.pass(), output, ws);
        (y, last)
    }

    /// Runs forward and backward, with scratch memory and outputs full of NaN on entry.
    pub fn run(&self, isa: Isa, ws: &mut Workspace, with_h0: bool) -> Answer {
        let layer = self.layer();
        let pass = Pass { h0: with_h0.then_some(&self.h0[..]), ..self.pass() };
        let packed = Packed::with_isa(isa, &layer);
        let mut y = vec![f32::NAN; self.dy.len()];
        let mut last = vec![f32::NAN; self.h0.len()];
        let mut saved = vec![f32::NAN; layer.saved_values(&pass)];
        soil(ws);
        let output = Output { y: &mut y, last: Some(&mut last), saved: Some(&mut saved) };
        packed.forward(&pass, output, ws);
        let mut unsaved = vec![f32::NAN; y.len()];
        packed.forward(&pass, Output { y: &mut unsaved, last: None, saved: None }, ws);
        assert_eq!(y, unsaved, "saving changes the output");

        let ones = |v: &[f32]| vec![1.0; v.len()];
        let mut a = Answer {
            dx: vec![f32::NAN; self.x.len()],
            dh0: vec![f32::NAN; self.h0.len()],
            dw_ih: ones(&self.w_ih),
            dw_hh: ones(&self.w_hh),
            db_ih: ones(&self.b_ih),
            db_hh: ones(&self.b_hh),
            dgain_ih: ones(&self.gain_ih),
            dgain_hh: ones(&self.gain_hh),
            y,
            last,
        };
        soil(ws);
        let normed = self.regular.norm;
        let grads = Gradients {
            dx: Some(&mut a.dx),
            dh0: Some(&mut a.dh0),
            dw_ih: &mut a.dw_ih,
            dw_hh: &mut a.dw_hh,
            db_ih: Some(&mut a.db_ih),
            db_hh: Some(&mut a.db_hh),
            dgain_ih: normed.then_some(&mut a.dgain_ih[..]),
            dgain_hh: normed.then_some(&mut a.dgain_hh[..]),
        };
        let tape = Tape { y: &a.y, saved: &mut saved, dy: &self.dy, dlast: Some(&self.dlast) };
        backward(isa, &layer, &pass, tape, grads, ws);
        a
    }

    pub fn check(&self, isa: Isa, ws: &mut Workspace, with_h0: bool) {
        let got = self.run(isa, ws, with_h0);
        let p = reference::Params {
            w_ih: wide(&self.w_ih),
            w_hh: wide(&self.w_hh),
            b_ih: wide(&self.b_ih),
            b_hh: wide(&self.b_hh),
            gain_ih: wide(&self.gain_ih),
            gain_hh: wide(&self.gain_hh),
        };
        let h0 = if with_h0 { wide(&self.h0) } else { vec![0.0; self.h0.len()] };
        let x = wide(&self.x);
        let setup = reference::Setup {
            cell: self.cell,
            seq: self.pass().seq,
            input: self.i,
            hidden: self.h,
            // Rounded to f32, as the kernels see it.
            zoneout: f64::from(self.regular.zoneout),
            noise: self.noise(),
        };
        let want = reference::forward(&setup, &p, &x, &h0);
        let g = reference::backward(&setup, &p, &x, &h0, &wide(&self.dy), &wide(&self.dlast));
        let plus_one = |v: &[f64]| v.iter().map(|v| v + 1.0).collect::<Vec<_>>();
        let name = format!(
            "{isa:?} {:?} {:?} T{} B{} I{} H{} {:?} reverse {} recompute {} h0 {with_h0}",
            self.cell,
            self.regular,
            self.t,
            self.b,
            self.i,
            self.h,
            self.lengths,
            self.reverse,
            self.recompute
        );
        // Normalisation divides a row of nearly equal values by a small number.
        let slack = if self.regular.norm { 10.0 } else { 1.0 };
        let close = |what: &str, got: &[f32], want: &[f64], tolerance: f64| {
            assert_close(&format!("{name}: {what}"), got, want, tolerance * slack);
        };
        close("y", &got.y, &want.y, 2e-6);
        close("last", &got.last, &want.last, 2e-6);
        close("dx", &got.dx, &g.dx, 5e-6);
        close("dh0", &got.dh0, &g.dh0, 5e-6);
        close("dw_ih", &got.dw_ih, &plus_one(&g.params.w_ih), 5e-6);
        close("dw_hh", &got.dw_hh, &plus_one(&g.params.w_hh), 5e-6);
        close("db_ih", &got.db_ih, &plus_one(&g.params.b_ih), 5e-6);
        close("db_hh", &got.db_hh, &plus_one(&g.params.b_hh), 5e-6);
        close("dgain_ih", &got.dgain_ih, &plus_one(&g.params.gain_ih), 5e-6);
        close("dgain_hh", &got.dgain_hh, &plus_one(&g.params.gain_hh), 5e-6);
    }
}

/// Fills the scratch memory with NaN; not under Miri, where that would take most of the time.
fn soil(ws: &mut Workspace) {
    if !cfg!(miri) {
        ws.soil(f32::NAN);
    }
}
