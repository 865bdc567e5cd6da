"""Text that is not UTF-8, files that are no text, folders, and documents."""
import codecs
import ctypes
import gzip
import io
import json
import os
import random
import re
import signal
import subprocess
import unittest
import zipfile

from support import BUILD, SMALL, TOOL, TUNES, ToolTest, text

GERMAN = "Über den Wäldern hängt ein grauer Nebel, und die Straße ist naß. "


class Conversion(unittest.TestCase):
    """retto_text_convert and retto_text_examine beside Python's codecs."""
    KINDS = {"utf-8": 0, "latin-1": 2, "cp1252": 3, "utf-16-le": 4, "utf-16-be": 5}

    class Info(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("kind", ctypes.c_int), ("mark_length", ctypes.c_int32),
                    ("bad_count", ctypes.c_size_t), ("first_bad", ctypes.c_size_t), ("name", ctypes.c_char_p)]

    @classmethod
    def setUpClass(cls):
        cls.library = ctypes.CDLL(str(BUILD / "libretto.so"))

    def convert(self, codec, data):
        """The text as UTF-8, or None if it is refused."""
        size = ctypes.c_size_t()
        buffer = ctypes.create_string_buffer(3 * len(data) + 1)
        status = self.library.retto_text_convert(self.KINDS[codec], data, ctypes.c_size_t(len(data)), buffer,
                                                 ctypes.c_size_t(len(buffer)), ctypes.byref(size))
        self.assertIn(status, (0, -4))
        return buffer.raw[:size.value] if status == 0 else None

    def examine(self, data):
        info = self.Info(size=ctypes.sizeof(self.Info))
        self.assertEqual(self.library.retto_text_examine(data, ctypes.c_size_t(len(data)), ctypes.byref(info)), 0)
        return info

    def check(self, codec, data):
        try:
            expected = data.decode(codec).encode()
        except UnicodeDecodeError:
            expected = None
        got = self.convert(codec, data)
        # Python leaves a mark in the text; it is no part of it.
        if expected is not None and expected.startswith("\ufeff".encode()):
            self.assertIn(got, (expected, expected[3:]))
        else:
            self.assertEqual(got, expected, (codec, data))

    def test_every_byte_and_every_unit(self):
        for byte in range(256):
            for codec in ("latin-1", "cp1252", "utf-8"):
                self.check(codec, bytes([byte]))
                self.check(codec, b"a" + bytes([byte]) + b"b")
        for unit in range(0x10000):
            for order, codec in (("little", "utf-16-le"), ("big", "utf-16-be")):
                self.check(codec, unit.to_bytes(2, order))
                if 0xD7F0 <= unit < 0xE010:
                    for other in (0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000):
                        self.check(codec, unit.to_bytes(2, order) + other.to_bytes(2, order))

    def test_random_bytes(self):
        choice = random.Random(11)
        for _ in range(4000):
            data = bytes(choice.choice((choice.randrange(256), 0xD8, 0xDC, 0xE2, 0x80, 0x41)) for _ in range(choice.randrange(9)))
            for codec in self.KINDS:
                self.check(codec, data)

    def test_what_is_not_utf8_is_counted_as_python_does(self):
        choice = random.Random(12)
        letters = "aé日🎵 "
        for _ in range(500):
            data = bytearray("".join(choice.choice(letters) for _ in range(60)).encode())
            for _ in range(choice.randrange(3)):
                data[choice.randrange(len(data))] = choice.choice((0xFF, 0x80, 0xC3, 0xE6))
            data = bytes(data)
            good = len(data.decode("utf-8", "ignore").encode())
            info = self.examine(data)
            self.assertEqual(info.bad_count, len(data) - good)
            if good < len(data):
                with self.assertRaises(UnicodeDecodeError) as caught:
                    data.decode()
                self.assertEqual(info.first_bad, caught.exception.start)


