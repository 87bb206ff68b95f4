//! The head's loss and gradients against plain `f64` loops, and those against central differences.
use gruvy_kernels::{Dropout, Isa, LinearCrossEntropy, LinearGradients, Workspace};

struct Case {
    inputs: usize,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    targets: Vec<u32>,
    smoothing: f32,
    dropout: Option<Dropout>,
}

/// The loss, then dx, dW and db.
type Results = (f64, [Vec<f64>; 3]);

impl Case {
    fn new([rows, inputs, classes]: [usize; 3], smoothing: f32, rate: f32) -> Self {
        let values = |seed: usize, len: usize, scale: f32| -> Vec<f32> {
            (0..len)
                .map(|i| ((i + seed) * 7919 % 2003) as f32 / 1001.5 - 1.0)
                .map(|v| v * scale)
                .collect()
        };
        let scale = 4.0 / (inputs as f32).sqrt();
        Self {
            inputs,
            x: values(1, rows * inputs, 1.0),
            weight: values(5, classes * inputs, scale),
            bias: values(9, classes, 1.0),
            targets: (0..rows).map(|row| (row * 31 % classes) as u32).collect(),
            smoothing,
            dropout: (rate > 0.0).then_some(Dropout { rate, seed: 3, period: None }),
        }
    }

    fn head(&self) -> LinearCrossEntropy<'_> {
        let Self { weight, bias, smoothing, dropout, .. } = self;
        LinearCrossEntropy { weight, bias, smoothing: *smoothing, dropout: *dropout }
    }

    /// Without gradients, on a fresh workspace.
    fn loss(&self, isa: Isa) -> f64 {
        self.head().loss(isa, &self.x, &self.targets, None, &mut Workspace::new())
    }

    /// With gradients, on dirty scratch, added to a weight gradient of 1 and a bias gradient of 2.
    fn kernel(&self, isa: Isa) -> (f64, [Vec<f32>; 3]) {
        let mut dx = vec![f32::NAN; self.x.len()];
        let (mut dweight, mut dbias) = (vec![1.0; self.weight.len()], vec![2.0; self.bias.len()]);
        let mut workspace = Workspace::new();
        let mut loss = f64::NAN;
        for pass in 0..2 {
            dweight.fill(1.0);
            dbias.fill(2.0);
            workspace.soil([0.0, f32::NAN][pass]);
            let gradients =
                LinearGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias };
            let targets = &self.targets;
            loss = self.head().loss(isa, &self.x, targets, Some(gradients), &mut workspace);
        }
        (loss, [dx, dweight, dbias])
    }

    /// The expected results.
    fn reference(&self) -> Results {
        let (inputs, classes, rows) = (self.inputs, self.bias.len(), self.targets.len());
        let mut mask = vec![1.0; self.x.len()];
        self.dropout.iter().for_each(|dropout| dropout.apply(&mut mask));
        let wide = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        let (w, b, mask) = (wide(&self.weight), wide(&self.bias), wide(&mask));
        let x: Vec<f64> = wide(&self.x).iter().zip(&mask).map(|(x, m)| x * m).collect();
        let s = f64::from(self.smoothing);
        let mut total = 0.0;
        let [mut dx, mut dw, mut db] = [x.len(), w.len(), b.len()].map(|len| vec![0.0; len]);
        for row in 0..rows {
            let x = &x[row * inputs..][..inputs];
            let z: Vec<f64> = (0..classes)
                .map(|v| x.iter().zip(&w[v * inputs..]).map(|(x, w)| x * w).sum::<f64>() + b[v])
                .collect();
            let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let lse = max + z.iter().map(|z| (z - max).exp()).sum::<f64>().ln();
            let target = self.targets[row] as usize;
            let mean = z.iter().sum::<f64>() / classes as f64;
            total += lse - (1.0 - s) * z[target] - s * mean;
            for v in 0..classes {
                let aim = if v == target { 1.0 - s } else { 0.0 } + s / classes as f64;
                let dz = ((z[v] - lse).exp() - aim) / rows as f64;
                db[v] += dz;
                for i in 0..inputs {
                    dw[v * inputs + i] += dz * x[i];
                    dx[row * inputs + i] += dz * w[v * inputs + i] * mask[row * inputs + i];
                }
            }
        }
        (total / rows as f64, [dx, dw, db])
    }
}

