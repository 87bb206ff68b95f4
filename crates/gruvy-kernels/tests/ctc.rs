//! The loss of CTC and its gradient: against the sum over all ways to say the labels, against plain
//! `f64` loops, and against PyTorch.
use gruvy_kernels::{Ctc, CtcTargets, Isa, Workspace};
use safetensors::SafeTensors;

/// A batch, `[T, B, V]` and what each sequence is to say.
#[derive(Clone)]
struct Case {
    classes: usize,
    logits: Vec<f32>,
    labels: Vec<Vec<u32>>,
    lengths: Vec<usize>,
    weights: Vec<f32>,
}

/// Losses `[B]` and the gradient `[T, B, V]`.
type Results = (Vec<f64>, Vec<f64>);

impl Case {
    fn new(classes: usize, steps: usize, rows: &[(&[u32], usize)], scale: f32) -> Self {
        let value = |i: usize| (i * 7919 % 2003) as f32 / 1001.5 - 1.0;
        Self {
            classes,
            logits: (0..steps * rows.len() * classes).map(|i| scale * value(i + 3)).collect(),
            labels: rows.iter().map(|(labels, _)| labels.to_vec()).collect(),
            lengths: rows.iter().map(|(_, length)| *length).collect(),
            weights: (0..rows.len()).map(|b| 1.0 + b as f32 / 4.0).collect(),
        }
    }

    fn kernel(&self, isa: Isa) -> (Vec<f64>, Vec<f32>) {
        let counts: Vec<usize> = self.labels.iter().map(Vec::len).collect();
        let labels = self.labels.concat();
        let targets = CtcTargets { labels: &labels, label_counts: &counts, lengths: &self.lengths };
        let ctc = Ctc { classes: self.classes };
        let mut dlogits = vec![f32::NAN; self.logits.len()];
        let mut workspace = Workspace::new();
        let alone = ctc.loss(isa, &self.logits, targets, None, &mut workspace);
        workspace.soil(f32::NAN);
        let gradient = Some((&self.weights[..], &mut dlogits[..]));
        let losses = ctc.loss(isa, &self.logits, targets, gradient, &mut workspace);
        let bits = |losses: &[f64]| losses.iter().map(|l| l.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&losses), bits(&alone), "{isa:?}: the loss with a gradient");
        (losses, dlogits)
    }

    /// ln p `[T, V]` of a sequence.
    fn said(&self, b: usize) -> Vec<Vec<f64>> {
        let (batch, classes) = (self.lengths.len(), self.classes);
        let row = |t: usize| {
            let z = &self.logits[(t * batch + b) * classes..][..classes];
            let z: Vec<f64> = z.iter().map(|z| f64::from(*z)).collect();
            let norm = log_sum(&z);
            z.iter().map(|z| z - norm).collect()
        };
        (0..self.lengths[b]).map(row).collect()
    }

    /// In plain loops over all states, in log space.
    fn reference(&self) -> Results {
        let (batch, classes) = (self.lengths.len(), self.classes);
        let mut losses = Vec::new();
        let mut gradient = vec![0.0; self.logits.len()];
        for b in 0..batch {
            let said = self.said(b);
            let mut states = vec![0u32];
            self.labels[b].iter().for_each(|label| states.extend([*label, 0]));
            let (steps, count) = (said.len(), states.len());
            let may_skip = |s: usize| s >= 2 && states[s] != 0 && states[s] != states[s - 2];
            let mut alpha = vec![vec![f64::NEG_INFINITY; count]; steps];
            let mut beta = alpha.clone();
            for t in 0..steps {
                for s in 0..count {
                    let mut from = vec![];
                    match t {
                        0 => from.extend((s < 2).then_some(0.0)),
                        _ => {
                            from.push(alpha[t - 1][s]);
                            from.extend((s > 0).then(|| alpha[t - 1][s - 1]));
                            from.extend(may_skip(s).then(|| alpha[t - 1][s - 2]));
                        }
                    }
                    alpha[t][s] = log_sum(&from) + said[t][states[s] as usize];
                }
            }
            for t in (0..steps).rev() {
                for s in 0..count {
                    if t + 1 == steps {
                        beta[t][s] = if s + 2 >= count { 0.0 } else { f64::NEG_INFINITY };
                        continue;
                    }
                    let next = |r: usize| beta[t + 1][r] + said[t + 1][states[r] as usize];
                    let mut to = vec![next(s)];
                    to.extend((s + 1 < count).then(|| next(s + 1)));
                    to.extend((s + 2 < count && may_skip(s + 2)).then(|| next(s + 2)));
                    beta[t][s] = log_sum(&to);
                }
            }
            let total = match steps {
                0 => 0.0,
                _ => log_sum(&alpha[steps - 1][count.saturating_sub(2)..]),
            };
            losses.push(-total);
            let weight = f64::from(self.weights[b]);
            for t in 0..steps {
                let dz = &mut gradient[(t * batch + b) * classes..][..classes];
                dz.iter_mut().zip(&said[t]).for_each(|(dz, p)| *dz = weight * p.exp());
                for s in 0..count {
                    dz[states[s] as usize] -= weight * (alpha[t][s] + beta[t][s] - total).exp();
                }
            }
        }
        (losses, gradient)
    }

    /// The loss of a sequence as −ln of the probability of all paths that say its labels.
    fn by_paths(&self, b: usize) -> f64 {
        let said = self.said(b);
        let paths = self.classes.pow(said.len() as u32);
        let mut total = 0.0;
        for mut path in 0..paths {
            let (mut labels, mut before, mut p) = (vec![], 0, 0.0);
            for step in &said {
                let class = path % self.classes;
                path /= self.classes;
                p += step[class];
                if class != 0 && class != before {
                    labels.push(class as u32);
                }
                before = class;
            }
            if labels == self.labels[b] {
                total += p.exp();
            }
        }
        -total.ln()
    }

    fn check(&self, tolerance: f64) {
        let (losses, gradient) = self.reference();
        for isa in Isa::available() {
            let (got, dlogits) = self.kernel(isa);
            for (b, (got, loss)) in got.iter().zip(&losses).enumerate() {
                let off = (got - loss).abs() / loss.abs().max(1.0);
                assert!(off < tolerance, "{isa:?}: loss {b}: {got}, expected {loss}");
            }
            for (i, (got, dz)) in dlogits.iter().zip(&gradient).enumerate() {
                let off = (f64::from(*got) - dz).abs();
                assert!(off < tolerance, "{isa:?}: gradient {i}: {got}, expected {dz}");
            }
        }
    }
}

