"""The records that are no access rules."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from archiver.policy.preferences import Usage
from archiver.policy.robots import Window, parse

ME = ("FooBot",)


def group(*lines: str) -> Any:
    return parse("\n".join(["User-agent: *", *lines]).encode())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("10", 10.0), ("0", 0.0), ("0.5", 0.5), (".5", 0.5), ("3.", 3.0), ("9" * 400, sys.float_info.max),
        ("-1", None), ("+1", None), ("1e3", None), ("nan", None), ("1,5", None), ("", None), ("5s", None), ("٣", None),
        ("1 2", None), (".", None),
    ],
)  # fmt: skip
def test_crawl_delay(value: str, seconds: float | None) -> None:
    assert group(f"Crawl-delay: {value}").crawl_delay(ME) == seconds


def test_crawl_delay_of_the_own_group_only_and_the_largest() -> None:
    own = b"User-agent: FooBot\nCrawl-delay: 2\nCrawl-delay: x\nAllow: /\nCrawl-delay: 3\n"
    file = parse(b"User-agent: *\nCrawl-delay: 30\n" + own)
    assert file.crawl_delay(ME) == 3
    assert file.crawl_delay(["Other"]) == 30
    assert parse(b"User-agent: a\nUser-agent: FooBot\nCrawl-delay: 2\n").crawl_delay(ME) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1/10", (1, 10, None)),
        ("2 / 1M", (2, 60, None)),
        ("1/1h", (1, 3600, None)),
        ("1/2d", (1, 172_800, None)),
        ("1/10s 1820-1940", (1, 10, ("18:20", "19:40"))),
        ("1/10 0000-2400", (1, 10, ("00:00", "24:00"))),
        ("1/10s 2500-2600", (1, 10, None)),
        ("0/5", None),
        ("1/0", None),
        ("1/-5", None),
        ("1", None),
        ("1/5x", None),
    ],
)
def test_request_rate(value: str, expected: Any) -> None:
    rate = group(f"Request-rate: {value}").request_rate(ME)
    found = rate and (rate.requests, rate.seconds, rate.window and rate.window.clock)
    assert found == expected


def test_the_slowest_rate_and_the_shortest_hours_come_first() -> None:
    file = group("Request-rate: 1/5", "Request-rate: 1/1m", "Visit-time: 0000-1200", "Visit-time: 2300-0100")
    assert [rate.delay for rate in file.request_rates(ME)] == [60, 5]
    assert [window.clock for window in file.visit_times(ME)] == [("23:00", "01:00"), ("00:00", "12:00")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0600-0845", ("06:00", "08:45")),
        ("0200 0630", ("02:00", "06:30")),
        ("02:00 - 06:30", ("02:00", "06:30")),
        ("2300-0500", ("23:00", "05:00")),
        ("0660-0845", None),
        ("2400-0500", None),
        ("0600-2401", None),
        ("600-845", None),
        ("", None),
    ],
)
def test_visit_time(value: str, expected: Any) -> None:
    window = group(f"Visit-time: {value}").visit_time(ME)
    assert (window and window.clock) == expected


def test_a_window_may_wrap_midnight() -> None:
    night = Window(23 * 60, 5 * 60)
    assert [night.contains(minute) for minute in (22 * 60, 23 * 60, 0, 299, 300)] == [False, True, True, True, False]
    day = Window(60, 120)
    assert [day.contains(minute) for minute in (59, 60, 119, 120)] == [False, True, True, False]
    always = Window(60, 60)
    assert always.contains(0)
    assert always.minutes == 1440


def test_file_global_records() -> None:
    text = (
        b"Sitemap: https://h.test/a.xml\nUser-agent: x\nsite-map: http://o.test/b\nSitemap: /c.xml\nSitemap:\n"
        b"Disallow: /\nLicense: https://l.test/r\nlicense: /no\nHost: h.test\nHost: i.test\n"
        b"Clean-param: a&b /dir/\nClean-param: c\nClean-param: &\n"
    )
    file = parse(text)
    assert file.sitemaps == ("https://h.test/a.xml", "http://o.test/b")
    assert (file.licenses, file.invalid_licenses) == (("https://l.test/r",), ("/no",))
    assert file.host == "h.test"
    assert [(one.params, one.path) for one in file.clean_param] == [(("a", "b"), "/dir/"), (("c",), None)]
    assert file.has_preferences
    assert not parse(b"User-agent: *\nCrawl-delay: 1\n").has_preferences


def usage(text: str, path: str = "/x", agent: str = "FooBot") -> str:
    """`train-ai search` by first letter, `-` where Disallow applies."""
    found = parse(text.encode()).content_usage([agent], "http://h.test" + path)
    return "-" if found is None else "".join(found[name].value[0] for name in ("train-ai", "search"))


def test_content_usage_takes_the_longest_path() -> None:
    text = "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /ok/ train-ai=y\nContent-Usage: /ok/*.p$ search=n"
    assert usage(text) == "du"
    assert usage(text, "/ok/1") == "au"
    assert usage(text, "/ok/1.p") == "ud", "one rule decides, not one a category"


def test_content_usage_says_nothing_where_disallowed_or_unreadable() -> None:
    assert usage("User-agent: *\nDisallow: /x\nContent-Usage: train-ai=n\n") == "-"
    assert usage("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /x Train-AI=y\n") == "du"
    assert usage("User-agent: *\nContent-Usage: x/ train-ai=n\n") == "uu"
    assert usage("User-agent: *\nContent-Usage: /x\n") == "uu"
    assert usage("Content-Usage: train-ai=n\nUser-agent: *\nDisallow:\n") == "uu"


def test_content_usage_between_user_agent_lines_is_read_both_ways() -> None:
    """It would end the run by the draft and does not by RFC 9309: the stricter reading holds, for access none."""
    text = "User-agent: FooBot\nContent-Usage: search=n\nUser-agent: B\nContent-Usage: train-ai=n\nDisallow: /b\n"
    assert usage(text) == "dd"
    assert usage(text, agent="B") == "dd"
    assert not parse(text.encode()).match(["FooBot"], "http://h.test/b").allowed


def test_content_signal() -> None:
    lines = ("Search=Yes; ai-train = no  use=reference", "search=no, ai-input=maybe")
    file = group(*(f"Content-Signal: {line}" for line in lines))
    signal = file.content_signal(ME)
    assert signal.labels == {"search": False, "ai-input": None, "ai-train": False}
    assert signal.extra == {"use": "reference"}
    assert Usage.DISALLOW == "disallow"
