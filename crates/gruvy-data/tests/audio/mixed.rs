//! One channel of all, and parts of a recording.
use crate::flac::{flac, steps};
use crate::{float, input, mono, says};
use gruvy_data::audio::{AudioStream, Wanted, read_audio};

#[test]
fn channels_become_their_mean() {
    assert_eq!(mono(float(2, 8000, &[0.5, -0.25, 1.0, 1.0]), None).0, [0.125, 1.0]);
    let seven: Vec<f32> = (0..14).map(|at| (at % 7) as f32 / 8.0).collect();
    assert_eq!(mono(float(7, 8000, &seven), None).0, [0.375, 0.375]);
    // Where a sum would be too large.
    assert_eq!(mono(float(2, 8000, &[9e9, 9e9]), None).0, [9e9]);
}

fn part(bytes: Vec<u8>, offset_s: f64, duration_s: Option<f64>) -> (Vec<f32>, Vec<String>) {
    let wanted = Wanted { sample_rate_hz: None, offset_s: Some(offset_s), duration_s };
    let (audio, remarks) = read_audio(&input(bytes), &wanted).unwrap();
    (audio.samples().to_vec(), remarks)
}

#[test]
fn a_part_is_what_stands_there_in_the_whole() {
    let samples: Vec<f32> = (0..20_000).map(|at| at as f32 / 20_000.0).collect();
    let stereo: Vec<f32> = samples.iter().flat_map(|sample| [*sample, *sample]).collect();
    let blocks = steps(100);
    for file in [float(1, 1000, &samples), float(2, 1000, &stereo), flac(&blocks, 19_200)] {
        let (whole, _) = mono(file.clone(), None);
        let rate = if file.starts_with(b"fLaC") { 8000.0 } else { 1000.0 };
        for (from, to) in
            [(0, 10), (1, 5000), (4096, 4097), (4097, 12_345), (190, 200), (19_000, 19_200)]
        {
            let seconds = Some((to - from) as f64 / rate);
            let (got, remarks) = part(file.clone(), from as f64 / rate, seconds);
            assert_eq!((got == whole[from..to], remarks.len()), (true, 0), "{from} to {to}");
        }
        let (rest, remarks) = part(file.clone(), 19_000.0 / rate, None);
        assert_eq!((rest == whole[19_000..], remarks.len()), (true, 0));
    }
}

#[test]
fn a_part_that_is_not_there() {
    let file = || float(1, 1000, &[0.5; 1000]);
    let refused = |offset_s: f64, duration_s| {
        let wanted = Wanted { sample_rate_hz: None, offset_s: Some(offset_s), duration_s };
        read_audio(&input(file()), &wanted).unwrap_err().to_string()
    };
    says(&refused(1.0, None), &["begins at 1 s", "has 1.00 s", "offset"]);
    says(&refused(7.5, None), &["begins at 7.5 s", "has 1.00 s"]);
    says(&refused(-1.0, None), &["the offset is -1"]);
    says(&refused(f64::NAN, None), &["the offset is NaN"]);
    says(&refused(0.0, Some(f64::INFINITY)), &["the duration is inf"]);
    let (short, remarks) = part(file(), 0.5, Some(2.0));
    assert_eq!(short.len(), 500);
    assert_eq!(remarks, ["the part should have 2.00 s, but the recording ends 1.50 s before"]);
    // Lengths in lists are rounded.
    assert_eq!(part(file(), 0.5, Some(0.52)).1, [""; 0]);
}

#[test]
fn blocks_are_the_whole() {
    let samples: Vec<f32> = (0..50_000).map(|at| (at % 101) as f32 / 101.0).collect();
    let file = float(1, 44_100, &samples);
    for rate in [44_100, 16_000] {
        let (whole, _) = mono(file.clone(), Some(rate));
        let mut stream = AudioStream::open(&input(file.clone()), &Wanted::at(rate)).unwrap();
        let (mut all, mut blocks) = (Vec::<f32>::new(), 0);
        while let Some(block) = stream.next().unwrap() {
            all.extend(block);
            blocks += 1;
        }
        assert!(all == whole && blocks > 5, "{rate}");
        assert!(stream.next().unwrap().is_none());
    }
}
