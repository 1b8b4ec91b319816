"""After a seed's page its site is asked how pages may be used: when, how often, and what becomes of the answer."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import replace

import pytest

from archiver.engine.site_files import SiteFiles, SiteFileTools
from archiver.engine.worker import Worker
from archiver.errors import DiskError
from archiver.gateway import Gate
from archiver.model import Candidate, CaptureItem, DocumentItem, FailureCode, Outlink, Status
from archiver.model.site_file import SiteFile, SiteFileState
from archiver.policy.site_files import LIFE, RETRY, Statements
from archiver.ports import Declared, SiteFileMemory
from archiver.urls import origin_of
from archiver.wire.memory import Answer
from archiver.wire.site_files_state import MemorySiteFiles
from tests.engine.bench import SITE, Engine, candidate, html, image, redirect

TDMREP = "/.well-known/tdmrep.json"
ORIGIN = origin_of(f"{SITE}/")
LICENCE = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
<prohibits type="usage">ai-train</prohibits></license></content></rsl>"""


def reserved(path: str = "/") -> Answer:
    return Answer(body=b'[{"location": "%s", "tdm-reservation": 1}]' % path.encode())


class Asking(Engine):
    """An engine that asks sites. `memory` may be another engine's: a later job of the same user."""

    def __init__(
        self, pages: Mapping[str, Answer], *, memory: SiteFileMemory | None = None, extra: tuple[str, ...] = (),
        resumed: bool = False, lost: tuple[float, float] | None = None, **limits: object,
    ) -> None:  # fmt: skip
        super().__init__(pages, **limits)  # type: ignore[arg-type]
        self.memory = memory if memory is not None else MemorySiteFiles()
        statements = Statements()
        gate = self.bench.gate
        self.bench.gate = Gate(gate._ports, replace(gate._policy, label=statements.label))
        tools = SiteFileTools(
            gateway=self.bench.gate, memory=self.memory, statements=statements, clock=self.bench.clock,
            seeds=frozenset({ORIGIN}), policy="strict/1", extra=extra, resumed=resumed, lost=lost,
        )  # fmt: skip
        self.worker = Worker(replace(self.worker._t, gateway=self.bench.gate, site_files=SiteFiles(tools)))

    def files(self) -> dict[str, str]:
        """State by file, from the rows."""
        return {row["url"].removeprefix(SITE): row["state"] for row in self.bench.rows("signals")}

    def labels(self) -> dict[str, dict[str, str]]:
        """What captures carry: visit rows and late labels together, by URL."""
        found: dict[str, dict[str, str]] = {}
        for row in (*self.bench.rows("visit"), *self.bench.rows("labels")):
            said = {name: label["value"] for name, label in row["usage"].items()}
            found.setdefault(row["url"].removeprefix(SITE), {}).update(said)
        return found


async def test_the_file_is_asked_for_after_the_page_and_what_it_needs() -> None:
    engine = Asking({"/": html("<img src=/a.png>"), "/a.png": image(), TDMREP: reserved()})
    page = await engine.visit()
    assert engine.asked == ["/", "/a.png", TDMREP]
    assert engine.written[0] == ["/", "/a.png"] and engine.written[1] == [TDMREP]
    assert (page.status, page.completeness.kept, page.usage["tdm"]["value"]) == (Status.CAPTURED, 1, "disallow")
    (row,) = engine.bench.rows("labels")
    assert row["capture_id"] == page.capture_id and row["url"] == f"{SITE}/"
    (decision,) = [row for row in engine.bench.rows("decision") if row["kind"] == "signals"]
    assert (decision["path"], decision["via"]) == ("P", f"{SITE}/")


async def test_a_crawl_asks_once_and_later_pages_are_judged_by_it() -> None:
    pages = {"/": html("<a href=/b>b</a><a href=/c>c</a>"), "/b": html("b"), "/c": html("c"), TDMREP: reserved("/b")}
    engine = Asking(pages)
    await engine.crawl(concurrency=1)
    assert engine.asked == ["/", TDMREP, "/b", "/c"]
    assert engine.labels() == {"/": {}, "/b": {"tdm": "disallow"}, "/c": {}}
    assert engine.bench.rows("labels") == []


