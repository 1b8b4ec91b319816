"""Three hundred pages through one run's browser: what grows, and what is left when it is closed.

    .venv/bin/python infra/bench/browser_soak.py [--pages 300]

Every page has a script, pictures, a worker, frames and a window; sites change every ten pages. Printed: memory of this
process after garbage collection (linear fit over the last two thirds, KB a 100 pages), the proportional set size of
Chromium's tree after the first ten pages of each process, and the processes left at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from archiver.browser.flags import has_sandbox  # noqa: E402
from archiver.browser.tree import Tree, below, everyone  # noqa: E402
from archiver.browser_binary import find_chromium  # noqa: E402
from tests.browser.kit import Rig, Site, serving  # noqa: E402

SITE_PAGES = 10
"""Pages of a site; and of a process, before its memory is looked at."""

PAGE = """<!doctype html><title>page</title><link rel=icon href="data:,"><h1>headline</h1>
<img src=/a.png?N width=100 height=100><iframe src=/frame?N></iframe><div id=app></div><script>
for (let i = 0; i < 300; i++) app.append(Object.assign(document.createElement('p'), {textContent: 'line ' + i}));
new Worker('/worker.js'); fetch('/data?N').then(answer => answer.text()); if (N % 20 === 0) window.open('/popup');
</script>"""


@dataclass(slots=True)
class Measured:
    """`python`: (page, KB); `trees`: KB of Chromium's tree, once a process, and `anonymous` what of it no file holds:
    that part does not depend on which other Chromiums share the program's pages; `left`: processes after the end."""

    python: list[tuple[int, float]] = field(default_factory=list)
    trees: list[float] = field(default_factory=list)
    anonymous: list[float] = field(default_factory=list)
    left: int = -1

    def growth(self) -> float:
        """KB a 100 pages, over the last two thirds."""
        late = self.python[len(self.python) // 3 :]
        return 100 * statistics.linear_regression([at for at, _ in late], [size for _, size in late]).slope

    def spread(self) -> float:
        """The largest difference of a process's tree from the first one's, as a share of that."""
        return _spread(self.trees)


def _spread(sizes: Sequence[float]) -> float:
    return max((abs(size / sizes[0] - 1) for size in sizes[1:]), default=0.0)


def resident() -> float:
    """KB of this process, after a collection."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def proportional(tree: Tree, line_of: str = "Pss:") -> float:
    """KB: shared pages counted once (proc(5), smaps_rollup). `Pss_Anon:` leaves out what is mapped from files."""
    total = 0
    for one in tree.members():
        try:
            lines = Path(f"/proc/{one.pid}/smaps_rollup").read_text("ascii").splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith(line_of)), 0)
    return float(total)


def fill(site: Site) -> None:
    site.pages = {
        "/frame": "<p>frame</p>", "/worker.js": ("text/javascript", b"postMessage(1)"),
        "/data": ("text/plain", b"x" * 20_000), "/a.png": ("image/png", b"no picture"),
    }  # fmt: skip


async def soak(chromium: Path, pages: int, spool: Path) -> Measured:
    rig = Rig.make(chromium, spool=spool, sandbox=has_sandbox(os.environ))
    measured, sessions = Measured(), set()
    async with serving() as site:
        for number in range(pages):
            fill(site)
            site.seen.clear()
            site.pages[f"/{number}"] = PAGE.replace("N", str(number))
            views = frozenset({"dom", "view", "thumbnail"})
            rendered = await rig.see(site.url(f"/{number}"), site=f"site {number // SITE_PAGES}", views=views)
            assert not rendered.failed, rendered.failed
            rig.last = rendered = None  # type: ignore[assignment]
            measured.python.append((number, resident()))
            process = rig.chromium._process
            if process is not None:
                sessions.add(process.tree.session)
                if process.pages == SITE_PAGES:
                    measured.trees.append(proportional(process.tree))
                    measured.anonymous.append(proportional(process.tree, "Pss_Anon:"))
            if number % 50 == 49:
                print(number + 1, round(measured.python[-1][1]), measured.trees, file=sys.stderr, flush=True)
    await rig.close()
    ours = {one.pid for one in below(os.getpid())} | {one.pid for one in everyone() if one.session in sessions}
    measured.left = len(ours)
    return measured


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=300)
    options = parser.parse_args(arguments)
    chromium = find_chromium(os.environ)
    if chromium is None:
        print("no Chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as spool:
        found = asyncio.run(soak(chromium, options.pages, Path(spool)))
    said = {
        "pages": options.pages, "kb_per_100_pages": round(found.growth()), "python_kb": round(found.python[-1][1]),
        "trees_kb": [round(size) for size in found.trees], "spread": round(found.spread(), 3), "left": found.left,
        "anonymous_kb": [round(size) for size in found.anonymous],
        "anonymous_spread": round(_spread(found.anonymous), 3),
    }  # fmt: skip
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
