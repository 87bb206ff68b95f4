//! A checksum that notices damage: flipped bits, blocks of zeros. It is no defence against somebody
//! who changes a file on purpose.

/// `h ← rotate((h ⊕ w) · p)` over words of 64 bits. Each step is a bijection of `h` and of `w`, so
/// a change within one word is never missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(u64);

impl Default for Checksum {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Checksum {
    /// Takes one word.
    pub fn add_word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }

    /// Takes bytes, and their number.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.add_word(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add_word(u64::from_le_bytes(last));
        self.add_word(bytes.len() as u64);
    }
}

/// Sixteen hexadecimal digits.
impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_shows() {
        let of = |bytes: &[u8]| {
            let mut sum = Checksum::default();
            sum.add_bytes(bytes);
            sum
        };
        let bytes: Vec<u8> = (0..61).map(|i| i * 7 % 5).collect();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of(&flipped), of(&bytes), "bit {bit}");
        }
        assert_ne!(of(&[0; 8]), of(&[0; 9]));
        assert_ne!(of(&[]), of(&[0]));
    }
}
