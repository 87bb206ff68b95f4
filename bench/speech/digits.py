"""Strings the clips of the Free Spoken Digit Dataset to sequences of 3 to 8 digits, with pauses and
noise: `python digits.py RECORDINGS OUT [--held-out SPEAKER]`. Nothing but the standard library.

RECORDINGS holds `{digit}_{speaker}_{index}.wav`, 8 kHz. OUT gets WAV files and four lists in JSON
Lines: `train.jsonl` and `valid.jsonl` of the clips with index 5 and above (45 and up for
validation), `test.jsonl` of the clips 0 to 4 (the official test part), and with --held-out
`held-out.jsonl`, sequences of all clips of that speaker, who is in none of the other lists.

Each sequence is by one speaker. Pauses last 50 to 400 ms; white noise from 10 to 30 dB below the
speech lies under all of it. Everything is drawn from --seed.
"""

import argparse
import array
import json
import math
import random
import wave
from pathlib import Path

RATE = 8000
WORDS = "zero one two three four five six seven eight nine".split()


def clip(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2), path
        return array.array("h", file.readframes(file.getnframes()))


def sequence(clips, rng):
    samples, words = [0.0] * int(RATE * rng.uniform(0.1, 0.4)), []
    for _ in range(rng.randint(3, 8)):
        digit, sound = rng.choice(clips)
        words.append(WORDS[digit])
        samples += sound
        samples += [0.0] * int(RATE * rng.uniform(0.05, 0.4))
    power = sum(s * s for s in samples) / len(samples)
    noise = math.sqrt(power) * 10 ** (-rng.uniform(10, 30) / 20)
    samples = [s + rng.gauss(0.0, noise) for s in samples]
    return array.array("h", (max(-32768, min(32767, round(s))) for s in samples)), " ".join(words)


def write(out, name, by_speaker, count, rng):
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        speaker = sorted(by_speaker)[number % len(by_speaker)]
        samples, text = sequence(by_speaker[speaker], rng)
        path = folder / f"{number:05}_{speaker}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        seconds = round(len(samples) / RATE, 3)
        lines.append({"audio_filepath": f"{name}/{path.name}", "duration": seconds, "text": text,
                      "speaker": speaker})
    with open(out / f"{name}.jsonl", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--held-out", metavar="SPEAKER")
    parser.add_argument("--train", type=int, default=1500, help="sequences to learn from")
    parser.add_argument("--other", type=int, default=200, help="sequences of each other list")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    parts = {"train": {}, "valid": {}, "test": {}, "held-out": {}}
    for path in sorted(args.recordings.glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        part = "test" if int(index) < 5 else "valid" if int(index) >= 45 else "train"
        part = "held-out" if speaker == args.held_out else part
        parts[part].setdefault(speaker, []).append((int(digit), clip(path)))
    if args.held_out and not parts["held-out"]:
        raise SystemExit(f"there is no clip of the speaker {args.held_out}")
    for name, by_speaker in parts.items():
        if by_speaker:
            count = args.train if name == "train" else args.other
            write(args.out, name, by_speaker, count, random.Random(f"{args.seed} {name}"))


if __name__ == "__main__":
    main()
