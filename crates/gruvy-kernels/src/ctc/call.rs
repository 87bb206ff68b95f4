//! The call and its checks.

use super::lattice::{Lattice, Rows, floats};
use crate::checks::check;
use crate::memory::{Arena, Shared, lines};
use crate::simd::Isa;
use crate::threads;
use crate::workspace::Workspace;
use alloc::vec::Vec;

/// What each sequence of a batch is to say.
#[derive(Clone, Copy, Debug)]
pub struct CtcTargets<'a> {
    /// Labels of all sequences one after another, each in `1..V`.
    pub labels: &'a [u32],
    /// `[B]`, how many of them are each sequence's; they add up to all.
    pub label_counts: &'a [usize],
    /// `[B]`, steps of each sequence, at most T.
    pub lengths: &'a [usize],
}

/// The loss of a batch of logits `[T, B, V]`, time-major.
#[derive(Clone, Copy, Debug)]
pub struct Ctc {
    /// V, the blank among them.
    pub classes: usize,
}

impl Ctc {
    /// The class that says nothing.
    pub const BLANK: u32 = 0;

    /// The fewest steps that can say these labels: one a label, and one between equal ones.
    pub fn fewest_steps(labels: &[u32]) -> usize {
        labels.len() + labels.windows(2).filter(|pair| pair[0] == pair[1]).count()
    }

    /// The loss of each sequence in nats, `[B]`, and with `dlogits [T, B, V]` the gradient of
    /// `Σ weights[b] · loss[b]` (`weights [B]`), set; 0 at steps past a sequence's end.
    ///
    /// # Panics
    /// If a length does not fit, a label is the blank or no class, or a sequence has too few steps
    /// for its labels ([`fewest_steps`](Self::fewest_steps)).
    pub fn loss(
        &self,
        isa: Isa,
        logits: &[f32],
        targets: CtcTargets<'_>,
        gradient: Option<(&[f32], &mut [f32])>,
        workspace: &mut Workspace,
    ) -> Vec<f64> {
        let batch = targets.lengths.len();
        let steps = self.check(logits, &targets, gradient.as_ref().map(|(w, d)| (*w, &**d)));
        let mut starts = Vec::with_capacity(batch);
        let mut next = 0;
        for count in targets.label_counts {
            starts.push(next);
            next += count;
        }
        let labels = |b: usize| &targets.labels[starts[b]..starts[b] + targets.label_counts[b]];
        let work: usize = (0..batch).map(|b| targets.lengths[b] * cells(labels(b), self)).sum();
        // A cell of the lattice takes about as long as this many multiply-adds.
        const CELL: usize = 24;
        let parts = threads::worth(work * CELL).min(batch.max(1));
        let own = (0..batch)
            .map(|b| floats(isa, targets.lengths[b], labels(b).len(), gradient.is_some()))
            .max()
            .unwrap_or(0);
        let losses = lines(batch * 2);
        let mut arena = Arena::new(workspace.scratch.get(losses + own * parts));
        let to = Shared::new(arena.take(losses).cast::<f64>());
        let scratch = Shared::new(arena.take(own * parts));
        let (weights, dlogits) = match gradient {
            Some((weights, dlogits)) => (Some(weights), Shared::of(Some(dlogits))),
            None => (None, Shared::NULL),
        };
        threads::run(parts, |part| {
            for b in (part..batch).step_by(parts) {
                let rows = Rows {
                    from: logits.as_ptr().wrapping_add(b * self.classes),
                    ld: batch * self.classes,
                    classes: self.classes,
                    steps,
                };
                // SAFETY: the lengths were checked; each sequence has rows of its own among the
                // logits and gradients and a loss of its own, each part scratch memory of its own.
                unsafe {
                    let dlogits = (!dlogits.is_null()).then(|| dlogits.get().add(b * self.classes));
                    let lattice = Lattice {
                        rows,
                        labels: labels(b),
                        length: targets.lengths[b],
                        gradient: dlogits.map(|to| (weights.map_or(1.0, |w| w[b]), to)),
                        scratch: scratch.get().add(part * own),
                    };
                    *to.get().add(b) = isa.dispatch(lattice);
                }
            }
        });
        // SAFETY: there is a loss for each sequence, and all were set.
        (0..batch).map(|b| unsafe { *to.get().add(b) }).collect()
    }

    /// T.
    fn check(
        &self,
        logits: &[f32],
        targets: &CtcTargets<'_>,
        gradient: Option<(&[f32], &[f32])>,
    ) -> usize {
        let (batch, classes) = (targets.lengths.len(), self.classes);
        assert!(classes > 1, "CTC needs a blank and at least one label, got {classes} classes");
        check("label_counts [B]", batch, targets.label_counts.len());
        check("labels", targets.label_counts.iter().sum(), targets.labels.len());
        let steps = logits.len() / (batch * classes).max(1);
        check("logits [T, B, V]", steps * batch * classes, logits.len());
        if let Some((weights, dlogits)) = gradient {
            check("weights [B]", batch, weights.len());
            check("dlogits [T, B, V]", logits.len(), dlogits.len());
        }
        let wrong = |label: &&u32| **label == Self::BLANK || **label as usize >= classes;
        if let Some(label) = targets.labels.iter().find(wrong) {
            panic!("label: expected 1 to {}, got {label}", classes - 1);
        }
        let mut labels = targets.labels;
        for (b, (length, count)) in targets.lengths.iter().zip(targets.label_counts).enumerate() {
            let own;
            (own, labels) = labels.split_at(*count);
            let fewest = Self::fewest_steps(own);
            assert!(
                *length <= steps,
                "length of sequence {b}: expected at most {steps}, got {length}"
            );
            assert!(
                fewest <= *length,
                "sequence {b} has {length} steps; its {count} labels need at least {fewest}"
            );
        }
        steps
    }
}

/// Values that a step of these labels takes.
fn cells(labels: &[u32], ctc: &Ctc) -> usize {
    2 * labels.len() + 1 + ctc.classes
}
