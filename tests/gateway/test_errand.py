"""What the gate records of robots.txt: two jobs, one remembered copy, each with its own evidence."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from archiver.clock import ManualClock, iso
from archiver.model import CaptureItem, DocumentItem, FailureCode, Truncated
from archiver.wire.memory import Answer
from archiver.wire.robots import RobotsService
from tests.gateway.gate import Bench, candidate

SITE = "https://a.test"
RULES = b"User-agent: *\nDisallow: /private\n"
FULL = Answer(headers={"ETag": '"v1"', "Content-Encoding": "identity"}, body=RULES)
SAME = Answer(status=304, headers={"ETag": '"v1"', "Cache-Control": "max-age=600"})
DAY = 86_400


async def run(clock: ManualClock, state: Path, robots_txt: Answer) -> tuple[Bench, str | None, bool]:
    """A job that asks about one page; its bench, the evidence of the decision, and whether the page is allowed."""
    service = RobotsService(clock, ("PoliteArchiver",), str(state))
    bench = Bench({f"{SITE}/robots.txt": robots_txt}, clock=clock, robots=service)
    admitted = await bench.gate.admit(candidate(f"{SITE}/private"))
    await bench.gate.admit(candidate(f"{SITE}/open"))
    await service.close()
    return bench, admitted.decision.evidence, admitted.decision.allowed


@pytest.mark.parametrize(
    "later",
    [SAME, Answer(status=503), Answer(failure=FailureCode.CONNECT_ERROR)],
    ids=["not modified", "an error", "no answer"],
)
async def test_the_copy_a_job_rests_on_is_in_its_own_records(tmp_path: Path, later: Answer) -> None:
    clock = ManualClock()
    state, began = tmp_path / "robots.sqlite", clock.now()
    first, original, allowed = await run(clock, state, FULL)
    assert not allowed and len(first.recorder.items) == 1
    clock.advance(10 * DAY)
    bench, evidence, allowed = await run(clock, state, later)
    assert not allowed
    asked, content, about = bench.recorder.items
    assert isinstance(content, DocumentItem) and isinstance(about, DocumentItem)
    assert (content.type, content.target) == ("conversion", f"urn:robots:{SITE}/robots.txt")
    assert (content.payload, content.date, content.refers_to) == (RULES, began, original)
    assert content.truncated is None
    assert content.record_id == evidence != original
    assert (about.type, about.target, about.refers_to) == ("metadata", content.target, evidence)
    told = orjson.loads(about.payload)
    answer = asked.response_id if isinstance(asked, CaptureItem) else asked.record_id
    assert (told["original"], told["answer"], told["decoded"]) == (original, answer, ["identity"])
    assert told["fetchedAt"] == iso(began)
    assert told["validatedAt"] == iso(clock.now() if later is SAME else began)
    (row,) = bench.rows("robotsCopy")
    assert (row["record"]["record_id"], row["original"], row["answer"]) == (evidence, original, answer)
    assert row["url"] == f"{SITE}/robots.txt"


async def test_the_request_says_which_copy_it_asks_about(tmp_path: Path) -> None:
    clock, state = ManualClock(), tmp_path / "robots.sqlite"
    await run(clock, state, FULL)
    bench, _, _ = await run(clock, state, SAME)
    assert dict(bench.web.asked[0].headers)[b"If-None-Match"] == b'"v1"'
    asked = bench.recorder.items[0]
    assert isinstance(asked, CaptureItem)
    assert asked.exchange.status == 304 and b'If-None-Match: "v1"' in asked.exchange.request


async def test_a_cut_copy_is_marked(tmp_path: Path) -> None:
    clock, state = ManualClock(), tmp_path / "robots.sqlite"
    await run(clock, state, Answer(headers={"ETag": '"v1"'}, body=RULES + b"#" * 600_000))
    bench, _, _ = await run(clock, state, SAME)
    content = bench.recorder.items[1]
    assert isinstance(content, DocumentItem)
    assert content.truncated is Truncated.LENGTH and bench.rows("robotsCopy")[0]["truncated"] is True
