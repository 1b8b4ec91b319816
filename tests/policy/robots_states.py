"""Google's dialect once more, told apart from both other tellings: no groups, no text, no lists of rules.

One pass over the octets; a line is taken to its record at once and only flags are kept: has our agent been named in
this run, has `*`, did a rule end the run. Matching walks the places that a pattern can have reached. Nothing of the
product is imported, nor of `reference_robots`: where the two agree with the product, all three read the same dialect.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field

HEX = frozenset(string.hexdigits.encode())
WHITE = b" \t\n\v\f\r"
LETTERS = frozenset(string.ascii_letters.encode()) | frozenset(b"-_")
LINE = 16_663
DISALLOWS = (b"disallow", b"dissallow", b"dissalow", b"disalow", b"diasllow", b"disallaw")


@dataclass
class State:
    agents: tuple[bytes, ...]
    target: bytes
    ours: bool = False
    anyones: bool = False
    ended: bool = False
    named: bool = False
    best: dict[tuple[str, str], int] = field(default_factory=dict)

    def agent(self, value: bytes) -> None:
        if self.ended:
            self.ours = self.anyones = self.ended = False
        if value[:1] == b"*" and (len(value) == 1 or value[1:2] in (b" ", b"\t", b"\n", b"\v", b"\f", b"\r")):
            self.anyones = True
            return
        end = 0
        while end < len(value) and value[end] in LETTERS:
            end += 1
        if value[:end].lower() in self.agents:
            self.ours = self.named = True

    def rule(self, kind: str, pattern: bytes) -> None:
        if not (self.ours or self.anyones):
            return
        self.ended = True
        if reaches(self.target, pattern):
            whose = ("ours" if self.ours else "anyones", kind)
            self.best[whose] = max(self.best.get(whose, 0), len(pattern))
        elif kind == "allow":
            slash = pattern.rfind(b"/")
            if slash >= 0 and pattern[slash : slash + 10] == b"/index.htm":
                self.rule(kind, pattern[: slash + 1] + b"$")

    def allowed(self) -> bool:
        whose = "ours" if self.named else "anyones"
        return self.best.get((whose, "disallow"), 0) <= self.best.get((whose, "allow"), 0)


def allowed(data: bytes, agent: str, url: str) -> bool:
    state = State((agent.lower().encode("utf-8", "surrogatepass"),), target_of(url))
    line = bytearray()
    mark = 0
    for octet in data:
        if mark < 3:
            mark += 1
            if octet == (0xEF, 0xBB, 0xBF)[mark - 1]:
                continue
            mark = 3
        if octet in b"\r\n":
            record(state, bytes(line))
            line.clear()
        elif len(line) < LINE:
            line.append(octet)
    record(state, bytes(line))
    return state.allowed()


def record(state: State, line: bytes) -> None:
    for stop in (b"\0", b"#"):
        if stop in line:
            line = line[: line.index(stop)]
    line = line.strip(WHITE)
    at = line.find(b":")
    if at < 0:
        blanks = [place for place, octet in enumerate(line) if octet in b" \t"]
        if not blanks or blanks != list(range(blanks[0], blanks[-1] + 1)):
            return
        at = blanks[0]
    key, value = line[:at].strip(WHITE).lower(), line[at + 1 :].strip(WHITE)
    if key.startswith((b"user-agent", b"useragent", b"user agent")):
        state.agent(value)
    elif key.startswith(b"allow"):
        state.rule("allow", escaped(value))
    elif key.startswith(DISALLOWS):
        state.rule("disallow", escaped(value))


def escaped(value: bytes) -> bytes:
    out = b""
    at = 0
    while at < len(value):
        code = value[at + 1 : at + 3]
        if value[at : at + 1] == b"%" and len(code) == 2 and set(code) <= HEX:
            out += b"%" + code.upper()
            at += 3
        else:
            out += b"%%%02X" % value[at] if value[at] & 0x80 else value[at : at + 1]
            at += 1
    return out


def reaches(target: bytes, pattern: bytes) -> bool:
    places = [0]
    for at in range(len(pattern)):
        octet = pattern[at : at + 1]
        if octet == b"$" and at == len(pattern) - 1:
            return places[-1] == len(target)
        if octet == b"*":
            places = list(range(places[0], len(target) + 1))
        else:
            places = [place + 1 for place in places if target[place : place + 1] == octet]
            if not places:
                return False
    return True


def target_of(url: str) -> bytes:
    """Of an http URL: from the first `/`, `?` or `;` after the authority, without fragment."""
    rest = url.split("://", 1)[1].split("#", 1)[0].encode("utf-8", "surrogatepass")
    starts = [place for place in (rest.find(one) for one in (b"/", b"?", b";")) if place >= 0]
    path = rest[min(starts) :] if starts else b"/"
    return path if path.startswith(b"/") else b"/" + path
