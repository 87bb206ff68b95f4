"""Writes a small corpus of every target: python seeds.py FOLDER (wants numpy, pyarrow and zstandard).

Each is a few lines that a reader knows; the fuzzer does the rest.
"""

import gzip
import io
import json
import struct
import sys
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet
import zstandard

OUT = Path(sys.argv[1])
MODELS = Path(__file__).parent.parent / "testdata/models"


def write(target, seeds):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(seeds):
        (folder / f"seed-{at:03}").write_bytes(seed if isinstance(seed, bytes) else seed.encode())


def packed(data):
    return [gzip.compress(data, mtime=0), zstandard.compress(data), zstandard.compress(data, 1) * 2]


def parquet(table, **options):
    to = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(table), to, store_schema=False, **options)
    return to.getvalue()


def npz(save=numpy.savez, **arrays):
    to = io.BytesIO()
    save(to, **arrays)
    return to.getvalue()


def days(header="ds,y", at="2024-01-{:02}", rows=14):
    return header + "\n" + "".join(f"{at.format(i + 1)},{i % 7}\n" for i in range(rows))


def zip_of(name):
    return b"PK\x03\x04\x14\0\0\0\0\0" + bytes(16) + struct.pack("<HH", len(name), 0) + name.encode()


def series():
    hours = "\n".join(
        f"2024-10-27T{utc + (2 if utc < 1 else 1):02}:00:00{'+02:00' if utc < 1 else '+01:00'}[Europe/Berlin],{utc}"
        for utc in range(6)
    )
    tables = [
        days(),
        days(at="{:02}/01/2024"),
        days(at="{:02}.01.2024"),
        days("unique_id,ds,y", at="a,2024-01-{:02}"),
        "sep=;\nds;y\n2024-01-01;1\n2024-01-02;2\n",
        "ds\ty\n2024-01\t1\n2024-02\t2\n2024-03\t\n2024-04\t4\n",
        "ds,y\n" + hours + "\n",
        "ds,y\n2024-03-31 01:00,1\n2024-03-31 03:00,2\n2024-03-31 04:00,3\n",
        "ds,y\n1700000000000000000,1\n1700086400000000000,2\n1700172800000000000,3\n",
        "ds,y\n1956Q1,1\n1956Q2,2\n1956Q3,3\n",
        "date,hour,y\n2024-01-01,0,1\n2024-01-01,1,2\n2024-01-01,2,3\n",
        "year,month,y,z\n2024,1,1,5\n2024,2,2,6\n2024,3,3,7\n",
        "id,ds,y,z,s,p,f\na,1,1,2,x,1,1\na,2,2,3,x,1,0\na,3,,,x,,1\n",
        "id,d_1,d_2,d_3\na,1,2,3\nb,4,5,6\n",
        "V1,V2,V3\na,1,2\nb,3,4\n",
        "ds,a,b\n2024-01-31,1,2\n2024-02-29,2,3\n2024-03-29,3,4\n2024-04-30,4,5\n",
        "ds,y\n2024-01-15,1\n2024-01-31,2\n2024-02-15,3\n2024-02-29,4\n",
        '"ds","y"\n"Jan 1, 2024","1,5"\n"Jan 2, 2024","2,5"\n',
        days().encode("utf-16"),
        b"\xef\xbb\xbf" + days().encode(),
        *packed(days().encode()),
        zip_of("xl/workbook.xml"),
        parquet({"ds": pyarrow.array(range(5), pyarrow.date32()), "y": [1.0, None, 3.0, 4.0, 5.0]}),
        parquet(
            {"ds": pyarrow.array(range(0, 18000000, 3600000), pyarrow.timestamp("ms", "UTC")), "y": list(range(5))},
            compression="zstd",
        ),
        parquet({"unique_id": ["a"] * 3, "ds": [1, 2, 3], "y": [1, 2, 3]}, compression="snappy", use_dictionary=False),
        parquet({"ds": ["2024-01-01", "2024-01-02"], "y": [1.5, 2.5]}, compression="gzip", version="1.0"),
    ]
    tables = [table.encode() if isinstance(table, str) else table for table in tables]
    plain = [b"\0\0" + table for table in tables]
    asked = [bytes([0, asked]) + tables[3 * asked % len(tables)] for asked in range(12)]
    return plain + asked + [b"\0\x01" + tables[6]]