class Encodings(ToolTest):
    def small(self, *arguments, code=0, **more):
        return self.run_tool("train", *arguments, "-o", "new.safetensors", "--force", "--steps", 3, *SMALL, code=code, **more)

    def write(self, name, data):
        (self.path / name).write_bytes(data)
        return name

    def refused(self, name, *words):
        for arguments in (["train", name, "-o", "new.safetensors"], ["evaluate", "m.safetensors", name],
                          ["score", "m.safetensors", name]):
            done = self.run_tool(*arguments, code=2)
            error = done.stderr.decode()
            self.assertEqual(len(error.splitlines()), 1, error)
            for word in (name, *words):
                self.assertIn(word, error)
        self.assertFalse((self.path / "new.safetensors").exists())

    def test_text_in_other_encodings(self):
        self.train()
        german = GERMAN * 40
        first = german.encode("latin-1").index(b"\xdc")
        self.write("latin.txt", german.encode("latin-1"))
        bad = sum(byte >= 0x80 for byte in german.encode("latin-1"))
        self.refused("latin.txt", "Latin-1", f"from byte {first}", f"{bad} bytes", "%", "--text-encoding latin1",
                     "iconv -f latin1 -t utf-8 latin.txt")
        self.write("quotes.txt", ("“" + german + "”").encode("cp1252"))
        self.refused("quotes.txt", "Windows-1252", "iconv -f cp1252")
        for name, codec, script in (("koi8.txt", "koi8-r", "Широка страна моя родная, "), ("sjis.txt", "shift-jis", "吾輩は猫である。"),
                                    ("gbk.txt", "gbk", "学而时习之，不亦说乎？"), ("cp1251.txt", "cp1251", "Широка страна моя родная, ")):
            self.write(name, (script * 40).encode(codec))
            self.refused(name, "iconv -f ENCODING")
        self.write("plain16.txt", german.encode("utf-16-le"))
        self.refused("plain16.txt", "UTF-16", "byte order mark", "--text-encoding utf16le")
        self.write("utf32.txt", german.encode("utf-32"))
        self.refused("utf32.txt", "UTF-32")
        self.write("odd16.txt", german.encode("utf-16") + b"a")
        self.refused("odd16.txt", "UTF-16", f"from byte {2 * len(german) + 2}", "1 bytes")

    def test_every_encoding_gives_the_model_of_utf8(self):
        german = GERMAN * 40
        self.write("a.txt", german.encode())
        self.small("a.txt")
        expected = (self.path / "new.safetensors").read_bytes()
        figures = {}
        for name, option, data in (
                ("bom.txt", None, codecs.BOM_UTF8 + german.encode()), ("le.txt", None, codecs.BOM_UTF16_LE + german.encode("utf-16-le")),
                ("be.txt", None, codecs.BOM_UTF16_BE + german.encode("utf-16-be")), ("l.txt", "latin1", german.encode("latin-1")),
                ("c.txt", "cp1252", german.encode("cp1252")), ("u.txt", "utf16", german.encode("utf-16")),
                ("u2.txt", "utf16", german.encode("utf-16-be")), ("ule.txt", "utf16le", german.encode("utf-16-le")),
                ("ube.txt", "utf16be", german.encode("utf-16-be")), ("u8.txt", "utf8", german.encode())):
            self.write(name, data)
            options = ["--text-encoding", option] if option else []
            self.small(name, *options)
            self.assertEqual((self.path / "new.safetensors").read_bytes(), expected, name)
            figures[name] = json.loads(self.run_tool("evaluate", "new.safetensors", name, "--json", *options).stdout)["nats_per_token"]
            self.assertEqual(json.loads(self.run_tool("score", "new.safetensors", name, "--json", *options).stdout)["tokens"][3]["text"],
                             german[4])
            # A stream as well.
            self.small("-", *options, data=data)
            self.assertEqual((self.path / "new.safetensors").read_bytes(), expected, name)
        self.assertEqual(len(set(figures.values())), 1)

    def test_what_an_encoding_cannot_have(self):
        self.write("hole.txt", b"ab\x81" * 9)
        self.assertIn(b"byte 2", self.small("hole.txt", "--text-encoding", "cp1252", code=2).stderr)
        self.write("half.txt", "ab".encode("utf-16-le") + b"\x3c\xd8" + "cd".encode("utf-16-le"))
        self.assertIn(b"byte 4", self.small("half.txt", "--text-encoding", "utf16", code=2).stderr)
        self.write("odd.txt", b"abc")
        self.assertIn(b"even", self.small("odd.txt", "--text-encoding", "utf16le", code=2).stderr)
        self.write("latin.txt", b"na\xefve " * 9)
        self.assertIn(b"byte 2", self.small("latin.txt", "--text-encoding", "utf8", code=2).stderr)
        self.expect(64, "latin1", "train", "corpus.txt", "--text-encoding", "latin9")
        self.expect(64, "for text", "train", TUNES / "greensleeves.mid", "--text-encoding", "latin1", "-o", "n.safetensors")

    def test_damaged_utf8_is_told_and_learned(self):
        data = bytearray(text())
        data[data.index("歌".encode())] = 0xFF
        self.write("bad.txt", bytes(data))
        done = self.small("bad.txt")
        self.assertIn(b"damaged UTF-8", done.stderr)
        self.assertIn(b"3 bytes", done.stderr)
        self.assertIn(b"iconv -c", done.stderr)
        self.assertEqual(self.small("corpus.txt").stderr, b"")

    def test_files_that_are_no_text(self):
        self.train()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("a.txt", "text")
        for name, data, word in (
                ("a.zip", archive.getvalue(), "zip"), ("a.gz", gzip.compress(text()), "gzip"), ("a.pdf", b"%PDF-1.7\n1 0 obj", "PDF"),
                ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"), ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", "WAV"),
                ("a.out", b"\x7fELF\2\1\1", "ELF"), ("a.dat", random.Random(1).randbytes(5000), "binary"),
                ("nul.txt", b"text\0text " * 9, "NUL")):
            self.write(name, data)
            self.refused(name, word)
            self.assertIn(b"--encoding bytes", self.small(name, code=2).stderr)
        self.small("a.dat", "--encoding", "bytes")
        self.run_tool("evaluate", "new.safetensors", "a.zip")
        # By its content, whatever it is called.
        self.write("tune.txt", (TUNES / "greensleeves.mid").read_bytes())
        self.assertIn(b"MIDI", self.run_tool("evaluate", "m.safetensors", "tune.txt", code=2).stderr)