async def test_a_later_job_asks_after_thirty_days_only_and_knows_before_the_page() -> None:
    first = Asking({"/": html("x"), TDMREP: reserved()})
    await first.visit()
    (found,) = first.bench.rows("signals")
    second = Asking({"/": html("x"), TDMREP: reserved()}, memory=first.memory)
    await second.visit()
    assert second.asked == ["/"] and second.labels() == {"/": {"tdm": "disallow"}}
    assert second.bench.rows("labels") == []
    (row,) = second.bench.rows("signals")
    assert row["remembered"] and (row["original"], row["fetched_at"]) == (found["record_id"], found["fetched_at"])
    content, about = (one for one in second.bench.recorder.items if isinstance(one, DocumentItem))
    assert (content.type, content.target) == ("conversion", f"urn:signals:{SITE}{TDMREP}")
    assert (content.payload, content.refers_to) == (reserved().body, found["record_id"])
    assert about.refers_to == content.record_id == row["record_id"], "evidence lies in the job's own WARC"
    (outcome,) = [one for one in second.bench.recorder.items if isinstance(one, CaptureItem)]
    assert content.record_id.encode() in outcome.policy_json
    assert found["original"] is None and first.memory.files[f"{SITE}{TDMREP}"].record_id == found["record_id"]  # type: ignore[attr-defined]
    third = Asking({"/": html("x"), TDMREP: Answer(status=404)}, memory=first.memory)
    third.bench.clock.advance(LIFE)
    await third.visit()
    assert third.asked == ["/", TDMREP] and third.labels() == {"/": {}} and third.files() == {TDMREP: "absent"}


async def test_that_there_is_no_file_is_remembered_too() -> None:
    first = Asking({"/": html("x")})
    await first.visit()
    assert first.asked == ["/", TDMREP] and first.files() == {TDMREP: "absent"}
    second = Asking({"/": html("x")}, memory=first.memory)
    await second.visit()
    assert second.asked == ["/"] and second.files() == {TDMREP: "absent"}


@pytest.mark.parametrize(
    "answer",
    [Answer(status=503), Answer(status=429), Answer(failure=FailureCode.DISCONNECTED)],
    ids=["503", "429", "cut"],
)
async def test_a_file_that_cannot_be_had_is_no_matter_and_the_old_one_holds(answer: Answer) -> None:
    first = Asking({"/": html("x"), TDMREP: reserved()})
    await first.visit()
    second = Asking({"/": html("x"), TDMREP: answer}, memory=first.memory)
    second.bench.clock.advance(LIFE + 1)
    page = await second.visit()
    assert page.status is Status.CAPTURED and page.completeness.verdict == "complete"
    assert second.files() == {TDMREP: "failed"} and second.labels() == {"/": {"tdm": "disallow"}}
    third = Asking({"/": html("x"), TDMREP: reserved()}, memory=first.memory)
    third.bench.clock.advance(LIFE + RETRY / 2)
    await third.visit()
    assert third.asked == ["/"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (html("<p>no such page</p>"), "not-json"),
        (Answer(body=b'{"tdm": []}'), "not-an-array"),
        (Answer(body=b"[" + b" " * (1 << 20) + b"]"), "too-large"),
        (Answer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b" " * (4 << 20))), "too-large"),
        (Answer(headers={"Content-Encoding": "gzip"}, body=b"no gzip"), "cannot be decoded"),
    ],
    ids=["html", "form", "large", "bomb", "coding"],
)
async def test_what_is_no_such_file_is_told_and_says_nothing(answer: Answer, error: str) -> None:
    engine = Asking({"/": html("x"), TDMREP: answer})
    assert (await engine.visit()).status is Status.CAPTURED
    (row,) = engine.bench.rows("signals")
    assert row["state"] == "unreadable" and error in row["error"] and engine.labels() == {"/": {}}


async def test_not_before_a_page_that_did_not_come() -> None:
    engine = Asking({"/": Answer(status=503), TDMREP: reserved()})
    await engine.visit()
    assert engine.asked == ["/"]
    robots = Asking({"/": html("x"), TDMREP: reserved()})
    robots.bench.web.forbid(ORIGIN, b"User-agent: *\nDisallow: /$")
    await robots.visit()
    assert robots.asked == []


