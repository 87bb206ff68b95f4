//! The fast kernels against the `f64` reference, on every instruction set of this machine.
#![allow(clippy::unwrap_used)] // A failed step fails the test.

mod case;

use case::{ALL, Answer, Case, PLAIN, Regular, assert_close, regular, wide};
use gruvy_kernels::{
    Cell, Gradients, Isa, Layer, Output, Packed, Pass, Sequence, Tape, Weights, Workspace, backward,
};

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// `few` under Miri, which is thousands of times slower (.ci/miri), else `all`.
fn unless_miri<T>(all: &'static [T], few: &'static [T]) -> &'static [T] {
    if cfg!(miri) { few } else { all }
}

/// Every shape on every instruction set.
fn all_shapes(cell: Cell) {
    for isa in Isa::available() {
        let mut ws = Workspace::new();
        for &t in unless_miri(&[1, 2, 17], &[2]) {
            for &b in unless_miri(&[1, 3, 8], &[3]) {
                let widths = unless_miri(&[(1, 3), (7, 8), (8, 7), (33, 9), (5, 33)], &[(3, 5)]);
                for &(i, h) in widths {
                    Case::new(cell, [t, b, i, h]).check(isa, &mut ws, true);
                    Case::new(cell, [t, b, i, h]).ragged().check(isa, &mut ws, t == 2);
                    Case::new(cell, [t, b, i, h]).reversed().check(isa, &mut ws, t != 2);
                    Case::new(cell, [t, b, i, h]).reversed().ragged().check(isa, &mut ws, true);
                }
            }
        }
    }
}

/// Every regulariser on every instruction set.
fn all_regularisers(cell: Cell) {
    for isa in Isa::available() {
        let mut ws = Workspace::new();
        for regular in regular(cell) {
            for sizes in [[1, 1, 3, 5], [7, 3, 4, 9], [6, 9, 5, 33]] {
                Case::regular(cell, regular, sizes).check(isa, &mut ws, true);
                Case::regular(cell, regular, sizes).ragged().check(isa, &mut ws, false);
                Case::regular(cell, regular, sizes).reversed().ragged().check(isa, &mut ws, true);
            }
        }
    }
}

/// Sizes beyond one block of every loop: rows, steps of a chunk, k of the weight gradients, panels
/// of a tile.
fn large_sizes(cell: Cell) {
    for isa in Isa::available() {
        let mut ws = Workspace::new();
        Case::new(cell, [9, 70, 20, 49]).check(isa, &mut ws, true);
        Case::new(cell, [300, 5, 65, 20]).ragged().check(isa, &mut ws, false);
        Case::new(cell, [3, 15, 50, 140]).reversed().check(isa, &mut ws, true);
        Case::regular(cell, ALL.of(cell), [30, 11, 65, 40]).ragged().check(isa, &mut ws, true);
        Case::new(cell, [300, 5, 65, 20]).recomputed().check(isa, &mut ws, false);
    }
}

macro_rules! for_each_cell {
    ($($name:ident: $cell:expr;)*) => {
        $(mod $name {
            use super::*;
            #[test]
            fn all_shapes_equal_the_reference() {
                all_shapes($cell);
            }
            #[test]
            fn all_regularisers_equal_the_reference() {
                all_regularisers($cell);
            }
            #[test]
            fn large_sizes_equal_the_reference() {
                large_sizes($cell);
            }
        })*
    };
}

for_each_cell! {
    gru: Cell::Gru;
    gru_v3: Cell::GruV3;
    lstm: Cell::Lstm;
    rnn: Cell::Rnn;
    rnn_relu: Cell::RnnRelu;
    min_gru: Cell::MinGru;
}

