"""Compares deltas between the versions of the firmware: ours, bsdiff's and those of detools.

Prints a line of JSON for each pair, sizes in bytes. Usage: compare.py IMAGES
"""

import io
import json
import subprocess
import sys
from pathlib import Path

import bsdiff4
import detools

ROOT = Path(__file__).resolve().parent.parent.parent
PAIRS = [("1.0.0", "1.0.1"), ("1.0.1", "1.1.0"), ("1.1.0", "2.0.0"), ("1.0.0", "2.0.0")]


def of_detools(old, new, compression):
    patch = io.BytesIO()
    detools.create_patch(io.BytesIO(old), io.BytesIO(new), patch, compression=compression)
    return len(patch.getvalue())


def main():
    images = Path(sys.argv[1])
    pairs = [[images / f"{version}.bin" for version in pair] for pair in PAIRS]
    command = ["cargo", "run", "--quiet", "--release", "--package", "ww-release"]
    command += ["--example", "delta", "--"]
    files = [str(file.resolve()) for pair in pairs for file in pair]
    ours = subprocess.run(command + files, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for names, pair, line in zip(PAIRS, pairs, ours.stdout.splitlines(), strict=True):
        old, new = (file.read_bytes() for file in pair)
        bsdiff = len(bsdiff4.diff(old, new))
        result = {"from": names[0], "to": names[1], **json.loads(line), "bsdiff_bytes": bsdiff}
        for compression in ("lzma", "heatshrink", "crle"):
            result[f"detools_{compression}_bytes"] = of_detools(old, new, compression)
        result["ratio_to_bsdiff"] = round(result["delta_bytes"] / bsdiff, 3)
        print(json.dumps(result))


if __name__ == "__main__":
    main()