async def test_not_of_origins_that_no_seed_names() -> None:
    pages = {"/": redirect("https://b.test/"), "https://b.test/": html("<img src=https://c.test/i.png>"),
             "https://c.test/i.png": image()}  # fmt: skip
    engine = Asking(pages)
    await engine.visit()
    assert engine.asked == ["/", "https://b.test/", "https://c.test/i.png", TDMREP]


async def test_the_label_of_a_hop_is_the_captures() -> None:
    first = Asking({"/": redirect("https://b.test/"), "https://b.test/": html("x"), TDMREP: reserved()})
    assert (await first.visit()).usage["tdm"]["value"] == "disallow"
    second = Asking({"/": redirect("https://b.test/"), "https://b.test/": html("x")}, memory=first.memory)
    assert (await second.visit()).usage["tdm"]["value"] == "disallow"


async def test_a_licence_elsewhere_is_bound_by_the_robots_txt_there() -> None:
    licence, denied = "https://l.test/rsl.xml", "https://d.test/rsl.xml"
    engine = Asking({"/": html("x"), licence: Answer(body=LICENCE), denied: Answer(body=LICENCE)})
    engine.bench.web.forbid(ORIGIN, f"License: {licence}\nLicense: {denied}\nUser-agent: *\nDisallow: /x".encode())
    engine.bench.web.forbid(origin_of(denied), b"User-agent: *\nDisallow: /")
    page = await engine.visit()
    assert engine.asked == ["/", TDMREP, licence]
    assert engine.files() == {TDMREP: "absent", licence: "found", denied: "refused"}
    assert page.usage == {"ai-train": {"value": "disallow", "sources": [f"rsl {licence}"]}}
    (refused,) = [row for row in engine.bench.rows("decision") if row["verdict"] == "refuse"]
    assert (refused["url"], refused["reason"]) == (denied, "robotsTxt")


async def test_two_seeds_that_name_one_licence_ask_once() -> None:
    licence = "https://l.test/rsl.xml"
    engine = Asking({"/": html("x"), "https://b.test/": html("x"), licence: Answer(body=LICENCE)}, scope="any")
    for site in (SITE, "https://b.test"):
        engine.bench.web.forbid(origin_of(f"{site}/"), f"License: {licence}".encode())
    await engine.crawl("/", "https://b.test/")
    assert engine.asked.count(licence) == 1
    assert engine.labels() == {"/": {"ai-train": "disallow"}, "https://b.test/": {"ai-train": "disallow"}}


async def test_redirects_on_the_same_host_and_a_licences_to_any() -> None:
    licence = "https://l.test/1"
    pages = {
        "/": html("x"), TDMREP: redirect("http://a.test/t.json"), "http://a.test/t.json": reserved(),
        licence: redirect("https://m.test/2"), "https://m.test/2": Answer(body=LICENCE),
        "/llms.txt": redirect("https://m.test/llms.txt"),
    }  # fmt: skip
    engine = Asking(pages, extra=("/llms.txt",))
    engine.bench.web.forbid(ORIGIN, f"License: {licence}".encode())
    page = await engine.visit()
    assert engine.asked == ["/", TDMREP, "http://a.test/t.json", licence, "https://m.test/2", "/llms.txt"]
    assert set(page.usage) == {"tdm", "ai-train"} and engine.files()["/llms.txt"] == "absent"


async def test_redirects_end() -> None:
    engine = Asking({"/": html("x"), TDMREP: redirect(TDMREP)})
    await engine.visit()
    assert engine.asked == ["/", *[TDMREP] * 6] and engine.files() == {TDMREP: "absent"}


async def test_listed_files_are_noted() -> None:
    engine = Asking(
        {"/": html("x"), "/.well-known/gpc.json": Answer(body=b'{"gpc": true}')}, extra=("/.well-known/gpc.json",)
    )
    await engine.visit()
    (row,) = [row for row in engine.bench.rows("signals") if row["kind"] == "other"]
    assert row["says"] == {"gpc": True} and engine.labels() == {"/": {}}


async def test_a_declared_delay_lies_before_each() -> None:
    engine = Asking({"/": html("x"), TDMREP: reserved()}, extra=("/llms.txt",))
    engine.bench.web.declared[ORIGIN] = Declared(delay=5.0, source="Crawl-delay: 5")
    await engine.visit()
    assert engine.asked == ["/", TDMREP, "/llms.txt"] and sum(engine.bench.slept) == pytest.approx(10.0, abs=0.1)


