//! What the top layer's output says: the loss at a step, and its gradient.
//!
//! ```text
//! logits = W y + b;   class c: loss = −ln softmax(logits)[c], dlogits = softmax(logits) − onehot(c)
//!                     values v [O]: loss = mean (logits − v)², dlogits = 2 (logits − v) / O
//! dy = Wᵀ dlogits
//! ```
use super::example::Target;
use gruvy_kernels::Linear;
use gruvy_runtime::model::{Head as HeadSpec, ModelFile};

/// The head of a model file.
pub(super) struct Head<'m> {
    linear: Linear,
    /// `[O, D·H]`
    weight: &'m [f32],
    width: usize,
    outputs: usize,
}

impl<'m> Head<'m> {
    /// The head of a checked model.
    pub fn new(model: &'m ModelFile) -> Self {
        let data = |name: &str| model.tensors.get(name).map_or(&[][..], |t| &t.data);
        let weight = data(match model.spec.head {
            HeadSpec::Linear { .. } => "head.weight",
            HeadSpec::Tied => "embedding.weight",
        });
        let (width, outputs) = (model.spec.rnn.output_size(), model.spec.outputs());
        let linear = Linear::new(width, outputs, weight, Some(data("head.bias")));
        Self { linear, weight, width, outputs }
    }

    /// The loss of one output `y [D·H]`, none without a target, and its gradient by the logits
    /// `[O]`.
    fn at(&self, y: &[f32], target: &Target) -> Option<(f64, Vec<f64>)> {
        let mut logits = vec![0.0; self.outputs];
        self.linear.apply(1, y, &mut logits);
        let logits = logits.iter().map(|l| f64::from(*l));
        match target {
            Target::None => None,
            Target::Class(class) => {
                let max = logits.clone().fold(f64::NEG_INFINITY, f64::max);
                let mut p: Vec<f64> = logits.map(|l| (l - max).exp()).collect();
                let sum: f64 = p.iter().sum();
                p.iter_mut().for_each(|p| *p /= sum);
                let class = *class as usize;
                let loss = -p[class].ln();
                p[class] -= 1.0;
                Some((loss, p))
            }
            Target::Values(values) => {
                let d: Vec<f64> = logits.zip(values).map(|(l, v)| l - f64::from(*v)).collect();
                let n = d.len() as f64;
                let loss = d.iter().map(|d| d * d).sum::<f64>() / n;
                Some((loss, d.into_iter().map(|d| 2.0 * d / n).collect()))
            }
        }
    }

    /// The loss of one output `y [D·H]`; none without a target.
    pub fn loss(&self, y: &[f32], target: &Target) -> Option<f64> {
        self.at(y, target).map(|(loss, _)| loss)
    }

    /// The gradient of the loss by one output `y [D·H]`; zero without a target.
    pub fn gradient(&self, y: &[f32], target: &Target) -> Vec<f32> {
        let mut dy = vec![0.0f64; self.width];
        if let Some((_, d_logits)) = self.at(y, target) {
            for (row, d) in self.weight.chunks_exact(self.width).zip(d_logits) {
                dy.iter_mut().zip(row).for_each(|(dy, w)| *dy += d * f64::from(*w));
            }
        }
        dy.into_iter().map(|d| d as f32).collect()
    }
}
