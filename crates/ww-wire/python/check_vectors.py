"""Checks the golden vectors by docs/FORMAT.md alone, with implementations that are not ours.

It shares no code with the Rust crate: bytes are taken apart here, signatures are verified by
`cryptography` and once more by `pycose`, CBOR is read by `cbor2`. Prints 'N passed, N failed'.
"""

import hashlib
import json
import re
import struct
import sys
import unicodedata
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import Sign1Message

CRATE = Path(__file__).resolve().parent.parent
VECTORS = CRATE / "vectors" / "v1"
FORMAT = CRATE.parent.parent / "docs" / "FORMAT.md"

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MAX_PAYLOAD = 320
U64 = 1 << 64


class Refused(Exception):
    """Bytes that are refused; `reason` and `field` as the vectors name them."""

    def __init__(self, reason, field=None):
        super().__init__(reason if field is None else f"{field}: {reason}")
        self.reason, self.field = reason, field


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# --- fields ------------------------------------------------------------------------------------

INTEGERS = {
    "u8": ">B",
    "u16": ">H",
    "u32": ">I",
    "u64": ">Q",
    "i16": ">h",
    "i32": ">i",
    "i64": ">q",
}
WIDTHS = {"hash": 32, "id": 32, "key": 64, "mac": 6, "address": 20, "attestation": 64}
PHASE = [
    ("power", "i64?"),
    ("voltage", "u32?"),
    ("current", "u32?"),
    ("import_total", "u64?"),
    ("export_total", "u64?"),
]


def width(kind):
    if kind == "phases":
        return 3 * sum(width(kind) for _, kind in PHASE)
    if kind.startswith("text"):
        return int(kind[4:])
    if kind.startswith("enum"):
        return 1
    if kind.startswith("flags"):
        return 2
    if kind in WIDTHS:
        return WIDTHS[kind]
    return struct.calcsize(INTEGERS[kind.rstrip("!?")])


def absent(integer):
    """All ones when unsigned, the minimum when signed."""
    bits = 8 * struct.calcsize(INTEGERS[integer])
    return -(1 << (bits - 1)) if integer[0] == "i" else (1 << bits) - 1


def take(kind, name, raw):
    """The value of one field: int, str, bytes, None for absent."""
    if kind == "phases":
        return [take_all(PHASE, raw[32 * i : 32 * i + 32]) for i in range(3)]
    if kind.startswith("text"):
        text, _, padding = raw.partition(b"\0")
        try:
            value = text.decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise Refused("text", name) from None
        if any(padding) or any(unicodedata.category(c) == "Cc" for c in value):
            raise Refused("text", name)
        return value
    if kind.startswith("enum"):
        if raw[0] not in {int(number) for number in kind[5:].split(",")}:
            raise Refused("unknown-value", name)
        return raw[0]
    if kind.startswith("flags"):
        (bits,) = struct.unpack(">H", raw)
        if bits >> int(kind[6:]):
            raise Refused("unknown-bits", name)
        return bits
    if kind in WIDTHS:
        return raw
    integer = kind.rstrip("!?")
    (value,) = struct.unpack(INTEGERS[integer], raw)
    # "!": a value that must be there; "?": one that may be absent; else every number is a value.
    if kind[-1] in "!?" and value == absent(integer):
        if kind[-1] == "!":
            raise Refused("absent", name)
        return None
    return value


def put(kind, value):
    if kind == "phases":
        return b"".join(put(kind, phase[name]) for phase in value for name, kind in PHASE)
    if kind.startswith("text"):
        return value.encode().ljust(int(kind[4:]), b"\0")
    if kind.startswith("enum"):
        return bytes([value])
    if kind.startswith("flags"):
        return struct.pack(">H", value)
    if kind in WIDTHS:
        return value
    integer = kind.rstrip("!?")
    return struct.pack(INTEGERS[integer], absent(integer) if value is None else value)


def take_all(layout, raw):
    fields, at = {}, 0
    for name, kind in layout:
        fields[name] = take(kind, name, raw[at : at + width(kind)])
        at += width(kind)
    return fields


TIME_QUALITY = "enum:0,1,2,3"

READING = [
    ("boot", "u32!"),
    ("sequence", "u64!"),
    ("time", "u64?"),
    ("uptime", "u64!"),
    ("time_quality", TIME_QUALITY),
    ("power", "i64?"),
    ("import_total", "u64?"),
    ("export_total", "u64?"),
    ("counter_epoch", "u16!"),
    ("produced", "u64!"),
    ("voltage", "u32?"),
    ("current", "u32?"),
    ("reactive_power", "i64?"),
    ("temperature", "i16?"),
    ("flags", "flags:12"),
]

