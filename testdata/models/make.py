"""Makes small models of every task with a build of the command, and asks each what README.md beside this says:

    python make.py make --gruvy GRUVY --version N    writes vN: models, inputs, answers, cases.json
    python make.py shake --gruvy GRUVY --version N   asks models whose weights are off by a little the same

Everything is made up here, without chance beyond the seeds, so that the same build on the same instruction set writes the
same files. v1 was made by gruvy 0.1.0, model file version 1, v2 by a build before the release of version 2; both on AVX-512.
"""

import argparse
import json
import math
import shutil
import struct
import subprocess
import tempfile
from datetime import date, timedelta
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
# Numbers of an answer may differ by this share; those nearer to 0 than LEAST by what it is of LEAST. The test has the same.
TOLERANCE, LEAST = 1e-4, 1e-2


# Data. Of Random only random() is used, which is the same in every Python.


def pick(random, things):
    return things[int(random.random() * len(things))]


RHYME = """One fox met two hens by the old mill.
Three crows sat on a wall, très sûr of the sun.
"Who goes there?" said the owl — and the moon said: "I do."
"""


def utterances(count, seed):
    """(text, moods): mostly said by the words, sometimes not, so that no model can be sure."""
    random = Random(seed)
    words = {"glad": ["lovely", "fine", "merry"], "sad": ["grey", "bitter", "Lost"], "calm": ["quiet", "plain", "slow"]}
    things = ["day", "walk", "song", "house", "tea"]
    for _ in range(count):
        moods = [pick(random, list(words))]
        said = [pick(random, words[moods[0]])]
        if random.random() < 0.4:
            moods.append(pick(random, [mood for mood in words if mood != moods[0]]))
            said.append(pick(random, words[moods[1]]))
        if random.random() < 0.15:
            moods = [pick(random, list(words))]
        yield f"What a {' and '.join(said)} {pick(random, things)}, it was so {said[0]}!", sorted(moods)


def table_of_texts(count, seed):
    rows = [f'{n},"{text}",{moods[-1]}' for n, (text, moods) in enumerate(utterances(count, seed))]
    return "\n".join(["nr,utterance,mood", *rows]) + "\n"


def lines_of_texts(count, seed):
    return "".join(json.dumps({"text": text, "labels": moods}) + "\n" for text, moods in utterances(count, seed))


def motions(count, seed):
    """Three features a step, of which the first tells the label and the last nothing."""
    random = Random(seed)
    rows = ["run,at,side,height,flat,motion"]
    for n in range(count):
        motion = pick(random, ["rise", "fall", "swing"])
        for t in range(6 + n % 5):
            x = {"rise": t, "fall": -t, "swing": 4 * (-1) ** t}[motion] + 3 * random.random()
            rows.append(f"r{n},{t},{x:.2f},{1000 + 50 * random.random():.1f},2,{motion}")
    return "\n".join(rows) + "\n"


WEEK = [0.0, 2.0, 3.0, 3.0, 8.0, 15.0, -6.0]


def sales(ahead):
    """Two shops of 11 weeks with gaps; `ahead` days more of which only the promotions are known."""
    rows = ["shop,day,sold,promo,visitors,region,size"]
    for shop, level, region, size in [("north", 40.0, "coast", 120), ("south", 90.0, "hills", 340)]:
        for day in range(77 + ahead):
            promo = int(day % 10 == 3)
            noise = (day * 13 + int(level)) % 5 * 0.8
            sold = f"{level + WEEK[day % 7] + 9 * promo + noise:.1f}" if day < 77 else ""
            visitors = f"{3 * (level + WEEK[(day + 1) % 7]):.0f}" if day < 77 else ""
            if day % 31 != 11:
                rows.append(f"{shop},{date(2023, 1, 2) + timedelta(day)},{sold},{promo},{visitors},{region},{size}")
    return "\n".join(rows) + "\n"


def plain_sales():
    rows = [line.split(",")[:3] for line in sales(0).splitlines()[1:]]
    return "\n".join(["unique_id,ds,y", *(",".join(row) for row in rows)]) + "\n"


def hours(count):
    random = Random(5)
    rows = ["ds,y"]
    for hour in range(count):
        y = -30 + 10 * math.sin(hour * math.tau / 24) + 3 * random.random()
        rows.append(f"2023-05-{1 + hour // 24:02} {hour % 24:02}:00,{y:.3f}")
    return "\n".join(rows) + "\n"