#[test]
fn the_reference_agrees_with_central_differences() {
    for smoothing in [0.0, 0.25] {
        let case = || Case::new([4, 3, 5], smoothing, 0.4);
        let (_, gradients) = case().reference();
        for (part, gradients) in gradients.iter().enumerate() {
            for (i, gradient) in gradients.iter().enumerate() {
                let at = |step: f32| {
                    let mut case = case();
                    let values = [&mut case.x, &mut case.weight, &mut case.bias];
                    let value = &mut values.into_iter().nth(part).unwrap()[i];
                    *value += step;
                    (f64::from(*value), case.reference().0)
                };
                let ((high, above), (low, below)) = (at(1e-3), at(-1e-3));
                let slope = (above - below) / (high - low);
                assert!((slope - gradient).abs() < 1e-6, "{part} {i}: {slope}, got {gradient}");
            }
        }
    }
}

#[test]
fn every_instruction_set_agrees_with_the_reference() {
    // Sizes astride vectors, tiles and blocks; more classes than dx sums over at once.
    let sizes =
        [[1, 1, 1], [3, 7, 2], [8, 8, 8], [17, 33, 65], [70, 16, 9], [5, 3, 1100], [1601, 9, 601]];
    for sizes in sizes {
        for (smoothing, rate) in [(0.0, 0.0), (0.1, 0.0), (0.0, 0.5), (0.3, 0.2)] {
            let case = Case::new(sizes, smoothing, rate);
            let (loss, want) = case.reference();
            for isa in Isa::available() {
                let name = format!("{isa:?} {sizes:?} s {smoothing} dropout {rate}");
                let (got_loss, got) = case.kernel(isa);
                assert!(
                    (got_loss - loss).abs() < 1e-5 * loss.max(1.0),
                    "{name}: {got_loss}, not {loss}"
                );
                assert_eq!(case.loss(isa), got_loss, "{name}: the loss alone");
                for ((part, got), (want, before)) in
                    ["dx", "dW", "db"].iter().zip(&got).zip(want.iter().zip([0.0, 1.0, 2.0]))
                {
                    let scale = want.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
                    for (i, (got, want)) in got.iter().zip(want).enumerate() {
                        let error = (f64::from(*got) - before - want).abs();
                        let bound = 1e-5 * scale + 3e-7 * before;
                        assert!(error <= bound, "{name}: {part}[{i}] is {got}, off by {error:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let case = Case::new([700, 60, 131], 0.1, 0.3);
    let on = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| case.kernel(Isa::best()))
    };
    let one = on(1);
    for threads in [2, 3, 5] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn far_apart_logits_stay_finite_and_a_nan_is_kept() {
    for isa in Isa::available() {
        let mut case = Case::new([2, 1, 9], 0.0, 0.0);
        case.x = vec![1.0, 1.0];
        case.weight = (0..9).map(|v| v as f32 * 1e4).collect();
        case.bias.fill(0.0);
        case.targets = vec![8, 0];
        let (loss, [dx, dweight, _]) = case.kernel(isa);
        assert_eq!((loss, &dx[..]), (4e4, &[0.0, 4e4][..]), "{isa:?}");
        assert_eq!(dweight, [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5], "{isa:?}");
        case.x[1] = f32::NAN;
        assert!(case.loss(isa).is_nan(), "{isa:?}");
    }
}

#[test]
#[should_panic(expected = "target of row 1: expected a class below 5, got 5")]
fn a_target_that_is_no_class_is_named() {
    let mut case = Case::new([3, 2, 5], 0.0, 0.0);
    case.targets[1] = 5;
    case.loss(Isa::best());
}

#[test]
#[should_panic(expected = "x [N, I]: expected 6, got 5")]
fn a_short_input_is_named() {
    let mut case = Case::new([3, 2, 5], 0.0, 0.0);
    case.x.pop();
    case.loss(Isa::best());
}
