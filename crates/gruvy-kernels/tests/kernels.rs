//! The fast kernels against the `f64` reference, on every instruction set of this machine.
#![allow(clippy::unwrap_used)] // A failed step fails the test.

use gruvy_kernels::{
    Cell, Gradients, Isa, Packed, Sequence, Weights, Workspace, backward_with_isa, last_state,
    reference,
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

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

/// Largest difference, relative to the larger of 1 and the largest value expected.
fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0f64, |m, v| m.max(v.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs() / scale;
        assert!(error <= tolerance, "{what}[{i}]: got {got}, expected {expected}, error {error:e}");
    }
}

/// A layer with random contents.
struct Case {
    cell: Cell,
    t: usize,
    b: usize,
    i: usize,
    h: usize,
    lengths: Option<Vec<usize>>,
    reverse: bool,
    w_ih: Vec<f32>,
    w_hh: Vec<f32>,
    b_ih: Vec<f32>,
    b_hh: Vec<f32>,
    x: Vec<f32>,
    h0: Vec<f32>,
    dy: Vec<f32>,
}

/// What a case computes.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    y: Vec<f32>,
    dx: Vec<f32>,
    dh0: Vec<f32>,
    dw_ih: Vec<f32>,
    dw_hh: Vec<f32>,
    db_ih: Vec<f32>,
    db_hh: Vec<f32>,
}

impl Case {
    fn new(cell: Cell, [t, b, i, h]: [usize; 4]) -> Self {
        let mut r = Random((t * 1_000_003 + b * 10_007 + i * 101 + h) as u64);
        let g = cell.gates();
        let weight = 1.0 / (h as f32).sqrt();
        Self {
            cell,
            t,
            b,
            i,
            h,
            lengths: None,
            reverse: false,
            w_ih: r.values(g * h * i, weight),
            w_hh: r.values(g * h * h, weight),
            b_ih: r.values(g * h, 0.5),
            b_hh: r.values(g * h, 0.5),
            x: r.values(t * b * i, 1.0),
            h0: r.values(b * h, 1.0),
            dy: r.values(t * b * h, 1.0),
        }
    }

    /// Lengths between 0 and T, both among them where there is room.
    fn ragged(mut self) -> Self {
        let t = self.t;
        let mut lengths: Vec<usize> = (0..self.b).map(|b| (b * 7 + 3) % (t + 1)).collect();
        lengths[0] = t;
        if self.b > 2 {
            lengths[self.b - 1] = 0;
        }
        self.lengths = Some(lengths);
        self
    }

    fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }

    fn seq(&self) -> Sequence<'_> {
        Sequence {
            seq_len: self.t,
            batch: self.b,
            lengths: self.lengths.as_deref(),
            reverse: self.reverse,
        }
    }

    fn weights(&self) -> Weights<'_> {
        Weights {
            w_ih: &self.w_ih,
            w_hh: &self.w_hh,
            b_ih: Some(&self.b_ih),
            b_hh: Some(&self.b_hh),
        }
    }

    /// With scratch memory and outputs full of NaN on entry.
    fn run(&self, isa: Isa, ws: &mut Workspace, with_h0: bool) -> Answer {
        let (seq, weights) = (self.seq(), self.weights());
        let h0 = with_h0.then_some(&self.h0[..]);
        let layer = Packed::with_isa(isa, self.cell, self.i, self.h, &weights);
        let mut y = vec![f32::NAN; self.dy.len()];
        let mut saved = vec![f32::NAN; self.dy.len() * self.cell.saved()];
        ws.soil(f32::NAN);
        layer.forward(&seq, &self.x, h0, &mut y, Some(&mut saved), ws);
        let mut unsaved = vec![f32::NAN; y.len()];
        layer.forward(&seq, &self.x, h0, &mut unsaved, None, ws);
        assert_eq!(y, unsaved, "saving changes the output");

        let mut a = Answer {
            dx: vec![f32::NAN; self.x.len()],
            dh0: vec![f32::NAN; self.h0.len()],
            dw_ih: vec![1.0; self.w_ih.len()],
            dw_hh: vec![1.0; self.w_hh.len()],
            db_ih: vec![1.0; self.b_ih.len()],
            db_hh: vec![1.0; self.b_hh.len()],
            y,
        };
        ws.soil(f32::NAN);
        let grads = Gradients {
            dx: Some(&mut a.dx),
            dh0: Some(&mut a.dh0),
            dw_ih: &mut a.dw_ih,
            dw_hh: &mut a.dw_hh,
            db_ih: Some(&mut a.db_ih),
            db_hh: Some(&mut a.db_hh),
        };
        let sizes = [self.i, self.h];
        backward_with_isa(
            isa, self.cell, sizes, &weights, &seq, &self.x, h0, &a.y, &mut saved, &self.dy, grads,
            ws,
        );
        a
    }

    fn check(&self, isa: Isa, ws: &mut Workspace, with_h0: bool) {
        let got = self.run(isa, ws, with_h0);
        let p = reference::Params {
            w_ih: wide(&self.w_ih),
            w_hh: wide(&self.w_hh),
            b_ih: wide(&self.b_ih),
            b_hh: wide(&self.b_hh),
        };
        let h0 = if with_h0 { wide(&self.h0) } else { vec![0.0; self.h0.len()] };
        let (sizes, x) = ([self.i, self.h], wide(&self.x));
        let y = reference::forward(self.cell, &self.seq(), sizes, &p, &x, &h0);
        let g = reference::backward(self.cell, &self.seq(), sizes, &p, &x, &h0, &wide(&self.dy));
        let plus_one = |v: &[f64]| v.iter().map(|v| v + 1.0).collect::<Vec<_>>();
        let name = format!(
            "{isa:?} {:?} T{} B{} I{} H{} {:?} reverse {} h0 {with_h0}",
            self.cell, self.t, self.b, self.i, self.h, self.lengths, self.reverse
        );
        assert_close(&format!("{name}: y"), &got.y, &y, 2e-6);
        assert_close(&format!("{name}: dx"), &got.dx, &g.dx, 5e-6);
        assert_close(&format!("{name}: dh0"), &got.dh0, &g.dh0, 5e-6);
        assert_close(&format!("{name}: dw_ih"), &got.dw_ih, &plus_one(&g.params.w_ih), 5e-6);
        assert_close(&format!("{name}: dw_hh"), &got.dw_hh, &plus_one(&g.params.w_hh), 5e-6);
        assert_close(&format!("{name}: db_ih"), &got.db_ih, &plus_one(&g.params.b_ih), 5e-6);
        assert_close(&format!("{name}: db_hh"), &got.db_hh, &plus_one(&g.params.b_hh), 5e-6);
    }
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn all_shapes_equal_the_reference() {
    for isa in Isa::available() {
        let mut ws = Workspace::new();
        for cell in Cell::ALL {
            for t in [1, 2, 17] {
                for b in [1, 3, 8] {
                    for (i, h) in [(1, 3), (7, 8), (8, 7), (33, 9), (5, 33)] {
                        Case::new(cell, [t, b, i, h]).check(isa, &mut ws, true);
                        Case::new(cell, [t, b, i, h]).ragged().check(isa, &mut ws, t == 2);
                        Case::new(cell, [t, b, i, h]).reversed().check(isa, &mut ws, t != 2);
                        Case::new(cell, [t, b, i, h]).reversed().ragged().check(isa, &mut ws, true);
                    }
                }
            }
        }
    }
}

/// Sizes beyond one block of every loop: rows, steps of a chunk, k of the weight gradients, panels of a tile.
#[test]
fn large_sizes_equal_the_reference() {
    for isa in Isa::available() {
        let mut ws = Workspace::new();
        for cell in Cell::ALL {
            Case::new(cell, [9, 70, 20, 49]).check(isa, &mut ws, true);
            Case::new(cell, [300, 5, 65, 20]).ragged().check(isa, &mut ws, false);
            Case::new(cell, [3, 15, 50, 140]).reversed().check(isa, &mut ws, true);
        }
    }
}

#[test]
fn same_bits_for_any_number_of_threads() {
    for cell in Cell::ALL {
        for case in [
            Case::new(cell, [40, 37, 30, 60]),
            Case::new(cell, [40, 21, 30, 65]).ragged().reversed(),
            Case::new(cell, [200, 3, 30, 100]).ragged(),
        ] {
            let one = pool(1).install(|| case.run(Isa::best(), &mut Workspace::new(), true));
            for threads in [2, 3, 8] {
                let many =
                    pool(threads).install(|| case.run(Isa::best(), &mut Workspace::new(), true));
                assert!(one == many, "{cell:?}: {threads} threads differ from one");
            }
        }
    }
}

#[test]
fn steps_equal_the_sequence() {
    for isa in Isa::available() {
        for cell in Cell::ALL {
            for b in [1, 2, 5, 11] {
                let case = Case::new(cell, [6, b, 10, 21]);
                let layer = Packed::with_isa(isa, cell, case.i, case.h, &case.weights());
                let mut ws = Workspace::new();
                let mut y = vec![0.0; case.dy.len()];
                layer.forward(&case.seq(), &case.x, Some(&case.h0), &mut y, None, &mut ws);
                let mut h = case.h0.clone();
                for (x, y) in case.x.chunks(b * case.i).zip(y.chunks(b * case.h)) {
                    layer.step(b, x, &mut h, &mut ws);
                    assert_eq!(h, y, "{isa:?} {cell:?} batch {b}");
                }
            }
        }
    }
}