#[test]
fn same_bits_for_any_number_of_threads() {
    let dropped = Regular { candidate_dropout: 0.3, zoneout: 0.2, drawn: true, ..PLAIN };
    for cell in Cell::ALL {
        for case in [
            Case::new(cell, [40, 37, 30, 60]),
            Case::new(cell, [40, 21, 30, 65]).ragged().reversed(),
            Case::regular(cell, ALL.of(cell), [200, 3, 30, 100]).ragged(),
            Case::new(cell, [40, 37, 30, 60]).recomputed(),
            // So few rows that threads share their units.
            Case::regular(cell, dropped.of(cell), [20, 3, 10, 400]).ragged(),
            Case::new(cell, [20, 1, 30, 400]),
            Case::new(cell, [20, 3, 10, 400]).ragged().reversed(),
            Case::new(cell, [90, 3, 10, 400]).ragged().recomputed(),
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
            // Miri knows no square roots in assembly, which is what libm has.
            let steps_alike = |r: &Regular| !(r.drawn || cfg!(miri) && r.norm);
            for regular in regular(cell).into_iter().filter(steps_alike) {
                for &b in unless_miri(&[1, 2, 5, 11], &[3]) {
                    let [t, i, h] = if cfg!(miri) { [2, 3, 5] } else { [6, 10, 21] };
                    let case = Case::regular(cell, regular, [t, b, i, h]);
                    let packed = Packed::with_isa(isa, &case.layer());
                    let mut ws = Workspace::new();
                    let (mut y, mut last) = (vec![0.0; case.dy.len()], case.h0.clone());
                    let output = Output { y: &mut y, last: Some(&mut last), saved: None };
                    packed.forward(&case.pass(), output, &mut ws);
                    let mut state = case.h0.clone();
                    for (x, y) in case.x.chunks(b * case.i).zip(y.chunks(b * case.h)) {
                        packed.step(b, x, &mut state, &mut ws);
                        let h: Vec<_> = (state.chunks(cell.states() * case.h))
                            .flat_map(|row| &row[..case.h])
                            .copied()
                            .collect();
                        assert_eq!(h, y, "{isa:?} {cell:?} {regular:?} batch {b}");
                    }
                    assert_eq!(state, last, "{isa:?} {cell:?} {regular:?} batch {b}");
                }
            }
        }
    }
}

#[test]
fn a_batch_equals_its_rows_alone() {
    for cell in Cell::ALL {
        // Draws depend on the row's place in the batch.
        for regular in regular(cell).into_iter().filter(|r| !r.drawn) {
            let case = Case::regular(cell, regular, [7, 13, 6, 19]).ragged();
            let mut ws = Workspace::new();
            let (y, last) = case.forward(&mut ws);
            let packed = Packed::new(&case.layer());
            for b in 0..case.b {
                let len = case.lengths.as_ref().unwrap()[b];
                let row = |v: &[f32], width: usize| -> Vec<f32> {
                    let at = |t: usize| (t * case.b + b) * width;
                    (0..len).flat_map(|t| v[at(t)..at(t) + width].to_vec()).collect()
                };
                let width = cell.states() * case.h;
                let state = b * width..(b + 1) * width;
                let seq = Sequence { seq_len: len, batch: 1, lengths: None, reverse: false };
                let x = row(&case.x, case.i);
                let h0 = Some(&case.h0[state.clone()]);
                let pass = Pass { seq, x: &x, h0, noise: case.noise(), recompute: false };
                let (mut y_alone, mut last_alone) = (vec![0.0; len * case.h], vec![0.0; width]);
                let output = Output { y: &mut y_alone, last: Some(&mut last_alone), saved: None };
                packed.forward(&pass, output, &mut ws);
                assert_eq!(y_alone, row(&y, case.h), "{cell:?} {regular:?} row {b}");
                assert_eq!(last_alone, last[state], "{cell:?} {regular:?} row {b}");
            }
        }
    }
}

/// The content of the padding (even NaN in dy, anything finite in x) changes no valid output and no
/// gradient.
#[test]
fn padding_has_no_effect() {
    for cell in Cell::ALL {
        for regular in regular(cell) {
            for reverse in [false, true] {
                let mut case = Case::regular(cell, regular, [9, 10, 6, 19]).ragged();
                case.reverse = reverse;
                let clean = case.run(Isa::best(), &mut Workspace::new(), true);
                let lengths = case.lengths.clone().unwrap();
                for t in 0..case.t {
                    for b in (0..case.b).filter(|&b| t >= lengths[b]) {
                        let at = t * case.b + b;
                        case.x[at * case.i..][..case.i].fill(1e10);
                        case.dy[at * case.h..][..case.h].fill(f32::NAN);
                    }
                }
                let dirty = case.run(Isa::best(), &mut Workspace::new(), true);
                assert!(clean == dirty, "{cell:?} {regular:?} reverse {reverse}");
            }
        }
    }
}