def counts():
    random = Random(6)
    rows = ["part,week,used"]
    for part, rate in [("bolt", 4.0), ("nut", 1.5)]:
        for week in range(60):
            used = int(rate * (0.5 + random.random()) + (week % 4 == 0) * rate)
            rows.append(f"{part},{date(2022, 1, 3) + timedelta(7 * week)},{used}")
    return "\n".join(rows) + "\n"


def months():
    """A column a series, the swing growing with the level."""
    rows = ["month,tea,coffee"]
    for n in range(72):
        level = 100 * 1.01**n * (1 + 0.3 * math.sin(n * math.tau / 12))
        rows.append(f"{2015 + n // 12}-{1 + n % 12:02}-01,{level:.1f},{level * (0.4 + 0.01 * (n * 7 % 5)):.1f}")
    return "\n".join(rows) + "\n"


def without_times():
    """A row a series, as in the M4 competition."""
    rows = ["id," + ",".join(f"v{n}" for n in range(1, 49))]
    for series, level in [("a", 20.0), ("b", 55.0), ("c", 31.0)]:
        values = (level + 8 * math.cos(n * math.tau / 8) + n * 13 % 7 * 0.3 for n in range(48))
        rows.append(f"{series}," + ",".join(f"{v:.2f}" for v in values))
    return "\n".join(rows) + "\n"


def song(number):
    """Notes of eight bars, (start, end, key) in eighths: a melody that strikes some keys again, over held chords."""
    random = Random(number)
    notes, key = [], 67
    for bar in range(8):
        root = [48, 53, 55, 48][bar % 4]
        notes += [(8 * bar, 8 * bar + 8, root + above) for above in (0, 4, 7)]
        for at in range(8 * bar, 8 * bar + 8, 2):
            key = min(max(key + pick(random, [-4, -2, 0, 0, 2, 4]), 60), 79)
            ends = [at + 1, at + 2] if random.random() < 0.4 else [at + 2]
            notes += [(start, end, key) for start, end in zip([at, *ends], ends)]
    return notes


def midi(notes):
    """A MIDI file of format 0, two ticks to a quarter, in four quarters at 100 quarters a minute."""
    events = [(end, bytes([0x80, key, 0])) for _, end, key in notes]
    events += [(start, bytes([0x90, key, 80])) for start, _, key in notes]
    track, now = b"\0\xff\x51\3\x09\x27\xc0" + b"\0\xff\x58\4\4\2\x18\x08", 0
    for at, event in sorted(events):
        track += bytes([at - now]) + event
        now = at
    track += b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">LHHH", 6, 0, 1, 2) + b"MTrk" + struct.pack(">L", len(track)) + track


def rolls():
    """Piano rolls, key 0 the lowest of a piano."""

    def piece(number):
        notes = song(number)
        return [[key - 21 for start, end, key in notes if start <= at < end] for at in range(64)]

    return json.dumps({"train": [piece(n) for n in range(20, 26)], "valid": [piece(26)], "test": [piece(27)]})


SONGS = [f"song-{number}.mid" for number in range(8)]
# What is trained on; under `inputs` also what the models are asked about.
DATA = {
    "rhyme.txt": RHYME * 30,
    "moods.csv": table_of_texts(240, 1),
    "moods.jsonl": lines_of_texts(200, 2),
    "motions.csv": motions(90, 3),
    "sales.csv": plain_sales(),
    "shops.csv": sales(0),
    "hours.csv": hours(300),
    "parts.csv": counts(),
    "months.csv": months(),
    "rows.csv": without_times(),
    **{name: midi(song(number)) for number, name in enumerate(SONGS)},
    "rolls.json": rolls(),
}
INPUTS = {
    "rhyme.txt": RHYME + "Seven ßheep slept. Three crows sat on a mill.\n",
    "moods.csv": table_of_texts(12, 11) + '12,"","glad"\n',
    "moods.jsonl": lines_of_texts(12, 12),
    "motions.csv": motions(8, 13),
    "sales.csv": plain_sales(),
    "shops.csv": sales(5),
    "hours.csv": hours(80),
    "parts.csv": counts(),
    "months.csv": months(),
    "rows.csv": without_times(),
    "song.mid": midi(song(8)[:40]),
    "melody.mid": midi([note for note in song(9) if note[2] >= 60][:12]),
    "rolls.json": rolls(),
}

