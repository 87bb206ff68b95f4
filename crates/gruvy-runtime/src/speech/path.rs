//! Ways through the log probabilities of a CTC model, `[T, V]`: the best class of each step, and the
//! best way to say given labels.
use gruvy_kernels::Ctc;

/// A label and where it was said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spoken {
    /// The class, not the blank.
    pub class: u32,
    /// The first step that says it.
    pub from: usize,
    /// The step after the last.
    pub to: usize,
    /// ln of its largest probability among these steps.
    pub log_p: f32,
}

/// ln p `[T, V]` of logits `[T, V]`, in place.
pub fn log_softmax(logits: &mut [f32], classes: usize) {
    for row in logits.chunks_exact_mut(classes) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|z| f64::from(z - max).exp()).sum();
        let norm = max + sum.ln() as f32;
        row.iter_mut().for_each(|z| *z -= norm);
    }
}

/// The best class of each step, blanks and repetitions left out, as steps come.
#[derive(Clone, Debug, Default)]
pub struct Greedy {
    /// Steps taken.
    steps: usize,
    /// The class of the last step.
    before: u32,
    spoken: Vec<Spoken>,
}

impl Greedy {
    /// Takes the log probabilities of a step, `[V]`.
    pub fn push(&mut self, step: &[f32]) {
        // The first of equals, as `max_by` would give the last.
        let best = (1..step.len()).fold(0, |best, v| if step[v] > step[best] { v } else { best });
        let (class, log_p) = (best as u32, step[best]);
        match self.spoken.last_mut() {
            _ if class == Ctc::BLANK => {}
            Some(last) if class == self.before => {
                last.to = self.steps + 1;
                last.log_p = last.log_p.max(log_p);
            }
            _ => self.spoken.push(Spoken { class, from: self.steps, to: self.steps + 1, log_p }),
        }
        self.before = class;
        self.steps += 1;
    }

    /// What was said so far.
    pub fn spoken(&self) -> &[Spoken] {
        &self.spoken
    }

    /// Steps since the last one that was no blank; all of them before the first.
    pub fn silent(&self) -> usize {
        self.steps - self.spoken.last().map_or(0, |last| last.to)
    }

    /// Forgets what was said; steps go on being counted.
    pub fn forget(&mut self) -> Vec<Spoken> {
        std::mem::take(&mut self.spoken)
    }
}

/// The most probable way to say `labels`, none of them the blank, over the steps of `log_p [T, V]`
/// (Viterbi); and ln of its probability. None if there are too few steps.
pub fn align(log_p: &[f32], classes: usize, labels: &[u32]) -> Option<(Vec<Spoken>, f64)> {
    let steps = log_p.len() / classes;
    if steps < Ctc::fewest_steps(labels) {
        return None;
    }
    let states = 2 * labels.len() + 1;
    let class = |s: usize| if s.is_multiple_of(2) { Ctc::BLANK } else { labels[s / 2] } as usize;
    let skips = |s: usize| s % 2 == 1 && s >= 3 && class(s) != class(s - 2);
    let mut best = vec![f64::NEG_INFINITY; states];
    // How many states a step went on by.
    let mut moves = vec![0u8; steps * states];
    for (t, row) in log_p.chunks_exact(classes).enumerate() {
        for s in (0..states).rev() {
            let from = |by: usize| if s >= by { best[s - by] } else { f64::NEG_INFINITY };
            let (mut by, mut value) = match t {
                0 => (0, if s < 2 { 0.0 } else { f64::NEG_INFINITY }),
                _ => (0, from(0)),
            };
            if t > 0 {
                for step in [1, 2].into_iter().take(1 + usize::from(skips(s))) {
                    if from(step) > value {
                        (by, value) = (step, from(step));
                    }
                }
            }
            moves[t * states + s] = by as u8;
            best[s] = value + f64::from(row[class(s)]);
        }
    }
    if steps == 0 {
        return Some((Vec::new(), 0.0));
    }
    let last = states - 1;
    let mut state = if last > 0 && best[last - 1] >= best[last] { last - 1 } else { last };
    let total = best[state];
    let mut spoken: Vec<Spoken> = Vec::with_capacity(labels.len());
    let mut label_state = None;
    for t in (0..steps).rev() {
        if state % 2 == 1 {
            let log_p = log_p[t * classes + class(state)];
            match spoken.last_mut() {
                Some(open) if label_state == Some(state) => {
                    open.from = t;
                    open.log_p = open.log_p.max(log_p);
                }
                _ => {
                    let class = class(state) as u32;
                    spoken.push(Spoken { class, from: t, to: t + 1, log_p });
                }
            }
            label_state = Some(state);
        }
        state -= usize::from(moves[t * states + state]);
    }
    spoken.reverse();
    Some((spoken, total))
}