class Folders(ToolTest):
    def facts(self, *arguments):
        """What training for one step tells: the pieces to train on, and standard error."""
        done = self.run_tool("train", *arguments, "-o", "new.safetensors", "--force", "--steps", 1, "--valid", 0,
                             "--no-augment", *SMALL)
        out = done.stdout.decode()
        return int(re.search(r"Learning from [\d,]+ tokens in ([\d,]+) piece", out)[1].replace(",", "")), done.stderr.decode()

    def tune(self, *parts):
        path = os.fsencode(self.path)
        for part in parts[:-1]:
            path = os.path.join(path, part)
            os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, parts[-1]), "wb") as file:
            file.write((TUNES / "greensleeves.mid").read_bytes())

    def test_everything_in_a_folder_is_read_or_listed(self):
        for name in (b"a.mid", b"B.MID", b"c.Midi", b"d.smf", b"e.kar", b"\xc9tude.mid"):
            self.tune(b"set", name)
        self.tune(b"set", b"M\xfcller", b"g.mid")
        self.tune(b"elsewhere", b"h.mid")
        os.symlink("../elsewhere", self.path / "set/more")
        # A link that leads round, one to what is there already, and one to nothing.
        os.symlink("../set", self.path / "set/more/round")
        os.symlink("a.mid", self.path / "set/z.mid")
        os.symlink("nothing", self.path / "set/nowhere.mid")
        (self.path / "set/.hidden.mid").write_bytes(b"")
        (self.path / "set/notes.txt").write_bytes(b"some words")
        (self.path / "set/cover.png").write_bytes(b"")
        os.mkfifo(self.path / "set/pipe.mid")
        count, error = self.facts("set")
        self.assertEqual(count, 8)
        for word in ("2 files of another kind: cover.png, notes.txt", "nowhere.mid", "pipe.mid", "z.mid", "3 of 11"):
            self.assertIn(word, error)
        self.assertNotIn("hidden", error)
        # The checkpoint names them all, by bytes that are no UTF-8 too.
        self.run_tool("train", "--resume", "new.safetensors", "--steps", 2)
        evaluation = json.loads(self.run_tool("evaluate", "new.safetensors", "set", "--json").stdout)
        self.assertEqual(evaluation["files"], 8)

    @unittest.skipIf(os.geteuid() == 0, "the superuser may read everything")
    def test_unreadable_folders_and_files(self):
        self.tune(b"set", b"a.mid")
        self.tune(b"set", b"secret", b"b.mid")
        self.tune(b"set", b"c.mid")
        os.chmod(self.path / "set/secret", 0)
        os.chmod(self.path / "set/c.mid", 0)
        self.addCleanup(os.chmod, self.path / "set/secret", 0o700)
        count, error = self.facts("set")
        self.assertEqual(count, 1)
        for word in ("secret", "c.mid", "ermission"):
            self.assertIn(word, error)

    def test_bad_files_among_several_are_skipped(self):
        self.tune(b"set", b"a.mid")
        self.tune(b"set", b"b.mid")
        (self.path / "set/empty.mid").write_bytes(b"")
        (self.path / "set/noise.mid").write_bytes(b"no music at all")
        names = sorted(str(path) for path in (self.path / "set").iterdir())
        # Two of the same bytes are two files.
        for files in (["set"], names, ["set", self.path / "set/a.mid"]):
            count, error = self.facts(*files)
            self.assertEqual(count, 2 if files != ["set", self.path / "set/a.mid"] else 3)
            for word in ("empty.mid", "noise.mid", "2 of "):
                self.assertIn(word, error)
            done = self.run_tool("evaluate", "new.safetensors", *files, "--json")
            self.assertIn(b"empty.mid", done.stderr)
            self.assertEqual(json.loads(done.stdout)["files"], count)
        # One that was named must be good, and so must one of all.
        for arguments in (["train"], ["evaluate", "new.safetensors"], ["score", "new.safetensors"]):
            output = ["-o", "other.safetensors"] if arguments == ["train"] else []
            self.assertIn(b"empty.mid", self.run_tool(*arguments, "set/empty.mid", *output, code=2).stderr)
        done = self.run_tool("train", "set/empty.mid", "set/noise.mid", "-o", "other.safetensors", code=2)
        self.assertIn(b"none of the files", done.stderr)
        # What does not exist was mistyped.
        self.assertIn(b"c.mid", self.run_tool("train", *names, "set/c.mid", "-o", "other.safetensors", code=2).stderr)

    def test_the_kind_of_a_folder(self):
        (self.path / "empty").mkdir()
        self.expect(2, "no MIDI files", "train", "empty")
        self.tune(b"set", b"a.mid")
        (self.path / "set/README.md").write_bytes(b"words")
        self.assertIn("README.md", self.facts("set")[1])
        self.expect(2, "MIDI", "train", "set/a.mid", "set/README.md", "-o", "n.safetensors")
        self.expect(2, "MIDI", "train", "set/a.mid", "--encoding", "bytes", "-o", "n.safetensors")
        self.expect(2, "not a MIDI file", "train", "set/README.md", "--encoding", "melody", "-o", "n.safetensors")