def examples():
    x = numpy.arange(24, dtype="float32").reshape(2, 4, 3)
    tables = [
        (0, 0, "text,label\ngood film,a\nbad film,b\n"),
        (0, 0, "v1,v2,,,\nham,hello,,,\nspam,win,,,\n"),
        (1, 0, 'label\ttext\na\t"two\twords"\nb\tword\n'),
        (1, 1, "a\tgood\nb\tbad\n"),
        (0, 2, "text,label\ngood,a|b\nbad,b\n"),
        (0, 8, "text,a,b\ngood,1,0\nbad,0,1\n"),
        (0, 9, "id,step,x,label\na,1,0.5,u\na,2,1.5,u\nb,1,2.5,v\n"),
        (0, 3, "sequence_id,t,x,z,label\n1,1,1,2,a\n1,2,3,4,a\n2,1,5,6,b\n"),
        (2, 0, '{"text":"good","label":"a"}\n{"text":"bad","label":["a","b"],"id":7}\n'),
        (2, 6, '[{"text":"good","label":1},\n {"text":"bad","label":0}]'),
        (3, 0, "__label__a __label__b good film\n__label__a bad\n"),
        (3, 4, "one line\nanother\n"),
        (8, 0, "text;label\ngood;a\nbad;b\n"),
        (0, 10, "text,label\ncaf\u00e9,a\nbad,b\n".encode("latin-1")),
        (0, 0, "text,label\ngood,a\nbad,b\n".encode("utf-16")),
        (6, 0, gzip.compress(b"text,label\ngood,a\nbad,b\n", mtime=0)),
        (7, 0, zstandard.compress(b'{"text":"good","label":"a"}\n')),
        (4, 0, npz(x=x, y=numpy.array([0, 1]))),
        (4, 0, npz(numpy.savez_compressed, x=x.astype(">f8"), y=numpy.array(["a", "b"]), lengths=numpy.array([4, 2]))),
        (4, 0, npz(x=numpy.asfortranarray(x[0]), y=numpy.array([True, False]))),
        (5, 0, parquet({"text": ["good", "bad"], "label": ["a", "b"]})),
        (5, 0, parquet({"text": ["good", "bad"], "label": [1, 0]}, compression="zstd")),
        (0, 0, zip_of("word/document.xml")),
        (0, 0, "%PDF-1.4"),
        (180, 0, "A book.\n"),
        (181, 0, "\ufeffA b\u00f6ok.".encode("utf-16")),
        (182, 0, gzip.compress(b"A book.", mtime=0)),
        (200, 0, b"\x80good\x01\x80bad"),
        (201, 0, b"\x03text\x01\x00text,label\ngood,a\nbad,b\n"),
        (202, 0, b"\x02" + b'{"text":"good","label":"a"}\n'),
    ]
    return [bytes([name, asked]) + (data if isinstance(data, bytes) else data.encode()) for name, asked, data in tables]


def music():
    def chunk(kind, data):
        return kind + struct.pack(">I", len(data)) + data

    def midi(division, *tracks):
        head = chunk(b"MThd", struct.pack(">HHH", int(len(tracks) > 1), len(tracks), division))
        return head + b"".join(chunk(b"MTrk", track + b"\0\xff\x2f\0") for track in tracks)

    tempo = b"\0\xff\x51\x03\x07\xa1\x20\0\xff\x58\x04\x03\x02\x18\x08"
    notes = b"\0\x90\x3c\x40\x60\x3c\0\0\x99\x24\x7f\x30\x89\x24\0"
    notes += b"\0\xb0\x40\x7f\0\x90\x40\x40\x81\x40\x80\x40\0\0\xb0\x40\0"
    parts = {"train": [[[60 - 21, 64 - 21], [39], []]], "valid": [[None, [40, None]]], "test": []}
    rolls = [parts, {"train": [[[0], [87]]]}]
    return [
        midi(96, tempo + notes),
        midi(480, tempo, notes, b"\0\xff\x03\x04name" + notes),
        midi(0xE728, notes),
        midi(1, b"\0\xf0\x03\x01\x02\xf7" + notes),
        midi(32767, b"\0\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\0"),
        b"RIFF\0\0\0\0RMID" + midi(96, notes),
        gzip.compress(midi(96, notes), mtime=0),
        *(json.dumps(roll) for roll in rolls),
    ]


