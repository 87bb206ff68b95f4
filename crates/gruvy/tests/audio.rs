//! Augmentation of sound: what each change does, and what it leaves alone.
#![allow(clippy::unwrap_used)]

use gruvy::audio::{AugmentConfig, Augmentation};
use gruvy_runtime::audio::Audio;
use gruvy_runtime::random::SplitMix64;
use std::f64::consts::PI;

const RATE: u32 = 8000;

fn audio(samples: Vec<f32>) -> Audio {
    Audio::new(samples, RATE).unwrap()
}

fn sine(hz: f64, n: usize, rate: u32) -> Audio {
    let value = |i: usize| (0.5 * (2.0 * PI * hz * i as f64 / f64::from(rate)).sin()) as f32;
    Audio::new((0..n).map(value).collect(), rate).unwrap()
}

/// Something like a voice: harmonics of a gliding pitch that come and go.
fn voice(n: usize) -> Audio {
    let mut phase = 0.0;
    let value = |i: usize| {
        let t = i as f64 / f64::from(RATE);
        phase += 2.0 * PI * (120.0 + 30.0 * (3.0 * t).sin()) / f64::from(RATE);
        let tone: f64 = (1..20).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
        (0.2 * tone * (6.0 * t).sin().max(0.0)) as f32
    };
    audio((0..n).map(value).collect())
}

/// No change.
fn still() -> Augmentation {
    AugmentConfig::none().draw(0)
}

/// From value to value of a spectrum.
const STEP_HZ: usize = 2;

/// Power at every other whole frequency in Hz below half the rate, under a Hann window.
fn spectrum(audio: &Audio) -> Vec<f64> {
    let samples = audio.samples();
    let n = samples.len() as f64;
    let window = |i: usize| 0.5 - 0.5 * (2.0 * PI * (i as f64 + 0.5) / n).cos();
    let windowed: Vec<f64> =
        samples.iter().enumerate().map(|(i, s)| f64::from(*s) * window(i)).collect();
    let at = |hz: usize| {
        let turn = 2.0 * (2.0 * PI * hz as f64 / f64::from(audio.sample_rate_hz())).cos();
        let (mut a, mut b) = (0.0, 0.0);
        for sample in &windowed {
            (a, b) = (sample + turn * a - b, a);
        }
        a * a + b * b - turn * a * b
    };
    (0..audio.sample_rate_hz() as usize / 2).step_by(STEP_HZ).map(at).collect()
}

/// The loudest frequency in Hz, and the share of the power that is farther than 60 Hz from it.
fn peak(audio: &Audio) -> (f64, f64) {
    let power = spectrum(audio);
    let top = (0..power.len()).max_by(|a, b| power[*a].total_cmp(&power[*b])).unwrap();
    let reach = 60 / STEP_HZ;
    let near: f64 = power[top.saturating_sub(reach)..power.len().min(top + reach)].iter().sum();
    ((STEP_HZ * top) as f64, 1.0 - near / power.iter().sum::<f64>())
}

fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64
}

#[test]
fn a_sine_goes_where_it_is_moved_and_stays_a_sine() {
    for (pitch, speed, tempo) in [
        (2.0, 1.0, 1.0),
        (-2.0, 1.0, 1.0),
        (7.0, 1.0, 1.0),
        (0.0, 1.1, 1.0),
        (0.0, 0.9, 1.0),
        (0.0, 1.0, 1.1),
        (0.0, 1.0, 0.9),
        (0.0, 1.0, 0.5),
        (0.0, 1.0, 1.5),
        (-1.3, 1.07, 0.93),
    ] {
        for (hz, rate) in [(440.0, RATE), (1234.5, RATE), (440.0, 16_000)] {
            let before = sine(hz, rate as usize / 2, rate);
            let after = Augmentation { pitch, speed, tempo, ..still() }.apply(&before, &[]);
            let asked = (f64::from(rate / 2) / (speed * tempo)).round() as usize;
            assert_eq!(after.samples().len(), asked);
            assert_eq!(after.sample_rate_hz(), rate);
            let wanted = hz * speed * 2f64.powf(pitch / 12.0);
            let (found, beside) = peak(&after);
            let which = format!("{hz} Hz at {rate}: pitch {pitch}, speed {speed}, tempo {tempo}");
            assert!((found - wanted).abs() < 1.0 + 1e-3 * wanted, "{which}: at {found} Hz");
            assert!(beside < 1e-3, "{which}: {beside} of the power is elsewhere");
            let louder = 10.0 * (power(after.samples()) / power(before.samples())).log10();
            assert!(louder.abs() < 0.3, "{which}: {louder} dB louder");
        }
    }
}

