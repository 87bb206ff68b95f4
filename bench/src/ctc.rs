//! The loss of CTC over logits and labels, and the calls that are timed.
use crate::layer::Mode;
use crate::work::{Work, save};
use anyhow::{Context, Result, ensure};
use bytemuck::AnyBitPattern;
use gruvy_kernels::{Ctc, CtcTargets, Isa, Workspace};
use safetensors::SafeTensors;
use std::{fs, path::Path};

/// A batch and the buffers of a call, set up once.
pub struct Loss {
    /// `[T, B, V]`
    shape: Vec<usize>,
    logits: Vec<f32>,
    labels: Vec<u32>,
    label_counts: Vec<usize>,
    lengths: Vec<usize>,
    weights: Vec<f32>,
    losses: Vec<f64>,
    dlogits: Vec<f32>,
    workspace: Workspace,
}

impl Loss {
    pub const MODES: [Mode; 2] = [Mode::Forward, Mode::Train];

    /// Reads a case of the driver: `logits [T, B, V]`, the `labels` of all sequences one after
    /// another, and `label_counts` and `lengths`, `[B]`.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let sizes = |name: &str| -> Result<Vec<usize>> {
            let values: Vec<i64> = values(&tensors, name)?;
            Ok(values.into_iter().map(usize::try_from).collect::<Result<_, _>>()?)
        };
        let logits: Vec<f32> = values(&tensors, "logits")?;
        let labels: Vec<i64> = values(&tensors, "labels")?;
        let lengths = sizes("lengths")?;
        Ok(Self {
            shape: tensors.tensor("logits")?.shape().to_vec(),
            labels: labels.into_iter().map(u32::try_from).collect::<Result<_, _>>()?,
            label_counts: sizes("label_counts")?,
            weights: vec![1.0; lengths.len()],
            losses: Vec::new(),
            dlogits: vec![0.0; logits.len()],
            workspace: Workspace::new(),
            lengths,
            logits,
        })
    }
}

fn values<T: AnyBitPattern>(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<T>> {
    let bytes = tensors.tensor(name)?.data();
    ensure!(bytes.len().is_multiple_of(size_of::<T>()), "{name}: values of another type");
    Ok(bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect())
}

impl Work for Loss {
    fn run(&mut self, mode: Mode) {
        let Self { labels, label_counts, lengths, .. } = self;
        let targets = CtcTargets { labels, label_counts, lengths };
        let gradient = (mode == Mode::Train).then_some((&self.weights[..], &mut self.dlogits[..]));
        let ctc = Ctc { classes: self.shape[2] };
        self.losses = ctc.loss(Isa::best(), &self.logits, targets, gradient, &mut self.workspace);
    }

    fn answer(&mut self, mode: Mode, file: &Path) -> Result<()> {
        self.run(mode);
        let losses: Vec<f32> = self.losses.iter().map(|loss| *loss as f32).collect();
        let mut out = vec![("loss", vec![losses.len()], &losses)];
        if mode == Mode::Train {
            out.push(("grad.logits", self.shape.clone(), &self.dlogits));
        }
        save(out, file)
    }
}