class Documents(ToolTest):
    # Three letters, two dots: a document that is whole is told from one that is not.
    WORDS = ["abc..", "xyz..", "äöü.."]

    def setUp(self):
        super().setUp()
        (self.path / "docs/more").mkdir(parents=True)
        for i in range(60):
            (self.path / f"docs/{'more/' if i % 4 == 0 else ''}{i:02}.txt").write_text(self.WORDS[i % 3])

    def learn(self, *files, output="d.safetensors", steps=300):
        return self.run_tool("train", *files, "-o", output, "--force", "--hidden", 32, "--layers", 1, "--learning-rate", 0.02,
                             "--batch", 16, "--threads", 1, "--seed", 1, "--steps", steps)

    def test_a_folder_of_texts_is_documents(self):
        (self.path / "docs/empty.txt").write_bytes(b"")
        (self.path / "docs/latin.txt").write_bytes("äöü..".encode("latin-1") * 3)
        (self.path / "docs/data.bin").write_bytes(b"\0\1")
        done = self.learn("docs")
        out, error = done.stdout.decode(), done.stderr.decode()
        self.assertRegex(out, r"tokens in 5[345] documents, \d+ in [567] documents for validation")
        for word in ("data.bin", "empty.txt", "latin.txt", "2 of 62"):
            self.assertIn(word, error)
        self.assertTrue(json.loads(self.run_tool("info", "d.safetensors", "--json").stdout)["documents"])
        # A whole document, and no more than one.
        whole = 0
        for seed in range(20):
            line = self.run_tool("sample", "d.safetensors", "--length", 0, "--seed", seed).stdout.decode()
            whole += line.removesuffix("\n") in self.WORDS
        self.assertGreater(whole, 14)
        out = self.run_tool("sample", "d.safetensors", "--length", 3, "--seed", 1).stdout.decode()
        self.assertLessEqual(len(out), 4)
        prompted = self.run_tool("sample", "d.safetensors", "--length", 0, "--seed", 1, "--prompt", "x", "--temperature", 0)
        self.assertEqual(prompted.stdout.decode(), "xyz..\n")
        # Each file is measured from its first character to its end.
        one = self.run_tool("evaluate", "d.safetensors", "docs/01.txt", "--json").stdout
        two = self.run_tool("evaluate", "d.safetensors", "docs/02.txt", "--json").stdout
        both = json.loads(self.run_tool("evaluate", "d.safetensors", "docs/01.txt", "docs/02.txt", "--json").stdout)
        one, two = json.loads(one), json.loads(two)
        self.assertEqual((one["tokens"], two["tokens"]), (6, 6))
        self.assertAlmostEqual(both["nats_per_token"], (one["nats_per_token"] + two["nats_per_token"]) / 2, places=4)
        score = json.loads(self.run_tool("score", "d.safetensors", "docs/01.txt", "--json").stdout)["tokens"]
        self.assertEqual("".join(t["text"] for t in score), "xyz..")
        self.assertEqual((len(score), score[-1]["text"]), (6, ""))
        self.assertTrue(self.run_tool("score", "d.safetensors", "docs/01.txt").stdout)

    def test_several_files_or_one(self):
        self.assertIn(b"documents", self.learn("docs/01.txt", "docs/02.txt", "docs/03.txt", steps=1).stdout)
        for arguments in (["corpus.txt"], ["docs/01.txt", "docs/02.txt", "--joined"], ["docs", "--joined"]):
            self.assertNotIn(b"documents", self.learn(*arguments, output="one.safetensors", steps=1).stdout)
            self.expect(64, "--length 0", "sample", "one.safetensors", "--length", 0)
        # Joined, files are as one that holds them all.
        (self.path / "both.txt").write_bytes(b"".join((self.path / f"docs/0{i}.txt").read_bytes() for i in (1, 2, 3)) * 9)
        for i in range(3):
            (self.path / f"part{i}.txt").write_bytes((self.path / "both.txt").read_bytes()[i * 54:(i + 1) * 54])
        self.learn("both.txt", output="a.safetensors", steps=5)
        self.learn("part0.txt", "part1.txt", "part2.txt", "--joined", output="b.safetensors", steps=5)
        self.assertEqual((self.path / "a.safetensors").read_bytes(), (self.path / "b.safetensors").read_bytes())
        # A model to start from says what it is.
        self.learn("docs", steps=2)
        self.assertIn(b"1 document ", self.run_tool("train", "corpus.txt", "--from", "d.safetensors", "-o", "f.safetensors", "--steps", 1).stdout)
        self.run_tool("train", "docs", "--from", "one.safetensors", "-o", "g.safetensors", "--steps", 1)

    def test_a_stopped_run_goes_on(self):
        for path in self.path.glob("docs/**/*.txt"):
            path.write_bytes(path.read_text().encode("latin-1"))
        options = ["docs", "--text-encoding", "latin1", "--steps", 3000, "--seed", 4, "--patience", 0, *SMALL]
        self.run_tool("train", *options, "-o", "whole.safetensors")
        process = subprocess.Popen([TOOL, "train", *map(str, options), "-o", "m.safetensors"], cwd=self.path, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.run_tool("train", "--resume", "m.safetensors")
        self.assertEqual((self.path / "m.safetensors").read_bytes(), (self.path / "whole.safetensors").read_bytes())
        # With the files named again they are read as they were.
        done = self.run_tool("train", "--resume", "m.safetensors", "docs", "--steps", 3001)
        self.assertNotIn(b"left out", done.stderr)
        written = [self.run_tool("sample", "m.safetensors", "--length", 0, "--seed", seed).stdout.decode() for seed in range(9)]
        self.assertTrue(any("ä" in document for document in written), written)
