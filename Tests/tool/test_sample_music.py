"""What is asked of a model of music: lengths, primers, scales, variations, and where results go."""
import array
import json
import math
import os
import struct
import sys
import wave

from support import ROOT, SMALL, TUNES, ToolTest

MODEL = ROOT / "models/tunes.safetensors"


def variable_length(value):
    out = [value & 127]
    while value := value >> 7:
        out.insert(0, value & 127 | 128)
    return bytes(out)


def midi_file(notes, tempo=120, program=None, channel=2, quarter=480):
    """A file of one track; a note is its start and duration in ticks, its pitch and its velocity."""
    events = [(0, b"\xff\x51\x03" + round(60e6 / tempo).to_bytes(3, "big"))]
    if program is not None:
        events.append((0, bytes([0xC0 | channel, program])))
    for start, duration, pitch, velocity in notes:
        events += [(start, bytes([0x90 | channel, pitch, velocity])), (start + duration, bytes([0x80 | channel, pitch, 0]))]
    events.sort(key=lambda event: (event[0], event[1][0] & 0xF0 == 0x90))
    track, now = b"", 0
    for tick, message in events:
        track += variable_length(tick - now) + message
        now = tick
    track += b"\0\xff\x2f\0"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, quarter, b"MTrk", len(track)) + track


class MusicTest(ToolTest):
    def setUp(self):
        super().setUp()
        scale = [60, 62, 64, 65, 67, 69, 71, 72]
        # Four bars, each louder than the one before.
        self.notes = [(i * 240, 240, scale[i % 8], 20 + i) for i in range(32)]
        (self.path / "primer.mid").write_bytes(midi_file(self.notes, tempo=75, program=40))

    def info(self, name):
        facts = json.loads(self.run_tool("midi", "info", name, "--json").stdout)
        self.assertEqual(facts["warnings"], [])
        return facts

    def rows(self, name):
        lines = self.run_tool("midi", "notes", name).stdout.decode().splitlines()[1:]
        return [tuple(map(int, line.split(","))) for line in lines]

    def performance(self):
        self.run_tool("train", TUNES, "-o", "p.safetensors", "--encoding", "performance", "--steps", 20, *SMALL)


class Lengths(MusicTest):
    def test_seconds_of_a_performance_are_those_of_its_file(self):
        self.performance()
        for seconds, tempo in ((10, None), (10, 60), (10, 240), (0.5, 31.5), (7.25, 1000), (None, 60), (None, None)):
            options = [*(["--seconds", seconds] if seconds else []), *(["--tempo", tempo] if tempo else [])]
            self.run_tool("sample", "p.safetensors", "-o", "a.mid", "--seed", 1, *options)
            facts = self.info("a.mid")
            self.assertAlmostEqual(facts["seconds"], seconds or 30, delta=0.01)
            self.assertAlmostEqual(facts["tempos"][0]["beats_per_minute"], tempo or 120, delta=0.01)
        # The primer, of 12.8 s, is part of it, and sounds as it did unless the tempo is another.
        for seconds, tempo, plays in ((20, None, 12.8), (None, None, 12.8), (20, 150, 6.4), (30, 37.5, 25.6)):
            options = [*(["--seconds", seconds] if seconds else []), *(["--tempo", tempo] if tempo else [])]
            self.run_tool("sample", "p.safetensors", "-o", "a.mid", "--seed", 1, "--prime", "primer.mid", *options)
            facts = self.info("a.mid")
            self.assertAlmostEqual(facts["seconds"], seconds or plays + 30, delta=0.01)
            self.assertAlmostEqual(facts["tempos"][0]["beats_per_minute"], tempo or 75, delta=0.01)
            quarter = facts["division"]["ticks_per_quarter"]
            starts = [start * 60 / (tempo or 75) / quarter for start, _, _, _, _ in self.rows("a.mid")[:32]]
            for i, start in enumerate(starts):
                self.assertAlmostEqual(start, i * plays / 32, delta=0.011)
        self.expect(64, "--seconds", "sample", "p.safetensors", "-o", "b.mid", "--prime", "primer.mid", "--seconds", 12)
        self.assertFalse((self.path / "b.mid").exists())

    def test_bars_at_a_tempo(self):
        for bars, tempo in ((4, 60), (4, 240), (1, 100), (None, 90)):
            self.run_tool("sample", MODEL, "-o", "a.mid", "--seed", 1, "--tempo", tempo, "--time-signature", "3/4",
                          *(["--bars", bars] if bars else []))
            facts = self.info("a.mid")
            self.assertEqual(facts["bars"], bars or 16)
            self.assertAlmostEqual(facts["seconds"], (bars or 16) * 3 * 60 / tempo, delta=0.01)
        self.expect(64, "--bars", "sample", MODEL, "-o", "b.mid", "--seconds", 10)
        self.expect(64, "11/8", "sample", MODEL, "-o", "b.mid", "--time-signature", "11/8")
        self.expect(64, "4 bars", "sample", MODEL, "-o", "b.mid", "--prime", "primer.mid", "--bars", 4)

    def test_the_model_ends_the_piece(self):
        lengths = set()
        for seed in range(4):
            self.run_tool("sample", MODEL, "-o", "a.mid", "--seed", seed, "--bars", 0)
            bars = self.info("a.mid")["bars"]
            self.assertEqual(bars, int(bars))
            lengths.add(bars)
        self.assertGreater(len(lengths), 1)
        self.run_tool("sample", MODEL, "-o", "a.mid", "--prime", "primer.mid", "--bars", 0, "--seed", 1)
        self.assertGreaterEqual(self.info("a.mid")["bars"], 4)

    def test_the_ruler_has_the_seconds_of_the_file(self):
        self.performance()
        shown = self.run_tool("sample", "p.safetensors", "-o", "a.mid", "--seed", 1, "--tempo", 60, "--seconds", 30).stdout.decode()
        # A bar of four quarter notes.
        self.assertIn("0s", shown.splitlines()[0])
        self.assertIn(" 4s", shown.splitlines()[0])


