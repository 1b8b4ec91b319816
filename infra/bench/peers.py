"""Who takes part: the commands that fetch one site, and where their WARCs lie."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
Command = Sequence[str | Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One site to fetch into a folder of its own. `store`: STORE_* and AWS_* variables of an S3 server."""

    url: str
    folder: Path
    store: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`commands` run one after the other; their CPU is added up. `codes`: the exit codes that count as done."""

    name: str
    title: str
    commands: Callable[[Job], list[Command]]
    warcs: str = ""  # glob below the job's folder; "" = writes none
    needs_store: bool = False
    codes: tuple[int, ...] = (0,)

    def found_warcs(self, job: Job) -> list[Path]:
        return sorted(job.folder.glob(self.warcs)) if self.warcs else []


def _wget(job: Job) -> list[Command]:
    options: list[str | Path] = ["-r", "-l", "inf", "-p", "-q", "--no-config", "-P", job.folder / "mirror"]
    return [["wget", *options, f"--warc-file={job.folder / 'wget'}", job.url]]


def _bare_scrapy(job: Job) -> list[Command]:
    return [[sys.executable, "-m", "scrapy", "runspider", HERE / "bare_scrapy.py", "-a", f"url={job.url}"]]


def archiver(*words: str | Path) -> Command:
    return [sys.executable, "-m", "archiver", *words]


def _crawl(driver: str) -> Callable[[Job], list[Command]]:
    def commands(job: Job) -> list[Command]:
        where: list[str | Path] = ["--url", job.url, "--allow-address", job.address, "--out", job.folder]
        return [archiver("crawl", *where, "--driver", driver, "--delay", "0")]

    return commands


def _everything(job: Job) -> list[Command]:
    return [*_crawl("pump")(job), archiver("verify", job.folder / "collections")]


def save(job: Job) -> list[Command]:
    """`archiver save` of one page."""
    return [archiver("save", job.url, "--allow-address", job.address, "--out", job.folder)]


_OURS = "collections/*/archive/*.warc.gz"

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        # wget ends with 8 when some link led to a 404, as one does in PostgreSQL's documentation
        Peer(name="wget", title="wget -r -p --warc-file", commands=_wget, warcs="*.warc.gz", codes=(0, 8)),
        Peer(name="bare", title="Scrapy + LinkExtractor, keeps nothing", commands=_bare_scrapy),
        Peer(name="scrapy", title="archiver crawl --driver scrapy", commands=_crawl("scrapy"), warcs=_OURS),
        Peer(name="pump", title="archiver crawl --driver pump", commands=_crawl("pump"), warcs=_OURS),
        Peer(
            name="all", title="pump + upload to S3 + archiver verify", commands=_everything, warcs=_OURS,
            needs_store=True,
        ),
    )
}  # fmt: skip
"""In the order in which they run, and run again."""