def tones(words, seed):
    """A WAV file of 8 kHz: a low or a high tone for each word, with pauses and a little noise."""
    random = Random(seed)
    samples = [0.0] * (800 + 40 * seed)
    for word in words:
        hz = {"low": 400, "high": 1800}[word] * (1 + 0.02 * random.random())
        samples += [0.3 * math.sin(2 * math.pi * hz * n / 8000) for n in range(1200)] + [0.0] * (700 + 50 * seed)
    data = b"".join(struct.pack("<h", round(32000 * (s + 0.01 * (random.random() - 0.5)))) for s in samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", len(data))
    return head + data


SAID = {f"say{n}.wav": [["low", "high"][n >> at & 1] for at in range(1 + n % 3)] for n in range(12)}
DATA |= {name: tones(words, n) for n, (name, words) in enumerate(SAID.items())}
DATA["say.jsonl"] = "".join(json.dumps({"audio_filepath": name, "text": " ".join(words)}) + "\n" for name, words in SAID.items())
INPUTS["say.wav"] = tones(["high", "low"], 13)
INPUTS["say.jsonl"] = json.dumps({"audio_filepath": "say.wav", "text": "high low"}) + "\n"

GREEDY = "--length 70 --temperature 0 --seed 1"
SMALL = "--batch 8 --dropout 0 --warmup 5 --seed 3 --lr 0.01"
TEXT = f"text rhyme.txt {SMALL} --seq-len 32 --split 90/10/0 --epochs 120"
CLASSIFY = f"{SMALL} --split 75/25/0"
MOODS = "moods.csv --text-column utterance --label-column mood --id-column nr"
MOTIONS = "motions.csv --id-column run --step-column at --label-column motion"
TEXT_CASES = [("prompt", f"generate MODEL --prompt Three {GREEDY}"), ("eval", "eval MODEL inputs/rhyme.txt")]
ITEMS = "inputs/moods.csv"
MUSIC = f"{SMALL} --hidden 12 --ema 0 --input-dropout 0 --recurrent-dropout 0 --batch 2 --epochs 200 --transpose 0 --lr 0.02"
MUSIC_CASES = [
    ("eval", "eval MODEL inputs/song.mid"),
    ("compose", "compose MODEL inputs/song.mid --bars 2 --temperature 0 --seed 1 --no-preview --out OUT"),
    ("harmonize", "harmonize MODEL inputs/melody.mid --voices 3 --tries 1 --temperature 0 --seed 1 --no-preview --out OUT"),
]
# (name, arguments of `train`, questions: their names and arguments)
MODELS = [
    ("text-char-gru", f"{TEXT} --hidden 8 --embed 6 --lr 0.02", [*TEXT_CASES, ("info", "info MODEL")]),
    ("text-char-lstm", f"{TEXT} --cell lstm --hidden 8 --embed 4 --layers 2 --layer-norm", TEXT_CASES),
    ("text-char-rnn", f"{TEXT} --cell rnn --hidden 8 --embed 6 --zoneout 0.1", TEXT_CASES),
    ("text-byte-gru-v3", f"{TEXT} --unit byte --cell gru-v3 --hidden 8 --embed 6", TEXT_CASES),
    ("text-byte-rnn-relu", f"{TEXT} --unit byte --cell rnn-relu --hidden 8 --embed 4 --layer-norm --lr 0.02", TEXT_CASES),
    ("text-bpe-mingru", f"{TEXT} --unit bpe --vocab-size 290 --cell mingru --hidden 8 --embed 8 --tied", TEXT_CASES),
    (
        "classify-words-max",
        f"classify {MOODS} {CLASSIFY} --hidden 4 --embed 4 --epochs 12",
        [
            ("predict", f"predict MODEL {ITEMS} --top-k 3"),
            ("text", "predict MODEL --text|What a merry and quiet evening"),
            ("eval", f"eval MODEL {ITEMS}"),
            ("explain", "explain MODEL --text|What a bitter and fine song"),
            ("info", "info MODEL"),
        ],
    ),
    (
        "classify-chars-attention",
        f"classify {MOODS} {CLASSIFY} --unit char --cell lstm --pool attention --lowercase false --max-len 30 "
        "--hidden 4 --embed 4 --epochs 12",
        [("predict", f"predict MODEL {ITEMS} --top-k 3"), ("eval", f"eval MODEL {ITEMS}")],
    ),
    (
        "classify-bytes-mean",
        f"classify moods.jsonl {CLASSIFY} --multi-label --unit byte --pool mean --hidden 6 --embed 4 --epochs 40",
        [("predict", "predict MODEL inputs/moods.jsonl --top-k 2"), ("eval", "eval MODEL inputs/moods.jsonl")],
    ),
    (
        "classify-bpe-last",
        f"classify {MOODS} {CLASSIFY} --unit bpe --vocab-size 280 --bidirectional false --pool last --hidden 5 --embed 4 "
        "--epochs 12",
        [("predict", f"predict MODEL {ITEMS} --top-k 3"), ("steps", "predict MODEL --text|it_was_so --every-step")],
    ),
    (
        "classify-sequences-last",
        f"classify {MOTIONS} {CLASSIFY} --hidden 4 --epochs 12",
        [
            ("predict", "predict MODEL inputs/motions.csv --top-k 3"),
            ("steps", "predict MODEL inputs/motions.csv --every-step"),
            ("eval", "eval MODEL inputs/motions.csv"),
        ],
    ),
    (
        "classify-sequences-mean",
        f"classify {MOTIONS} {CLASSIFY} --cell mingru --layers 2 --bidirectional --pool mean --hidden 4 --epochs 12",
        [("predict", "predict MODEL inputs/motions.csv --top-k 3")],
    ),
    (
        "forecast-direct",
        f"forecast sales.csv {SMALL} --horizon 7 --context 28 --hidden 8 --epochs 10",
        [
            ("forecast", "forecast MODEL inputs/sales.csv"),
            ("eval", "eval MODEL inputs/sales.csv"),
            ("anomalies", "forecast MODEL inputs/sales.csv --flag-anomalies 0.8 --only north"),
            ("info", "info MODEL"),
        ],
    ),
    (
        "forecast-covariates",
        f"forecast shops.csv {SMALL} --id shop --time day --target sold --past visitors --future promo --statics region,size "
        "--transform box-cox:0.5 --scale series --difference last --cell lstm --levels 0.1,0.5,0.9 --fill linear "
        "--horizon 5 --context 14 --segment 7 --hidden 6 --epochs 10",
        [("forecast", "forecast MODEL inputs/shops.csv"), ("eval", "eval MODEL inputs/shops.csv --test-steps 7")],
    ),
    (
        "forecast-autoregressive-student-t",
        f"forecast hours.csv {SMALL} --decoder autoregressive --difference none --horizon 6 --context 24 --hidden 6 --epochs 3",
        [
            ("anomalies", "forecast MODEL inputs/hours.csv --flag-anomalies 0.8"),
            ("forecast", "forecast MODEL inputs/hours.csv --seed 1"),
            ("eval", "eval MODEL inputs/hours.csv --seed 1"),
        ],
    ),
    (
        "forecast-autoregressive-negative-binomial",
        f"forecast parts.csv {SMALL} --id part --time week --target used --horizon 4 --context 12 --hidden 4 --epochs 4",
        [
            ("anomalies", "forecast MODEL inputs/parts.csv --flag-anomalies 0.8 --only bolt"),
            ("forecast", "forecast MODEL inputs/parts.csv --seed 1"),
        ],
    ),
    (
        "forecast-autoregressive-normal",
        f"forecast hours.csv {SMALL} --decoder autoregressive --output normal --difference seasonal --calendar false --cell mingru "
        "--horizon 6 --context 24 --hidden 4 --epochs 3",
        [("anomalies", "forecast MODEL inputs/hours.csv --flag-anomalies 0.8")],
    ),
    (
        "forecast-log-normal",
        f"forecast months.csv {SMALL} --output normal --transform log --difference seasonal --layers 2 --layer-norm --horizon 12 "
        "--context 24 --hidden 6 --epochs 5",
        [("forecast", "forecast MODEL inputs/months.csv"), ("eval", "eval MODEL inputs/months.csv")],
    ),
    (
        "forecast-rows",
        f"forecast rows.csv {SMALL} --layout rows --season 8 --horizon 8 --context 16 --output student-t --hidden 4 --epochs 10",
        [("forecast", "forecast MODEL inputs/rows.csv")],
    ),
    (
        "music-joint",
        f"music {' '.join(SONGS)} {MUSIC} --split 75/25/0 --decoder-hidden 6 --decoder-dropout 0",
        [*MUSIC_CASES, ("info", "info MODEL")],
    ),
    ("music-bernoulli", f"music {' '.join(SONGS)} {MUSIC} --split 75/25/0 --head bernoulli", MUSIC_CASES),
    (
        "music-events",
        f"music {' '.join(SONGS)} {MUSIC} --split 75/25/0 --head events",
        [
            MUSIC_CASES[0],
            ("compose", "compose MODEL inputs/song.mid --seconds 2 --temperature 0 --seed 1 --no-preview --out OUT"),
            ("info", "info MODEL"),
        ],
    ),
    (
        "music-rolls-lstm",
        f"music rolls.json {MUSIC} --cell lstm --decoder-hidden 6 --decoder-dropout 0",
        [("eval", "eval MODEL inputs/rolls.json"), *MUSIC_CASES[1:]],
    ),
    (
        "speech-words",
        f"speech say.jsonl {SMALL} --split 75/25/0 --hidden 8 --mels 8 --ema 0 --epochs 8 --lr 0.02 --pitch 0 --tempo 0",
        [
            ("transcribe", "transcribe MODEL inputs/say.wav"),
            ("align", "align MODEL inputs/say.wav --text|high low"),
            ("eval", "eval MODEL inputs/say.jsonl"),
            ("info", "info MODEL"),
        ],
    ),
    (
        "speech-characters-both-ways",
        f"speech say.jsonl {SMALL} --split 75/25/0 --unit char --bidirectional true --features mfcc --deltas 1 --normalise utterance "
        "--hidden 6 --ema 0 --epochs 8 --lr 0.02 --pitch 0 --tempo 0",
        [("transcribe", "transcribe MODEL inputs/say.wav --beam 4"), ("align", "align MODEL inputs/say.wav --text|high low")],
    ),
    (
        "adding",
        f"adding {SMALL} --length 12 --hidden 8 --train-size 2000 --valid-size 50 --test-size 50 --epochs 4",
        [("eval", "eval MODEL --count 40 --seed 1"), ("info", "info MODEL")],
    ),
    (
        "copy",
        f"copy {SMALL} --length 1 --chrono 20 --hidden 12 --train-size 4000 --valid-size 50 --test-size 50 --epochs 30 --lr 0.02 "
        "--clip 0 --weight-decay 0 --patience 0",
        [("eval", "eval MODEL --count 40 --seed 1"), ("info", "info MODEL")],
    ),
]
# Of `info` only what says where a model comes from: how the rest is written follows the version of the program.
LEAVE_OUT = {
    "info": ["path", "bytes", "spec", "codec", "parameters"],
    "compose": ["pieces/0/files"],
    "harmonize": ["files"],
    "transcribe": ["recordings/0/took_s"],
}


def words(line, model=""):
    """Arguments of a line; what is after a `|` is one of them, blanks and all."""
    head, _, text = line.partition("|")
    return [word.replace("MODEL", model) for word in head.split()] + ([text] if text else [])


def run(gruvy, folder, args):
    done = subprocess.run([gruvy, *args], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(args)}\n{done.stderr}")
    return done.stdout


def ask(gruvy, folder, case):
    with tempfile.TemporaryDirectory() as place:
        args = [str(Path(place, "out")) if arg == "OUT" else arg for arg in case["args"]]
        answer = json.loads(run(gruvy, folder, args))
    for path in case["leave_out"]:
        *way, key = path.split("/")
        within = answer
        for step in way:
            within = within[int(step) if step.isdigit() else step]
        within.pop(key, None)
    return answer


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def make(gruvy, folder):
    if folder.exists():
        raise SystemExit(f"{folder} is there: files of a version are never made again")
    (folder / "inputs").mkdir(parents=True)
    (folder / "answers").mkdir()
    for name, content in INPUTS.items():
        write(folder / "inputs" / name, content)
    cases = []
    with tempfile.TemporaryDirectory() as work:
        for name, content in DATA.items():
            write(Path(work, name), content)
        for model, train, questions in MODELS:
            run(gruvy, work, ["train", *words(train), "--out", model, "--quiet", "--threads", "1"])
            file = f"{model}.safetensors"
            shutil.copy(Path(work, model, "model.safetensors"), folder / file)
            for question, line in questions:
                name = f"{model}-{question}"
                case = {"name": name, "model": file, "args": [*words(line, file), "--json"]}
                case |= {"answer": f"answers/{name}.json", "leave_out": LEAVE_OUT.get(question, [])}
                answer = ask(gruvy, folder, case)
                (folder / case["answer"]).write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
                cases.append(case)
    (folder / "cases.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def differences(got, want, at=""):
    """(path, got, want, by which share of what is allowed)."""
    if isinstance(got, dict) and isinstance(want, dict) and got.keys() == want.keys():
        for key in want:
            yield from differences(got[key], want[key], f"{at}/{key}")
    elif isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        for n, pair in enumerate(zip(got, want)):
            yield from differences(*pair, f"{at}/{n}")
    elif type(got) is float and type(want) is float:
        yield at, got, want, abs(got - want) / (TOLERANCE * max(abs(got), abs(want), LEAST))
    elif got != want:
        yield at, got, want, math.inf


def checksum(header, weights):
    """As `checksum.rs` of the runtime has it: names, shapes and values of all tensors in the order of their names."""
    total = 0xCBF29CE484222325

    def add(word):
        nonlocal total
        total = (total ^ word) * 0x9E3779B97F4A7C15 % 2**64
        total = (total << 29 | total >> 35) % 2**64

    for name in sorted(header.keys() - {"__metadata__"}):
        text, (begin, end) = name.encode(), header[name]["data_offsets"]
        whole = len(text) // 8 * 8
        for at in range(0, whole, 8):
            add(int.from_bytes(text[at : at + 8], "little"))
        add(int.from_bytes(text[whole:], "little"))
        for word in [len(text), *header[name]["shape"], *struct.unpack(f"<{(end - begin) // 4}L", weights[begin:end])]:
            add(word)
    return f"{total:016x}"


def shaken(content, share, seed):
    """A model file whose weights are off by up to that share."""
    random = Random(seed)
    (length,) = struct.unpack("<Q", content[:8])
    start = 8 + length
    weights = struct.unpack(f"<{(len(content) - start) // 4}f", content[start:])
    moved = [w * (1 + share * (2 * random.random() - 1)) for w in weights]
    moved = struct.pack(f"<{len(moved)}f", *moved)
    header = json.loads(content[8:start])
    sums = [checksum(header, data).encode() for data in (content[start:], moved)]
    # Version 1 has none.
    return content[:start].replace(*sums) + moved


def shake(gruvy, folder, share, times):
    """Says of each case how far the answers move; by more than 1 the answer is too near to a tie, or the model too sharp."""
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        for case in json.loads((folder / "cases.json").read_text(encoding="utf-8")):
            want = json.loads((folder / case["answer"]).read_text(encoding="utf-8"))
            worst = ("", None, None, 0.0)
            for seed in range(times):
                content = (folder / case["model"]).read_bytes()
                Path(work, case["model"]).write_bytes(shaken(content, share, seed))
                found = differences(ask(gruvy, work, case), want)
                worst = max([worst, *found], key=lambda difference: difference[3])
            at, got, wanted, by = worst
            print(f"{case['name']:55} {by:9.3f} of what is allowed", f"{at}: {got} for {wanted}" if by > 1 else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "shake"])
    parser.add_argument("--gruvy", required=True, help="the command, built")
    parser.add_argument("--version", required=True, type=int, help="of the model files")
    parser.add_argument("--share", type=float, default=1e-6, help="how far weights are moved")
    parser.add_argument("--times", type=int, default=5, help="how often")
    args = parser.parse_args()
    gruvy, folder = Path(args.gruvy).resolve(), HERE / f"v{args.version}"
    if args.what == "make":
        make(gruvy, folder)
    else:
        shake(gruvy, folder, args.share, args.times)


if __name__ == "__main__":
    main()
