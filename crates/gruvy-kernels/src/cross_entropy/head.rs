//! The head and its call.

use super::job::{GradientPointers, Job};
use super::packed::PackedHead;
use super::plan::{Plan, Sizes};
use crate::checks::check;
use crate::memory::{Arena, Shared};
use crate::noise::Dropout;
use crate::simd::Isa;
use crate::workspace::Workspace;

/// A linear head `[V, I]` whose outputs are the logits of V classes.
#[derive(Clone, Copy, Debug)]
pub struct LinearCrossEntropy<'a> {
    /// `[V, I]`, row-major as PyTorch keeps it.
    pub weight: &'a [f32],
    /// `[V]`
    pub bias: &'a [f32],
    /// The share of each target that is spread over all classes, in `[0, 1]`.
    pub smoothing: f32,
    /// Dropout of x, its values counted as `[N, I]`.
    pub dropout: Option<Dropout>,
}

/// Where the gradients of a [`LinearCrossEntropy`] go.
#[derive(Debug)]
pub struct LinearGradients<'a> {
    /// `[N, I]`, set.
    pub dx: &'a mut [f32],
    /// `[V, I]`, added to.
    pub dweight: &'a mut [f32],
    /// `[V]`, added to.
    pub dbias: &'a mut [f32],
}

impl LinearCrossEntropy<'_> {
    /// Mean loss in nats of `x [N, I]` against the classes `targets [N]`, and its gradients.
    /// Without rows it is NaN.
    ///
    /// # Panics
    /// If a length does not fit `weight`, `bias` and `targets`, a target is not below V, or a rate
    /// is out of range.
    pub fn loss(
        &self,
        isa: Isa,
        x: &[f32],
        targets: &[u32],
        gradients: Option<LinearGradients<'_>>,
        workspace: &mut Workspace,
    ) -> f64 {
        let sizes = self.check(x, targets, gradients.as_ref());
        let Workspace { scratch, packed, .. } = workspace;
        let tracked = gradients.is_some();
        let packed = PackedHead::new(isa, self.weight, self.bias, tracked, packed);
        let plan = Plan::new(isa, sizes, self.dropout.is_some());
        let mut arena = Arena::new(scratch.get(plan.len()));
        let losses = Shared::new(arena.take(plan.losses));
        let job = Job {
            isa,
            smoothing: self.smoothing,
            dropout: self.dropout,
            sizes,
            plan,
            packed,
            x,
            targets,
            losses,
            logits: Shared::new(arena.take(plan.logits)),
            masked: Shared::new(arena.take(plan.masked)),
            own: Shared::new(arena.take(plan.own * plan.threads)),
            gradients: gradients.map(|g| GradientPointers {
                dx: Shared::of(Some(g.dx)),
                dweight: Shared::of(Some(g.dweight)),
                dbias: Shared::of(Some(g.dbias)),
            }),
        };
        for start in (0..sizes.rows).step_by(plan.rows) {
            // SAFETY: the lengths were checked, the plan sized the scratch memory, and the
            // gradients are borrowed for the call.
            unsafe { job.block(start..(start + plan.rows).min(sizes.rows)) }
        }
        // SAFETY: there is a loss for each row, and all were set.
        let losses = unsafe { core::slice::from_raw_parts(losses.get(), sizes.rows) };
        losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / sizes.rows as f64
    }

    fn check(&self, x: &[f32], targets: &[u32], gradients: Option<&LinearGradients<'_>>) -> Sizes {
        let (classes, rows) = (self.bias.len(), targets.len());
        assert!(classes > 0, "a head needs at least one class");
        let inputs = self.weight.len() / classes;
        check("weight [V, I]", classes * inputs, self.weight.len());
        check("x [N, I]", rows * inputs, x.len());
        if let Some(gradients) = gradients {
            check("dx [N, I]", rows * inputs, gradients.dx.len());
            check("dweight [V, I]", classes * inputs, gradients.dweight.len());
            check("dbias [V]", classes, gradients.dbias.len());
        }
        if let Some((row, target)) =
            targets.iter().enumerate().find(|(_, t)| **t as usize >= classes)
        {
            panic!("target of row {row}: expected a class below {classes}, got {target}");
        }
        let s = self.smoothing;
        assert!((0.0..=1.0).contains(&s), "expected label smoothing in [0, 1], got {s}");
        self.dropout.iter().for_each(Dropout::check);
        Sizes { rows, inputs, classes }
    }
}
