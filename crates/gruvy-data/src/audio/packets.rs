//! Files that come in packets, by `symphonia`: FLAC, MP3, Ogg, AIFF, M4A, AAC.
//!
//! A damaged packet of a lossy kind is silence as long as the packet, as players do it. FLAC is
//! lossless and says where each packet belongs: a gap is an error.
use super::kind::{CONVERT, Kind, unsupported};
use super::mend::Mended;
use super::reader::{About, Decoder};
use super::source::Source;
use std::io::ErrorKind;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::probe::ProbeableFormat;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;
use symphonia::default::formats as readers;

/// No packet that is damaged is longer, in frames.
const LONGEST_PACKET: u64 = 8192;
/// So many packets behind one another may be without sound.
const MOST_SILENT: u32 = 1000;

/// A file in packets.
pub(super) struct Packets {
    kind: Kind,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    about: About,
    /// Frames that come first: the packet by which the file was known.
    first: Vec<f32>,
    /// Frames decoded so far.
    frames: u64,
    /// Where the next packet should begin.
    expects: i64,
    /// Packets without sound since the last that had some.
    silent: u32,
}

impl Packets {
    /// Reads up to the first samples; the error says what is wrong.
    pub(super) fn open(kind: Kind, source: Source, mended: &mut Mended) -> Result<Self, String> {
        let stream = MediaSourceStream::new(Box::new(source), Default::default());
        let options = FormatOptions::default();
        let reader = match kind {
            Kind::Flac => readers::FlacReader::try_probe_new(stream, options),
            Kind::Mp3 => readers::MpaReader::try_probe_new(stream, options),
            Kind::Ogg => readers::OggReader::try_probe_new(stream, options),
            Kind::Aiff | Kind::Wav => readers::AiffReader::try_probe_new(stream, options),
            Kind::Mp4 => readers::IsoMp4Reader::try_probe_new(stream, options),
            Kind::Adts => readers::AdtsReader::try_probe_new(stream, options),
        };
        let reader = reader.map_err(|fault| wrong(kind, &fault))?;
        let track = sound_of(kind, &*reader)?;
        let decoder = decoder_of(kind, track)?;
        let about = About {
            format: name(kind).into(),
            sample_rate_hz: 0,
            channels: 0,
            frames: track.num_frames,
        };
        let (track, first) = (track.id, Vec::new());
        let mut all =
            Self { kind, reader, decoder, track, about, first, frames: 0, expects: 0, silent: 0 };
        let mut first = Vec::new();
        while first.is_empty() {
            if !all.packet(&mut first, mended)? && first.is_empty() {
                return Err(format!(
                    "no part of the {} file can be decoded: it is empty, cut off or damaged; fetch it \
                     or encode it again",
                    name(kind)
                ));
            }
        }
        all.about.format = format!("{}{}", name(kind), all.codec());
        all.first = first;
        Ok(all)
    }

    /// The codec, where the kind of the file does not say it.
    fn codec(&self) -> String {
        match self.kind {
            Kind::Flac | Kind::Mp3 | Kind::Adts => String::new(),
            _ => format!(", {}", self.decoder.codec_info().long_name),
        }
    }

