//! ADPCM: each sample is the last one and a step of four bits, whose size adapts.
//!
//! Source: IMA Digital Audio Focus and Technical Working Groups, Recommended Practices 3.00;
//! Microsoft, New Multimedia Data Types and Data Techniques 3.0.

/// The sizes of IMA's steps.
#[rustfmt::skip]
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
    107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796,
    876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871,
    5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623,
    27086, 29794, 32767,
];
/// How far a step of IMA moves in the table of sizes, by its three low bits.
const MOVES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];
/// What Microsoft's size is multiplied by, over 256, by the step's bits.
const ADAPT: [i32; 16] =
    [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];
/// The weights of the last two samples, over 256, that every file has.
const USUAL: [[i16; 2]; 7] =
    [[256, 0], [512, -256], [0, 0], [192, 64], [240, 0], [460, -208], [392, -232]];

/// Blocks of IMA ADPCM: for each channel a sample and the place of a size, then four bytes, eight
/// steps, of each channel in turn.
pub(super) struct Ima {
    channels: usize,
    /// Bytes of a block.
    pub(super) align: usize,
}

impl Ima {
    pub(super) fn new(channels: usize, align: usize) -> Result<Self, String> {
        match align > 4 * channels {
            true => Ok(Self { channels, align }),
            false => Err(too_short(align, 4 * channels)),
        }
    }

    /// Frames of a block of so many bytes.
    pub(super) fn frames(&self, bytes: usize) -> usize {
        match bytes.checked_sub(4 * self.channels) {
            None => 0,
            Some(steps) => 1 + 8 * (steps / (4 * self.channels)),
        }
    }

    /// Adds the samples of a block.
    pub(super) fn decode(&self, block: &[u8], out: &mut Vec<f32>) {
        let (channels, frames) = (self.channels, self.frames(block.len()));
        let begin = out.len();
        out.resize(begin + frames * channels, 0.0);
        let out = &mut out[begin..];
        for channel in 0..channels.min(out.len()) {
            let head = &block[4 * channel..];
            let mut sample = i32::from(i16::from_le_bytes([head[0], head[1]]));
            let mut place = i32::from(head[2]).min(STEPS.len() as i32 - 1);
            out[channel] = sample as f32 / 32_768.0;
            for frame in 1..frames {
                let step = frame - 1;
                let group = 4 * channels * (1 + step / 8) + 4 * channel;
                let byte = block[group + step % 8 / 2];
                let bits = i32::from(if step % 2 == 0 { byte & 15 } else { byte >> 4 });
                let size = STEPS[place as usize];
                // A size and its half, quarter and eighth, each rounded down.
                let by = size / 8
                    + [4, 2, 1].iter().enumerate().fold(0, |by, (halved, bit)| {
                        by + if bits & bit != 0 { size >> halved } else { 0 }
                    });
                sample = (sample + if bits & 8 == 0 { by } else { -by }).clamp(-32_768, 32_767);
                place = (place + MOVES[bits as usize & 7]).clamp(0, STEPS.len() as i32 - 1);
                out[frame * channels + channel] = sample as f32 / 32_768.0;
            }
        }
    }
}

/// Blocks of Microsoft ADPCM: the weights' place of each channel, sizes, last samples and those
/// before; then steps of each channel in turn, the high four bits first.
pub(super) struct Microsoft {
    channels: usize,
    /// Bytes of a block.
    pub(super) align: usize,
    weights: Vec<[i16; 2]>,
}

impl Microsoft {
    /// `rest` of the format: frames of a block, how many pairs of weights, and those.
    pub(super) fn new(channels: usize, align: usize, rest: &[u8]) -> Result<Self, String> {
        if align < 7 * channels {
            return Err(too_short(align, 7 * channels));
        }
        let count =
            rest.get(2..4).map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])));
        let pairs = rest.get(4..).unwrap_or_default().as_chunks::<4>().0;
        let pair = |four: &[u8; 4]| {
            [i16::from_le_bytes([four[0], four[1]]), i16::from_le_bytes([four[2], four[3]])]
        };
        let weights: Vec<_> = pairs.iter().take(count).map(pair).collect();
        let weights = if weights.is_empty() { USUAL.to_vec() } else { weights };
        Ok(Self { channels, align, weights })
    }

    /// Frames of a block of so many bytes.
    pub(super) fn frames(&self, bytes: usize) -> usize {
        bytes.checked_sub(7 * self.channels).map_or(0, |steps| 2 + 2 * steps / self.channels)
    }

    /// Adds the samples of a block.
    pub(super) fn decode(&self, block: &[u8], out: &mut Vec<f32>) {
        let (channels, frames) = (self.channels, self.frames(block.len()));
        if frames == 0 {
            return;
        }
        let two = |kind: usize, channel: usize| {
            let at = channels + 2 * (kind * channels + channel);
            i32::from(i16::from_le_bytes([block[at], block[at + 1]]))
        };
        let mut voices: Vec<Voice> = (0..channels)
            .map(|channel| {
                let place = usize::from(block[channel]).min(self.weights.len() - 1);
                let last = [two(1, channel), two(2, channel)];
                Voice { weights: self.weights[place], size: two(0, channel), last }
            })
            .collect();
        for kind in [1, 0] {
            out.extend(voices.iter().map(|voice| voice.last[kind] as f32 / 32_768.0));
        }
        let steps = block[7 * channels..].iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (at, bits) in steps.take((frames - 2) * channels).enumerate() {
            out.push(voices[at % channels].step(bits) as f32 / 32_768.0);
        }
    }
}

/// A channel of Microsoft's.
struct Voice {
    weights: [i16; 2],
    size: i32,
    /// The last sample and the one before.
    last: [i32; 2],
}

impl Voice {
    fn step(&mut self, bits: u8) -> i32 {
        let [one, two] = self.weights.map(i64::from);
        let [last, before] = self.last.map(i64::from);
        let expected = ((last * one + before * two) >> 8) as i32;
        let signed = i32::from(bits) - if bits & 8 == 0 { 0 } else { 16 };
        let sample = (expected + signed * self.size).clamp(-32_768, 32_767);
        self.size = ((ADAPT[usize::from(bits)] * self.size) >> 8).clamp(16, 1 << 20);
        self.last = [sample, self.last[0]];
        sample
    }
}

fn too_short(align: usize, least: usize) -> String {
    format!("blocks of {align} bytes, which need more than {least}; the header is damaged")
}