async def test_what_the_visit_cannot_afford_is_refused_and_asked_for_by_the_next_job() -> None:
    engine = Asking({"/": html("x"), TDMREP: reserved()}, declared_seconds=3.0)
    engine.bench.web.declared[ORIGIN] = Declared(delay=500.0, source="Crawl-delay: 500")
    assert (await engine.visit()).status is Status.CAPTURED
    assert engine.asked == ["/"] and engine.files() == {TDMREP: "refused"}
    (refused,) = [row for row in engine.bench.rows("decision") if row["verdict"] == "refuse"]
    assert (refused["kind"], refused["reason"]) == ("signals", "crawlDelayBudget")
    later = Asking({"/": html("x"), TDMREP: reserved()}, memory=engine.memory)
    await later.visit()
    assert later.asked == ["/", TDMREP]


async def test_pages_that_came_before_the_seed_are_labelled_when_the_files_are_known() -> None:
    engine = Asking({"/b": html("b"), "/": html("x"), TDMREP: reserved()})
    assert (await linked(engine, "/b")).seed is False
    await engine.visit("/")
    assert engine.asked == ["/b", "/", TDMREP]
    assert engine.labels() == {"/b": {"tdm": "disallow"}, "/": {"tdm": "disallow"}}


async def linked(engine: Engine, path: str) -> Candidate:
    """Visit a URL that is no seed."""
    one = replace(candidate(path), seed=False)
    await engine.frontier.add([Outlink(candidate=one)])
    (claim,) = await engine.frontier.claim(1)
    await engine.worker.attempt(claim)
    return one


class Slow(MemorySiteFiles):
    """A memory that takes as long as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def save(self, file: SiteFile) -> None:
        self.reached.set()
        await self.go_on.wait()
        await super().save(file)


async def test_pages_that_end_while_the_site_is_asked_are_labelled_too() -> None:
    memory = Slow()
    engine = Asking({"/": html("x"), "/b": html("b"), TDMREP: reserved()}, memory=memory)
    asking = asyncio.create_task(engine.visit("/"))
    await memory.reached.wait()
    await engine.visit("/b")
    assert engine.asked == ["/", TDMREP, "/b"] and engine.labels()["/b"] == {}
    memory.go_on.set()
    await asking
    assert engine.labels() == {"/": {"tdm": "disallow"}, "/b": {"tdm": "disallow"}}


async def test_a_resumed_job_asks_with_any_page_of_a_seeds_origin() -> None:
    engine = Asking({"/b": html("b"), TDMREP: reserved()}, resumed=True)
    await linked(engine, "/b")
    assert engine.asked == ["/b", TDMREP]


@pytest.mark.parametrize(("until", "asked"), [(1.0, ["/", TDMREP]), (0.0, ["/"])], ids=["lost", "before the loss"])
async def test_a_file_whose_record_may_be_lost_is_asked_for_again(until: float, asked: list[str]) -> None:
    first = Asking({"/": html("x")})
    await first.visit()
    at = first.memory.files[f"{SITE}{TDMREP}"].asked_at  # type: ignore[attr-defined]
    again = Asking({"/": html("x"), TDMREP: reserved()}, memory=first.memory, resumed=True, lost=(at - 9, at + until))
    await again.visit()
    assert again.asked == asked


class Broken(MemorySiteFiles):
    """A disk that fails, at `load` or at `save`."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    async def load(self, url: str) -> SiteFile | None:
        if self._where == "load":
            raise DiskError("no disk")
        return await super().load(url)

    async def save(self, file: SiteFile) -> None:
        raise DiskError("no disk")


@pytest.mark.parametrize(("where", "asked"), [("load", ["/"]), ("save", ["/", TDMREP])])
async def test_a_memory_that_fails_fails_no_capture(where: str, asked: list[str]) -> None:
    engine = Asking({"/": html("x"), TDMREP: reserved()}, memory=Broken(where))
    assert (await engine.visit()).status is Status.CAPTURED
    assert engine.asked == asked


def test_states_are_words_of_the_rows() -> None:
    assert {state.value for state in SiteFileState} == {"found", "absent", "unreadable", "failed", "refused"}