def audio():
    def wav(tag, channels, bits, align, data, order="<"):
        form = struct.pack(order + "HHIIHH", tag, channels, 8000, 8000 * align, align, bits)
        chunks = b"WAVEfmt " + struct.pack(order + "I", 16) + form
        chunks += b"data" + struct.pack(order + "I", len(data)) + data
        return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(order + "I", len(chunks)) + chunks

    data = bytes(range(64))
    kinds = [(1, 1, 8, 1), (1, 2, 16, 4), (1, 3, 24, 9), (3, 1, 32, 4), (3, 1, 64, 8), (6, 1, 8, 1), (7, 2, 8, 2)]
    blocks = [(0x11, 1, 4, 32), (2, 2, 4, 32)]
    aiff = b"AIFFCOMM\0\0\0\x12" + struct.pack(">HIH", 1, 32, 16) + b"\x40\x0b\xfa\0\0\0\0\0\0\0"
    aiff += b"SSND\0\0\0\x48\0\0\0\0\0\0\0\0" + data
    return [
        *(wav(*kind, data) for kind in kinds + blocks),
        wav(1, 2, 16, 4, data, ">"),
        b"FORM" + struct.pack(">I", len(aiff)) + aiff,
        b"fLaC\x80\0\0\x22\0\xc0\0\xc0\0\0\0\0\0\0\x01\xf4\0\xf0" + b"\0" * 20 + b"\xff\xf8\x14\x08\0",
        b"OggS\0\x02" + b"\0" * 20 + b"\x01\x1e\x01vorbis\0\0\0\0\x01\x40\x1f\0\0" + b"\0" * 12 + b"\xb8\x01",
        b"\xff\xfb\x90\x64" + b"\0" * 413,
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\0\x08moov",
    ]


def models():
    for path in sorted(MODELS.glob("v*/*.safetensors")):
        data = path.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        yield data, json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["gruvy"])


def model_file():
    seeds = []
    for data, header in models():
        if len(data) < 16384:
            seeds.append(b"\0" + data)
        if "format" in header["codec"]:
            form = header["codec"].pop("format")
            if header["codec"]["task"] == "forecast":
                header["codec"]["columns"] = {name: form.get(name, []) for name in ["statics", "past", "future"]}
        text = json.dumps({"spec": header["spec"], "codec": header["codec"]})
        if len(text) < 16384:
            seeds.append(b"\1" + text.encode())
    codec = {"task": "music", "onsets": True, "steps_per_quarter": 4, "bar": 16, "meter": [4, 4], "tempo": 100.0}
    rnn = {"cell": "gru", "input_size": 206, "hidden_size": 2, "num_layers": 1, "bidirectional": False, "bias": True}
    spec = {"input": {"features": {"size": 206}}, "rnn": rnn, "head": {"linear": {"outputs": 176}}}
    return [*seeds, b"\1" + json.dumps({"spec": spec, "codec": codec}).encode()]


def codec():
    seeds = []
    for _, header in models():
        header["codec"].pop("format", None)
        text = json.dumps(header["codec"]).encode()
        if len(text) < 8192:
            # Two texts: `arbitrary` takes the last as what is left, the length of the first from the end.
            seeds.append(text + "ab b\u00e9\n".encode())
    return seeds


def run():
    text = "[train]\nhidden = 4\nepochs = 1\nlr = 0.01\n\n[data]\npaths = [\"book.txt\"]\n"
    tasks = ["text", "classify", "forecast", "music", "adding"]
    settings = [b"\0" + f"task = \"{task}\"\n{text}\n[{task}]\nembed = 8\n".encode() for task in tasks]
    record = {"step": 7, "epoch": 1.0, "lr": 0.01, "train": {"loss": 1.5}, "valid": {"loss": 2.5}, "best": True}
    record |= {"elapsed_s": 1.0, "train_s": 0.5}
    vectors = b"2 3\ngood 0.1 0.2 0.3\n. . 1 2 -3e-1\n"
    evaluations = b"\1" + json.dumps(record).encode() + b"\n"
    return [*settings, evaluations, b"\2" + vectors, *(b"\2" + p for p in packed(vectors))]


for name, of in [("series", series), ("read_examples", examples), ("music", music), ("audio", audio)]:
    write(name, of())
write("model_file", model_file())
write("codec", codec())
write("run", run())
