//! Other rates: what is heard stays what and when it was.
use crate::sine;
use gruvy_data::audio::Resampler;

/// Rates from and to which is tried.
const RATES: [(u32, u32); 7] = [
    (44_100, 16_000),
    (8000, 16_000),
    (16_000, 8000),
    (48_000, 16_000),
    (1234, 8000),
    (11_025, 16_000),
    (44_101, 16_000),
];

fn resampled(samples: &[f32], from: u32, to: u32, piece: usize) -> Vec<f32> {
    let mut resampler = Resampler::new(from, to).unwrap();
    let mut out = Vec::new();
    for piece in samples.chunks(piece) {
        resampler.push(piece, &mut out);
    }
    resampler.finish(&mut out);
    out
}

/// The largest difference in the middle half.
fn apart(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    let middle = got.len() / 4..got.len() - got.len() / 4;
    got[middle.clone()]
        .iter()
        .zip(&expected[middle])
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn a_sine_stays_a_sine() {
    for (from, to) in RATES {
        let half = f64::from(from.min(to)) / 2.0;
        let (samples, after) = (2 * from as usize, 2 * to as usize);
        for share in [0.02, 0.5, 0.9, 0.95] {
            let got = resampled(&sine(share * half, from, samples), from, to, samples);
            let far = apart(&got, &sine(share * half, to, after));
            assert!(far < 2e-5, "{from} to {to}, {share} of half the rate: {far}");
        }
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_is_gone() {
    for (from, to) in RATES.into_iter().filter(|(from, to)| from > to) {
        for share in [1.03, 1.2, 1.9] {
            let frequency = share * f64::from(to) / 2.0;
            let got = resampled(&sine(frequency, from, 2 * from as usize), from, to, 1000);
            let loud = apart(&got, &vec![0.0; got.len()]);
            assert!(loud < 2e-5, "{from} to {to}, {share} of half the rate: {loud}");
        }
    }
}

#[test]
fn an_impulse_stays_where_it_was() {
    for (from, to) in RATES {
        let mut samples = vec![0.0; 2 * from as usize];
        samples[from as usize] = 1.0;
        let got = resampled(&samples, from, to, samples.len());
        let top = (0..got.len()).max_by(|a, b| got[*a].abs().total_cmp(&got[*b].abs())).unwrap();
        assert_eq!(top, to as usize, "{from} to {to}");
    }
}

#[test]
fn lengths_are_rounded_and_pieces_change_nothing() {
    for (from, to) in RATES {
        for samples in [0usize, 1, 2, 3, 100, 999, 12_345] {
            let tone = sine(f64::from(from.min(to)) / 10.0, from, samples);
            let whole = resampled(&tone, from, to, usize::MAX);
            let expected = (samples as f64 * f64::from(to) / f64::from(from)).round() as usize;
            assert_eq!(whole.len(), expected, "{samples} of {from} to {to}");
            for piece in [1, 7, 1000] {
                assert!(resampled(&tone, from, to, piece) == whole, "{from} to {to}, {piece}");
            }
        }
    }
}

#[test]
fn the_same_rate_changes_nothing() {
    let samples = sine(100.0, 8000, 1000);
    assert_eq!(resampled(&samples, 8000, 8000, 33), samples);
}
