"""What compliance costs a URL: `python infra/bench/compliance.py`. CPU microseconds, medians of rounds.

For each of three kinds of page: the robots.txt match in both readings, the decision, its ledger row (written), the keep
verdict by header and, where the page has such elements, again by them, and the outcome row (written). Everything that
the rest of a crawl does anyway (dial, parse, WARC) is left out. Every page has a URL, a Date and an ETag of its own.

On the last kind of page one carrier differs each time (a date), as when a site writes its own expiry into each page.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archiver import urls
from archiver.clock import SYSTEM
from archiver.gateway import record
from archiver.ledger.segments import JsonlLedger
from archiver.model import (
    NO_ELEMENTS,
    Actor,
    Candidate,
    Decision,
    Elements,
    Exchange,
    Fetched,
    Framing,
    Keep,
    Objection,
    Reason,
    Verdict,
    WarcRecordRef,
)
from archiver.policy.decide import decide
from archiver.policy.keep import Judge
from archiver.policy.profiles import STRICT
from archiver.policy.robots import RobotsFile, parse
from archiver.ports import Recorded
from archiver.spooled import Spool

AGENTS = ("PoliteArchiver",)
PAGES = 2_000
ROUNDS = 7
RULES = "User-agent: *\n" + "".join(f"Disallow: /private/{n}/\nDisallow: /*?sort={n}\n" for n in range(30))
SAYS = RULES + "Content-Usage: train-ai=n\nContent-Signal: ai-train=no\nLicense: https://a.test/rsl.xml\n"
USUAL = (
    (b"date", b"Mon, 23 Nov 2026 12:00:00 GMT"), (b"server", b"nginx"), (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", b"14000"), (b"etag", b'W/"%d"'), (b"vary", b"Accept-Encoding"), (b"x-frame-options", b"DENY"),
    (b"strict-transport-security", b"max-age=31536000"), (b"x-content-type-options", b"nosniff"),
    (b"link", b"</app.css>; rel=preload; as=style"), (b"connection", b"keep-alive"),
)  # fmt: skip
TYPICAL = (*USUAL, (b"x-robots-tag", b"noindex, nofollow"), (b"cache-control", b"private, no-store, max-age=0"))
EVERY = (
    *TYPICAL, (b"x-robots-tag", b"otherbot: noarchive"), (b"x-robots-tag", b"unavailable_after: 25 Jun 2100 15:00 GMT"),
    (b"content-usage", b"train-ai=n, search=y"), (b"tdm-reservation", b"1"), (b"tdm-policy", b"https://a.test/tdm"),
    (b"link", b'<https://a.test/l.xml>; rel="license"; type="application/rsl+xml"'), (b"robots-tag", b"*=noindex"),
    (b"memento-datetime", b"Thu, 31 May 2007 20:35:00 GMT"), (b"crawler-price", b"USD 0.01"),
)  # fmt: skip
SPEAKING = Elements(
    metas=(
        ("description", "x"),
        ("robots", "noai, max-snippet:20"),
        ("politearchiver", "noml"),
        ("tdm-reservation", "1"),
    ),
    licenses=(("license", "https://a.test/l.xml", "application/rsl+xml"), ("license", "https://cc.test/by/4.0/", "")),
)
ORDINARY = Elements(metas=(("viewport", "width=device-width"), ("description", "x"), ("generator", "y")))


@dataclass(frozen=True, slots=True)
class Sort:
    """A kind of page."""

    name: str
    headers: tuple[tuple[bytes, bytes], ...]
    elements: Elements
    robots: bytes
    dated: bool = False


SORTS = (
    Sort("plain page", USUAL, ORDINARY, RULES.encode()),
    Sort("X-Robots-Tag and Cache-Control", TYPICAL, ORDINARY, RULES.encode()),
    Sort("every carrier", EVERY, SPEAKING, SAYS.encode()),
    Sort("every carrier, one of them new each time", EVERY, SPEAKING, SAYS.encode(), dated=True),
)


def exchange(sort: Sort, number: int) -> Exchange:
    headers = tuple((name, value % number if name == b"etag" else value) for name, value in sort.headers)
    if sort.dated:
        moment = datetime(2100, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        headers += ((b"x-robots-tag", f"unavailable_after: {moment:%Y-%m-%dT%H:%M:%SZ}".encode()),)
    return Exchange(
        url=url(number), method="GET", request=b"", response=Spool(b"x" * 100), head_start=0, body_start=50, status=200,
        reason="OK", headers=headers, framing=Framing.LENGTH, ip="192.0.2.1", port=443,
        started_at=datetime(2026, 11, 23, tzinfo=UTC), seconds=0.02,
    )  # fmt: skip


def url(number: int) -> str:
    return f"https://a.test/articles/{number % 97}/an-article-about-something-{number}.html?page={number}"


class Steps:
    """The same steps as gateway and robots take; `spent` holds seconds of CPU by name."""

    def __init__(self, sort: Sort, ledger: JsonlLedger) -> None:
        self._sort = sort
        self._ledger = ledger
        self._files: tuple[RobotsFile, RobotsFile] = (parse(sort.robots), parse(sort.robots, "google"))
        self._judge = Judge(STRICT, AGENTS)
        self.spent: dict[str, float] = {}

    def run(self, candidate: Candidate, answer: Exchange) -> None:
        at = time.process_time()
        decision = self._decide(candidate)
        at = self._spent("robots.txt and decision", at)
        self._ledger.append(record.decision_entry(candidate, decision))
        at = self._spent("decision row", at)
        keep = self._keep(candidate, answer)
        at = self._spent("page signals and verdict", at)
        self._tell(candidate, answer, decision, keep)
        self._spent("outcome row", at)

    def _decide(self, candidate: Candidate) -> Decision:
        found = [one.match(AGENTS, candidate.url) for one in self._files]
        refused = next((one for one in found if not one.allowed), None)
        objection = None
        if refused is not None:
            objection = Objection(verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule=refused.rule or "")
        decision = decide([objection, None], policy="strict/1")
        notes = {"robots": {"state": "fresh", "group": "*", "status": 200}}
        return replace(decision, evidence="urn:uuid:00000000-0000-4000-8000-000000000000", notes=notes)

    def _keep(self, candidate: Candidate, answer: Exchange) -> Keep:
        keep = self._judge(candidate, answer, NO_ELEMENTS, self._files[0])
        if self._judge.concerns(self._sort.elements):
            keep = self._judge(candidate, answer, self._sort.elements, self._files[0])
        return keep

    def _tell(self, candidate: Candidate, answer: Exchange, decision: Decision, keep: Keep) -> None:
        fetched = Fetched(candidate=candidate, decision=decision, exchange=answer, keep=keep)
        row = record.outcome_entry(fetched, RECORDED)
        assert row is not None
        self._ledger.append(row)

    def _spent(self, name: str, since: float) -> float:
        now = time.process_time()
        self.spent[name] = self.spent.get(name, 0.0) + now - since
        return time.process_time()


REFERENCE = WarcRecordRef(file="A.warc.gz", offset=1, length=1, record_id="urn:uuid:1", type="response")
RECORDED = Recorded(refs=(REFERENCE,), payload_digest="sha256:" + "0" * 64)


def one_round(sort: Sort, folder: Path) -> dict[str, float]:
    """Microseconds a page by step."""
    pairs = [
        (Candidate(url=url(n), key=urls.canonical(url(n)), origin=urls.origin_of(url(n))), exchange(sort, n))
        for n in range(PAGES)
    ]
    ledger = JsonlLedger(folder, SYSTEM, job="0" * 32, actor=Actor(name="bench"))
    steps = Steps(sort, ledger)
    for candidate, answer in pairs:
        steps.run(candidate, answer)
    ledger.close()
    return {name: seconds / PAGES * 1e6 for name, seconds in steps.spent.items()}


def main() -> None:
    print("| page | " + " | ".join(("robots.txt and decision", "decision row", "signals", "outcome row", "all")) + " |")
    print("| --- | --- | --- | --- | --- | --- |")
    for sort in SORTS:
        with tempfile.TemporaryDirectory() as folder:
            rounds = [one_round(sort, Path(folder)) for _ in range(ROUNDS)]
        steps = [statistics.median(one[name] for one in rounds) for name in rounds[0]]
        every = [sum(one.values()) for one in rounds]
        whole = f"{statistics.median(every):.0f} [{min(every):.0f}-{max(every):.0f}]"
        print(f"| {sort.name} | " + " | ".join(f"{value:.0f}" for value in steps) + f" | {whole} |")


if __name__ == "__main__":
    main()