fn log_sum(values: &[f64]) -> f64 {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + values.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

#[test]
fn the_reference_is_the_sum_over_all_paths_and_its_gradient() {
    let rows: [(&[u32], usize); 6] =
        [(&[1, 2], 5), (&[1, 1], 4), (&[], 3), (&[2, 2, 1], 4), (&[1, 2, 1, 2, 1], 5), (&[2], 1)];
    let case = Case::new(3, 5, &rows, 2.0);
    let (losses, gradient) = case.reference();
    for (b, loss) in losses.iter().enumerate() {
        let paths = case.by_paths(b);
        assert!((loss - paths).abs() < 1e-9, "sequence {b}: {loss}, by paths {paths}");
    }
    let objective = |case: &Case| -> f64 {
        let weights = case.weights.iter().map(|w| f64::from(*w));
        case.reference().0.iter().zip(weights).map(|(l, w)| l * w).sum()
    };
    for (i, expected) in gradient.iter().enumerate() {
        let moved = |by: f32| {
            let mut moved = case.clone();
            moved.logits[i] += by;
            (objective(&moved), f64::from(moved.logits[i]))
        };
        let ((above, high), (below, low)) = (moved(1e-2), moved(-1e-2));
        let slope = (above - below) / (high - low);
        assert!((slope - expected).abs() < 1e-4, "{i}: {slope}, expected {expected}");
    }
}

#[test]
fn kernels_agree_with_the_reference() {
    let long: Vec<u32> = (0..40).map(|i| 1 + (i / 2 * 5 % 6) as u32).collect();
    let rows: [(&[u32], usize); 8] = [
        (&[1], 1),
        (&[], 2),
        (&[], 0),
        (&[1, 2, 3, 4, 5, 6, 1], 17),
        (&[3, 3, 3], 17),
        (&[3, 3, 3, 3, 3, 3, 3, 3, 3], 17),
        (&[5, 1, 5, 1, 5, 1, 5, 1], 8),
        (&long[..9], 16),
    ];
    for scale in [0.5, 4.0, 60.0] {
        Case::new(7, 17, &rows, scale).check(2e-5);
    }
    Case::new(33, 120, &[(&long, 120), (&long[..31], 90), (&long[..1], 120)], 3.0).check(2e-5);
    Case::new(2, 9, &[(&[1, 1, 1, 1], 9), (&[1], 9)], 1.0).check(2e-5);
}

/// A network that says nothing but blanks with all its might, and one that says each label for one
/// step only: what is left of α underflows unless it is kept as a logarithm.
#[test]
fn what_is_nearly_impossible_has_its_loss_and_a_finite_gradient() {
    let labels: Vec<u32> = (0..20).map(|i| 1 + i % 3).collect();
    let mut case = Case::new(4, 60, &[(&labels, 60), (&labels, 60)], 0.1);
    for (i, z) in case.logits.iter_mut().enumerate() {
        if i % 4 == 0 {
            *z += 80.0;
        }
    }
    let (losses, _) = case.kernel(Isa::best());
    assert!(losses.iter().all(|loss| *loss > 1500.0 && loss.is_finite()), "{losses:?}");
    // Logarithms of −1600 have four digits behind the point.
    case.check(2e-4);
}

#[test]
fn ten_thousand_steps_lose_no_digits() {
    let labels: Vec<u32> = (0..700).map(|i| 1 + (i * i % 4) as u32).collect();
    let case = Case::new(5, 10_000, &[(&labels, 10_000)], 3.0);
    let (losses, gradient) = case.reference();
    let (got, dlogits) = case.kernel(Isa::best());
    assert!((got[0] / losses[0] - 1.0).abs() < 1e-6, "{} expected {}", got[0], losses[0]);
    let worst = dlogits.iter().zip(&gradient).map(|(a, b)| (f64::from(*a) - b).abs());
    let worst = worst.fold(0.0, f64::max);
    assert!(worst < 5e-4, "{worst}");
}

#[test]
fn a_nan_is_kept() {
    let mut case = Case::new(4, 6, &[(&[1, 2], 6), (&[3], 6)], 1.0);
    case.logits[3 * 8 + 5] = f32::NAN;
    for isa in Isa::available() {
        let (losses, _) = case.kernel(isa);
        assert!(losses[0].is_finite() && losses[1].is_nan(), "{isa:?}: {losses:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let labels: Vec<u32> = (0..30).map(|i| 1 + i % 9).collect();
    let rows: Vec<(&[u32], usize)> = (0..13).map(|b| (&labels[..2 * b + 1], 200 - 3 * b)).collect();
    let case = Case::new(10, 200, &rows, 2.0);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| case.kernel(Isa::best()))
    };
    assert_eq!(with(1), with(5));
}

#[test]
#[should_panic(expected = "sequence 1 has 3 steps; its 3 labels need at least 5")]
fn too_few_steps_are_named() {
    Case::new(3, 4, &[(&[1], 4), (&[2, 2, 2], 3)], 1.0).kernel(Isa::best());
}

#[test]
#[should_panic(expected = "label: expected 1 to 2, got 3")]
fn labels_that_are_no_class_are_named() {
    Case::new(3, 4, &[(&[3], 4)], 1.0).kernel(Isa::best());
}

#[test]
#[should_panic(expected = "length of sequence 0: expected at most 4, got 5")]
fn lengths_past_the_batch_are_named() {
    Case::new(3, 4, &[(&[1], 5)], 1.0).kernel(Isa::best());
}

#[test]
fn pytorch_gives_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/ctc/golden.safetensors");
    let bytes = std::fs::read(path).expect("the golden file");
    let (_, head) = SafeTensors::read_metadata(&bytes).expect("a header");
    let facts = &head.metadata().as_ref().expect("metadata")["cases"];
    let facts: serde_json::Value = serde_json::from_str(facts).expect("JSON");
    let file = SafeTensors::deserialize(&bytes).expect("a file");
    let values = |name: String| -> Vec<f32> {
        let tensor = file.tensor(&name).expect("a tensor");
        let bytes = tensor.data().as_chunks::<4>().0;
        bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let cases = facts["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let rows: Vec<(Vec<u32>, usize)> =
            serde_json::from_value(case["rows"].clone()).expect("rows");
        let rows: Vec<(&[u32], usize)> = rows.iter().map(|(l, n)| (&l[..], *n)).collect();
        let number = |name: &str| case[name].as_u64().expect("a number") as usize;
        let steps = rows.iter().map(|(_, length)| *length).max().expect("rows");
        let mut case = Case::new(number("classes"), steps, &rows, 1.0);
        let value = |i: usize| ((i + 3) * 7919 % 2003) as f32 - 1001.0;
        case.logits = (0..case.logits.len()).map(|i| value(i) / 256.0).collect();
        let losses = values(format!("{name}.losses"));
        let expected = values(format!("{name}.dlogits"));
        for isa in Isa::available() {
            let (got, dlogits) = case.kernel(isa);
            for (got, loss) in got.iter().zip(&losses) {
                let loss = f64::from(*loss);
                assert!((got - loss).abs() <= 1e-6 * loss.max(1.0), "{isa:?} {name}: {got} {loss}");
            }
            let row = case.classes * rows.len();
            let every = dlogits.chunks(row).step_by(number("every")).flatten();
            let limit = if name == "long" { 5e-4 } else { 2e-6 };
            assert_eq!(expected.len(), dlogits.chunks(row).step_by(number("every")).count() * row);
            for (i, (got, expected)) in every.zip(&expected).enumerate() {
                let off = (got - expected).abs();
                assert!(off < limit, "{isa:?} {name}: {i}: {got}, expected {expected}");
            }
        }
    }
}
