"""robots.txt verdicts: the vectors, and what a verdict has to name beyond yes and no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.policy.robots import MAX_BYTES, Mode, evaluate, parse
from archiver.policy.robots.origin import origin_of
from tests.conformance import robots as vectors

FILE = Path(__file__).parents[1] / "data/conformance/robots_vectors.json"
CASES = [case for case in json.loads(FILE.read_bytes())["cases"] if not case.get("contested")]
MODES: tuple[Mode, Mode] = ("rfc9309", "google")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_vector(case: dict[str, Any]) -> None:
    for mode, allowed in vectors.answers(case):
        assert allowed is case["expect_allowed"], f"{mode}: {case['note']}"


def ask(text: str | bytes, url: str, agents: tuple[str, ...] = ("FooBot",), mode: Mode = "rfc9309") -> Any:
    return evaluate(text.encode() if isinstance(text, str) else text, agents, "http://h.test" + url, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_verdict_names_group_rule_and_line(mode: Mode) -> None:
    text = "# hello\r\nUser-agent: foobot\r\n\r\nDisallow: /%7Ea/é  # why\r\nAllow: /b\r\n"
    verdict = ask(text, "/%7Ea/%C3%A9/x", mode=mode)
    assert (verdict.allowed, verdict.group, verdict.rule, verdict.line) == (False, "FooBot", "/%7Ea/é", 4)
    assert verdict.mode == mode
    silent = ask(text, "/c", mode=mode)
    assert (silent.allowed, silent.group, silent.rule, silent.line) == (True, "FooBot", None, None)


def test_without_a_group_there_is_none_to_name() -> None:
    assert ask("User-agent: other\nDisallow: /\n", "/x").group is None
    assert ask("User-agent: *\nDisallow: /\n", "/x").group == "*"


def test_of_equal_rules_the_allow_is_named_else_the_first() -> None:
    assert ask("User-agent: *\nDisallow: /a\nAllow: /a\nAllow: /a\n", "/a").line == 3
    assert ask("User-agent: *\nDisallow: /a*\nDisallow: /*a\n", "/aa").line == 2


def test_an_anchored_rule_is_one_octet_longer_than_the_same_prefix() -> None:
    assert ask("User-agent: *\nAllow: /a\nDisallow: /a$\n", "/a").line == 3
    assert ask("User-agent: *\nAllow: /a\nDisallow: /a$\n", "/ab").line == 2


def test_octets_count_a_literal_dollar_once() -> None:
    """`/x$/` is four octets, `/x%24` five, though the URL holds `%24` either way."""
    assert ask("User-agent: *\nAllow: /x$/\nDisallow: /x%24\n", "/x$/").line == 3
    assert ask("User-agent: *\nAllow: /x%24$\nDisallow: /x$/\nDisallow: /x$/*a\n", "/x$/").line == 3


def test_the_first_token_with_a_group_decides_and_groups_are_never_mixed() -> None:
    text = "User-agent: *\nDisallow: /star\n\nUser-agent: second\nDisallow: /b\n\nUser-agent: SECOND\nDisallow: /c\n"
    agents = ("first", "second")
    assert ask(text, "/b", agents).group == "second"
    assert not ask(text, "/c", agents).allowed
    assert ask(text, "/star", agents).allowed
    assert ask(text, "/star", ("first", "third")).group == "*"
    assert ask(text, "/star", ("", "*")).group == "*"


def test_agents_may_be_any_sequence() -> None:
    file = parse(b"User-agent: a\nDisallow: /\n")
    assert not file.match(["a"], "http://h.test/").allowed
    assert not file.match("a", "http://h.test/").allowed


def test_a_token_named_twice_in_a_run_counts_once() -> None:
    file = parse(b"User-agent: a\nUser-agent: A\nCrawl-delay: 2\nDisallow: /x\n")
    assert file.match(["a"], "http://h.test/x").line == 4
    assert file.crawl_delay(["a"]) == 2


def test_robots_txt_itself_is_allowed_by_the_standard_only() -> None:
    text = "User-agent: *\nDisallow: /\n"
    assert ask(text, "/robots.txt").allowed
    assert ask(text, "/robots.txt").rule is None
    assert not ask(text, "/robots.txt?x").allowed
    assert not ask(text, "/robots.txt", mode="google").allowed


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h.test", "/"),
        ("http://h.test?q", "/?q"),
        ("http://h.test;p", "/;p"),
        ("http://h.test#/x", "/"),
        ("HTTP://h.test/a", "/a"),
        ("//h.test/a", "/a"),
        ("h.test/a", "/a"),
        ("/a://b", "/a://b"),
        ("ftp://h.test/a?b://c#d", "/a?b://c"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_only_path_and_query_are_compared(url: str, path: str, mode: Mode) -> None:
    data = f"User-agent: *\nDisallow: {path}$\n".encode()
    assert not evaluate(data, ["a"], url, mode).allowed


def test_the_file_is_cut_at_the_last_full_line() -> None:
    head = b"User-agent: *\nDisallow: /first\n"
    within = head + b"#" * (MAX_BYTES - len(head) - 14) + b"\nDisallow: /a\n"
    assert len(within) == MAX_BYTES
    file = parse(within)
    assert not file.truncated
    assert not file.match(["x"], "http://h.test/a").allowed
    longer = parse(within[:-1] + b"bc\nDisallow: /second\n")
    assert longer.truncated
    assert longer.match(["x"], "http://h.test/abc").allowed, "half a rule is no rule"
    assert longer.match(["x"], "http://h.test/second").allowed
    assert not longer.match(["x"], "http://h.test/first").allowed
    assert parse(b"x" * (MAX_BYTES + 1)).truncated


def test_a_line_that_is_no_utf8_is_dropped_alone() -> None:
    text = b"User-agent: a\nDisallow: /1\nUser-agent: b\xff\nDisallow: /2\nDisallow: /\xfc\nCrawl-delay: 3 # \xff\n"
    assert parse(text).match(["a"], "http://h.test/2").allowed, "the group of a name nobody has"
    google = parse(b"User-agent: a\nDisallow: /\xfc\n", "google")
    assert not google.match(["a"], "http://h.test/%FC").allowed
    assert parse(b"User-agent: a\nDisallow: /\xfc\n").match(["a"], "http://h.test/%FC").allowed


@pytest.mark.parametrize("mode", ["rfc9309", "google"])
def test_a_rule_that_is_no_utf8_still_ends_the_run_of_user_agents(mode: Mode) -> None:
    text = b"User-agent: a\nDisallow: /\xfc\nUser-agent: b\nDisallow: /\n"
    assert parse(text, mode).match(["a"], "http://h.test/x").allowed
    assert not parse(text, mode).match(["b"], "http://h.test/x").allowed
    delay = b"User-agent: a\nCrawl-delay: \xfc\nUser-agent: b\nDisallow: /\n"
    assert not parse(delay, mode).match(["a"], "http://h.test/x").allowed, "no rule: nothing ends"


def test_an_unknown_mode_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="rfc9309 or google"):
        parse(b"", "yandex")  # type: ignore[arg-type]


def test_many_callers_do_not_fill_the_memory() -> None:
    file = parse(b"User-agent: *\nDisallow: /\nContent-Signal: search=no\n")
    for number in range(200):
        assert not file.match((f"bot{number}",), "http://h.test/").allowed
        assert file.content_signal((f"bot{number}",)).search is False


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h.test/x", "http://h.test"),
        ("http://h.test:80", "http://h.test"),
        ("http://h.test:8080?x", "http://h.test:8080"),
        ("https://H.test:443/", "https://h.test"),
        ("https://u:p@h.test/", "https://h.test"),
        ("https://bücher.test", "https://xn--bcher-kva.test"),
        ("https://[2001:DB8:0::1]:444/", "https://[2001:db8::1]:444"),
        ("http://0x7f.1/", "http://127.0.0.1"),
        ("http://h.test:99999/", None),
        ("ftp://h.test/", None),
        ("nonsense", None),
        ("http://", None),
    ],
)
def test_origin(url: str, origin: str | None) -> None:
    found = origin_of(url)
    assert (None if found is None else str(found)) == origin
