//! How well a model remembers: the metrics of the memory tasks on sequences made from a seed.
//!
//! ```text
//! adding   mse  = mean over sequences of (answer − sum)²
//! copy     loss = mean over sequences and all T + 20 steps of − ln p(target)
//!          accuracy = share of the last ten steps of which the likeliest symbol is the target
//! ```
use crate::model::likelihood::negative_log_likelihood;
use crate::{
    codec::Codec,
    error::Result,
    memory::codec::{Adding, Copying},
    model::{network::Network, session::Session, steps::Steps},
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// Sequences of one call, which bounds its memory.
const ROWS: u64 = 64;
/// Nobody waits for more.
const MOST: u64 = 1 << 24;

/// The metrics of [`Adding::metrics`] over the first `count` sequences of `seed`.
///
/// # Errors
/// [`Error::Spec`](crate::Error::Spec) if the network is of another task,
/// [`Error::Setting`](crate::Error::Setting) if `count` is 0 or above 16,777,216.
pub fn evaluate_adding(
    network: &Arc<Network>,
    task: &Adding,
    seed: u64,
    count: u64,
) -> Result<BTreeMap<String, f64>> {
    Codec::Adding(*task).fits(network.spec())?;
    let mut squares = 0.0;
    for rows in chunks(count)? {
        let examples = task.examples(seed, rows);
        let mut session = Session::new(network.clone(), examples.sums.len())?;
        let answers = session.feed(Steps::Features(&examples.x))?;
        let errors = answers.iter().zip(&examples.sums).map(|(a, sum)| f64::from(a - sum));
        squares += errors.map(|error| error * error).sum::<f64>();
    }
    Ok(task.metrics(squares / count as f64))
}

/// The metrics of [`Copying::metrics`] over the first `count` sequences of `seed`.
///
/// # Errors
/// As [`evaluate_adding`].
pub fn evaluate_copying(
    network: &Arc<Network>,
    task: &Copying,
    seed: u64,
    count: u64,
) -> Result<BTreeMap<String, f64>> {
    Codec::Copy(*task).fits(network.spec())?;
    let (mut nats, mut right) = (0.0, 0);
    for rows in chunks(count)? {
        let examples = task.examples(seed, rows.clone());
        let batch = (rows.end - rows.start) as usize;
        let mut session = Session::new(network.clone(), batch)?;
        let logits = session.run(&examples.x)?.chunks_exact(Copying::SYMBOLS);
        let answer = (task.steps() - Copying::DIGITS) * batch;
        for (at, (logits, target)) in logits.zip(&examples.targets).enumerate() {
            let target = *target as usize;
            nats += negative_log_likelihood(logits, target);
            let likeliest = (0..logits.len()).all(|v| v == target || logits[v] < logits[target]);
            right += u64::from(at >= answer && likeliest);
        }
    }
    let loss = nats / (count * task.steps() as u64) as f64;
    Ok(task.metrics(loss, Some(right as f64 / (count * Copying::DIGITS as u64) as f64)))
}

/// The sequences `0..count` in pieces.
fn chunks(count: u64) -> Result<impl Iterator<Item = Range<u64>>> {
    if !(1..=MOST).contains(&count) {
        return Err(crate::error::Error::setting("count", count, format!("1 to {MOST}")));
    }
    Ok((0..count).step_by(ROWS as usize).map(move |from| from..count.min(from + ROWS)))
}