#[test]
fn what_would_lie_above_half_the_rate_is_not_heard_as_something_else() {
    let up = Augmentation { pitch: 7.0, ..still() }.apply(&sine(3500.0, 8000, RATE), &[]);
    assert!(power(up.samples()) < 1e-5, "{}", power(up.samples()));
}

#[test]
fn tempo_stretches_the_envelope() {
    // A second of sound with its second half louder: the step has to come where it is asked for.
    let steps: Vec<f32> = sine(300.0, 8000, RATE)
        .samples()
        .iter()
        .enumerate()
        .map(|(i, s)| s * [0.1, 1.0][i / 4000])
        .collect();
    for tempo in [0.8, 1.25] {
        let after = Augmentation { tempo, ..still() }.apply(&audio(steps.clone()), &[]);
        let loud = after.samples().iter().position(|s| s.abs() > 0.2).unwrap() as f64;
        assert!((loud - 4000.0 / tempo).abs() < 0.025 * f64::from(RATE), "{tempo}: {loud}");
    }
}

#[test]
fn noise_is_as_loud_as_asked() {
    let before = voice(16_000);
    let hum = sine(50.0, 700, RATE);
    let other_rate = sine(1000.0, 44_100, 44_100);
    for background in [vec![], vec![hum], vec![other_rate.clone()], vec![audio(vec![0.0; 50])]] {
        for (snr_db, seed) in [(0.0, 1), (5.0, 2), (20.0, 3), (35.0, 4)] {
            let after =
                Augmentation { snr_db: Some(snr_db), seed, ..still() }.apply(&before, &background);
            let noise: Vec<f32> =
                after.samples().iter().zip(before.samples()).map(|(a, b)| a - b).collect();
            let got = 10.0 * (power(before.samples()) / power(&noise)).log10();
            assert!((got - snr_db).abs() < 0.2, "{got} dB instead of {snr_db}");
        }
    }
    // Another rate is heard at its own frequency.
    let change = Augmentation { snr_db: Some(0.0), ..still() };
    let mut almost_silent = vec![0.0; 8000];
    almost_silent[4000] = 1e-3;
    let after = change.apply(&audio(almost_silent), &[other_rate]);
    assert!((peak(&after).0 - 1000.0).abs() < 2.0);
}

#[test]
fn noise_begins_anywhere_and_goes_on_from_its_start() {
    let ramp = audio((1..=100).map(|i| i as f32 / 100.0).collect());
    let mut before = vec![0.0; 250];
    before[0] = 1e-6;
    let begun = |seed| {
        let change = Augmentation { snr_db: Some(0.0), seed, ..still() };
        let after = change.apply(&audio(before.clone()), std::slice::from_ref(&ramp));
        let noise = &after.samples()[1..];
        let falls: Vec<usize> = (1..noise.len()).filter(|i| noise[*i] < noise[i - 1]).collect();
        assert!(falls.windows(2).all(|pair| pair[1] - pair[0] == 100), "{falls:?}");
        falls[0]
    };
    let mut places: Vec<usize> = (0..20).map(begun).collect();
    places.sort_unstable();
    places.dedup();
    assert!(places.len() > 10, "{places:?}");
}

#[test]
fn made_noise_is_white_pink_and_brown() {
    let mut before = vec![0.0; 8000];
    before[0] = 1.0;
    let mut slopes: Vec<i32> = (0..12)
        .map(|seed| {
            let change = Augmentation { snr_db: Some(0.0), seed, ..still() };
            let mut noise = change.apply(&audio(before.clone()), &[]).samples().to_vec();
            noise[0] = 0.0;
            let spectrum = spectrum(&audio(noise));
            let octave = |hz: usize| &spectrum[hz / STEP_HZ..2 * hz / STEP_HZ];
            let mean = |hz: usize| octave(hz).iter().sum::<f64>() / octave(hz).len() as f64;
            // From the octave at 100 Hz to the one at 1600 Hz there are four.
            let slope = 10.0 * (mean(1600) / mean(100)).log10() / 4.0;
            let nearest = (slope / 3.0).round();
            assert!((slope - 3.0 * nearest).abs() < 0.8, "seed {seed}: {slope} dB an octave");
            nearest as i32
        })
        .collect();
    slopes.sort_unstable();
    slopes.dedup();
    assert_eq!(slopes, [-2, -1, 0]);
}

