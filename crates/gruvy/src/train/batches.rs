//! Batches of items of like length, in an order of their own in every epoch.
//!
//! ```text
//! all items, shuffled ─ pools of 50 batches ─ sorted by length ─ cut into batches ─ batches shuffled
//! ```
use gruvy_runtime::random::mix;

/// Batches of a pool: as many as keep padding to a few percent, as few as keep batches of an epoch
/// unlike those of the last.
const POOL: usize = 50;

/// The batches of an epoch over the items `of`, each of so many steps by `length`, `batch` in each
/// but the last; those of a batch from the longest to the shortest.
pub(crate) fn epoch(
    length: impl Fn(usize) -> usize,
    of: &[usize],
    batch: usize,
    seed: u64,
) -> Vec<Vec<usize>> {
    let mut order = of.to_vec();
    shuffle(&mut order, seed);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for pool in order.chunks_mut(batch * POOL) {
        pool.sort_by_key(|item| std::cmp::Reverse(length(*item)));
        batches.extend(pool.chunks(batch).map(<[usize]>::to_vec));
    }
    shuffle(&mut batches, !seed);
    batches
}

/// The share of the steps of these batches that are padding.
pub(crate) fn padding(length: impl Fn(usize) -> usize, batches: &[Vec<usize>]) -> f64 {
    let (mut real, mut all) = (0, 0);
    for batch in batches {
        let lengths = batch.iter().map(|item| length(*item));
        all += batch.len() * lengths.clone().max().unwrap_or(0);
        real += lengths.sum::<usize>();
    }
    1.0 - real as f64 / (all as f64).max(1.0)
}

/// Fisher and Yates.
fn shuffle<T>(list: &mut [T], seed: u64) {
    for end in (1..list.len()).rev() {
        // The bias of the remainder is below 2⁻³² for lists that fit in memory.
        let at = mix(seed, end as u64) % (end as u64 + 1);
        list.swap(end, at as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_item_once_with_little_padding() {
        let lengths: Vec<usize> = (0..3333u64)
            .map(|item| 1 + (mix(5, item) % 40 + mix(6, item) % 300) as usize)
            .collect();
        let length = |item: usize| lengths[item];
        let of: Vec<usize> = (0..3333).filter(|item| item % 3 > 0).collect();
        let first = epoch(length, &of, 32, 1);
        let mut seen = first.concat();
        seen.sort_unstable();
        assert_eq!(seen, of);
        assert_eq!(first.len(), of.len().div_ceil(32));
        assert!(first.iter().all(|b| b.is_sorted_by_key(|i| std::cmp::Reverse(length(*i)))));
        assert_eq!(first, epoch(length, &of, 32, 1));
        assert_ne!(first, epoch(length, &of, 32, 2));
        let padding = padding(length, &first);
        assert!((0.0..0.1).contains(&padding), "{padding}");
    }
}
