//! Recordings without sound, or with samples that are none.
use crate::{float, format, input, mono, refused, says, wav};
use gruvy_data::audio::{Wanted, read_audio};

#[test]
fn no_samples() {
    says(&refused(float(1, 8000, &[])), &["a/sound.bin: ", "no samples", "leave it out"]);
}

#[test]
fn samples_that_are_no_numbers_are_silence() {
    let samples = [0.5, f32::NAN, f32::INFINITY, 0.25, 1e30];
    let (got, remarks) = mono(float(1, 1000, &samples), None);
    assert_eq!(got, [0.5, 0.0, 0.0, 0.25, 0.0]);
    assert_eq!(remarks, ["3 samples are no finite numbers, the first at 0.001 s, read as silence"]);
    let (_, remarks) = mono(float(1, 1000, &[0.5, f32::NAN]), Some(2000));
    assert_eq!(remarks, ["1 sample is no finite number, the first at 0.001 s, read as silence"]);
    says(&refused(float(1, 1000, &[f32::NAN; 9])), &["no sample", "finite number"]);
}

#[test]
fn rates_that_nobody_uses() {
    let (samples, remarks) = mono(float(1, 1234, &[0.25; 1234]), Some(16_000));
    assert_eq!((samples.len(), remarks.len()), (16_000, 0));
    assert!((samples[8000] - 0.25).abs() < 1e-5);
    assert_eq!(mono(float(1, 1, &[0.25; 3]), None).0.len(), 3);
    let wanted = |rate| read_audio(&input(float(1, 8000, &[0.5])), &Wanted::at(rate));
    for rate in [0, 768_001, u32::MAX] {
        let error = wanted(rate).unwrap_err().to_string();
        says(&error, &["the sample rate in Hz", &rate.to_string(), "1 to 768000"]);
    }
}

#[test]
fn hours_take_no_more_than_a_block() {
    // Three hours of telephone silence, most of which is no byte on the disk.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let seconds = 3 * 3600;
    let mut head = wav(&format(1, 1, 8000, 16), &[]);
    head[40..44].copy_from_slice(&(seconds * 16_000u32).to_le_bytes());
    std::fs::write(&path, head).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(44 + u64::from(seconds) * 16_000).unwrap();
    // The last second, found without reading what stands before it.
    let wanted = Wanted { offset_s: Some(10_799.0), ..Wanted::at(16_000) };
    let (audio, remarks) = read_audio(&path.into(), &wanted).unwrap();
    assert_eq!((audio.samples().len(), remarks.len()), (16_000, 0));
}
