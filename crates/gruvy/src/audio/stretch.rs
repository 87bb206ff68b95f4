//! Another length at the same frequencies: WSOLA (Verhelst & Roelands, "An overlap-add technique
//! based on waveform similarity", ICASSP 1993).
//!
//! Frames of two hops under a Hann window are added up, a hop apart. Each is taken from about where
//! it would lie in time, and exactly from where it goes on best after the frame before it: where the
//! normalised cross-correlation with that frame's own continuation is largest. So waves add up in
//! phase, and a sine stays a sine.
use std::f32::consts::PI;

/// From frame to frame.
const HOP_SECONDS: f64 = 0.0125;
/// How far either way is searched: together, a period of 62.5 Hz.
const SEARCH_SECONDS: f64 = 0.008;

/// `length` samples that sound as the given ones at `rate` do, faster or slower.
pub(super) fn stretch(samples: &[f32], length: usize, rate: u32) -> Vec<f32> {
    let places = |seconds: f64| (seconds * f64::from(rate)).round().max(1.0) as usize;
    let (hop, search) = (places(HOP_SECONDS), places(SEARCH_SECONDS));
    // Zeros behind, so that every frame that is asked for is there.
    let mut padded = samples.to_vec();
    padded.resize(samples.len() + 3 * hop + search, 0.0);
    let last = padded.len() - 2 * hop;
    let fade: Vec<f32> =
        (0..hop).map(|i| 0.5 - 0.5 * (PI * (i as f32 + 0.5) / hop as f32).cos()).collect();

    let mut out = padded[..hop].to_vec();
    let mut next = hop;
    while out.len() < length {
        let target = (out.len() as f64 * samples.len() as f64 / length as f64) as usize;
        let around = target.saturating_sub(search)..=(target + search).min(last);
        let place = likest(&padded, next, target, around, hop);
        let (old, new) = (&padded[next..], &padded[place..]);
        out.extend(fade.iter().zip(old.iter().zip(new)).map(|(f, (a, b))| a + f * (b - a)));
        next = (place + hop).min(last);
    }
    out.truncate(length);
    out
}

/// Where among `around` a hop of samples is likest to that at `next`; `target` if nothing is.
fn likest(
    samples: &[f32],
    next: usize,
    target: usize,
    around: std::ops::RangeInclusive<usize>,
    hop: usize,
) -> usize {
    let wanted = &samples[next..next + hop];
    let mut energy = dot(&samples[*around.start()..][..hop], &samples[*around.start()..][..hop]);
    let mut best = (0.0, target.min(*around.end()));
    for place in around {
        let product = dot(wanted, &samples[place..place + hop]);
        let likeness = product / energy.max(f32::MIN_POSITIVE).sqrt();
        if likeness > best.0 {
            best = (likeness, place);
        }
        let [gone, come] = [samples[place], samples[place + hop]];
        energy = (energy + come * come - gone * gone).max(0.0);
    }
    best.1
}

/// Sum of products, in eight sums side by side so that it is done with vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
