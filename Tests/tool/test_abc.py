"""The script that turns tunes in ABC into MIDI files: what is played, in which order, and where bars begin."""
import subprocess
import sys

from support import ROOT, ToolTest

SCRIPT = ROOT / "benchmarks/corpora/abc_to_midi.py"
EIGHTH = 240


class ABC(ToolTest):
    def notes(self, body, meter="4/4", key="C", unit="1/8"):
        """The notes of a tune: (tick, duration, pitch)."""
        # Enough notes for a tune, after those of the test.
        tail = "\n" + "CDEF GABc |" * 4 if body else ""
        (self.path / "t.abc").write_text(f"X:1\nT:A tune\nM:{meter}\nL:{unit}\nZ:Somebody\nK:{key}\n{body}{tail}\n")
        subprocess.run([sys.executable, SCRIPT, "t.abc", "-o", "out"], cwd=self.path, check=True, capture_output=True)
        files = sorted((self.path / "out").glob("*.mid"))
        self.assertEqual(len(files), 1)
        self.assertEqual(self.run_tool("midi", "info", files[0]).stderr, b"")
        lines = self.run_tool("midi", "notes", files[0]).stdout.decode().splitlines()[1:]
        rows = [tuple(map(int, line.split(","))) for line in lines]
        return [(start, duration, pitch) for start, duration, _, pitch, _ in rows]

    def test_repeats_endings_and_an_upbeat(self):
        found = self.notes("d2|:GABc d2e2|1 f4 g4:|2 g8||", key="G")
        # The upbeat takes the last quarter of its bar; F is sharp in G.
        self.assertEqual(found[0], (6 * EIGHTH, 2 * EIGHTH, 74))
        pitches = [pitch for _, _, pitch in found]
        verse = [67, 69, 71, 72, 74, 76]
        self.assertEqual(pitches[1:16], verse + [78, 79] + verse + [79])
        self.assertEqual(found[1][0], 8 * EIGHTH)
        self.assertEqual(found[15][0], 8 * EIGHTH * 4)

    def test_lengths_ties_and_accidentals(self):
        found = self.notes("^C2 C =C/2D/2 z | c'>B, (3EFG A2-A2 |")
        self.assertEqual([pitch for _, _, pitch in found[:10]], [61, 61, 60, 62, 84, 59, 64, 65, 67, 69])
        self.assertEqual([duration for _, duration, _ in found[:4]], [480, 240, 120, 120])
        # Four and a half eighths; the broken rhythm, the triplet in the time of two, and a tie.
        self.assertEqual([duration for _, duration, _ in found[4:10]], [360, 120, 160, 160, 160, 960])

    def test_chords_decorations_and_grace_notes(self):
        found = self.notes('"G7"{cd}.[CEG]2 (uD2 T~E2) !trill!F2 |')
        self.assertEqual([pitch for _, _, pitch in found[:4]], [67, 62, 64, 65])