/// Windows of 13 or 7 steps, the last one shorter; at B = 37 some without a single valid step.
#[test]
fn recomputed_gradients_equal_the_saved_ones() {
    for cell in Cell::ALL {
        for regular in regular(cell) {
            for sizes in [[40, 20, 6, 9], [30, 37, 5, 11]] {
                for case in [
                    Case::regular(cell, regular, sizes),
                    Case::regular(cell, regular, sizes).ragged(),
                    Case::regular(cell, regular, sizes).reversed(),
                    Case::regular(cell, regular, sizes).reversed().ragged(),
                ] {
                    let mut ws = Workspace::new();
                    let saved = case.run(Isa::best(), &mut ws, true);
                    let case = case.recomputed();
                    assert!(case.layer().saved_values(&case.pass()) < case.dy.len());
                    let again = case.run(Isa::best(), &mut ws, true);
                    let bits = |a: &Answer| [&a.y, &a.last, &a.dx, &a.dh0].map(Vec::clone);
                    assert!(bits(&saved) == bits(&again), "{cell:?} {regular:?} {sizes:?}");
                    // The terms of these sums are added in another order.
                    for (name, saved, again) in [
                        ("dw_ih", saved.dw_ih, again.dw_ih),
                        ("dw_hh", saved.dw_hh, again.dw_hh),
                        ("db_ih", saved.db_ih, again.db_ih),
                        ("db_hh", saved.db_hh, again.db_hh),
                        ("dgain_ih", saved.dgain_ih, again.dgain_ih),
                        ("dgain_hh", saved.dgain_hh, again.dgain_hh),
                    ] {
                        let name = format!("{cell:?} {regular:?} {sizes:?} {name}");
                        assert_close(&name, &again, &wide(&saved), 2e-6);
                    }
                }
            }
        }
    }
}

/// Without a seed nothing is drawn, and there is no recurrent dropout.
#[test]
fn inference_draws_nothing() {
    for cell in Cell::ALL {
        let plain = Case::new(cell, [5, 3, 4, 9]).run(Isa::best(), &mut Workspace::new(), true);
        let regular = Regular { recurrent_dropout: 0.5, ..PLAIN };
        let off = Case::regular(cell, regular, [5, 3, 4, 9]);
        assert!(off.run(Isa::best(), &mut Workspace::new(), true) == plain, "{cell:?}");
        let drawn = Regular { drawn: true, ..regular };
        let on = Case::regular(cell, drawn, [5, 3, 4, 9]);
        let on = on.run(Isa::best(), &mut Workspace::new(), true);
        // A minGRU has no product of the state to drop from.
        assert_eq!(on == plain, cell == Cell::MinGru, "{cell:?}");
    }
}

/// Dropout of the candidate is drawn by the place in the buffer, and not at all without a seed or a
/// rate.
#[test]
fn candidates_are_dropped_where_something_is_drawn() {
    let run = |cell, regular| {
        Case::regular(cell, regular, [5, 3, 4, 9]).run(Isa::best(), &mut Workspace::new(), true)
    };
    for cell in Cell::ALL.into_iter().filter(|cell| cell.has_candidate()) {
        let plain = run(cell, PLAIN);
        let off = Regular { candidate_dropout: 0.5, ..PLAIN };
        assert!(run(cell, off) == plain, "{cell:?}");
        assert!(run(cell, Regular { drawn: true, ..PLAIN }) == plain, "{cell:?}");
        assert!(run(cell, Regular { drawn: true, ..off }) != plain, "{cell:?}");
    }
}

/// Vanishing gradients become zero, and not subnormal numbers, which are slow.
#[test]
fn vanished_gradients_are_zero() {
    for cell in Cell::ALL {
        for isa in Isa::available() {
            let mut case = Case::new(cell, [900, 3, 4, 9]);
            // All gradients decay, whatever the cell; what is left of h0 must not matter.
            case.w_hh.iter_mut().for_each(|w| *w *= 0.5);
            let last = case.dy.len() - 3 * 9;
            case.dy[..last].fill(0.0);
            let dx = case.run(isa, &mut Workspace::new(), true).dx;
            let slow = dx.iter().filter(|d| d.is_subnormal()).count();
            assert_eq!(slow, 0, "{isa:?} {cell:?}: of {} values", dx.len());
            assert!(dx[..3 * 4].iter().all(|d| *d == 0.0), "{isa:?} {cell:?}");
            assert!(dx[dx.len() - 3 * 4..].iter().all(|d| *d != 0.0), "{isa:?} {cell:?}");
        }
    }
}