    /// Decodes a packet; false: there are no more.
    fn packet(&mut self, block: &mut Vec<f32>, mended: &mut Mended) -> Result<bool, String> {
        let packet = match self.reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => {
                self.ended(false, mended);
                return Ok(false);
            }
            Err(Fault::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                self.ended(true, mended);
                return Ok(false);
            }
            Err(Fault::ResetRequired) => {
                // Ogg files may be joined; the next begins with headers of its own.
                let track = sound_of(self.kind, &*self.reader)?;
                self.decoder = decoder_of(self.kind, track)?;
                self.track = track.id;
                return Ok(true);
            }
            Err(fault) => return Err(self.damaged(&fault)),
        };
        if packet.track_id != self.track {
            return Ok(true);
        }
        self.gap(&packet)?;
        let lossy = self.lossy();
        match self.decoder.decode(&packet) {
            Ok(decoded) => {
                let spec = decoded.spec();
                let (rate, channels) = (spec.rate(), spec.channels().count());
                decoded.copy_to_vec_interleaved(block);
                self.sound(rate, channels, block.len())?;
                self.expects =
                    packet.pts.get().saturating_add((block.len() / channels.max(1)) as i64);
            }
            Err(Fault::DecodeError(_) | Fault::IoError(_)) if lossy => {
                mended.damaged += 1;
                let frames = packet.dur.get().min(LONGEST_PACKET);
                // Nothing is known of the sound yet, or it is at the end.
                if self.frames > 0 {
                    block.resize(frames as usize * self.about.channels, 0.0);
                    self.frames += frames;
                }
                self.nothing()?;
            }
            Err(fault) => return Err(self.damaged(&fault)),
        }
        Ok(true)
    }

    /// Takes note of decoded samples.
    fn sound(&mut self, rate: u32, channels: usize, samples: usize) -> Result<(), String> {
        if samples == 0 {
            return self.nothing();
        }
        super::possible(rate, channels)?;
        if self.frames == 0 {
            (self.about.sample_rate_hz, self.about.channels) = (rate, channels);
        }
        let (old_rate, old_channels) = (self.about.sample_rate_hz, self.about.channels);
        if (rate, channels) != (old_rate, old_channels) {
            return Err(format!(
                "the sound changes from {old_rate} Hz and {old_channels} channels to {rate} and \
                 {channels} at {:.2} s; make it one kind: {CONVERT}",
                self.seconds()
            ));
        }
        self.frames += (samples / channels) as u64;
        self.silent = 0;
        Ok(())
    }

    /// Takes note of a packet without sound.
    fn nothing(&mut self) -> Result<(), String> {
        self.silent += 1;
        match self.silent > MOST_SILENT {
            true => Err(format!(
                "the {} file is damaged: {MOST_SILENT} packets without sound follow one another{}",
                name(self.kind),
                self.place()
            )),
            false => Ok(()),
        }
    }

    fn lossy(&self) -> bool {
        matches!(self.kind, Kind::Mp3 | Kind::Ogg | Kind::Mp4 | Kind::Adts)
    }

    /// Checks that a packet of FLAC follows on the last.
    fn gap(&self, packet: &Packet) -> Result<(), String> {
        let begins = packet.pts.get();
        // What was cut out of a stream begins later.
        match self.kind == Kind::Flac && self.frames > 0 && begins != self.expects {
            true => Err(format!(
                "the FLAC file is damaged{}: what follows begins at frame {begins}, not {}; \
                 `flac -t` says more; fetch it or encode it again",
                self.place(),
                self.expects
            )),
            false => Ok(()),
        }
    }

    /// The file has ended: cut off, or as it should.
    fn ended(&self, early: bool, mended: &mut Mended) {
        let expected = self.about.frames.filter(|all| *all > self.frames);
        if early && self.frames > 0 || self.kind == Kind::Flac && expected.is_some() {
            mended.cut_off(self.frames, expected, self.about.sample_rate_hz.max(1));
        }
    }

    fn damaged(&self, fault: &Fault) -> String {
        format!("{}{}; fetch it or encode it again", wrong(self.kind, fault), self.place())
    }

    fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.about.sample_rate_hz.max(1))
    }

    fn place(&self) -> String {
        match self.frames {
            0 => " at its beginning".into(),
            _ => format!(" at {:.2} s", self.seconds()),
        }
    }
}

impl Decoder for Packets {
    fn about(&self) -> &About {
        &self.about
    }

    fn next(&mut self, block: &mut Vec<f32>, mended: &mut Mended) -> Result<bool, String> {
        if self.first.is_empty() {
            return self.packet(block, mended);
        }
        *block = std::mem::take(&mut self.first);
        Ok(true)
    }

    fn skip(&mut self, frames: u64) -> Result<Option<u64>, String> {
        if self.kind != Kind::Flac || frames == 0 {
            return Ok(None);
        }
        // Behind the last frame there is no place to go to; reading on finds the end.
        let to = SeekTo::Timestamp { ts: Timestamp::new(frames as i64), track_id: self.track };
        let Ok(place) = self.reader.seek(SeekMode::Accurate, to) else { return Ok(None) };
        self.decoder.reset();
        self.first.clear();
        self.expects = place.actual_ts.get().max(0);
        self.frames = self.expects as u64;
        Ok(Some(self.frames))
    }
}

/// The track with sound.
fn sound_of(kind: Kind, reader: &dyn FormatReader) -> Result<&Track, String> {
    reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| format!("the {} file has no sound", name(kind)))
}

fn decoder_of(kind: Kind, track: &Track) -> Result<Box<dyn AudioDecoder>, String> {
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters =
        parameters.ok_or_else(|| unsupported(&format!("a codec in the {} file", name(kind))))?;
    symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|fault| wrong(kind, &fault))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Wav => "WAV",
        Kind::Flac => "FLAC",
        Kind::Mp3 => "MP3",
        Kind::Ogg => "Ogg",
        Kind::Aiff => "AIFF",
        Kind::Mp4 => "M4A",
        Kind::Adts => "AAC",
    }
}

/// What a fault is, in words.
fn wrong(kind: Kind, fault: &Fault) -> String {
    let name = name(kind);
    match fault {
        Fault::Unsupported(what) => unsupported(&format!("the {name} file has {what}")),
        Fault::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            format!("the {name} file is cut off; fetch it or encode it again")
        }
        fault => format!("the {name} file is damaged ({fault})"),
    }
}
