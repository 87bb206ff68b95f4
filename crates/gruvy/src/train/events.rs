//! TensorBoard's event file: records of a protocol buffer each.
//!
//! ```text
//! u64 length | u32 masked crc of the length | the message | u32 masked crc of the message
//! crc = CRC-32C (Castagnoli);   masked = rotate_right(crc, 15) + 0xa282ead8
//! ```
//! Source: `tensorflow/core/lib/io/record_writer.h` and `tensorflow/core/util/event.proto`.
use super::report::Record;
use prost::Message;

/// The part of TensorFlow's `Event` that scalars need.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds. Training time, so that two equal runs differ in little.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

/// The record that opens a file.
pub(crate) fn header() -> Vec<u8> {
    let version = Some("brain.Event:2".to_owned());
    frame(&Event { wall_time: 0.0, step: 0, file_version: version, summary: None }.encode_to_vec())
}

/// One evaluation: `train/loss`, `valid/loss`, … and `lr`.
pub(crate) fn scalars(record: &Record) -> Vec<u8> {
    let value = |tag: String, value: f64| Value { tag, simple_value: value as f32 };
    let mut values = vec![value("lr".into(), record.lr)];
    for (part, metrics) in [("train", Some(&record.train)), ("valid", record.valid.as_ref())] {
        for (name, v) in metrics.into_iter().flatten() {
            values.push(value(format!("{part}/{name}"), *v));
        }
    }
    let event = Event {
        wall_time: record.elapsed_s,
        step: record.step as i64,
        file_version: None,
        summary: Some(Summary { value: values }),
    };
    frame(&event.encode_to_vec())
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(message.len() + 16);
    out.extend(length);
    out.extend(masked_crc(&length).to_le_bytes());
    out.extend(message);
    out.extend(masked_crc(message).to_le_bytes());
    out
}

fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C bit by bit: a record is a few hundred bytes.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::report::Metrics;

    /// Reads what [`frame`] wrote, as TensorBoard does.
    fn unframe(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let crc = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(crc(8), masked_crc(&bytes[..8]));
            let message = &bytes[12..12 + length];
            assert_eq!(crc(12 + length), masked_crc(message));
            events.push(Event::decode(message).unwrap());
            bytes = &bytes[16 + length..];
        }
        events
    }

    #[test]
    fn crc_has_the_published_check_values() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    /// The first record of every file that TensorFlow writes at wall time 0, byte by byte.
    #[test]
    fn header_is_tensorflows() {
        let message = b"\x1a\x0dbrain.Event:2";
        let bytes = header();
        assert_eq!(&bytes[..8], &15u64.to_le_bytes());
        assert_eq!(&bytes[12..27], message);
        assert_eq!(unframe(&bytes)[0].file_version.as_deref(), Some("brain.Event:2"));
    }

    #[test]
    fn scalars_read_back() {
        let metrics = |loss| Metrics::from([("loss".to_owned(), loss)]);
        let record = Record {
            step: 70,
            epoch: 1.5,
            lr: 0.25,
            train: metrics(2.5),
            valid: Some(metrics(3.5)),
            best: true,
            elapsed_s: 9.0,
            train_s: 8.0,
        };
        let mut file = header();
        file.extend(scalars(&record));
        let events = unframe(&file);
        assert_eq!(events.len(), 2);
        assert_eq!((events[1].step, events[1].wall_time), (70, 9.0));
        let values = &events[1].summary.as_ref().unwrap().value;
        let values: Vec<_> = values.iter().map(|v| (v.tag.as_str(), v.simple_value)).collect();
        assert_eq!(values, [("lr", 0.25), ("train/loss", 2.5), ("valid/loss", 3.5)]);
    }
}