#[test]
fn a_layer_without_bias_has_zero_bias() {
    for cell in Cell::ALL {
        let mut case = Case::new(cell, [5, 3, 4, 9]);
        case.b_ih.fill(0.0);
        case.b_hh.fill(0.0);
        let with = case.run(Isa::best(), &mut Workspace::new(), true);
        let layer = case.layer();
        let layer = Layer { weights: Weights { b_ih: None, b_hh: None, ..layer.weights }, ..layer };
        let mut ws = Workspace::new();
        let mut y = vec![0.0; case.dy.len()];
        let mut saved = vec![0.0; case.dy.len() * layer.saved(&case.noise())];
        let output = Output { y: &mut y, last: None, saved: Some(&mut saved) };
        Packed::new(&layer).forward(&case.pass(), output, &mut ws);
        assert_eq!(y, with.y);
        let (mut dw_ih, mut dw_hh) = (vec![1.0; case.w_ih.len()], vec![1.0; case.w_hh.len()]);
        let grads = Gradients {
            dx: None,
            dh0: None,
            dw_ih: &mut dw_ih,
            dw_hh: &mut dw_hh,
            db_ih: None,
            db_hh: None,
            dgain_ih: None,
            dgain_hh: None,
        };
        let dlast = Some(&case.dlast[..]);
        let tape = Tape { y: &y, saved: &mut saved, dy: &case.dy, dlast };
        backward(Isa::best(), &layer, &case.pass(), tape, grads, &mut ws);
        assert_eq!((dw_ih, dw_hh), (with.dw_ih, with.dw_hh), "{cell:?}");
    }
}

#[test]
fn the_last_h_is_the_last_valid_output() {
    for cell in Cell::ALL {
        let case = Case::regular(cell, ALL.of(cell), [6, 5, 4, 9]).ragged();
        let (y, last) = case.forward(&mut Workspace::new());
        let width = cell.states() * case.h;
        for (b, &len) in case.lengths.as_ref().unwrap().iter().enumerate() {
            let got = &last[b * width..][..width];
            match len {
                0 => assert_eq!(got, &case.h0[b * width..][..width], "row {b}"),
                len => {
                    let y = &y[((len - 1) * case.b + b) * case.h..][..case.h];
                    assert_eq!(&got[..case.h], y, "row {b}");
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "y [T, B, H]: expected 30, got 29")]
fn a_short_buffer_is_named() {
    let case = Case::new(Cell::Gru, [5, 2, 4, 3]);
    let output = Output { y: &mut [0.0; 29], last: None, saved: None };
    Packed::new(&case.layer()).forward(&case.pass(), output, &mut Workspace::new());
}

#[test]
#[should_panic(expected = "h0 [B, K * H]: expected 12, got 6")]
fn a_state_without_c_is_named() {
    let mut case = Case::new(Cell::Lstm, [5, 2, 4, 3]);
    case.h0.truncate(6);
    case.run(Isa::best(), &mut Workspace::new(), true);
}

#[test]
#[should_panic(expected = "expected zoneout in [0, 1), got 1")]
fn zoneout_of_everything_is_refused() {
    let case = Case::regular(Cell::Gru, Regular { zoneout: 1.0, ..PLAIN }, [5, 2, 4, 3]);
    case.run(Isa::best(), &mut Workspace::new(), true);
}

#[test]
#[should_panic(expected = "expected candidate dropout in [0, 1), got 1")]
fn dropping_every_candidate_is_refused() {
    let regular = Regular { candidate_dropout: 1.0, ..PLAIN };
    Case::regular(Cell::Gru, regular, [5, 2, 4, 3]).run(Isa::best(), &mut Workspace::new(), true);
}

#[test]
#[should_panic(expected = "the cell rnn has no candidate")]
fn a_cell_without_a_candidate_is_named() {
    let regular = Regular { candidate_dropout: 0.5, ..PLAIN };
    Case::regular(Cell::Rnn, regular, [5, 2, 4, 3]).run(Isa::best(), &mut Workspace::new(), true);
}

#[test]
#[should_panic(expected = "a sequence's length, at most T: expected 5, got 6")]
fn a_length_beyond_the_buffer_is_named() {
    let mut case = Case::new(Cell::Gru, [5, 2, 4, 3]);
    case.lengths = Some(vec![5, 6]);
    case.run(Isa::best(), &mut Workspace::new(), true);
}
