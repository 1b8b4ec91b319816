"""Measures what is done about consent notices: every case of a consent bench through Chromium and the recording proxy.

    .venv/bin/python infra/bench/consent.py BENCH_FOLDER [CASE ...]

BENCH_FOLDER holds `server.py` and `pages/<case>/manifest.json`; the server's `/_states` tells what each page's own
stored state says, which is compared with our outcome. Ends with 0 when the bar of the table's last lines is met.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from archiver.browser.consent import Consent  # noqa: E402
from archiver.browser.consent_package import Package, find_package  # noqa: E402
from archiver.browser.steps import Steps  # noqa: E402
from archiver.browser_binary import find_chromium  # noqa: E402
from archiver.clock import SYSTEM  # noqa: E402
from archiver.ports.browser import Rendered  # noqa: E402
from tests.browser import kit  # noqa: E402

FRAMES = 8801
"""The port that cases with frames of another site name."""
DONE = {"rejected"}
ACCEPTED = {"accepted", "paid"}


@dataclass
class Row:
    case: str
    want: str
    state: str = "?"
    outcome: str = "?"
    engine: str = ""
    clicks: list[str] = field(default_factory=list)
    seconds: float = 0.0
    consent: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def fault(self) -> str:
        """Why this case counts against us, in a few words; empty when it does not."""
        if self.state in ACCEPTED:
            return "ACCEPTED"
        if self.want == "no click":
            return "CLICKED" if self.clicks else ""
        if self.outcome == "rejected" and self.state not in DONE:
            return "CLAIMED"
        if self.want == "rejected":
            return "" if self.state in DONE and self.outcome == "rejected" else "missed"
        if self.want.startswith("not accepted") or self.want.startswith("any but"):
            return "" if self.outcome == "no-reject-option" and not self.clicks else "other outcome"
        return ""


@contextmanager
def server(bench: Path) -> Iterator[int]:
    ports = [_free_port(), _free_port(FRAMES)]
    command = [sys.executable, "server.py", "--port", str(ports[0]), "--frame-port", str(ports[1])]
    process = subprocess.Popen(command, cwd=bench)
    try:
        _wait(ports[0])
        yield ports[0]
    finally:
        process.terminate()
        process.wait(10)


def _free_port(wanted: int = 0) -> int:
    """`wanted` when nobody listens there, else any: then somebody serves the same frames already."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", wanted))
        except OSError:
            one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the bench's server does not start")


def states(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_states", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


async def one(rig: kit.Rig, port: int, case: str, want: str) -> tuple[Row, Rendered]:
    started = time.monotonic()
    views = frozenset({"view", "text", "dom"})
    plan = {"views": views, "seconds": 60.0, "behaviors": ("scroll",)}
    rendered = await rig.see(f"http://www.bench.test:{port}/b/{case}/", site=case, **plan)
    row = Row(case=case, want=want, seconds=time.monotonic() - started)
    if rendered.consent is not None:
        row.outcome, row.engine = rendered.consent.outcome, rendered.consent.engine
        row.details = dict(rendered.consent.details)
        row.consent = float(row.details.get("seconds", 0.0))
    return row, rendered


async def measure(bench: Path, cases: Sequence[str], shots: Path | None) -> list[Row]:
    chromium, package = find_chromium(os.environ), find_package(os.environ)
    if chromium is None:
        raise SystemExit("no Chromium")
    consent = Consent(SYSTEM, None if package is None else Package.load(package))
    rows = []
    with server(bench) as port, tempfile.TemporaryDirectory() as spool:
        rig = kit.Rig.make(chromium, spool=Path(spool), sandbox=os.geteuid() != 0)
        steps: Steps = replace(rig.chromium._steps, consent=consent)
        rig.chromium._steps = steps
        try:
            for folder in sorted((bench / "pages").iterdir()):
                manifest = json.loads((folder / "manifest.json").read_text())
                if cases and manifest["case"] not in cases:
                    continue
                row, rendered = await one(rig, port, manifest["case"], manifest["expects"]["want_reject"])
                told = states(port).get(manifest["case"], {})
                row.state, row.clicks = told.get("state", "none"), told.get("clicks", [])
                rows.append(row)
                print(line(row), flush=True)
                if shots is not None:
                    _keep(shots, row, rendered)
        finally:
            await rig.close()
    return rows


def _keep(shots: Path, row: Row, rendered: Rendered) -> None:
    shots.mkdir(parents=True, exist_ok=True)
    (shots / f"{row.case}.json").write_text(json.dumps(row.details, indent=1, default=str))
    for view in rendered.views:
        if view.name in {"view", "viewBefore"}:
            (shots / f"{row.case}.{view.name}.png").write_bytes(view.payload)


def line(row: Row) -> str:
    clicks = len(row.clicks)
    return (
        f"{row.case:28} {row.want:24} {row.state:10} {row.outcome:20} {row.engine:15} {clicks:3d} {row.consent:6.2f} "
        f"{row.seconds:6.2f}  {row.fault}"
    )


def totals(rows: Sequence[Row]) -> bool:
    faults = [row.fault for row in rows]
    rejectable = [row for row in rows if row.want == "rejected"]
    quiet = [row.consent for row in rows if row.outcome in {"absent", "not-loaded"}]
    missed = faults.count("missed")
    done = sum(row.state == "rejected" for row in rejectable)
    print(
        f"\n{len(rows)} cases; rejected by the page's own state {done} of {len(rejectable)}; missed {missed};", end=" "
    )
    print(
        f"accepted {faults.count('ACCEPTED')}; clicked where nothing is to be touched {faults.count('CLICKED')};",
        end=" ",
    )
    print(f"claimed without {faults.count('CLAIMED')}; other {faults.count('other outcome')}")
    if quiet:
        median = statistics.median(quiet)
        print(f"seconds waited where there was no notice: median {median:.2f}, most {max(quiet):.2f}")
    return missed <= 1 and not {"ACCEPTED", "CLICKED", "CLAIMED", "other outcome"} & set(faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--keep", type=Path, help="a folder for shots and details")
    options = parser.parse_args()
    head = f"{'case':28} {'want':24} {'state':10} {'outcome':20} {'engine':15} {'clk':>3} {'consent':>6} {'all':>6}"
    print(head)
    rows = asyncio.run(measure(options.bench.resolve(), options.cases, options.keep))
    return 0 if totals(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
