from dataclasses import replace

import pytest

from archiver.model import Access, Elements, FailureCode, Kind, Origin, Reason
from archiver.ports import Declared
from archiver.wire.memory import Answer
from tests.gateway.gate import Bench, candidate

PAGE = Answer(headers={"Content-Type": "text/html"}, body=b"<p>hello")


async def test_the_row_is_written_before_the_dial() -> None:
    bench = Bench({"https://a.test/": PAGE})
    rows_at_dial: list[int] = []
    dial = bench.web.exchange

    async def spying(request, tap=None):  # type: ignore[no-untyped-def]
        rows_at_dial.append(len(bench.rows("decision")))
        return await dial(request, tap)

    bench.web.exchange = spying  # type: ignore[method-assign]
    fetched = await bench.gate.fetch(candidate("https://a.test/"))
    assert fetched.exchange is not None and fetched.exchange.status == 200
    assert rows_at_dial == [1]
    assert bench.rows("decision")[0]["verdict"] == "allow"


async def test_every_request_says_who_asks_whatever_the_candidate_brings() -> None:
    bench = Bench({"https://a.test/": PAGE})
    disguised = ((b"User-Agent", b"Chrome"), (b"X-Own", b"1"), (b"Accept", b"image/png"))
    await bench.gate.fetch(candidate("https://a.test/", headers=disguised))
    sent = dict(bench.web.asked[0].headers)
    assert sent[b"User-Agent"] == b"PoliteArchiver/1"
    assert (sent[b"From"], sent[b"Sec-GPC"], sent[b"X-Own"], sent[b"Accept"]) == (
        b"a@example.org", b"1", b"1", b"image/png",
    )  # fmt: skip
    assert sent[b"Host"] == b"a.test"


async def test_a_refused_candidate_is_never_dialled_and_has_its_row() -> None:
    bench = Bench({"https://a.test/x": PAGE})
    bench.web.forbid(Origin("https", "a.test", 443), b"User-agent: *\nDisallow: /")
    fetched = await bench.gate.fetch(candidate("https://a.test/x"))
    assert fetched.exchange is None and fetched.failure is None
    assert bench.web.asked == []
    assert bench.rows("decision")[0]["reason"] == "robotsTxt"


async def test_a_failure_of_the_site_is_a_value() -> None:
    bench = Bench({"https://a.test/": Answer(failure=FailureCode.TLS_ERROR)})
    fetched = await bench.gate.fetch(candidate("https://a.test/"))
    assert fetched.failure is not None
    assert (fetched.failure.code, fetched.failure.transient) == (FailureCode.TLS_ERROR, False)


async def test_a_declared_delay_binds_every_request_start() -> None:
    bench = Bench({"https://a.test/": PAGE, "https://a.test/x.css": PAGE})
    bench.web.declared[Origin("https", "a.test", 443)] = Declared(delay=5.0)
    for url, kind in (("https://a.test/", Kind.DOCUMENT), ("https://a.test/x.css", Kind.REQUISITE)):
        await bench.gate.fetch(candidate(url, kind=kind))
    assert sum(bench.slept) >= 5.0


async def test_a_wait_for_its_turn_is_taken_off_the_time_that_an_exchange_has() -> None:
    bench = Bench({"https://a.test/": PAGE, "https://a.test/x.css": PAGE})
    bench.web.declared[Origin("https", "a.test", 443)] = Declared(delay=5.0)
    for url in ("https://a.test/", "https://a.test/x.css"):
        await bench.gate.fetch(candidate(url), within=20.0)
    first, second = (request.limits.total for request in bench.web.asked)
    assert first == 20.0 and second == pytest.approx(20.0 - sum(bench.slept)) and sum(bench.slept) > 4.0


async def test_noarchive_in_a_header_or_in_a_meta_element_keeps_dark() -> None:
    header = Answer(headers={"Content-Type": "text/html", "X-Robots-Tag": "noarchive"}, body=b"x")
    bench = Bench({"https://a.test/h": header, "https://a.test/m": PAGE})
    by_header = await bench.gate.fetch(candidate("https://a.test/h"))
    assert by_header.keep is not None and by_header.keep.access is Access.DARK
    plain = await bench.gate.fetch(candidate("https://a.test/m"))
    assert plain.keep is not None and plain.keep.access is Access.OPEN
    by_meta = bench.gate.judge(plain, Elements(metas=(("robots", "NoArchive"),)))
    assert by_meta.keep is not None
    assert (by_meta.keep.access, by_meta.keep.reason) == (Access.DARK, Reason.NOARCHIVE)


async def test_record_writes_in_order_and_then_tells() -> None:
    bench = Bench({"https://a.test/": PAGE})
    good = await bench.gate.fetch(candidate("https://a.test/"))
    gone = await bench.gate.fetch(candidate("https://a.test/gone"))
    recorded = await bench.gate.record([good, gone], page_id="p")
    assert [one.refs[0].record_id for one in recorded] == [good.response_id, gone.response_id]
    outcomes = bench.rows("outcome")
    assert [row["http_status"] for row in outcomes] == [200, 404]
    assert outcomes[0]["record"]["offset"] == recorded[0].refs[0].offset


async def test_credentials_are_cut_from_the_record_and_restrict_it() -> None:
    bench = Bench({"https://a.test/": PAGE})
    secret = candidate("https://a.test/", headers=((b"Cookie", b"session=hunter2"),))
    fetched = await bench.gate.fetch(secret)
    assert b"hunter2" in replace(bench.web.asked[0]).headers[-2][1]
    await bench.gate.record([fetched])
    item = bench.recorder.items[0]
    assert item.access is Access.RESTRICTED
    assert b"hunter2" not in item.exchange.request and b"hunter2" not in item.policy_json  # type: ignore[union-attr]
    assert b'"redacted":["cookie"]' in item.policy_json  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("date", "offset"), [("Mon, 21 Sep 2026 14:13:30 GMT", 10.0), ("yesterday", None), (None, None)]
)
async def test_a_robots_txt_tells_how_far_the_clocks_are_apart(date: str | None, offset: float | None) -> None:
    url = "https://a.test/robots.txt"
    bench = Bench({url: Answer(headers={"Date": date} if date else {}, body=b"")})
    fetched = await bench.gate.fetch(candidate(url, kind=Kind.ROBOTS, resource_type="robots"))
    await bench.gate.record([fetched])
    assert bench.rows("outcome")[0]["clock_offset"] == offset