#[test]
fn a_batch_equals_its_rows_alone() {
    for cell in Cell::ALL {
        let case = Case::new(cell, [7, 13, 6, 19]).ragged();
        let layer = Packed::new(cell, case.i, case.h, &case.weights());
        let mut ws = Workspace::new();
        let mut y = vec![0.0; case.dy.len()];
        layer.forward(&case.seq(), &case.x, Some(&case.h0), &mut y, None, &mut ws);
        for b in 0..case.b {
            let len = case.lengths.as_ref().unwrap()[b];
            let row = |v: &[f32], width: usize| -> Vec<f32> {
                let at = |t: usize| (t * case.b + b) * width;
                (0..len).flat_map(|t| v[at(t)..at(t) + width].to_vec()).collect()
            };
            let seq = Sequence { seq_len: len, batch: 1, lengths: None, reverse: false };
            let mut alone = vec![0.0; len * case.h];
            let h0 = &case.h0[b * case.h..][..case.h];
            layer.forward(&seq, &row(&case.x, case.i), Some(h0), &mut alone, None, &mut ws);
            assert_eq!(alone, row(&y, case.h), "{cell:?} row {b}");
        }
    }
}

/// What stands in the padding (in dy even NaN, in x anything finite) changes no valid output and no gradient.
#[test]
fn padding_has_no_effect() {
    for cell in Cell::ALL {
        for reverse in [false, true] {
            let mut case = Case::new(cell, [9, 10, 6, 19]).ragged();
            case.reverse = reverse;
            let clean = case.run(Isa::best(), &mut Workspace::new(), true);
            let lengths = case.lengths.clone().unwrap();
            for t in 0..case.t {
                for b in (0..case.b).filter(|&b| t >= lengths[b]) {
                    let at = t * case.b + b;
                    case.x[at * case.i..][..case.i].fill(1e30);
                    case.dy[at * case.h..][..case.h].fill(f32::NAN);
                }
            }
            let dirty = case.run(Isa::best(), &mut Workspace::new(), true);
            assert!(clean == dirty, "{cell:?} reverse {reverse}");
        }
    }
}

#[test]
fn a_layer_without_bias_has_zero_bias() {
    let mut case = Case::new(Cell::Gru, [5, 3, 4, 9]);
    case.b_ih.fill(0.0);
    case.b_hh.fill(0.0);
    let with = case.run(Isa::best(), &mut Workspace::new(), true);
    let weights = Weights { b_ih: None, b_hh: None, ..case.weights() };
    let mut ws = Workspace::new();
    let mut y = vec![0.0; case.dy.len()];
    let mut saved = vec![0.0; case.dy.len() * 4];
    let layer = Packed::new(Cell::Gru, case.i, case.h, &weights);
    layer.forward(&case.seq(), &case.x, Some(&case.h0), &mut y, Some(&mut saved), &mut ws);
    assert_eq!(y, with.y);
    let (mut dw_ih, mut dw_hh) = (vec![1.0; case.w_ih.len()], vec![1.0; case.w_hh.len()]);
    let grads = Gradients {
        dx: None,
        dh0: None,
        dw_ih: &mut dw_ih,
        dw_hh: &mut dw_hh,
        db_ih: None,
        db_hh: None,
    };
    let sizes = [case.i, case.h];
    let (seq, h0) = (case.seq(), Some(&case.h0[..]));
    gruvy_kernels::backward(
        Cell::Gru,
        sizes,
        &weights,
        &seq,
        &case.x,
        h0,
        &y,
        &mut saved,
        &case.dy,
        grads,
        &mut ws,
    );
    assert_eq!((dw_ih, dw_hh), (with.dw_ih, with.dw_hh));
}

#[test]
fn last_state_is_the_last_valid_output() {
    let case = Case::new(Cell::Gru, [6, 5, 4, 9]).ragged();
    let y = case.run(Isa::best(), &mut Workspace::new(), true).y;
    let mut last = vec![f32::NAN; case.h0.len()];
    last_state(&case.seq(), case.h, &y, Some(&case.h0), &mut last);
    for (b, &len) in case.lengths.as_ref().unwrap().iter().enumerate() {
        let expected = match len {
            0 => &case.h0[b * case.h..],
            len => &y[((len - 1) * case.b + b) * case.h..],
        };
        assert_eq!(last[b * case.h..][..case.h], expected[..case.h], "row {b}");
    }
}

#[test]
#[should_panic(expected = "y [T, B, H]: expected 30, got 29")]
fn a_short_buffer_is_named() {
    let case = Case::new(Cell::Gru, [5, 2, 4, 3]);
    let layer = Packed::new(Cell::Gru, case.i, case.h, &case.weights());
    layer.forward(&case.seq(), &case.x, None, &mut [0.0; 29], None, &mut Workspace::new());
}

#[test]
#[should_panic(expected = "a sequence's length, at most T: expected 5, got 6")]
fn a_length_beyond_the_buffer_is_named() {
    let mut case = Case::new(Cell::Gru, [5, 2, 4, 3]);
    case.lengths = Some(vec![5, 6]);
    case.run(Isa::best(), &mut Workspace::new(), true);
}
