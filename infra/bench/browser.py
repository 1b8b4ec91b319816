"""What a page costs in the browser lane: CPU of the whole process tree, beside plain Playwright, in one run.

    .venv/bin/python infra/bench/browser.py [--rounds N] [--peers A,B,C,D] [--paced]

20 pages, 380 answers (`browser_pages.py`). A: Playwright waits for each page's done mark, nothing is kept. B: A with a
picture of the window, of all of the page, a thumbnail, and the DOM. C: `archiver crawl --lane browser` without
pictures, text, DOM, behaviours, consent left alone. D: C as shipped, everything on. All at delay 0, which an allowed
address permits; `--paced` runs D once more at the shipped delay. The server is not counted.

Peers take turns (A B C D A B ...), each started once at an empty page in the same round: net is without that. The run
is void (exit code 1) unless the server sent 380 answers to each, each once, and ours has them all in its WARC, exact.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from browser_pages import ANSWERS, EMPTY, answers, paths  # noqa: E402

from archiver.browser_binary import find_chromium  # noqa: E402
from tests.servers.pages import Hit, Pages, serving  # noqa: E402
from tests.system.browsing import kept, sent  # noqa: E402
from tests.system.cli import records  # noqa: E402

HERE = Path(__file__).resolve().parent
LIMIT_SECONDS = 400.0
_SET_CHILD_SUBREAPER = 36  # prctl(2)
_LITTLE = {"screenshot": [], "text": False, "dom": False, "behaviors": [], "signals": {"consent": "leave"}}
_AIMS = (("C", "A", 1.3), ("D", "B", 1.3))
WAIT_AIM = 1.0


class Void(Exception):
    """The run counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Seconds. `cpu`: user + system of the command and of every process that came of it; `waits`: one a page, from the
    last answer to the first request of the next page."""

    cpu: float
    wall: float
    waits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    start: Used
    work: Used

    @property
    def net(self) -> float:
        return self.work.cpu - self.start.cpu


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="A,B,C,D", type=lambda text: text.split(","))
    parser.add_argument("--paced", action="store_true")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us, with what they used
    load = os.getloadavg()[0]
    found: dict[str, list[Round]] = {name: [] for name in options.peers}
    try:
        with serving(answers()) as site, tempfile.TemporaryDirectory(prefix="bench-") as work:
            for number in range(1, options.rounds + 1):
                for name in options.peers:
                    found[name].append(_round(name, site, Path(work) / f"{name}{number}"))
                    _say(number, name, found[name][-1])
            paced = _paced(site, Path(work) / "paced") if options.paced else None
    except Void as error:
        print(f"bench: void: {error}", file=sys.stderr)
        return 1
    print(_table(found, paced, (load, os.getloadavg()[0])))
    return 0


# --- one peer ---------------------------------------------------------------------------------------------------------


def _round(name: str, site: Pages, folder: Path) -> Round:
    start = _run(name, site, [EMPTY], folder / "start")
    return Round(start=start, work=_run(name, site, paths(), folder / "work"))


def _run(name: str, site: Pages, wanted: Sequence[str], folder: Path, delay: float | None = 0) -> Used:
    """Raises Void where something is missing."""
    folder.mkdir(parents=True)
    site.hits.clear()
    urls = [site.url(path) for path in wanted]
    ours = name in ("C", "D")
    command = _ours(folder, site, urls, little=name == "C", delay=delay) if ours else _plain(name, urls)
    cpu, wall = measured(command, folder)
    if ours:
        _check_kept(name, site, folder)
    if len(wanted) > 1:
        _check_sent(name, site)
    return Used(cpu=cpu, wall=wall, waits=tuple(_waits(site.asked)))


def _plain(name: str, urls: Sequence[str]) -> list[str]:
    return [sys.executable, str(HERE / "browser_peer.py"), "shots" if name == "B" else "done", *urls]


def _ours(folder: Path, site: Pages, urls: Sequence[str], *, little: bool, delay: float | None) -> list[str]:
    config = {"seeds": list(urls), "scopeType": "page", "lane": "browser", "driver": "pump", "concurrency": 1,
              "allowAddresses": [site.address], **(_LITTLE if little else {})}  # fmt: skip
    if delay is not None:
        config["delay"] = delay
    (folder / "crawl.yaml").write_text(json.dumps(config))
    return [sys.executable, "-m", "archiver", "crawl", str(folder / "crawl.yaml"), "--out", str(folder / "crawls")]


def _check_sent(name: str, site: Pages) -> None:
    count = site.count()
    twice = [path for path, times in count.items() if times > 1]
    if count.total() != ANSWERS or twice or count.keys() - site.answers.keys():
        raise Void(f"{name}: {count.total()} requests for {ANSWERS} answers; more than once: {twice[:5]}")


def _check_kept(name: str, site: Pages, folder: Path) -> None:
    """Each answer byte for byte."""
    found = kept(records(folder / "crawls/collections/main"))
    lost = sent(site) - found
    if lost:
        raise Void(f"{name}: {lost.total()} answers are not in the WARC: {sorted(lost)[:3]}")


def _waits(hits: Sequence[Hit]) -> list[float]:
    """By page: from its last answer to the next page's first request."""
    pages: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda one: one.at):
        if hit.path.endswith("/"):
            pages.append([])
        pages[-1].append(hit)
    return [later[0].at - max(one.done for one in page) for page, later in pairwise(pages)]


