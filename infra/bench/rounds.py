"""The rounds: every peer once in each, start-up beside the work, and a check that all fetched the same."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import compare
import measure
import peers
import writing
from measure import Usage
from peers import Job, Peer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

_PRIVATE = ("STORE_", "AWS_", "CRAWL_", "ARCHIVER_", "SCRAPY_", "XDG_", "WGET", "PYTHON")


class Void(Exception):
    """The run counts for nothing: what was to be compared is not the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One peer at one site in one round. `start` is the same command at a site of one page without links."""

    peer: str
    site: str
    round: int
    start: Usage
    work: Usage
    urls: int | None

    @property
    def net(self) -> float:
        """CPU seconds without start-up."""
        return self.work.cpu - self.start.cpu


@dataclass(slots=True)
class Results:
    """`written` maps (who, site) to CPU microseconds an exchange, one value a round; `equal` says what was compared."""

    fetched: list[Fetched] = field(default_factory=list)
    equal: dict[str, str] = field(default_factory=dict)
    written: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    saved: list[Usage] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is being served. `urls` by site name (`empty` and `plain` among them), `folders` where its files are."""

    work: Path
    urls: Mapping[str, str]
    folders: Mapping[str, Path]
    store: Callable[[str], Mapping[str, str]] | None

    def job(self, site: str, peer: str) -> Job:
        """A fresh folder; for peers that upload, a fresh prefix too."""
        folder = self.work / "out" / f"{peer}-{site}-{time.monotonic_ns()}"
        folder.mkdir(parents=True)
        return Job(url=self.urls[site], folder=folder, store=self.store(folder.name) if self.store else {})


def run(stage: Stage, chosen: Sequence[Peer], sites: Sequence[str], rounds: int, *, extras: Sequence[str]) -> Results:
    """`extras` may name `writing` and `save`. Raises Void, CommandFailed."""
    results = Results()
    for peer in chosen:  # once unmeasured: modules get compiled, files get cached
        _used(peer, stage.job("empty", peer.name))
    for number in range(1, rounds + 1):
        for site in sites:
            _say(f"round {number} of {rounds}, {site}")
            results.fetched += _round(stage, chosen, site, number, results)
            if "writing" in extras:
                _write(stage, site, results)
        if "save" in extras:
            results.saved.append(_save(stage, warm=number == 1))
    return results


def _round(stage: Stage, chosen: Sequence[Peer], site: str, number: int, results: Results) -> Iterator[Fetched]:
    warcs: dict[str, list[Path]] = {}
    for peer in chosen:
        start = _used(peer, stage.job("empty", peer.name))
        job = stage.job(site, peer.name)
        used = _used(peer, job)
        warcs[peer.name] = peer.found_warcs(job)
        urls = len(compare.read(warcs[peer.name]).answers) if peer.warcs else _responses(job)
        yield Fetched(peer=peer.name, site=site, round=number, start=start, work=used, urls=urls)
    results.equal[site] = check_equal(site, {name: paths for name, paths in warcs.items() if paths})
    shutil.rmtree(stage.work / "out", ignore_errors=True)


def check_equal(site: str, warcs: Mapping[str, Sequence[Path]]) -> str:
    """Ours equal among themselves, and all that wget has within ours, status and body. Raises Void."""
    held = {name: compare.read(paths) for name, paths in warcs.items()}
    ours = [name for name in held if name != "wget"]
    if not ours:
        return ""
    first = ours[0]
    said = [f"{', '.join(ours)}: the same {len(held[first].answers)} URLs with equal bodies"]
    pairs = [(name, held[name], False) for name in ours[1:]]
    if "wget" in held:
        pairs.append(("wget", held["wget"], True))
        said.append(f"wget: {len(held['wget'].answers)} of them")
    for name, other, within in pairs:
        found = compare.difference(other, held[first], within=within)
        if found:
            raise Void(f"{site}: A = {name}, B = {first}\n{compare.report(other, held[first], found)}")
    return "; ".join(said)


def _used(peer: Peer, job: Job) -> Usage:
    env, log = environment(job.folder, job.store if peer.needs_store else {}), job.folder / "output.log"
    runs = [measure.run(command, cwd=job.folder, env=env, log=log, codes=peer.codes) for command in peer.commands(job)]
    return sum(runs[1:], start=runs[0])


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The caller's, without anyone's settings: own home, no contact, no store, compiled modules kept."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), **more}


def _responses(job: Job) -> int | None:
    """What the bare spider says it received."""
    words = (job.folder / "output.log").read_text(errors="replace").split()
    return int(words[words.index("responses") + 1]) if "responses" in words else None


def _write(stage: Stage, site: str, results: Results) -> None:
    out = {who: stage.work / "out" / f"writing-{who}" for who in ("bare", "ours")}
    for who, folder in out.items():
        log = stage.work / f"writing-{who}.log"
        log.unlink(missing_ok=True)
        command: list[str | Path] = [sys.executable, HERE / "writing.py", who, stage.folders[site], folder]
        measure.run(command, cwd=stage.work, env=environment(stage.work, {}), log=log)
        said = json.loads(log.read_text())
        results.written.setdefault((who, site), []).append(said["cpu"] / said["exchanges"] * 1e6)
    if writing.blocks(out["ours"]) != writing.blocks(out["bare"]):
        raise Void(f"{site}: our recorder and the bare loop did not write the same records")
    shutil.rmtree(stage.work / "out", ignore_errors=True)


def _save(stage: Stage, *, warm: bool) -> Usage:
    peer = Peer(name="save", title="archiver save", commands=peers.save, warcs="collections/*/archive/*.warc.gz")
    if warm:
        _used(peer, stage.job("plain", "save"))
    job = stage.job("plain", "save")
    used = _used(peer, job)
    if job.url not in compare.read(peer.found_warcs(job)).answers:
        raise Void("archiver save kept nothing")
    return used


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
