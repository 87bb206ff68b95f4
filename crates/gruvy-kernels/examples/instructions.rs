//! The calls whose instructions `.ci/instructions` counts: each in one call of [`measured`], named
//! on stdout before it.

use gruvy_kernels::{
    Cell, Gradients, Isa, Layer, Noise, Output, Packed, Pass, Sequence, Tape, Weights, Workspace,
    backward,
};

const T: usize = 12;
const B: usize = 12;
const I: usize = 24;
/// Not a multiple of a vector, so that edges count.
const H: usize = 60;

/// Callgrind finds this function by its name.
#[inline(never)]
fn measured(call: &mut dyn FnMut()) {
    call();
    // A last instruction, so that the call above is not a tail call.
    std::hint::black_box(());
}

/// One call, which is counted if it has a name.
fn run(name: Option<String>, call: &mut dyn FnMut()) {
    let Some(name) = name else { return call() };
    println!("{name}");
    measured(call);
}

/// Irregular values within ±0.5.
fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5).collect()
}

fn calls(isa: Isa, cell: Cell) {
    let (rows, hidden_rows) = (cell.gates() * H, cell.hidden_gates() * H);
    let (w_ih, w_hh) = (values(rows * I), values(hidden_rows * H));
    let (b_ih, b_hh) = (values(rows), values(hidden_rows));
    let (b_ih, b_hh) = (Some(&b_ih[..]), Some(&b_hh[..]));
    let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, b_ih, b_hh, norm: None };
    let layer = Layer { cell, input: I, hidden: H, zoneout: 0.0, weights };
    let (x, dy) = (values(T * B * I), values(T * B * H));
    let (mut y, mut dx) = (vec![0.0; T * B * H], vec![0.0; T * B * I]);
    let mut saved = vec![0.0; T * B * H * layer.saved(&Noise::default())];
    let (mut dw_ih, mut dw_hh) = (vec![0.0; rows * I], vec![0.0; hidden_rows * H]);
    let (mut db_ih, mut db_hh) = (vec![0.0; rows], vec![0.0; hidden_rows]);
    let seq = Sequence { seq_len: T, batch: B, lengths: None, reverse: false };
    let pass = Pass { seq, x: &x, h0: None, noise: Noise::default(), recompute: false };
    let mut packed = Packed::with_isa(isa, &layer);
    let mut state = vec![0.0; cell.states() * H];
    let mut ws = Workspace::new();
    // The first round sets the workspace up.
    for count in [false, true] {
        let name =
            |work: &str| count.then(|| format!("{isa:?} {} {work}", cell.name()).to_lowercase());
        run(name("pack"), &mut || packed.repack(&layer));
        run(name("forward"), &mut || {
            packed.forward(&pass, Output { y: &mut y, last: None, saved: None }, &mut ws);
        });
        run(name("step"), &mut || packed.step(1, &x[..I], &mut state, &mut ws));
        run(name("train"), &mut || {
            let output = Output { y: &mut y, last: None, saved: Some(&mut saved) };
            packed.forward(&pass, output, &mut ws);
            let grads = Gradients {
                dx: Some(&mut dx),
                dh0: None,
                dw_ih: &mut dw_ih,
                dw_hh: &mut dw_hh,
                db_ih: Some(&mut db_ih),
                db_hh: Some(&mut db_hh),
                dgain_ih: None,
                dgain_hh: None,
            };
            let tape = Tape { y: &y, saved: &mut saved, dy: &dy, dlast: None };
            backward(isa, &layer, &pass, tape, grads, &mut ws);
        });
    }
}

fn main() {
    // Callgrind knows no AVX-512, and other machines have no record.
    for isa in [Isa::Scalar, Isa::Avx2].into_iter().filter(|isa| isa.is_available()) {
        for cell in [Cell::Gru, Cell::Lstm, Cell::MinGru] {
            calls(isa, cell);
        }
    }
}