def measured(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """CPU seconds of the command and of all that came of it, dead or alive at its end, and wall seconds."""
    kept_names = {name: value for name, value in os.environ.items() if not name.startswith(("ARCHIVER_", "XDG_"))}
    environ = {
        **kept_names,
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "ARCHIVER_CHROMIUM": str(find_chromium(os.environ)),
    }
    log = (folder / "output.log").open("wb")
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    cpu, code = _reap(process.pid, started + LIMIT_SECONDS)
    wall = time.perf_counter() - started
    log.close()
    process.returncode = code
    if code != 0:
        raise Void(f"{command[1:4]} ended with {code}: {(folder / 'output.log').read_text()[-2000:]}")
    return cpu, wall


def _reap(pid: int, deadline: float) -> tuple[float, int]:
    """Every process ends as a child of somebody who waited for it: in the end, of ours."""
    cpu, code = 0.0, -1
    while True:
        try:
            done, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return cpu, code
        if done == 0:
            if time.perf_counter() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
            continue
        cpu += used.ru_utime + used.ru_stime
        code = os.waitstatus_to_exitcode(status) if done == pid else code


# --- the table --------------------------------------------------------------------------------------------------------

_TITLES = {
    "A": "Playwright, done mark", "B": "A, pictures, DOM", "C": "ours, no views, consent left", "D": "ours, everything"
}  # fmt: skip


def _paced(site: Pages, folder: Path) -> Used:
    return _run("D", site, paths(), folder, delay=None)


def _say(number: int, name: str, found: Round) -> None:
    work = found.work
    print(
        f"bench: round {number} {name}: {work.cpu:.2f} s CPU, net {found.net:.2f}, {work.wall:.1f} s", file=sys.stderr
    )


def _table(found: Mapping[str, Sequence[Round]], paced: Used | None, load: tuple[float, float]) -> str:
    lines = ["| peer | delay s | CPU s | start-up s | net CPU s | net ms/answer | wall s | s after the last answer |"]
    lines.append("| --- " * 8 + "|")
    for name, rounds in found.items():
        whole, net = _spread(rounds, lambda one: one.work.cpu), _spread(rounds, lambda one: one.net)
        start, each = _median(rounds, lambda one: one.start.cpu), _median(rounds, lambda one: one.net) / ANSWERS * 1e3
        wall, wait = _median(rounds, lambda one: one.work.wall), _median(rounds, lambda one: _middle(one.work))
        figures = f"{whole} | {start:.2f} | {net} | {each:.1f} | {wall:.1f} | {wait:.2f}"
        lines.append(f"| {name}: {_TITLES[name]} | 0 | {figures} |")
    if paced is not None:
        lines.append(f"| D: at the default pace | 1 | {paced.cpu:.2f} | | | | {paced.wall:.1f} | |")
    lines += ["", "| aim, delay 0 | median [min-max] | should be |  |", "| --- | --- | --- | --- |"]
    for name, other, aim in _AIMS:
        if name in found and other in found:
            pairs = list(zip(found[name], found[other]))
            for what, of in (("whole", lambda one: one.work.cpu), ("net", lambda one: one.net)):
                ratios = [of(ours) / of(theirs) for ours, theirs in pairs]
                lines.append(_aim(f"{name} / {other}, {what}", ratios, aim))
    if "D" in found:
        lines.append(
            _aim("D: s after the last answer, median of pages", [_middle(one.work) for one in found["D"]], WAIT_AIM)
        )
    return "\n".join([*lines, "", f"Load average {load[0]:.1f} before, {load[1]:.1f} after."])


def _aim(what: str, values: Sequence[float], aim: float) -> str:
    middle = statistics.median(values)
    verdict = "met" if middle <= aim else "missed"
    return f"| {what} | {middle:.2f} [{min(values):.2f}-{max(values):.2f}] | <= {aim:.2f} | {verdict} |"


def _middle(used: Used) -> float:
    return statistics.median(used.waits) if used.waits else 0.0


def _median(rounds: Sequence[Round], of: Callable[[Round], float]) -> float:
    return statistics.median(map(of, rounds))


def _spread(rounds: Sequence[Round], of: Callable[[Round], float]) -> str:
    values = [of(one) for one in rounds]
    return f"{statistics.median(values):.2f} [{min(values):.2f}-{max(values):.2f}]"


if __name__ == "__main__":
    sys.exit(main())
