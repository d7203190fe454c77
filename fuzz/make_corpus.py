"""Makes the committed corpora from the golden vectors and the sensor fixtures.

Run from the repository's root: python3 fuzz/make_corpus.py
"""

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "crates/ww-wire/vectors/v1"
FIXTURES = ROOT / "crates/ww-device/tests/fixtures"


def load(name):
    return json.loads((VECTORS / name).read_text("utf-8"))


def seeds(target, inputs):
    folder = ROOT / "fuzz/corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def vectors(file, members, field):
    return [bytes.fromhex(vector[field]) for vector in load(file)[members] if field in vector]


def proofs():
    tree = load("merkle.json")
    for vector in tree["inclusion"]:
        # The target takes b % 64 + 1 for the size.
        numbers = (int(vector["index"]), int(vector["size"]) - 1)
        head = b"".join(number.to_bytes(8, "big") for number in numbers)
        yield head + b"".join(bytes.fromhex(item) for item in vector["proof"])



def deltas():
    """A piece of code with calls, pairs of upper and lower parts, and words that name it."""
    base = 0x42000000

    def code(gap):
        words = [0x014000EF, 0x00B50863, 0x42000537, 0x04050513, 0x00000597, 0x0105A603]
        words += [0x00000013] * gap + [0xFE9FF06F, 0x00C5A223]
        words += [base + 4 * (8 + gap), base + 8, base + 4 * gap]
        return b"".join(word.to_bytes(4, "little") for word in words) + b"a text\0" * 3

    for gap in (0, 1, 5):
        old, new = code(2), code(gap)
        for change in (b"\0\0", b"\x10\x01", b"\x18\x80"):
            head = len(new).to_bytes(2, "big") + len(old).to_bytes(2, "big")
            yield head + change + old + new


def answers():
    fixture = lambda name: (FIXTURES / f"shelly-{name}.json").read_bytes()
    yield b"\x00" + fixture("em-gen1-status")
    yield b"\x01" + fixture("3em-gen1-status")
    yield b"\x02" + b"\0".join(
        fixture(f"pro-em-gen2-{name}") for name in ("em1data", "em1", "sys")
    )
    yield b"\x03" + b"\0".join(
        fixture(f"pro-3em-gen2-{name}") for name in ("emdata", "em", "identity")
    )
    for name in ("em-gen1", "3em-gen1", "pro-em-gen2", "pro-3em-gen2"):
        yield b"\x00" + fixture(f"{name}-identity")


def challenges():
    yield b'Digest qop="auth", realm="shellyproem50-a1b2", nonce="62a0", algorithm=SHA-256'
    yield b'Digest realm="a\\"b", nonce=1, qop="auth-int,auth", algorithm=SHA-256, opaque="x"'
    yield b'Basic realm="shelly"'


def submissions():
    yield b'{"record":"0101","signature":"00","power_w":16.35,"total_wh":8.9,"timestamp":1750346382}'
    yield b'{"power":"NaN","total":-0.001,"timestamp":1e3,"signature":"","shelly_payload":null}'
    yield b'{"record":"\\u0030","signature":"00","sequence":1,"installation_id":1,"meter_id":"00"}'


def flash_changes():
    yield b""
    for sector in range(9):
        offset = (sector * 4096).to_bytes(2, "big")
        yield b"\x02" + offset + b"\0"  # erased
        yield b"\x00" + offset + b"\0"  # its first byte lost
        yield b"\x03" + (sector * 4096 + 64).to_bytes(2, "big") + b"\xff"  # cut after 64 bytes


seeds("records", vectors("records.json", "records", "payload"))
seeds("records", vectors("records-2.json", "records", "payload"))
seeds("records", vectors("record-refusals.json", "refusals", "payload"))
seeds("records", vectors("record-refusals-2.json", "refusals", "payload"))
seeds("records", vectors("record-refusals-3.json", "refusals", "payload"))
seeds("sign1", vectors("records.json", "records", "cose_sign1"))
seeds("sign1", vectors("records-2.json", "records", "cose_sign1"))
seeds("sign1", vectors("cose-refusals.json", "refusals", "cose_sign1"))
seeds("items", [bytes.fromhex(load("bodies.json")["body"])])
seeds("items", vectors("bodies.json", "refusals", "body"))
seeds("packed", vectors("packed.json", "blocks", "block"))
seeds("packed", vectors("packed-refusals.json", "refusals", "block"))
seeds("merkle", proofs())
seeds("shelly", answers())
seeds("queue", flash_changes())
seeds("challenge", challenges())
seeds("submission", submissions())
seeds("delta", deltas())