LINK = [("chain_index", "u64!"), ("previous", "hash"), ("boot", "u32!")]

RECORDS = {
    "reading": (1, READING),
    "three-phase-reading": (2, READING + [("phases", "phases")]),
    "window": (
        3,
        LINK
        + [
            ("first_sequence", "u64!"),
            ("last_sequence", "u64!"),
            ("count", "u32"),
            ("first_time", "u64?"),
            ("last_time", "u64?"),
            ("produced_open", "u64!"),
            ("produced_close", "u64!"),
            ("root", "hash"),
            ("enrolment", "hash"),
            ("firmware", "hash"),
            ("log_size", "u64"),
            ("log_root", "hash"),
            ("flags", "flags:2"),
        ],
    ),
    "boot": (
        4,
        LINK
        + [
            ("time", "u64?"),
            ("uptime", "u64!"),
            ("time_quality", TIME_QUALITY),
            ("firmware", "hash"),
            ("version_major", "u16"),
            ("version_minor", "u16"),
            ("version_patch", "u16"),
            ("security_counter", "u32"),
            ("reset_reason", "enum:0,1,2,3,4,5,6,7"),
            ("last_recovered", "u64?"),
            ("first_new", "u64!"),
            ("attestation", "attestation"),
        ],
    ),
    "gap": (
        5,
        LINK
        + [
            ("time", "u64?"),
            ("kind", "enum:1,2,3"),
            ("first_index", "u64!"),
            ("last_index", "u64!"),
            ("first_sequence", "u64?"),
            ("last_sequence", "u64?"),
            ("produced_open", "u64!"),
            ("produced_close", "u64!"),
            ("last_digest", "hash"),
        ],
    ),
    "enrolment": (
        6,
        [
            ("operator_key", "key"),
            ("meter_key", "key"),
            ("number", "u32"),
            ("time", "u64!"),
            ("custody", "enum:0,1"),
            ("sensor_model", "enum:1,2,3,4"),
            ("sensor_mac", "mac"),
            ("channel", "u8"),
            ("production_counter", "enum:0,1"),
            ("ct_ratio_milli", "u32"),
            ("rated_power", "u32!"),
            ("latitude", "i32?"),
            ("longitude", "i32?"),
            ("tilt", "u16?"),
            ("azimuth", "u16?"),
            ("grid_connection", "text40"),
            ("start_import", "u64?"),
            ("start_export", "u64?"),
            ("owner", "address"),
            ("chain_id", "u64"),
            ("minter", "address"),
        ],
    ),
    "label": (
        7,
        [("meter", "id"), ("time", "u64!"), ("name", "text64"), ("time_zone", "text40")],
    ),
    "correction": (
        8,
        [
            ("meter", "id"),
            ("time", "u64!"),
            ("target", "hash"),
            ("first_sequence", "u64!"),
            ("last_sequence", "u64!"),
            ("reduction", "u64!"),
            ("reason", "enum:0,1,2,3"),
            ("note", "text64"),
        ],
    ),
    "revocation": (
        9,
        [("meter", "id"), ("time", "u64!"), ("reason", "enum:0,1,2,3,4"), ("note", "text64")],
    ),
    "replacement": (
        10,
        [
            ("old_meter", "id"),
            ("new_meter", "id"),
            ("time", "u64!"),
            ("last_index", "u64!"),
            ("last_digest", "hash"),
            ("produced_close", "u64!"),
        ],
    ),
    "status-report": (
        11,
        [
            ("boot", "u32!"),
            ("time", "u64?"),
            ("uptime", "u64!"),
            ("time_quality", TIME_QUALITY),
            ("queued_records", "u32"),
            ("queued_readings", "u32"),
            ("sensor_failures", "u32"),
            ("upload_failures", "u32"),
            ("signal_strength", "i16?"),
            ("free_memory", "u32?"),
            ("temperature", "i16?"),
        ],
    ),
    "acknowledgement": (
        12,
        [
            ("next_index", "u64!"),
            ("time", "u64?"),
            ("log_size", "u64"),
            ("log_root", "hash"),
            ("enrolment", "hash"),
        ],
    ),
    "update-report": (
        13,
        [
            ("boot", "u32!"),
            ("time", "u64?"),
            ("uptime", "u64!"),
            ("time_quality", TIME_QUALITY),
            ("release", "hash"),
            ("payload", "hash"),
            ("running", "hash"),
            ("root_number", "u32"),
            ("security_counter", "u32"),
            ("outcome", "enum:1,2,3"),
            ("obstacle", "enum:" + ",".join(str(number) for number in range(24))),
        ],
    ),
}
NAMES = {number: name for name, (number, _) in RECORDS.items()}


