//! Bytes that arrive one by one, given out as whole characters.

/// Holds back the bytes of a character until it is complete. The text given out over time equals
/// [`String::from_utf8_lossy`] of all bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Utf8Stream {
    /// At most the first three bytes of one character, between calls.
    pending: Vec<u8>,
}

impl Utf8Stream {
    /// Takes `bytes` and appends the characters that they complete to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        self.pending.extend_from_slice(bytes);
        let mut done = 0;
        for chunk in self.pending.utf8_chunks() {
            out.push_str(chunk.valid());
            done += chunk.valid().len();
            let invalid = chunk.invalid();
            let at_end = done + invalid.len() == self.pending.len();
            if at_end && is_prefix(invalid) {
                break;
            }
            if !invalid.is_empty() {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            done += invalid.len();
        }
        self.pending.drain(..done);
    }

    /// Ends the stream: an incomplete character becomes U+FFFD.
    pub fn finish(&mut self, out: &mut String) {
        if !self.pending.is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
        self.pending.clear();
    }
}

/// Whether these bytes could begin a character.
fn is_prefix(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(bytes: &[u8]) -> String {
        let (mut stream, mut out) = (Utf8Stream::default(), String::new());
        bytes.iter().for_each(|byte| stream.push(&[*byte], &mut out));
        stream.finish(&mut out);
        out
    }

    #[test]
    fn a_character_appears_with_its_last_byte() {
        let (mut stream, mut out) = (Utf8Stream::default(), String::new());
        let seen: Vec<usize> = "a€😀"
            .bytes()
            .map(|byte| {
                stream.push(&[byte], &mut out);
                out.chars().count()
            })
            .collect();
        assert_eq!(seen, [1, 1, 1, 2, 2, 2, 2, 3]);
        assert_eq!(out, "a€😀");
    }

    #[test]
    fn invalid_bytes_do_not_block_what_follows() {
        let (mut stream, mut out) = (Utf8Stream::default(), String::new());
        stream.push(b"\xe2\x82", &mut out);
        assert_eq!(out, "");
        stream.push(b"a\xff", &mut out);
        assert_eq!(out, "\u{fffd}a\u{fffd}");
    }

    proptest! {
        #[test]
        fn equals_lossy_decoding(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(stream(&bytes), String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn equals_lossy_decoding_of_cut_text(text in "\\PC{0,12}", at in 0usize..48) {
            let cut = &text.as_bytes()[..at.min(text.len())];
            prop_assert_eq!(stream(cut), String::from_utf8_lossy(cut));
        }
    }
}
