"""Wrong command lines of both programs: the status, and one sentence that names what was wrong."""
import subprocess
import unittest

from sequencer import ROOT, SMALL, STAGE, TEXT


class Options(unittest.TestCase):
    def expect(self, program, status, word, *arguments):
        done = subprocess.run([STAGE / f"bin/libretto-{program}", *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(word, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_play(self):
        self.expect("play", 64, "no model")
        self.expect("play", 64, "--tempo is \"fast\"", "--tempo", "fast", SMALL)
        self.expect("play", 64, "--bars is \"0\"", "--bars", "0", SMALL)
        self.expect("play", 64, "--ahead is \"5\"", "--ahead", "5", SMALL)
        self.expect("play", 64, "--channel is \"17\"", "--channel", "17", SMALL)
        self.expect("play", 64, "--clock is \"up\"", "--clock", "up", SMALL)
        self.expect("play", 64, "\"volume\"", "--cc", "volume=1", SMALL)
        for key in ("H", "", "Gx"):
            self.expect("play", 64, f"--key is \"{key}\"; write it such as G", "--key", key, SMALL)
        self.expect("play", 64, "--time-signature is \"3:4\"", "--time-signature", "3:4", SMALL)
        for parts in ("", "128", "drum", "1,", "1;2", ",".join(["1"] * 17)):
            self.expect("play", 64, "--parts names at most 16 programs", "--parts", parts, SMALL)
        self.expect("play", 64, "parts", "--parts", "1,2", SMALL)
        self.expect("play", 64, "--bogus", "--bogus", SMALL)
        self.expect("play", 1, "model of characters", TEXT)
        self.expect("play", 1, "nowhere.safetensors", "nowhere.safetensors")
        self.expect("play", 1, "no port \"nowhere:in\"", "-p", "nowhere:in", SMALL)

    def test_duet(self):
        self.expect("duet", 64, "one model, and there are 0")
        self.expect("duet", 64, "--trade is \"0\"", "--trade", "0", SMALL)
        self.expect("duet", 64, "--key is \"H\"; write it such as G", "--key", "H", SMALL)
        self.expect("duet", 64, "choose one", "--trade", "4", "--accompany", SMALL)
        self.expect("duet", 64, "--answer-after is \"soon\"", "--answer-after", "soon", SMALL)
        self.expect("duet", 64, "the pitches are 60 to 50", "--lowest", "60", "--highest", "50", SMALL)
        self.expect("duet", 1, "model of characters", TEXT)
        self.expect("duet", 1, "no port \"nowhere\"", "-i", "nowhere", SMALL)

    def test_time_signatures_of_no_use(self):
        for program in ("play", "duet"):
            for text in ("4/3", "0/4", "3/128"):
                self.expect(program, 64, f"--time-signature is \"{text}\"; write it such as 3/4", "--time-signature", text, SMALL)
            self.expect(program, 64, "17/16", "--time-signature", "17/16", SMALL)

    def test_what_cannot_be_written(self):
        """The status says that nobody got the figures."""
        with open("/dev/full", "w") as full:
            done = subprocess.run([STAGE / "bin/libretto-play", "--bars", "1", "--tempo", "300", "--stats", SMALL], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to standard output", done.stderr)

    def test_help_names_every_option(self):
        for program in ("play", "duet"):
            text = subprocess.run([STAGE / f"bin/libretto-{program}", "--help"], capture_output=True, text=True, check=True).stdout
            source = (ROOT / f"examples/{program}.c").read_text()
            options = source.split("static const struct option list[]")[1].split("{NULL")[0]
            for name in [part.split('"')[0] for part in options.split('{"')[1:]]:
                self.assertIn(f"--{name}", text)
