"""A collection's own words about itself, made anew: at the end of each run, and after what changes who sees what.

Written are the merged indexes, the manifests, `README.txt`, `collection.json` and what else `archiver.describe` makes;
each file whole or not at all, and only when it says something else than before. Kept between calls is
`state/described.json`: how far the ledger was read. All of it can be deleted any time and is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.resources
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from archiver.clock import Clock, iso
from archiver.config import Places
from archiver.describe import pywb
from archiver.describe.about import About, Example, Files, collection_json
from archiver.describe.manifest import manifest, read_manifest
from archiver.describe.readme import readme
from archiver.engine.ship import ClosedFile
from archiver.errors import DiskError, room
from archiver.ledger.bounds import Bounds
from archiver.ledger.hides import Hide, standing
from archiver.ledger.imports import imported
from archiver.ledger.reader import segment_paths
from archiver.ledger.summary import Summary, summarised
from archiver.model import Access, StoredObject
from archiver.replay.hidden import hides_lines, lasting, replace_text, write_rules
from archiver.replay.layout import CSP, HIDDEN_RULES, acl_folder
from archiver.store.freeing import away
from archiver.warc.merged import LeftOut, Level, MergedIndex
from archiver.warc.surt import surt

MANIFEST = "manifest-sha256.txt"
MERGED = "merged"
TEXTS = ("README.txt", "collection.json", "config.yaml", "ledger.schema.json", "check-ledger.sh")
_WARC = (".warc.gz", ".warc")
_LOOKED_AT = 200  # pages, for one that may be shown as an example
_LIVE_SECONDS = 86_400.0  # a segment that is written on gets rows, or ends with its WARC, far sooner
_PID = re.compile(r"-(\d+)\.jsonl")


def describe(places: Places, clock: Clock) -> list[ClosedFile]:
    """Everything that a collection says of itself, up to date; the files, for the stores. Blocking.

    Raises DiskError, and LedgerError where it cannot be told what is hidden.
    """
    try:
        with _alone(places.state / "describe.lock"):
            return _Describing(places, clock).all()
    except OSError as error:
        raise DiskError(f"{error.filename or places.root}: {error.strerror or error} ({room(places.root)})") from error


class _Describing:
    """One call's worth of it."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self._places = places
        self._clock = clock
        self._kept = _read_json(places.state / "described.json")
        self._before = Summary.of(self._kept.get("summary"))
        self._read_before = dict(self._before.read)
        used = self._kept.get("levels")
        self._levels_used: dict[str, int] = used if isinstance(used, dict) else {}
        self._made: list[ClosedFile] = []

    def all(self) -> list[ClosedFile]:
        places = self._places
        for name in (*TEXTS, MANIFEST):
            for left in places.root.glob(f"{name}*.tmp"):  # by a process that was killed
                left.unlink()
        bounds = self._bounds()
        write_rules(places, self._clock, bounds)
        acl = acl_folder(places)
        acl.mkdir(exist_ok=True)
        (acl / HIDDEN_RULES).touch()
        hides = lasting(standing(places.logs), self._clock.now())
        merged = {access: self._merge(access, hides, bounds) for access in Access}
        summary = summarised(places.logs, self._before)
        self._write_texts(self._about(summary, hides, bounds))
        for access in Access:
            self._write_manifest(access, merged[access], summary)
        kept = {"summary": summary.as_json(), "levels": self._levels_used}
        replace_text(places.state / "described.json", json.dumps(kept))
        rules = [ClosedFile(path=path, sha256=_sha256(path)) for path in sorted(acl.glob("*.aclj"))]
        return [*self._made, *rules]

    def _bounds(self) -> Bounds:
        """Read on from where the last call ended: a ledger may be large, and a `save` small."""
        kept = self._places.state / "bounds.json"
        bounds = Bounds(self._places.logs)
        bounds.restore(_read_json(kept))
        bounds.refresh()
        replace_text(kept, json.dumps(bounds.as_json()))
        return bounds

    def _merge(self, access: Access, hides: Sequence[Hide], bounds: Bounds) -> dict[str, str]:
        """The merged index of a class; digests by path relative to the class's own folder."""
        indexes = self._places.indexes(access)
        folder = indexes / MERGED
        if access is not Access.OPEN and not folder.exists() and not any(indexes.glob("*.cdxj")):
            return {}
        index = MergedIndex(folder, self._places.state / f"merged-{access.value}.json")
        levels = index.update(indexes, self._left_out(access, hides, bounds))
        used = max([self._levels_used.get(access.value, 0), *(at for at, one in enumerate(levels) if one.size)])
        self._levels_used[access.value] = used
        return {str(path): digest for path, digest in self._levels(index, levels[: used + 1])}

    def _levels(self, index: MergedIndex, levels: Sequence[Level]) -> Iterator[tuple[Path, str]]:
        """The fuller ones first: a bucket, too, then never lacks a line."""
        for at in sorted(range(len(levels)), key=lambda at: -levels[at].size):
            self._made.append(ClosedFile(path=index.path(at), sha256=levels[at].sha256))
            yield index.path(at), levels[at].sha256

    def _left_out(self, access: Access, hides: Sequence[Hide], bounds: Bounds) -> LeftOut:
        """What is hidden is in no merged index; what has expired or was withheld not in that of what is open."""
        if not hides and access is not Access.OPEN:
            return LeftOut()
        said = sorted(json.dumps([one.match, one.target, dict(one.capture)], sort_keys=True) for one in hides)
        now = iso(self._clock.now())
        gone = {
            f"{file}.cdxj": frozenset(at for at, one in found.items() if one.expired(now) or one.withheld)
            for file, found in bounds.by_file.items()
        }
        return LeftOut(
            mark=hashlib.sha256("\n".join(said).encode()).hexdigest() if hides else "",
            hides=hides_lines(hides) if hides else None,
            offsets=gone if access is Access.OPEN else {},
        )

    def _about(self, summary: Summary, hides: Sequence[Hide], bounds: Bounds) -> About:
        places = self._places
        files = {access: _warcs(places.warcs(access)) for access in Access}
        now = iso(self._clock.now())
        expired = {one.url for one in bounds.all() if one.expired(now) or one.withheld}
        return About(
            name=places.name,
            **summary.about,
            first=summary.first,
            last=summary.last,
            runs=summary.runs,
            files={
                access.value: Files(
                    count=len(found) + len(self._away(access)),
                    size=sum(path.stat().st_size for path in found)
                    + sum(one.size for one in self._away(access).values()),
                )
                for access, found in files.items()
            },
            policies=summary.policies,
            counts=summary.counts,
            segments=len(summary.read),
            heads=summary.heads,
            latest=summary.latest,
            example=_example(places.pages / "pages.jsonl", _unseen(hides, expired)),
            warc=next((path.name for path in files[Access.OPEN]), ""),
            imported=Counter(one.access.value for one in imported(places.logs)),
        )

    def _write_texts(self, about: About) -> None:
        ours = importlib.resources.files("archiver")
        texts = (
            readme(about),
            collection_json(about).decode(),
            pywb.config(about.name, CSP),
            (ours / "ledger" / "schema.json").read_text("utf-8"),
            (ours / "describe" / "check-ledger.sh").read_text("utf-8"),
        )
        for name, text in zip(TEXTS, texts, strict=True):
            self._write(name, text)

    def _write(self, name: str, text: str) -> None:
        path = self._places.root / name
        if _read_text(path) != text:
            replace_text(path, text)
        self._made.append(ClosedFile(path=path, sha256=hashlib.sha256(text.encode()).hexdigest()))

    def _write_manifest(self, access: Access, merged: Mapping[str, str], summary: Summary) -> None:
        """A line once written stays, with the digest of then: that is what it is for."""
        places = self._places
        root = places.root if access is Access.OPEN else places.warcs(access)
        before = read_manifest(_read_text(root / MANIFEST))
        evidence = [*_warcs(places.warcs(access)), *sorted(places.indexes(access).glob("*.cdxj"))]
        grown: set[str] = set()
        if access is Access.OPEN:
            segments = [path for path in segment_paths(places.logs) if not self._is_live(path)]
            grown = {one.name for one in segments if self._read_before.get(one.name) != summary.read.get(one.name)}
            evidence += segments
        if not evidence and not before:
            return
        digests = {path: digest for path, digest in before.items() if not _is_remade(path)}
        for path in evidence:
            name = path.relative_to(root).as_posix()
            if name not in digests or path.name in grown:
                digests[name] = summary.stored.get(str(path.absolute())) or _sha256(path)
        for path, one in self._away(access).items():
            digests.setdefault(path.relative_to(root).as_posix(), one.sha256)
        digests |= {Path(path).relative_to(root).as_posix(): digest for path, digest in merged.items()}
        if access is Access.OPEN:
            digests |= {one.path.name: one.sha256 for one in self._made if one.path.parent == root}
        text = manifest(digests)
        if _read_text(root / MANIFEST) != text:
            replace_text(root / MANIFEST, text)
        self._made.append(ClosedFile(path=root / MANIFEST, sha256=hashlib.sha256(text.encode()).hexdigest()))

    def _away(self, access: Access) -> Mapping[Path, StoredObject]:
        """WARCs of a class that lie in the store alone, by where they lay."""
        folder = self._places.warcs(access)
        found = {self._places.out / one.key: one for one in away(self._places.uploads).values()}
        return {path: one for path, one in found.items() if path.parent == folder}

    def _is_live(self, segment: Path) -> bool:
        """Whether another process on this machine may be writing on it."""
        found = _PID.search(segment.name)
        if found is None or int(found[1]) == os.getpid() or not Path(f"/proc/{found[1]}").exists():
            return False
        return self._clock.epoch() - segment.stat().st_mtime < _LIVE_SECONDS