# --- records -----------------------------------------------------------------------------------


def decode(name, payload):
    """The signer id and the fields of a payload, checked in the order of FORMAT.md."""
    number, layout = RECORDS[name]
    if not payload:
        raise Refused("empty")
    if payload[0] not in NAMES:
        raise Refused("unknown-type")
    if payload[0] != number:
        raise Refused("wrong-type")
    if len(payload) > 1 and payload[1] != 1:
        raise Refused("unknown-version")
    if len(payload) != 34 + sum(width(kind) for _, kind in layout):
        raise Refused("wrong-length")
    signer, fields = payload[2:34], take_all(layout, payload[34:])
    if not all(rules(name, signer, fields)):
        raise Refused("rule")
    return signer, fields


def encode(name, signer, fields):
    number, layout = RECORDS[name]
    return bytes([number, 1]) + signer + b"".join(put(kind, fields[n]) for n, kind in layout)


FAILED, OF_VALUES = 0b1111, 0b1_1110_0000


def rules(name, signer, f):
    """One truth per rule of FORMAT.md."""
    zero = bytes(32)
    if name in ("reading", "three-phase-reading"):
        failed = f["flags"] & FAILED != 0
        sensor = ["power", "import_total", "export_total"]
        sensor += ["voltage", "current", "reactive_power", "temperature"]
        yield f["sequence"] != 0
        yield f["boot"] != 0
        yield (f["time_quality"] == 0) == (f["time"] is None)
        yield not failed or all(f[n] is None for n in sensor)
        yield failed or all(f[n] is not None for n in sensor[:3])
        yield not failed or not f["flags"] & OF_VALUES
        phases = f.get("phases", [])
        yield not failed or all(v is None for phase in phases for v in phase.values())
    if name in ("window", "boot", "gap"):
        yield (f["chain_index"] == 0) == (f["previous"] == zero)
        yield f["boot"] != 0
    if name == "window":
        yield f["first_sequence"] != 0
        yield 1 <= f["count"] <= 600
        yield f["last_sequence"] - f["first_sequence"] == f["count"] - 1
        yield f["produced_open"] <= f["produced_close"]
        yield (f["log_size"] == 0) == (f["log_root"] == zero)
    if name == "boot":
        yield (f["time_quality"] == 0) == (f["time"] is None)
        yield f["last_recovered"] is None or f["last_recovered"] < f["first_new"]
        yield f["first_new"] != 0 and f["last_recovered"] != 0
    if name == "gap":
        first, last = f["first_sequence"], f["last_sequence"]
        yield f["first_index"] <= f["last_index"]
        yield f["last_index"] < f["chain_index"]
        yield (first is None) == (last is None)
        yield first is None or last is None or first <= last
        yield first != 0
        yield f["kind"] == 2 or first is not None
        yield (f["kind"] == 2) == (f["last_digest"] != zero)
        yield f["produced_open"] <= f["produced_close"]
    if name == "enrolment":
        yield sha256(f["operator_key"]) == signer
        yield f["operator_key"] != f["meter_key"]
        yield f["number"] != 0
        yield f["ct_ratio_milli"] != 0
        yield f["rated_power"] != 0
        yield f["sensor_model"] not in (2, 4) or f["channel"] == 0
        yield (f["latitude"] is None) == (f["longitude"] is None)
        yield abs(f["latitude"] or 0) <= 900_000_000
        yield abs(f["longitude"] or 0) <= 1_800_000_000
        yield (f["tilt"] or 0) <= 900
        yield (f["azimuth"] or 0) < 3600
        yield (f["chain_id"] == 0) == (f["minter"] == bytes(20))
    if name == "label":
        yield f["name"] != ""
    if name == "correction":
        yield f["first_sequence"] <= f["last_sequence"]
        yield f["first_sequence"] != 0
        yield f["target"] != zero
    if name == "revocation":
        yield f["meter"] != signer
    if name == "replacement":
        yield f["old_meter"] != f["new_meter"]
        yield f["last_digest"] != zero
    if name == "status-report":
        yield f["boot"] != 0
        yield (f["time_quality"] == 0) == (f["time"] is None)
    if name == "update-report":
        yield f["boot"] != 0
        yield (f["time_quality"] == 0) == (f["time"] is None)
        yield (f["outcome"] == 1) == (f["obstacle"] == 0)
        yield f["outcome"] != 1 or f["running"] == f["payload"]
    if name == "acknowledgement":
        yield (f["log_size"] == 0) == (f["log_root"] == zero)


