"""The arithmetic of a hash chain over rows of text. Pure: bytes in, bytes and reports out.

A row is `{seq, leaf, prev, hash, salt, body}`. `body` is a JSON *string* that holds the body's own JSON text, so that
`jq -rj .body` gives exactly the bytes that were hashed.

    leaf = sha256(salt text + body text)        hash = sha256(prev text + leaf text)

UTF-8, lower-case hex; the first `prev` of a chain is 64 zeros. The salt is random: after erasure (salt and body null)
nobody can find out by trying which body a leaf stood for, and the chain still verifies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from archiver.ids import new_salt

FORMAT = "archiver-ledger/1"
ZEROS = "0" * 64
FIELDS = frozenset({"seq", "leaf", "prev", "hash", "salt", "body"})
_HEX = frozenset("0123456789abcdef")


class Link(NamedTuple):
    """A place in a chain: the last row's number and hash. `START` is the place before the first row."""

    seq: int
    hash: str


START = Link(-1, ZEROS)


class MadeRow(NamedTuple):
    """A row as it is written, line feed included, and the place it takes in its chain."""

    line: bytes
    link: Link


def make_row(after: Link, body: bytes, *, salt: str | None = None) -> MadeRow:
    """Chain `body` (JSON text, UTF-8) to what stands before it. `salt` is random unless a test gives one."""
    if salt is None:
        salt = new_salt()
    leaf = sha256(salt.encode() + body).hexdigest()
    digest = sha256((after.hash + leaf).encode()).hexdigest()
    seq = after.seq + 1
    # Hex needs no escapes: only the body's text goes through the JSON writer.
    head = f'{{"seq":{seq},"leaf":"{leaf}","prev":"{after.hash}","hash":"{digest}","salt":"{salt}","body":'
    return MadeRow(b"%b%b}\n" % (head.encode(), orjson.dumps(body.decode())), Link(seq, digest))


def erase(line: bytes) -> bytes:
    """The row without salt and body. Raises ValueError for a `segment` row, which holds the chain's own joints."""
    row = orjson.loads(line)
    if row["body"] is not None and orjson.loads(row["body"]).get("event") == "segment":
        raise ValueError(f"row {row['seq']} joins two segments and cannot be erased")
    return orjson.dumps({**row, "salt": None, "body": None}, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What does not hold: `line` counts from 1, `seq` is the row's own number where it has one."""

    line: int
    seq: int | None
    what: str

    def __str__(self) -> str:
        return f"line {self.line} (seq {'?' if self.seq is None else self.seq}): {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What checking a run of rows found. `first` is the place before the first row, `last` that of the last good one.

    `torn` is the length in bytes of an unfinished last line (a writer was killed): told, but no damage.
    """

    rows: int = 0
    erased: int = 0
    torn: int = 0
    first: Link = START
    last: Link = START
    problems: tuple[Problem, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return not self.problems


def verify_rows(lines: Iterable[bytes], *, after: Link | None = None, head: str | None = None) -> ChainReport:
    """Check every row of a segment, or of several in order, in one pass and flat memory. Never raises.

    Without `after` the first row must start a chain (64 zeros, seq 0) or be a `segment` row whose body names the same
    previous head and first number. `head`, when known from elsewhere (the next segment, a warcinfo, a manifest), must
    be the last row's hash: only that finds rows cut from the end.
    """
    check = _Check(after)
    number = 0
    for number, line in enumerate(lines, 1):
        check.line(number, line)
    if head is not None and check.last.hash != head:
        check.problems.append(Problem(line=number, seq=check.last.seq, what=f"the last hash is not the head {head}"))
    return ChainReport(
        rows=check.rows,
        erased=check.erased,
        torn=check.torn,
        first=check.first or START,
        last=check.last,
        problems=tuple(check.problems),
    )


class _Check:
    """The state of one pass: what the next row has to follow."""

    def __init__(self, after: Link | None) -> None:
        self.first = after
        self.last = after or START
        self.rows = self.erased = self.torn = 0
        self.problems: list[Problem] = []

    def line(self, number: int, line: bytes) -> None:
        if self.torn:
            self.problems.append(Problem(line=number - 1, seq=None, what="an unfinished line with rows behind it"))
            self.torn = 0
        if not line.endswith(b"\n"):
            self.torn = len(line)
            return
        self.rows += 1
        row = _parse(line)
        if isinstance(row, str):
            self.problems.append(Problem(line=number, seq=None, what=row))
            return
        if self.first is None:
            self.first = self.last = _anchor(row)
        self.erased += row["body"] is None
        self.problems += [Problem(line=number, seq=row["seq"], what=what) for what in _faults(row, self.last)]
        self.last = Link(row["seq"], row["hash"])


def _parse(line: bytes) -> dict[str, Any] | str:
    """The row, or in words why it is none."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "not JSON"
    if not isinstance(row, dict) or row.keys() != FIELDS:
        return f"not exactly the fields {', '.join(sorted(FIELDS))}"
    if type(row["seq"]) is not int:
        return "seq is not a whole number"
    if not all(_is_hex(row[name], 64) for name in ("leaf", "prev", "hash")):
        return "leaf, prev or hash is not 64 lower-case hex digits"
    if (row["salt"] is None) != (row["body"] is None):
        return "salt and body are not erased together"
    if row["body"] is not None and not (isinstance(row["body"], str) and _is_hex(row["salt"], 32)):
        return "salt is not 32 lower-case hex digits, or body is not a string"
    return row


def _is_hex(value: object, length: int) -> bool:
    return isinstance(value, str) and len(value) == length and _HEX.issuperset(value)


def _anchor(row: dict[str, Any]) -> Link:
    """What the first row of a segment may follow: the head that its own hashed body names, else the chain's start."""
    body = parse_body(row["body"])
    if body is None or body.get("event") != "segment":
        return START
    seq, head = body.get("first_seq"), body.get("prev_head")
    if type(seq) is not int or seq == 0 or not _is_hex(head, 64):
        return START
    return Link(seq - 1, str(head))


def _faults(row: dict[str, Any], after: Link) -> list[str]:
    faults = []
    if row["seq"] != after.seq + 1:
        faults.append(f"seq should be {after.seq + 1}: a row is missing, doubled or moved")
    if row["prev"] != after.hash:
        faults.append("prev is not the hash of the row before")
    if row["hash"] != sha256((row["prev"] + row["leaf"]).encode()).hexdigest():
        faults.append("hash does not follow from prev and leaf")
    if row["body"] is not None:
        if row["leaf"] != sha256((row["salt"] + row["body"]).encode()).hexdigest():
            faults.append("leaf does not follow from salt and body: the body was changed")
        if parse_body(row["body"]) is None:
            faults.append("body is not the text of a JSON object")
    return faults


def parse_body(text: str | None) -> dict[str, Any] | None:
    """The object that a row's `body` text stands for; None for an erased or foreign one."""
    if text is None:
        return None
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