def _is_remade(path: str) -> bool:
    """Of a manifest: files that are written anew, and stand there as they are now."""
    return path in TEXTS or f"/{MERGED}/" in f"/{path}"


def _warcs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.endswith(_WARC))


def _unseen(hides: Sequence[Hide], expired: set[str]) -> Callable[[str], bool]:
    """Whether a URL is not to be named: hidden, in part hidden, or with a capture that nobody is to see."""
    is_hidden = hides_lines([one for one in hides if one.match != "capture"])
    parts = {surt(url) for one in hides for url in one.capture.get("urls", ())} | {surt(url) for url in expired}
    return lambda url: surt(url) in parts or is_hidden("", surt(url).encode() + b" ")


def _example(pages: Path, unseen: Callable[[str], bool]) -> Example | None:
    """The first page of the list that was answered and may be seen."""
    with contextlib.suppress(FileNotFoundError), pages.open("rb") as file:
        for _, line in zip(range(_LOOKED_AT), file, strict=False):
            with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError):
                row = orjson.loads(line)
                if row["status"] == 200 and not unseen(row["url"]):
                    return Example(url=row["url"], timestamp=re.sub(r"\D", "", row["ts"])[:14])
    return None


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time, others wait."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _read_json(path: Path) -> dict[str, object]:
    try:
        found = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
