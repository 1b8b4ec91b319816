"""Do two sets of WARCs hold the same URLs with the same content?

    python infra/bench/compare.py [--within] A.warc.gz... -- B.warc.gz...

Compared are, for each URL, HTTP status and SHA-256 of the body without transfer and content coding; a revisit counts
as what it refers to. Prints counts and every difference. Exit code 0 = no difference, 1 = differences, 2 = usage.
With --within, B may hold more URLs than A. Reads with warcio, so that our own reader cannot hide our own mistakes.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.recordloader import ArcWarcRecord

Answer = tuple[str, str]  # HTTP status, SHA-256 of the decoded body in hex

_PIECE = 1 << 18
_SHOWN = 20


@dataclass(slots=True)
class Holding:
    """What a set of WARCs holds. `unresolved` are URLs of revisits whose original is in none of the files."""

    answers: dict[str, set[Answer]] = field(default_factory=dict)
    unresolved: list[str] = field(default_factory=list)
    records: int = 0
    revisits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """URLs, sorted: held by one side only, held by both with other content, and revisits that lead nowhere."""

    only_a: list[str]
    only_b: list[str]
    differing: list[str]
    unresolved: list[str]

    def __bool__(self) -> bool:
        return bool(self.only_a or self.only_b or self.differing or self.unresolved)


def read(paths: Iterable[Path | str]) -> Holding:
    """Every response and revisit in the files. Raises what warcio raises for a file it cannot read."""
    found = Holding()
    bodies: dict[str, str] = {}  # record id and payload digest -> SHA-256 of the decoded body
    revisits: list[tuple[str, str, list[str]]] = []
    for path in paths:
        with open(path, "rb") as stream:
            for record in ArchiveIterator(stream):
                fields = record.rec_headers
                if record.rec_type not in ("response", "revisit") or record.http_headers is None:
                    continue
                found.records += 1
                url = fields.get_header("WARC-Target-URI")
                status = record.http_headers.get_statuscode()
                if record.rec_type == "revisit":
                    keys = [fields.get_header("WARC-Refers-To"), fields.get_header("WARC-Payload-Digest")]
                    revisits.append((url, status, [key for key in keys if key]))
                    continue
                digest = _body_sha256(record)
                found.answers.setdefault(url, set()).add((status, digest))
                for key in (fields.get_header("WARC-Record-ID"), fields.get_header("WARC-Payload-Digest")):
                    if key:
                        bodies[key] = digest
    found.revisits = len(revisits)
    for url, status, keys in revisits:
        original = next((bodies[key] for key in keys if key in bodies), None)
        if original is None:
            found.unresolved.append(url)
        else:
            found.answers.setdefault(url, set()).add((status, original))
    return found


def _body_sha256(record: ArcWarcRecord) -> str:
    digest = hashlib.sha256()
    stream = record.content_stream()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def difference(a: Holding, b: Holding, *, within: bool = False) -> Difference:
    """`within`: what only B holds is no difference."""
    return Difference(
        only_a=sorted(a.answers.keys() - b.answers.keys()),
        only_b=[] if within else sorted(b.answers.keys() - a.answers.keys()),
        differing=sorted(url for url in a.answers.keys() & b.answers.keys() if a.answers[url] != b.answers[url]),
        unresolved=sorted({*a.unresolved, *b.unresolved}),
    )


def report(a: Holding, b: Holding, found: Difference) -> str:
    """Counts, then at most twenty URLs of each kind of difference."""
    lines = [
        f"{name}: {len(held.answers)} URLs, {held.records} records, {held.revisits} of them revisits"
        for name, held in (("A", a), ("B", b))
    ]
    equal = len(a.answers.keys() & b.answers.keys()) - len(found.differing)
    lines.append(f"equal: {equal} URLs")
    kinds: Mapping[str, Sequence[str]] = {
        "only in A": found.only_a,
        "only in B": found.only_b,
        "other content": found.differing,
        "revisit of nothing": found.unresolved,
    }
    for kind, urls in kinds.items():
        if urls:
            lines.append(f"{kind}: {len(urls)}")
            lines += [f"    {url}" for url in urls[:_SHOWN]]
            lines += [f"    and {len(urls) - _SHOWN} more"] if len(urls) > _SHOWN else []
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    within = "--within" in arguments
    words = [word for word in arguments if word != "--within"]
    if words.count("--") != 1 or not 0 < words.index("--") < len(words) - 1:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    middle = words.index("--")
    a, b = read(words[:middle]), read(words[middle + 1 :])
    found = difference(a, b, within=within)
    print(report(a, b, found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
