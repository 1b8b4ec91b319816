"""`--dry-run`: only robots.txt is asked, and what it and pace mean is said beforehand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from archiver.cli.schemas import DRY_SCHEMA
from tests.cli.conftest import Said, Verb
from tests.servers.raw import Reply, raw_server, respond


def robots(text: str) -> Reply:
    return respond(f"User-agent: *\n{text}\n".encode(), content_type="text/plain")


def dry(verb: Verb, answers: dict[str, Reply], *paths: str, options: tuple[str, ...] = ()) -> Said:
    """Over these seeds of one site; nothing but robots.txt may be asked."""
    with raw_server(answers) as server:
        seeds = [part for path in paths for part in ("--url", server.url(path))]
        said = verb("crawl", "--dry-run", *seeds, "--allow-address", f"127.0.0.1:{server.port}", *options)
        assert set(server.paths()) <= {"/robots.txt"}
    return said


def objects(said: Said) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in said.out.splitlines()]
    for one in found:
        jsonschema.validate(one, DRY_SCHEMA)
    return found


def test_the_least_time_of_several_seeds(verb: Verb) -> None:
    said = dry(verb, {"/robots.txt": robots("Disallow: /no")}, "/a", "/b", "/c", "/no")
    assert said.code == 0
    assert said.out.count("a visit every 1 s at most") == 3
    assert "refuse (robotsTxt): Disallow: /no (line 2)" in said.out
    assert "3 seeds, 0 min 2 s at least; 100 pages of 10 requisites take 1 min 39 s at least" in said.out


def test_a_declared_delay_and_what_does_not_fit(verb: Verb) -> None:
    answers = {"/robots.txt": robots("Crawl-delay: 40")}
    said = dry(verb, answers, "/a", "/b")
    assert "Crawl-delay: 40: 40 s between requests" in said.out
    assert (
        "40 s x 10 requisites: takes at least 400 s, visit limit 300 s: a page with more than 7 loses what is over"
        in said.out
    )
    # 100 pages with the seven requisites that fit: 799 gaps of 40 s.
    assert "2 seeds, 0 min 40 s at least; 100 pages of 10 requisites take 8 h 52 min at least" in said.out
    one, two = objects(dry(verb, answers, "/a", "/b", options=("--json",)))
    assert one["pace"] == {
        "delay": 1.0, "request_delay": 40.0, "source": "Crawl-delay: 40", "visit_time_utc": [], "visit_seconds": 300.0,
        "requisites_a_visit": 7, "note": None,
    }  # fmt: skip
    assert one["origin"] == two["origin"]
    assert (one["origin"]["seeds"], one["origin"]["seconds_at_least"]) == (2, 40.0)
    assert one["origin"]["pages_seconds_at_least"] == 799 * 40.0


def test_a_request_rate(verb: Verb) -> None:
    said = dry(verb, {"/robots.txt": robots("Request-rate: 2/1m")}, "/a", options=("--limit", "10"))
    assert "Request-rate: 2/60: 30 s between requests" in said.out
    assert "1 seed, 0 min 0 s at least; 10 pages of 10 requisites take 54 min 30 s at least" in said.out


@pytest.mark.parametrize("hours", [2, 0], ids=["closed", "open"])
def test_hours_in_which_a_site_may_be_visited(verb: Verb, hours: int) -> None:
    opens = datetime.now(UTC) + timedelta(hours=hours, minutes=-5 if not hours else 0)
    window = f"Visit-time: {opens:%H%M}-{opens + timedelta(hours=1):%H%M}"
    said = dry(verb, {"/robots.txt": robots(window)}, "/a", options=("--json",))
    (one,) = objects(said)
    assert one["pace"]["visit_time_utc"] == [[f"{opens:%H:%M}", f"{opens + timedelta(hours=1):%H:%M}"]]
    if not hours:
        assert (one["decision"]["verdict"], one["origin"]["seconds_at_least"], said.code) == ("allow", 0.0, 0)
        return
    assert (one["decision"]["verdict"], one["decision"]["reason"], said.code) == ("defer", "visitTime", 32)
    not_before = datetime.fromisoformat(one["decision"]["not_before"])
    assert abs(not_before - opens.replace(second=0, microsecond=0)) < timedelta(seconds=1)
    assert 2 * 3600 - 120 < one["origin"]["seconds_at_least"] <= 2 * 3600
    said = dry(verb, {"/robots.txt": robots(window)}, "/a")
    assert "closed now" in said.out and "not before" in said.out


def test_refused_unreachable_and_at_rest(verb: Verb) -> None:
    refused = dry(verb, {"/robots.txt": robots("Disallow: /")}, "/a", options=("--json",))
    (one,) = objects(refused)
    assert (one["decision"]["reason"], one["origin"], refused.code) == ("robotsTxt", None, 30)
    broken = dry(verb, {"/robots.txt": respond(b"", status="500 Oops")}, "/a", options=("--json",))
    (one,) = objects(broken)
    assert (one["decision"]["reason"], broken.code) == ("robotsUnreachable", 32)
    assert one["decision"]["not_before"] is not None and one["origin"]["seconds_at_least"] > 0


def test_a_host_that_rests(verb: Verb) -> None:
    busy = respond(b"busy", status="429 Too Many", headers="Retry-After: 3600\r\n")
    with raw_server({"/robots.txt": robots("Allow: /"), "/a": busy}) as server:
        allow = ("--allow-address", f"127.0.0.1:{server.port}")
        verb("save", server.url("/a"), *allow)
        said = verb("crawl", "--dry-run", "--url", server.url("/b"), *allow, "--json")
        words = verb("crawl", "--dry-run", "--url", server.url("/b"), *allow)
        assert "/b" not in server.paths()
    (one,) = objects(said)
    assert (one["decision"]["verdict"], one["decision"]["reason"], said.code) == ("defer", "rateLimited", 32)
    assert 3500 < one["origin"]["seconds_at_least"] <= 3600
    assert "in 59 min" in words.out


def test_save_has_it_too(verb: Verb) -> None:
    with raw_server({"/robots.txt": robots("Disallow: /no")}) as server:
        allow = ("--allow-address", f"127.0.0.1:{server.port}")
        said = verb("save", "--dry-run", "--json", server.url("/yes"), server.url("/no"), *allow)
        assert server.paths() == ["/robots.txt"]
        lifted = ("--override", "robots", "--because", "x", "--by", "y")
        for more in (("--wait", "2h"), lifted):
            told = verb("save", "--dry-run", server.url("/no"), *allow, *more)
            assert told.code == 2 and "--dry-run" in told.err
    assert said.code == 0
    assert [one["decision"]["verdict"] for one in objects(said)] == ["allow", "refuse"]