# --- COSE --------------------------------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if len(self.data) - self.at < count:
            raise Refused("truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def expect(self, expected):
        if self.take(len(expected)) != expected:
            raise Refused("shape")

    def byte_string(self):
        head = self.take(1)[0]
        if 0x40 <= head <= 0x57:
            return self.take(head - 0x40)
        if head not in (0x58, 0x59, 0x5A):
            raise Refused("shape")
        length_bytes = 1 << (head - 0x58)
        length = int.from_bytes(self.take(length_bytes), "big")
        if length < {1: 24, 2: 1 << 8, 4: 1 << 16}[length_bytes]:
            raise Refused("not-canonical")
        return self.take(length)

    def sign1(self):
        self.expect(b"\xd2\x84")
        if self.byte_string() != b"\xa1\x01\x26":
            raise Refused("shape")
        self.expect(b"\xa0")
        payload = self.byte_string()
        if len(payload) > MAX_PAYLOAD:
            raise Refused("payload-too-long")
        signature = self.byte_string()
        if len(signature) != 64:
            raise Refused("shape")
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        if not (0 < r < ORDER and 0 < s < ORDER):
            raise Refused("out-of-range")
        if s > ORDER // 2:
            raise Refused("high-s")
        return payload, signature


def sign1(data):
    reader = Reader(data)
    parts = reader.sign1()
    if reader.at != len(data):
        raise Refused("trailing")
    return parts


def items(body):
    reader = Reader(body)
    while reader.at < len(body):
        start = reader.at
        if body[start] >> 5 == 2:
            yield "readings", reader.byte_string()
        else:
            reader.sign1()
            yield "cose_sign1", body[start : reader.at]


def sig_structure(domain, payload):
    return cbor2.dumps(["Signature1", b"\xa1\x01\x26", domain.encode(), payload])


def verifies(key, message, signature):
    numbers = [int.from_bytes(part, "big") for part in (key[:32], key[32:])]
    public_key = ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    try:
        public_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def pycose_verifies(key, domain, data):
    message = Sign1Message.decode(data)
    message.external_aad = domain.encode()
    message.key = EC2Key(crv=P256, x=key[:32], y=key[32:])
    return message.verify_signature()


# --- tree (RFC 9162, section 2.1) --------------------------------------------------------------


def leaf_hash(entry):
    return sha256(b"\x00", entry)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def split(size):
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves):
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def root_by_inclusion(leaf, index, size, proof):
    """Top down, the last hash first; None when the proof is too long or too short."""
    if size == 1:
        return leaf if not proof else None
    if not proof:
        return None
    k, sibling = split(size), proof[-1]
    if index < k:
        left, right = root_by_inclusion(leaf, index, k, proof[:-1]), sibling
    else:
        left, right = sibling, root_by_inclusion(leaf, index - k, size - k, proof[:-1])
    return None if left is None or right is None else node_hash(left, right)


def path(leaves, index):
    """The inclusion proof of a leaf."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(leaves[:k], index) + [root(leaves[k:])]
    return path(leaves[k:], index - k) + [root(leaves[:k])]


def climb(record, leaf_index, leaf_count, hashes):
    """The root that a proof leads to, by the steps of section 9; None when it does not fit."""
    fn, sn, r = leaf_index, leaf_count - 1, leaf_hash(record)
    for p in hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def sealed_reading_holds(record, proof, key):
    """Whether a sealed reading, as a gateway's JSON gives it, is proven; section 9."""
    record, window_record = bytes.fromhex(record), bytes.fromhex(proof["window_record"])
    if record[0] not in (1, 2):
        return False
    signer, reading = decode(NAMES[record[0]], record)
    window_signer, window = decode("window", window_record)
    message = sig_structure("wattwitness/v1/window", window_record)
    signature = bytes.fromhex(proof["window_signature"])
    low = 0 < int.from_bytes(signature[32:], "big") <= ORDER // 2
    place = reading["sequence"] - window["first_sequence"]
    hashes = [bytes.fromhex(item) for item in proof["path"]]
    first, last = place == 0, place == window["count"] - 1
    return (
        signer == window_signer == sha256(key)
        and low
        and verifies(key, message, signature)
        and reading["boot"] == window["boot"]
        and 0 <= place < window["count"]
        and proof["leaf_index"] == place
        and proof["leaf_count"] == window["count"]
        and climb(record, place, window["count"], hashes) == window["root"]
        and window["produced_open"] <= reading["produced"] <= window["produced_close"]
        and (not first or reading["time"] == window["first_time"])
        and (not last or reading["time"] == window["last_time"])
        and (not last or reading["produced"] == window["produced_close"])
    )


