//! A hash of places: the source of all random numbers of the kernels.
//!
//! ```text
//! u(key, i) ∈ [0, 1)      two rounds of multiply and shift over the place i and a key
//! ```
//! The constants are those of Chris Wellons' lowbias32 (2018).

/// The masks of a pass. Values are counted as `[B, H]` (the state's mask) and `[T, B, H]`
/// (zoneout, the candidate's mask).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// A buffer's [`Dropout`](crate::Dropout).
    Values,
    /// [`Noise::recurrent_dropout`](crate::Noise::recurrent_dropout)
    State,
    /// Zoneout of h.
    Zoneout,
    /// Zoneout of an LSTM's c.
    ZoneoutCell,
    /// [`Noise::candidate_dropout`](crate::Noise::candidate_dropout)
    Candidate,
}

/// The key of one mask.
pub(crate) fn key(seed: u64, stream: Stream) -> u64 {
    let v = seed.wrapping_add((stream as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let v = (v ^ (v >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}

/// A number in `[0, 1)`, a multiple of 2⁻²⁴, for place `i` under a key.
#[inline(always)]
pub(crate) fn uniform(key: u64, i: u32) -> f32 {
    let v = i.wrapping_add(key as u32);
    let v = (v ^ (v >> 16)).wrapping_mul(0x7feb_352d) ^ (key >> 32) as u32;
    let v = (v ^ (v >> 15)).wrapping_mul(0x846c_a68b);
    ((v ^ (v >> 16)) >> 8) as f32 * (1.0 / (1 << 24) as f32)
}