#[test]
fn shift_and_gain_do_what_they_say() {
    let before = voice(8000);
    let later = Augmentation { shift_ms: 50.0, ..still() }.apply(&before, &[]);
    assert_eq!(later.samples()[..400], [0.0; 400]);
    assert_eq!(later.samples()[400..], before.samples()[..7600]);
    let earlier = Augmentation { shift_ms: -50.0, ..still() }.apply(&before, &[]);
    assert_eq!(earlier.samples()[..7600], before.samples()[400..]);
    assert_eq!(earlier.samples()[7600..], [0.0; 400]);
    let short = audio(vec![1.0; 8]);
    let later = Augmentation { shift_ms: 50.0, ..still() }.apply(&short, &[]);
    assert_eq!(later.samples(), [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let louder = Augmentation { gain_db: 20.0, ..still() }.apply(&before, &[]);
    assert!(louder.samples().iter().zip(before.samples()).all(|(a, b)| *a == b * 10.0));
}

#[test]
fn draws_stay_within_the_settings_and_reach_them() {
    let config = AugmentConfig::default();
    let drawn: Vec<Augmentation> = (0..2000).map(|seed| config.draw(seed)).collect();
    let range = |of: fn(&Augmentation) -> f64, low: f64, high: f64| {
        let all = || drawn.iter().map(of);
        let (least, most) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
        let slack = 0.01 * (high - low);
        assert!(least >= low && least < low + slack, "{least} of {low}");
        assert!(most <= high && most > high - slack, "{most} of {high}");
    };
    range(|one| one.speed, 0.9, 1.1);
    range(|one| one.pitch, -2.0, 2.0);
    range(|one| one.tempo, 0.9, 1.1);
    range(|one| f64::from(one.warp), 0.9, 1.1);
    range(|one| one.gain_db, -6.0, 6.0);
    range(|one| one.shift_ms, -50.0, 50.0);
    range(|one| one.snr_db.unwrap_or(20.0), 5.0, 35.0);
    let noisy = drawn.iter().filter(|one| one.snr_db.is_some()).count();
    assert!((900..1100).contains(&noisy), "{noisy} of 2000 have noise");
    // Another value of one setting leaves the other draws alone.
    let quiet = AugmentConfig { noise: 0.0, pitch: 0.0, ..config.clone() };
    assert_eq!(quiet.draw(7), Augmentation { snr_db: None, pitch: 0.0, ..config.draw(7) });
}

#[test]
fn the_seed_decides_to_the_bit() {
    let (config, before) = (AugmentConfig::default(), voice(8000));
    for seed in 0..5 {
        let first = config.apply(&before, &[], seed);
        assert_eq!(first, config.apply(&before, &[], seed));
        assert_ne!(first, config.apply(&before, &[], seed + 1));
    }
}

#[test]
fn nothing_asked_gives_the_recording_bit_for_bit() {
    let none = AugmentConfig::none();
    none.check().unwrap();
    for n in [0, 1, 400, 8000] {
        let before = voice(n);
        for seed in 0..20 {
            assert_eq!(none.apply(&before, &[sine(50.0, 99, RATE)], seed), (before.clone(), 1.0));
        }
    }
    let mut features = vec![1.0; 400];
    none.mask(&mut features, 10, 10, 10.0, 3);
    assert_eq!(features, [1.0; 400]);
}

#[test]
fn short_silent_and_huge_recordings_come_out_finite() {
    let config = AugmentConfig { noise: 1.0, ..AugmentConfig::default() };
    let empty = audio(vec![]);
    for n in [0, 1, 2, 3, 50, 99, 100, 101, 400, 4000] {
        for seed in 0..20 {
            let change = config.draw(seed);
            let silent = change.apply(&audio(vec![0.0; n]), std::slice::from_ref(&empty));
            let asked = (n as f64 / (change.speed * change.tempo)).round() as usize;
            assert_eq!(silent.samples(), vec![0.0; asked], "{n} samples, seed {seed}");
            for before in [voice(n), audio(vec![1.0; n]), audio(vec![f32::MAX; n])] {
                let (after, _) = config.apply(&before, &[empty.clone(), voice(1)], seed);
                assert!(after.samples().iter().all(|sample| sample.is_finite()));
            }
        }
    }
    for rate in [1, 100, 768_000] {
        let before = Audio::new(voice(500).samples().to_vec(), rate).unwrap();
        assert_eq!(config.apply(&before, &[voice(10)], 1).0.sample_rate_hz(), rate);
    }
}

/// Which rows, and which columns, of `[frames, width]` are 0 all along.
fn masked(features: &[f32], width: usize) -> (Vec<usize>, Vec<usize>) {
    let frames = features.len() / width;
    let zero = |t: usize, i: usize| features[t * width + i] == 0.0;
    let rows: Vec<_> = (0..frames).filter(|t| (0..width).all(|i| zero(*t, i))).collect();
    let columns: Vec<_> = (0..width).filter(|i| (0..frames).all(|t| zero(t, *i))).collect();
    let all = features.iter().filter(|value| **value == 0.0).count();
    let covered = rows.len() * width + columns.len() * (frames - rows.len());
    assert_eq!(all, covered, "zeros that no mask explains");
    (rows, columns)
}

fn in_one_piece(places: &[usize]) -> bool {
    places.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

#[test]
fn masks_cover_what_they_say_and_nothing_else() {
    let (mut longest, mut widest) = (0, 0);
    let config = AugmentConfig::default();
    for seed in 0..300 {
        // 40 values and their differences: the band is the same in both.
        let mut random = SplitMix64::new(seed);
        let before: Vec<f32> = (0..100 * 80).map(|_| 0.1 + random.unit() as f32).collect();
        let mut after = before.clone();
        config.mask(&mut after, 80, 40, 10.0, seed);
        assert!(after.iter().zip(&before).all(|(a, b)| a == b || *a == 0.0));
        let (rows, columns) = masked(&after, 80);
        let (values, differences) = columns.split_at(columns.len() / 2);
        assert!(in_one_piece(&rows) && in_one_piece(values));
        assert!(values.iter().zip(differences).all(|(a, b)| a + 40 == *b));
        longest = longest.max(rows.len());
        widest = widest.max(values.len());
        let mut again = before.clone();
        config.mask(&mut again, 80, 40, 10.0, seed);
        assert_eq!(again, after);
    }
    // 100 ms are 10 frames, 15 % of 40 values are 6.
    assert_eq!((longest, widest), (10, 6));
    // At most a fifth of a short recording; none of none.
    let only_time = AugmentConfig { freq_masks: 0, ..config.clone() };
    let rows = |seed| {
        let mut short = vec![1.0; 20 * 8];
        only_time.mask(&mut short, 8, 8, 10.0, seed);
        masked(&short, 8).0.len()
    };
    assert_eq!((0..100).map(rows).max(), Some(4));
    config.mask(&mut [], 8, 8, 10.0, 1);
}

#[test]
fn nonsense_is_refused_by_name() {
    AugmentConfig::default().check().unwrap();
    let default = AugmentConfig::default;
    for (config, problem) in [
        (
            AugmentConfig { speed: 1.0, ..default() },
            "speed = 1.0: expected at least 0 and less than 1",
        ),
        (AugmentConfig { speed: 0.6, ..default() }, "speed = 0.6: expected at most 0.5"),
        (AugmentConfig { pitch: 13.0, ..default() }, "pitch = 13: expected at most 12 semitones"),
        (AugmentConfig { tempo: -0.1, ..default() }, "tempo = -0.1: expected at least 0"),
        (AugmentConfig { warp: f64::NAN, ..default() }, "warp = NaN or infinite: expected"),
        (AugmentConfig { noise: 1.5, ..default() }, "noise = 1.5: expected 0 to 1"),
        (
            AugmentConfig { gain_db: 61.0, ..default() },
            "gain_db = 61: expected at most 60 decibels",
        ),
        (AugmentConfig { freq_mask: 1.1, ..default() }, "freq_mask = 1.1: expected 0 to 1"),
        (AugmentConfig { time_masks: 101, ..default() }, "time_masks = 101: expected at most 100"),
    ] {
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
}
