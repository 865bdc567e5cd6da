"""Parts: train on files of several tracks, sample parts, play along to given ones; and what is none of them."""
import json
import struct
import unittest

from support import ToolTest

QUICK = ["--hidden", "32", "--layers", "1", "--embedding", "16", "--dropout", "0", "--learning-rate", "0.02", "--threads",
         "1", "--patience", "0", "--steps", "60"]


def chunk(name, body):
    return name + struct.pack(">I", len(body)) + body


def length(ticks):
    groups = [ticks & 127]
    while ticks > 127:
        ticks >>= 7
        groups.insert(0, ticks & 127 | 128)
    return bytes(groups)


def track(channel, program, notes, name):
    """Notes are a start and an end in quarters, a pitch and a velocity."""
    events = [(0, 0, bytes([0xFF, 3, len(name)]) + name.encode()), (0, 0, bytes([0xC0 | channel, program]))]
    for start, end, pitch, velocity in notes:
        events.append((start * 480, 2, bytes([0x90 | channel, pitch, velocity])))
        events.append((end * 480, 1, bytes([0x80 | channel, pitch, 0])))
    body, now = b"", 0
    for tick, _, message in sorted(events):
        body += length(tick - now) + message
        now = tick
    return chunk(b"MTrk", body + b"\0\xff\x2f\0")


def midi(*tracks):
    return chunk(b"MThd", struct.pack(">HHH", 1, len(tracks), 480)) + b"".join(tracks)


def band(low, doubled=False):
    tune = [(i, i + 1, low + 12 + [0, 2, 4, 7][i % 4], 100) for i in range(16)]
    tracks = [track(3, 56, tune, "Tune"),
              track(4, 33, [(i, i + 2, low - 12 + i % 3, 70) for i in range(0, 16, 2)], "Low"),
              track(9, 0, [(i, i + 1, 38 if i % 2 else 36, 110) for i in range(16)], "Kit")]
    if doubled:
        tracks += [track(5, 40, tune, "Too"), track(6, 0, [], "None")]
    return midi(*tracks)


class Parts(ToolTest):
    def setUp(self):
        super().setUp()
        for i in range(6):
            (self.path / f"{i}.mid").write_bytes(band(48 + i))
        self.done = self.run_tool("train", *(f"{i}.mid" for i in range(6)), "--encoding", "ensemble", "-o",
                                  "m.safetensors", *QUICK)

    def facts(self, name):
        return json.loads(self.run_tool("midi", "info", name, "--json").stdout)

    def notes(self, name, track):
        lines = self.run_tool("midi", "notes", name).stdout.decode().splitlines()
        rows = [line.split(",") for line in lines]
        return [row for row in rows if row[2] == str(track)]

    def test_train_and_sample(self):
        info = json.loads(self.run_tool("info", "m.safetensors", "--json").stdout)
        self.assertEqual(info["encoding"], "ensemble")
        self.assertIn("part", info["side_inputs"])
        self.run_tool("sample", "m.safetensors", "--parts", "56,bass,drums", "--bars", "4", "--seed", "1", "-o", "s.mid")
        facts = self.facts("s.mid")
        self.assertEqual(facts["format"], 1)
        self.assertEqual([track["name"] for track in facts["tracks"]], [None, "Brass", "Bass", "Drums"])
        self.assertEqual([track["channels"] for track in facts["tracks"][1:]], [[0], [1], [9]])
        self.assertEqual([track["programs"] for track in facts["tracks"][1:3]], [[56], [32]])
        self.assertEqual(facts["bars"], 4)

    def test_accompany(self):
        (self.path / "tune.mid").write_bytes(midi(track(0, 73, [(i, i + 1, 70 + i, 90) for i in range(12)], "Flute")))
        self.run_tool("sample", "m.safetensors", "--accompany", "tune.mid", "--add", "bass,drums", "--seed", "2", "-o",
                      "a.mid")
        facts = self.facts("a.mid")
        self.assertEqual([track["name"] for track in facts["tracks"]], [None, "Flute", "Bass", "Drums"])
        self.assertEqual(facts["tracks"][1]["programs"], [73])
        self.assertEqual(facts["bars"], 3)
        flute = [(int(row[0]), int(row[1]), int(row[3])) for row in self.notes("a.mid", 0)]
        self.assertEqual(flute, [(480 * i, 480, 70 + i) for i in range(12)])

    def test_keep(self):
        self.run_tool("sample", "m.safetensors", "--accompany", "0.mid", "--keep", "low", "-o", "k.mid", "--seed", "3")
        facts = self.facts("k.mid")
        self.assertEqual([track["name"] for track in facts["tracks"]], [None, "Low", "Tune", "Kit"])
        low = [(int(row[0]), int(row[1]), int(row[3])) for row in self.notes("k.mid", 0)]
        self.assertEqual(low, [(480 * i, 960, 36 + i % 3) for i in range(0, 16, 2)])

    def test_what_is_left_out_is_said(self):
        (self.path / "doubled.mid").write_bytes(band(50, doubled=True))
        done = self.run_tool("train", "doubled.mid", "--encoding", "ensemble", "-o", "d.safetensors", *QUICK)
        said = done.stderr.decode() + done.stdout.decode()
        self.assertIn("1 part has the same notes as another, and is left out", said)
        self.assertIn("1 track has no notes", said)

    def test_errors(self):
        sample = ("sample", "m.safetensors", "-o", "x.mid")
        self.expect(64, "--parts names \"kazoo\"", *sample, "--parts", "piano,kazoo")
        self.expect(64, "name them with --parts", *sample, "--program", "5")
        self.expect(64, "at most 15 and 1", *sample, "--parts", "drums,drums")
        self.expect(64, "--keep is for --accompany", *sample, "--keep", "1")
        self.expect(64, "cannot go together", *sample, "--parts", "piano", "--accompany", "0.mid")
        self.expect(64, "cannot go together", *sample, "--prime", "0.mid", "--accompany", "0.mid")
        self.expect(64, "1 Tune, 2 Low, 3 Kit", *sample, "--accompany", "0.mid", "--keep", "7")
        self.expect(64, "name some with --add", *sample, "--accompany", "0.mid")
        self.expect(2, "none.mid", *sample, "--accompany", "none.mid", "--add", "bass")
        self.run_tool("train", "0.mid", "--encoding", "melody", "-o", "melody.safetensors", *QUICK)
        self.expect(64, "--encoding ensemble", "sample", "melody.safetensors", "--parts", "piano", "-o", "x.mid")


if __name__ == "__main__":
    unittest.main()
