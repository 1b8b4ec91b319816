"""The results as Markdown: figures, then the aims beside them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

from peers import PEERS
from rounds import Fetched, Results

_PACKAGES = ("scrapy", "twisted", "lxml", "h11", "isal", "uvloop", "warcio", "boto3")

# (what, peer, held against, site, aim)
AIMS = (
    ("Scrapy driver / bare Scrapy", "scrapy", "bare", "s5", 0.35),
    ("Scrapy driver / bare Scrapy", "scrapy", "bare", "pg", 0.50),
    ("pump / wget", "pump", "wget", "s5", 1.00),
    ("pump / wget", "pump", "wget", "pg", 1.00),
)
WRITING_AIM = 1.3
SAVE_AIM = 0.8


def render(results: Results, *, load: tuple[float, float]) -> str:
    """`load`: the machine's one-minute load average before and after."""
    parts = [_machine(load), _figures(results), _equal(results), _aims(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(load: tuple[float, float]) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}; {_first_line('wget', '--version')}; {_first_line('nginx', '-v')}; "
        f"{versions}. Load average {load[0]:.1f} before, {load[1]:.1f} after."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _first_line(program: str, option: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
    said = subprocess.run([program, option], capture_output=True, text=True, env={**os.environ, "PATH": path})
    return (said.stdout or said.stderr).splitlines()[0].removeprefix("nginx version: ")


def _figures(results: Results) -> str:
    rows: list[Sequence[str]] = []
    for site in dict.fromkeys(one.site for one in results.fetched):
        for name, peer in PEERS.items():
            runs = [one for one in results.fetched if (one.peer, one.site) == (name, site)]
            if runs:
                rows.append((site, f"{name}: {peer.title}", *_figure_row(runs)))
    head = ("site", "peer", "URLs", "CPU s", "start-up s", "net CPU s", "net ms/URL", "wall s", "RSS MB")
    return _table(head, rows) if rows else ""


def _equal(results: Results) -> str:
    return "\n".join(f"- {site}: {said}." for site, said in results.equal.items() if said)


def _figure_row(runs: Sequence[Fetched]) -> Sequence[str]:
    urls = runs[-1].urls
    nets = [one.net for one in runs]
    return (
        str(urls or "-"),
        _spread(one.work.cpu for one in runs),
        f"{median(one.start.cpu for one in runs):.2f}",
        _spread(nets),
        f"{median(nets) / urls * 1000:.2f}" if urls else "-",
        f"{median(one.work.wall for one in runs):.1f}",
        f"{max(one.work.rss for one in runs):.0f}",
    )


def _aims(results: Results) -> str:
    rows: list[Sequence[str]] = []
    for what, peer, against, site, aim in AIMS:
        ratios = _paired(results.fetched, peer, against, site)
        if ratios:
            rows.append((f"{what}, {site}, net", _spread(ratios), f"<= {aim:.2f}", _verdict(median(ratios), aim)))
    for site in dict.fromkeys(site for _, site in results.written):
        ours, bare = results.written["ours", site], results.written["bare", site]
        ratios = [mine / least for mine, least in zip(ours, bare, strict=True)]
        what = f"WARC writing / bare loop, {site} ({median(ours):.0f} / {median(bare):.0f} us an exchange)"
        rows.append((what, _spread(ratios), f"<= {WRITING_AIM:.2f}", _verdict(median(ratios), WRITING_AIM)))
    if results.saved:
        seconds = [used.cpu for used in results.saved]
        verdict = _verdict(median(seconds), SAVE_AIM)
        rows.append(("archiver save of a plain page, CPU s", _spread(seconds), f"< {SAVE_AIM:.2f}", verdict))
    return _table(("aim", "median [min-max]", "should be", ""), rows) if rows else ""


def _paired(fetched: Iterable[Fetched], peer: str, against: str, site: str) -> list[float]:
    """Net CPU of `peer` over that of `against`, round by round."""
    nets = {(one.peer, one.round): one.net for one in fetched if one.site == site}
    rounds = sorted({number for _, number in nets})
    return [nets[peer, n] / nets[against, n] for n in rounds if (peer, n) in nets and (against, n) in nets]


def _verdict(value: float, aim: float) -> str:
    return "met" if value <= aim else "missed"


def _spread(values: Iterable[float], form: Callable[[float], str] = "{:.2f}".format) -> str:
    found = list(values)
    return f"{form(median(found))} [{form(min(found))}-{form(max(found))}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