class Primers(MusicTest):
    def test_tempo_program_and_velocities_are_kept(self):
        self.run_tool("sample", MODEL, "-o", "a.mid", "--prime", "primer.mid", "--seed", 3)
        facts, rows = self.info("a.mid"), self.rows("a.mid")
        self.assertAlmostEqual(facts["tempos"][0]["beats_per_minute"], 75, delta=0.01)
        self.assertEqual(facts["tracks"][0]["programs"], [40])
        self.assertEqual([(row[0], row[3], row[4]) for row in rows[:32]], [(n[0], n[2], n[3]) for n in self.notes])
        following = {velocity for start, _, _, _, velocity in rows if start >= 4 * 1920}
        # The mean of 20 to 51.
        self.assertTrue(following <= {35, 36} and following)

    def test_options_go_before(self):
        self.run_tool("sample", MODEL, "-o", "a.mid", "--prime", "primer.mid", "--tempo", 200, "--program", 3, "--key", "E")
        facts = self.info("a.mid")
        self.assertAlmostEqual(facts["tempos"][0]["beats_per_minute"], 200, delta=0.01)
        self.assertEqual(facts["tracks"][0]["programs"], [3])
        self.assertEqual(facts["key_signatures"][0]["sharps"], 4)

    def test_without_one_it_is_as_before(self):
        self.run_tool("sample", MODEL, "-o", "a.mid", "--seed", 3)
        facts = self.info("a.mid")
        self.assertEqual((facts["tempos"][0]["beats_per_minute"], facts["tracks"][0]["programs"]), (120, [0]))
        self.assertEqual({row[4] for row in self.rows("a.mid")}, {90})

    def test_triplets_on_a_grid_without_them(self):
        (self.path / "triplets.mid").write_bytes(midi_file([(i * 160, 160, 60 + i % 5, 80) for i in range(48)]))
        done = self.run_tool("sample", MODEL, "-o", "a.mid", "--prime", "triplets.mid", "--seed", 1)
        self.assertIn(b"triplets.mid: 67 %", done.stderr)
        self.assertIn(b"--steps-per-quarter", done.stderr)
        done = self.run_tool("sample", MODEL, "-o", "a.mid", "--prime", "primer.mid", "--seed", 1)
        self.assertNotIn(b"--steps-per-quarter", done.stderr)