def roots_by_consistency(old, new, proof, old_root, complete=True):
    """The roots of the old and the new tree that a consistency proof leads to, or None."""
    if old == new:
        if complete:
            return (old_root, old_root) if not proof else None
        return (proof[0], proof[0]) if len(proof) == 1 else None
    if not proof:
        return None
    k, sibling = split(new), proof[-1]
    if old <= k:
        below = roots_by_consistency(old, k, proof[:-1], old_root, complete)
        return below and (below[0], node_hash(below[1], sibling))
    below = roots_by_consistency(old - k, new - k, proof[:-1], old_root, False)
    return below and (node_hash(sibling, below[0]), node_hash(sibling, below[1]))


# --- packed readings ---------------------------------------------------------------------------


def unzigzag(code):
    return (code >> 1) ^ -(code & 1)


def signed(value, bits):
    value %= U64
    value = value - U64 if value >> 63 else value
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise Refused("out-of-range")
    return value


class Block:
    def __init__(self, data):
        if len(data) < 2:
            raise Refused("truncated")
        if data[0] != 1 or data[1] not in (1, 2):
            raise Refused("unknown-packing")
        self.name = NAMES[data[1]]
        self.data, self.at = data, 2
        self.numbers = {}  # the last value of each field, if it was ever there
        self.there = {}  # whether an optional value was there in the reading before
        self.step = 10_000

    def take(self, count):
        if len(self.data) - self.at < count:
            raise Refused("truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self):
        value = 0
        for i in range(10):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                return value
        raise Refused("out-of-range")

    def code(self, value):
        if value >= U64:
            raise Refused("out-of-range")
        return unzigzag(value)

    def plain(self, name, marked, expected):
        if marked:
            expected += self.code(self.varint())
        self.numbers[name] = expected % U64
        return self.numbers[name]

    def optional(self, name, marked, scale, expected=None):
        expected = self.numbers.get(name, 0) if expected is None else expected
        if marked:
            code = self.varint()
            self.there[name] = code != 0
            if code:
                difference = self.code((code - 1) >> 1)
                if code & 1:
                    difference *= scale
                self.numbers[name] = (expected + difference) % U64
        elif self.there.get(name):
            self.numbers[name] = expected % U64
        return self.numbers[name] if self.there.get(name) else None

    def readings(self):
        while self.at < len(self.data):
            yield self.reading()

    def reading(self):
        (mask,) = struct.unpack(">H", self.take(2))
        marked = {name: mask >> bit & 1 for name, bit in BITS.items()}
        last = dict(self.numbers)
        f = {"boot": self.plain("boot", marked["boot"], last.get("boot", 0))}
        f["sequence"] = self.plain("sequence", marked["sequence"], last.get("sequence", 0) + 1)
        was_there = self.there.get("time")
        f["time"] = self.optional("time", marked["time"], 1, last.get("time", 0) + self.step)
        if was_there and f["time"] is not None:
            self.step = (f["time"] - last["time"]) % U64
        f["uptime"] = self.plain("uptime", marked["uptime"], last.get("uptime", 0) + self.step)
        if marked["time_quality"]:
            self.numbers["time_quality"] = self.take(1)[0]
        f["time_quality"] = self.numbers.get("time_quality", 0)
        for name, scale in (("power", 10), ("import_total", 100), ("export_total", 100)):
            f[name] = self.optional(name, marked[name], scale)
        f["counter_epoch"] = self.plain(
            "counter_epoch", marked["counter_epoch"], last.get("counter_epoch", 0)
        )
        followed = "export_total" if marked["follows_export"] else "import_total"
        rise = self.numbers.get(followed, 0) - last.get(followed, 0)
        f["produced"] = self.plain("produced", marked["produced"], last.get("produced", 0) + rise)
        scales = {"voltage": 10, "current": 1, "reactive_power": 10, "temperature": 1}
        for name, scale in scales.items():
            f[name] = self.optional(name, marked[name], scale)
        if marked["flags"]:
            (self.numbers["flags"],) = struct.unpack(">H", self.take(2))
        f["flags"] = self.numbers.get("flags", 0)
        if self.name == "three-phase-reading":
            (mask,) = struct.unpack(">H", self.take(2))
            f["phases"] = [
                {
                    name: self.optional((i, name), mask >> 5 * i + j & 1, PHASE_SCALES[j])
                    for j, (name, _) in enumerate(PHASE)
                }
                for i in range(3)
            ]
        return fitted(RECORDS[self.name][1], f)


BITS = {
    name: bit
    for bit, name in enumerate(
        "boot sequence time uptime time_quality power import_total export_total counter_epoch "
        "produced follows_export voltage current reactive_power temperature flags".split()
    )
}
PHASE_SCALES = [10, 10, 1, 100, 100]


def fitted(layout, fields):
    """The fields as their types hold them; refused when one does not fit."""
    result = {}
    for name, kind in layout:
        value = fields[name]
        if kind == "phases":
            value = [fitted(PHASE, phase) for phase in value]
        elif value is not None and kind[0] == "i":
            value = signed(value, int(kind[1:3]))
        if kind != "phases":
            try:
                raw = put(kind, value)
                if value is not None:
                    if take(kind, name, raw) is None:
                        raise Refused("absent")
            except (struct.error, Refused):
                raise Refused("out-of-range") from None
        result[name] = value
    return result


# --- the checks --------------------------------------------------------------------------------


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def check(self, name, holds):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {name}")

    def refuses(self, name, expected, attempt):
        try:
            result = attempt()
        except Refused as refused:
            got = (refused.reason, refused.field)
            self.check(f"{name}: expected {expected}, got {got}", got == expected)
        else:
            self.check(f"{name}: taken as {result}", False)


def load(name):
    return json.loads((VECTORS / name).read_text("utf-8"))


def from_json(layout, fields):
    """The fields of a vector as the types above hold them."""

    def value(kind, value):
        if value is None or kind.startswith("text"):
            return value
        if kind == "phases":
            return [from_json(PHASE, phase) for phase in value]
        return bytes.fromhex(value) if kind in WIDTHS else int(value)

    if list(fields) != [name for name, _ in layout]:
        raise ValueError(f"the fields {list(fields)} are not those of the format")
    return {name: value(kind, fields[name]) for name, kind in layout}


def check_keys(checks):
    for vector in load("keys.json")["keys"]:
        secret = sha256(b"wattwitness test key: ", vector["label"].encode())
        numbers = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        numbers = numbers.public_key().public_numbers()
        key = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        checks.check(f"key {vector['label']}", vector["secret"] == secret.hex())
        checks.check(f"public key of {vector['label']}", vector["public_key"] == key.hex())
        checks.check(f"id of {vector['label']}", vector["id"] == sha256(key).hex())


def check_records(checks):
    seen = set()
    for vector in load("records.json")["records"] + load("records-2.json")["records"]:
        title, name = vector["name"], vector["type"]
        payload = bytes.fromhex(vector["payload"])
        seen.add(name)
        signer, fields = decode(name, payload)
        expected = from_json(RECORDS[name][1], vector["fields"])
        checks.check(f"{title}: fields", fields == expected)
        checks.check(f"{title}: encoding", encode(name, signer, expected) == payload)
        checks.check(f"{title}: signer", signer.hex() == vector["signer_id"])
        checks.check(f"{title}: digest", sha256(payload).hex() == vector["digest"])
        if "reading" in name:
            checks.check(f"{title}: leaf", leaf_hash(payload).hex() == vector["leaf_hash"])
        if name != "acknowledgement":
            check_signature(checks, vector, name, payload, signer)
    checks.check("a vector for each record type", seen == set(RECORDS))


def check_signature(checks, vector, name, payload, signer):
    title, domain = vector["name"], vector["domain"]
    data, key = bytes.fromhex(vector["cose_sign1"]), bytes.fromhex(vector["public_key"])
    accepted = domain == "wattwitness/v1/enrolment-acceptance"
    checks.check(f"{title}: domain", accepted or domain == f"wattwitness/v1/{name}")
    signed_by = sha256(bytes.fromhex(vector["fields"]["meter_key"])) if accepted else signer
    checks.check(f"{title}: id of the key", sha256(key) == signed_by)
    message = sig_structure(domain, payload)
    checks.check(f"{title}: external_aad", domain.encode().hex() == vector["external_aad"])
    checks.check(f"{title}: Sig_structure", message.hex() == vector["sig_structure"])
    got_payload, signature = sign1(data)
    checks.check(f"{title}: payload in COSE", got_payload == payload)
    checks.check(f"{title}: signature in COSE", signature.hex() == vector["signature"])
    tagged = cbor2.CBORTag(18, [b"\xa1\x01\x26", {}, payload, signature])
    checks.check(f"{title}: COSE by cbor2", cbor2.dumps(tagged) == data)
    checks.check(f"{title}: by cryptography", verifies(key, message, signature))
    checks.check(f"{title}: by pycose", pycose_verifies(key, domain, data))


def check_refusals(checks):
    refusals = [load(f"record-refusals{part}.json")["refusals"] for part in ("", "-2", "-3")]
    for vector in sum(refusals, []):
        checks.refuses(
            f"record {vector['name']}",
            (vector["reason"], vector["field"]),
            lambda: decode(vector["type"], bytes.fromhex(vector["payload"])),
        )
    for vector in load("cose-refusals.json")["refusals"]:
        checks.refuses(
            f"COSE_Sign1 {vector['name']}",
            (vector["reason"], None),
            lambda: sign1(bytes.fromhex(vector["cose_sign1"])),
        )
    for vector in load("packed-refusals.json")["refusals"]:
        checks.refuses(
            f"block {vector['name']}",
            (vector["reason"], None),
            lambda: list(Block(bytes.fromhex(vector["block"])).readings()),
        )
    for vector in load("forgeries.json")["forgeries"]:
        key, domain = bytes.fromhex(vector["public_key"]), vector["domain"]
        data = bytes.fromhex(vector["cose_sign1"])
        payload, signature = sign1(data)
        title = f"forgery {vector['name']}"
        checks.check(title, not verifies(key, sig_structure(domain, payload), signature))
        checks.check(f"{title} by pycose", not pycose_verifies(key, domain, data))


def check_tree(checks):
    tree = load("merkle.json")
    entries, leaves, roots = (
        [bytes.fromhex(item) for item in tree[name]] for name in ("entries", "leaf_hashes", "roots")
    )
    checks.check("leaf hashes", [leaf_hash(entry) for entry in entries] == leaves)
    checks.check("roots", [root(leaves[:size]) for size in range(len(leaves) + 1)] == roots)
    for vector in tree["inclusion"]:
        index, size = int(vector["index"]), int(vector["size"])
        proof = [bytes.fromhex(item) for item in vector["proof"]]
        title = f"inclusion of {index} in {size}"
        got = root_by_inclusion(leaves[index], index, size, proof)
        checks.check(title, got == roots[size])
        checks.check(f"{title}: path", path(leaves[:size], index) == proof)
        checks.check(f"{title}: climb", climb(entries[index], index, size, proof) == roots[size])
        for wrong in (proof[:-1], proof + [roots[size]]):
            got = climb(entries[index], index, size, wrong)
            checks.check(f"{title}: climb of {len(wrong)}", got is None or wrong == proof)
        for i in range(len(proof)):
            spoilt = proof[:i] + [sha256(proof[i])] + proof[i + 1 :]
            got = root_by_inclusion(leaves[index], index, size, spoilt)
            checks.check(f"{title}, hash {i} changed", got != roots[size])
    for vector in tree["consistency"]:
        old, new = int(vector["from"]), int(vector["to"])
        proof = [bytes.fromhex(item) for item in vector["proof"]]
        title, expected = f"consistency of {old} with {new}", (roots[old], roots[new])
        checks.check(title, roots_by_consistency(old, new, proof, roots[old]) == expected)
        for i in range(len(proof)):
            spoilt = proof[:i] + [sha256(proof[i])] + proof[i + 1 :]
            got = roots_by_consistency(old, new, spoilt, roots[old])
            checks.check(f"{title}, hash {i} changed", got != expected)


def check_packed(checks):
    for vector in load("packed.json")["blocks"]:
        block = Block(bytes.fromhex(vector["block"]))
        meter = bytes.fromhex(vector["meter"])
        got = [encode(block.name, meter, fields).hex() for fields in block.readings()]
        checks.check(f"block {vector['name']}: type", block.name == vector["type"])
        checks.check(f"block {vector['name']}: payloads", got == vector["payloads"])


def check_bodies(checks):
    file = load("bodies.json")
    key, body = bytes.fromhex(file["public_key"]), bytes.fromhex(file["body"])
    got = list(items(body))
    expected = [pair for item in file["items"] for pair in item.items()]
    checks.check("body: items", [(kind, data.hex()) for kind, data in got] == expected)
    previous, window, index = bytes(32), None, 0
    for kind, data in got:
        if kind == "readings":
            block = Block(data)
            payloads = [encode(block.name, sha256(key), f) for f in block.readings()]
            checks.check("body: root", root([leaf_hash(p) for p in payloads]) == window["root"])
            last = decode(block.name, payloads[-1])[1]
            checks.check("body: count", len(payloads) == window["count"])
            checks.check("body: produced", last["produced"] == window["produced_close"])
            continue
        payload, signature = sign1(data)
        name = NAMES[payload[0]]
        signer, fields = decode(name, payload)
        message = sig_structure(f"wattwitness/v1/{name}", payload)
        checks.check(f"body: signature {index}", verifies(key, message, signature))
        checks.check(f"body: meter {index}", signer == sha256(key))
        checks.check(f"body: index {index}", fields["chain_index"] == index)
        checks.check(f"body: link {index}", fields["previous"] == previous)
        if name == "window":
            opened = window["produced_close"] if window else fields["produced_open"]
            checks.check(f"body: produced {index}", fields["produced_open"] == opened)
            window = fields
        previous, index = sha256(payload), index + 1
    for vector in file["refusals"]:
        checks.refuses(
            f"body {vector['name']}",
            (vector["reason"], None),
            lambda: list(items(bytes.fromhex(vector["body"]))),
        )


def check_sealed_readings(checks):
    """Each reading of the body's window, in the shape in which a gateway's JSON gives it."""
    file = load("bodies.json")
    key, window = bytes.fromhex(file["public_key"]), None
    for kind, data in items(bytes.fromhex(file["body"])):
        if kind != "readings":
            window = sign1(data)
            continue
        block = Block(data)
        payloads = [encode(block.name, sha256(key), f) for f in block.readings()]
        leaves = [leaf_hash(payload) for payload in payloads]
        proofs = [
            {
                "leaf_index": i,
                "leaf_count": len(leaves),
                "path": [item.hex() for item in path(leaves, i)],
                "window_record": window[0].hex(),
                "window_signature": window[1].hex(),
            }
            for i in range(len(leaves))
        ]
        for i, (payload, proof) in enumerate(zip(payloads, proofs)):
            title, record = f"sealed reading {i}", payload.hex()
            checks.check(title, sealed_reading_holds(record, proof, key))
            other = proofs[(i + 1) % len(proofs)]
            checks.check(f"{title}, other path", not sealed_reading_holds(record, other, key))
            moved = proof | {"leaf_index": i + 1}
            checks.check(f"{title}, other place", not sealed_reading_holds(record, moved, key))
            changed = (payload[:-1] + bytes([payload[-1] ^ 0x10])).hex()
            checks.check(f"{title}, changed", not sealed_reading_holds(changed, proof, key))


def check_document(checks):
    """The tables above say what the tables of FORMAT.md say."""
    text = FORMAT.read_text("utf-8")
    for name, (number, layout) in RECORDS.items():
        table = re.search(f"<!-- fields: {name} -->(.*?)<!-- end -->", text, re.S)
        rows = re.findall(r"^\| (\d+) \| (\d+) \| `(\w+)` \|", table[1] if table else "", re.M)
        expected, at = [], 34
        for field, kind in layout:
            expected.append((str(at), str(width(kind)), field))
            at += width(kind)
        checks.check(f"FORMAT.md: {name}", [row for row in rows if int(row[0]) >= 34] == expected)
        checks.check(f"FORMAT.md: type {name}", f"| `{number:02x}` | `{name}` |" in text)


def main():
    checks = Checks()
    check_keys(checks)
    check_records(checks)
    check_refusals(checks)
    check_tree(checks)
    check_packed(checks)
    check_bodies(checks)
    check_sealed_readings(checks)
    check_document(checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 and checks.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