class Scales(MusicTest):
    def test_notes_and_signature_of_a_mode(self):
        for key, classes, sharps in (
            ("D dorian", {2, 4, 5, 7, 9, 11, 0}, 0), ("E phrygian", {4, 5, 7, 9, 11, 0, 2}, 0),
            ("Bb lydian", {10, 0, 2, 4, 5, 7, 9}, -1), ("A minor pentatonic", {9, 0, 2, 4, 7}, 0),
            ("F# harmonic minor", {6, 8, 9, 11, 1, 2, 5}, 3), ("E blues", {4, 7, 9, 10, 11, 2}, 1),
        ):
            self.run_tool("sample", MODEL, "-o", "a.mid", "--seed", 1, "--key", key)
            pitches = {pitch % 12 for _, _, _, pitch, _ in self.rows("a.mid")}
            self.assertTrue(pitches and pitches <= classes, f"{key}: {pitches}")
            self.assertEqual(self.info("a.mid")["key_signatures"][0]["sharps"], sharps, key)
        done = self.run_tool("sample", MODEL, "-o", "b.mid", "--key", "D dorien", code=64)
        self.assertIn(b"dorian", done.stderr)


class Results(MusicTest):
    def test_variations(self):
        self.run_tool("sample", MODEL, "-o", "tune.mid", "--seed", 5, "--bars", 2, "--count", 3)
        self.run_tool("sample", MODEL, "--seed", 6, "--bars", 2, "--count", 2)
        self.run_tool("sample", MODEL, "-o", "alone.mid", "--seed", 7, "--bars", 2)
        written = {path.name: path.read_bytes() for path in self.path.glob("*.mid") if path.name != "primer.mid"}
        self.assertEqual(set(written), {"tune-1.mid", "tune-2.mid", "tune-3.mid", "tunes-6.mid", "tunes-7.mid", "alone.mid"})
        self.assertEqual(len({written[f"tune-{i}.mid"] for i in (1, 2, 3)}), 3)
        # Each can be had again by its seed.
        self.assertEqual(written["tune-3.mid"], written["alone.mid"])
        self.assertEqual(written["tunes-7.mid"], written["alone.mid"])
        self.train()
        texts = self.run_tool("sample", "m.safetensors", "--length", 30, "--seed", 8, "--count", 2).stdout.decode()
        second = self.run_tool("sample", "m.safetensors", "--length", 30, "--seed", 9).stdout.decode()
        self.assertTrue(texts.startswith("=== 1 of 2, --seed 8 ===\n"), texts)
        self.assertTrue(texts.endswith("=== 2 of 2, --seed 9 ===\n" + second), texts)
        self.expect(64, "--count", "sample", MODEL, "--count", 0)
        before = (self.path / "tune-2.mid").read_bytes()
        self.expect(64, "written over", "sample", MODEL, "-o", "tune.mid", "--count", 2, "--prime", "tune-2.mid")
        self.assertEqual((self.path / "tune-2.mid").read_bytes(), before)

    def test_a_name_that_says_something_else(self):
        before = set(self.path.iterdir())
        for name in ("tune.mp3", "tune.png", "tune.PNG", "x.y/tune.ogg", "tune.safetensors"):
            self.expect(64, ".mid, .midi, .smf or .wav", "sample", MODEL, "-o", name, "--bars", 1)
        for name in ("tune.mp3", "other.mid"):
            self.expect(64, "only .wav", "sample", MODEL, "-o", "tune.mid", "--wav", name, "--bars", 1)
        for name in ("roll.png", "roll.pdf", "roll.mid"):
            self.expect(64, "only .svg", "roll", "primer.mid", "-o", name)
            self.expect(64, "only .svg", "train", "corpus.txt", "-o", "m", "--plot", name, "--steps", 1)
        for name in ("tune.mid", "tune.wav", "tune.svg"):
            self.expect(64, "only .safetensors", "train", TUNES, "-o", name, "--steps", 1)
            self.expect(64, "only .safetensors", "quantize", MODEL, "-o", name)
        self.assertEqual(set(self.path.iterdir()), before)
        for name in ("tune.MID", "tune", "op.27/tune", "tune.midi"):
            (self.path / name).parent.mkdir(exist_ok=True)
            self.run_tool("sample", MODEL, "-o", name, "--bars", 1)
            self.assertEqual((self.path / name).read_bytes()[:4], b"MThd")

    def test_standard_output(self):
        self.run_tool("sample", MODEL, "-o", "a.mid", "--seed", 1, "--bars", 2)
        done = self.run_tool("sample", MODEL, "-o", "-", "--seed", 1, "--bars", 2)
        self.assertEqual(done.stdout, (self.path / "a.mid").read_bytes())
        self.assertIn(b"2 bars", done.stderr)
        environment = self.fake_fluidsynth()
        done = self.run_tool("sample", MODEL, "-o", "b.mid", "--wav", "-", "--soundfont", "font.sf2", "--bars", 1, **environment)
        self.assertEqual(done.stdout[:4], b"RIFF")
        self.assertEqual((self.path / "b.mid").read_bytes()[:4], b"MThd")
        self.expect(64, "--count", "sample", MODEL, "-o", "-", "--count", 2)
        primed = self.run_tool("sample", MODEL, "--prime", "-", "-o", "-", "--seed", 1, data=(self.path / "primer.mid").read_bytes())
        self.run_tool("sample", MODEL, "--prime", "primer.mid", "-o", "c.mid", "--seed", 1)
        self.assertEqual(primed.stdout, (self.path / "c.mid").read_bytes())

    def fake_fluidsynth(self, peak=0.0625, code=0):
        """A program of that name which renders four seconds of a quiet tone."""
        folder = self.path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "fluidsynth").write_text(f"""#!{sys.executable}
import math, struct, sys
arguments = sys.argv[1:]
midi = open(arguments[-1], "rb").read()
assert midi[:4] == b"MThd", midi
samples = [s for i in range(44100 * 4) for s in 2 * [{peak} * math.sin(i / 20)]]
data = struct.pack(f"<{{len(samples)}}f", *samples)
form = struct.pack("<HHIIHH", 3, 2, 44100, 8 * 44100, 8, 32)
chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"PEAK\\x02\\0\\0\\0ab" + b"data" + struct.pack("<I", len(data)) + data
if {code} == 0:
    open(arguments[arguments.index("-F") + 1], "wb").write(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
print("the reason for it")
sys.exit({code})
""")
        (folder / "fluidsynth").chmod(0o755)
        (self.path / "font.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
        return {"PATH": f"{folder}:{os.environ['PATH']}"}

    def peak(self, name):
        with wave.open(str(self.path / name)) as sound:
            self.assertEqual(sound.getparams()[:4], (2, 2, 44100, 44100 * 4))
            samples = array.array("h", sound.readframes(sound.getnframes()))
        return 20 * math.log10(max(map(abs, samples)) / 32768) if any(samples) else -math.inf

    def test_sound_is_as_loud_as_it_can_be(self):
        environment = self.fake_fluidsynth()
        font = ["--soundfont", "font.sf2", "--bars", 1]
        self.run_tool("sample", MODEL, "-o", "a.wav", *font, **environment)
        self.assertAlmostEqual(self.peak("a.wav"), -1, delta=0.01)
        self.assertFalse((self.path / "a.mid").exists())
        self.run_tool("sample", MODEL, "-o", "b.mid", "--wav", "b.wav", *font, **environment)
        self.assertAlmostEqual(self.peak("b.wav"), -1, delta=0.01)
        self.assertEqual((self.path / "b.mid").read_bytes()[:4], b"MThd")
        for peak, expected in ((1.5, -1), (1e-5, -40), (0, -math.inf)):
            environment = self.fake_fluidsynth(peak)
            self.run_tool("sample", MODEL, "-o", "a.wav", *font, **environment)
            self.assertTrue(self.peak("a.wav") == expected or abs(self.peak("a.wav") - expected) < 0.5)

    def test_sound_that_cannot_be_made(self):
        environment = self.fake_fluidsynth(code=1)
        font = ["--soundfont", "font.sf2", "--bars", 1]
        self.expect(1, "the reason for it", "sample", MODEL, "-o", "a.wav", *font, **environment)
        self.expect(2, "not a soundfont", "sample", MODEL, "-o", "a.wav", "--soundfont", "primer.mid", **environment)
        self.expect(2, "nowhere.sf2", "sample", MODEL, "-o", "a.wav", "--soundfont", "nowhere.sf2", **environment)
        self.expect(1, "FluidSynth is not installed", "sample", MODEL, "-o", "a.wav", "--bars", 1, PATH="/nowhere")
        self.expect(64, "leave out --wav", "sample", MODEL, "-o", "a.wav", "--wav", "b.wav", **environment)
        self.expect(64, "--soundfont", "sample", MODEL, "-o", "a.mid", *font, **environment)
        self.assertEqual(list(self.path.glob("*.wav")), [])
