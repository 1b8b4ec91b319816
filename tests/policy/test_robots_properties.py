"""The fast matcher against the slow one, on whatever hypothesis thinks of; and what hostile patterns cost, in steps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from archiver.policy.robots import MAX_BYTES, Mode, Pattern, RobotsVerdict, evaluate, parse, rfc_target
from archiver.policy.robots.pattern import _find_long
from archiver.policy.robots.rules import RuleSet
from tests.policy import reference_robots as reference

MODES: tuple[Mode, Mode] = ("rfc9309", "google")

_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")

# Few letters, so that rules and URLs meet; the characters that parsers trip over, each of them.
piece = st.sampled_from(
    [
        *"aab/b*$?&=,;:@%~ \t<>[]{}é\u2028\u0085\x0b\x00'\"", "%61", "%2F", "%2f", "%3F", "%24", "%2a", "%zz", "%",
        "%C3%A9", "%e9", "index.html", "/index.htm", "/a/b", "**", "aaa", "/robots.txt",
    ]
)  # fmt: skip
path = st.lists(piece, max_size=8).map(lambda parts: "/" + "".join(parts))
rule_path = st.one_of(path, path.map(lambda text: text[1:]), path.map(lambda text: "*" + text))
token = st.sampled_from(["*", "A", "a", "AB", "A-B", "A/1", "A2", "* x", "A B", "", "é", "B", "K\u212a"])
key = st.sampled_from(
    [
        "User-agent", "user-agent", "Allow", "Disallow", "disallow ", "\tALLOW", "Crawl-delay", "Sitemap", "useragent",
        "user agent", "disalow", "allowed", "disallowed", "foo", "", "user-agents", "Content-Usage", "Content-Signal",
    ]
)  # fmt: skip


@st.composite
def robots_files(draw: Any) -> bytes:
    out = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"]))
    for _ in range(draw(st.integers(0, 12))):
        agent_line = draw(st.integers(0, 3)) == 0
        name = draw(st.sampled_from(["User-agent", "user-agent"])) if agent_line else draw(key)
        value = draw(token) if agent_line or name.lower().startswith("user") else draw(rule_path)
        colon = draw(st.sampled_from([":", ": ", ":\t", " ", " : "]))
        comment = draw(st.sampled_from(["", "", "", " # x", "#"]))
        out += f"{name}{colon}{value}{comment}".encode()
        out += draw(st.sampled_from([b"", b"", b"", b"\xff", b"\xe9/"]))
        out += draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r", b"\n\n"]))
    return out


@settings(max_examples=300, deadline=None)
@given(robots_files(), st.lists(st.sampled_from(["A", "AB", "A-B", "B", "k", "K\u212a"]), max_size=2), path)
@example(b"User-agent: *\nDisallow: /x$/\nAllow: /x$\n", [], "/x$/")
@example(b"User-agent: *\nDisallow: /a*aaa*aa\nAllow: /a*$\n", [], "/aaaaa")
@example(b"User-agent: *\nDisallow: /ab*ba$\n", [], "/aba")
@example(b"User-agent: *\nDisallow: /\nAllow: /a/index.htmx\n", [], "/a/")
@example(b"\xef\xbbUser-agent: *\nDisallow: /\n", [], "/a")
@example(b"\xefUser-agent: *\nDisallow: /\n", [], "/a")
@example(b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n", [], "/a")
@example(b"User-agent: *\nAllow: /*\n" + b"Disallow: /*aaa\n" * 12, [], "/aaa")
def test_agrees_with_the_reference(data: bytes, agents: list[str], where: str) -> None:
    url = "http://h.test" + where
    for mode in MODES:
        verdict = evaluate(data, agents, url, mode)
        assert (verdict.allowed, verdict.line) == reference.allowed(data, agents, url, mode), mode


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), rule_path), min_size=9, max_size=40), path)
def test_many_rules_agree_with_the_reference(rules: list[tuple[bool, str]], where: str) -> None:
    """Enough rules under one head that the trigram index is used."""
    data = "".join(f"{'Allow' if allow else 'Disallow'}: {path}\n" for allow, path in rules).encode()
    data = b"User-agent: *\n" + data.replace(b"/", b"/*", len(rules) // 2)
    for mode in MODES:
        verdict = evaluate(data, ("A",), "https://h.test" + where, mode)
        assert (verdict.allowed, verdict.line) == reference.allowed(data, ["A"], "https://h.test" + where, mode), mode


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.text(max_size=60), st.sampled_from(MODES))
def test_any_bytes_and_any_url_get_an_answer(data: bytes, url: str, mode: Mode) -> None:
    file = parse(b"User-agent: *\n" + data, mode)
    assert isinstance(file.match(("A",), url), RobotsVerdict)
    assert file.crawl_delay(["A"]) is None or file.crawl_delay(["A"]) >= 0  # type: ignore[operator]
    file.request_rates(["A"]), file.visit_times(["A"]), file.content_signal(["A"]), file.content_usage(["A"], url)


@given(path)
def test_normalising_twice_changes_nothing(where: str) -> None:
    assume(not _STRAY_PERCENT.search(where))  # `%%61a` is `%aa`, which happens to be an escape
    once = rfc_target("http://h.test" + where)
    assert rfc_target("http://h.test" + once) == once


class Counted(str):
    """A URL path that counts the characters a matcher passes over."""

    __slots__ = ("calls", "steps")

    def __new__(cls, text: str) -> Counted:
        self = super().__new__(cls, text)
        self.steps = self.calls = 0
        return self

    def find(self, sub: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        at = super().find(sub, start)
        self.calls += 1
        self.steps += (len(self) if at < 0 else at + len(sub)) - start
        return at

    def __add__(self, other: str) -> str:
        self.steps += len(self)  # a copy; what is searched in it is not counted twice
        return super().__add__(other)

    def startswith(self, prefix: Any, start: int = 0, end: int | None = None) -> bool:  # type: ignore[override]
        self.calls += 1
        self.steps += len(prefix)
        return super().startswith(prefix, start)


hostile = pytest.mark.parametrize(
    "pattern",
    [
        "/*a*a*a*a*b",
        "/" + "a*" * 200 + "b$",
        "/*" + "*".join(["aa"] * 100) + "*b",
        "/" + "*" * 300 + "b",
        "/*" + "a" * 150 + "b*" + "a" * 150 + "b",
        "/*" + "ab" * 500 + "c$",
    ],
    ids=["stars", "many-stars", "pairs", "only-stars", "long-pieces", "long-last"],
)


@hostile
def test_hostile_patterns_take_linear_steps(pattern: str) -> None:
    for length in (1_000, 10_000, 40_000):
        target = Counted("/" + "a" * length)
        assert not Pattern(pattern, "rfc9309").matches(target)
        # Each find begins where the one before it ended.
        assert target.steps <= 2 * (len(target) + len(pattern))


@given(st.text("ab", min_size=100, max_size=130), st.text("ab", max_size=400), st.integers(0, 20))
def test_a_long_piece_is_found_where_find_finds_it(piece: str, text: str, start: int) -> None:
    for target in (text, text + piece + text, piece[:-1] + piece):
        assert _find_long(target, piece, start) == target.find(piece, start)
    assert Pattern("/*" + piece, "rfc9309").matches("/" + text + piece + "b")


def test_plain_rules_are_found_without_trying_them_all() -> None:
    raw = [(number, False, f"/private{number}/section") for number in range(1, 1001)]
    rules = RuleSet(raw, "*", "rfc9309")
    target = Counted("/private777/section/page")
    assert rules.match(target).line == 777
    assert target.calls <= 3


def test_wildcard_rules_of_several_heads_compete() -> None:
    raw = [(number, False, f"/{'dir/' if number % 2 else ''}*/part{number % 9}x/*") for number in range(1, 41)]
    rules = RuleSet([*raw, (41, True, "/dir/*/part8x/*y")], "*", "rfc9309")
    assert rules.match("/dir/a/part8x/by").line == 41
    assert rules.match("/dir/a/part3x/b").line == 3
    assert rules.match("/dis/a/part3x/b").line == 12
    assert rules.match("/part3x/").allowed


def test_wildcard_rules_are_found_without_trying_them_all() -> None:
    raw = [(number, False, f"/*/part{number}/*.php$") for number in range(1, 1001)]
    rules = RuleSet(raw, "*", "rfc9309")
    target = Counted("/x/part777/y.php")
    assert rules.match(target).line == 777
    assert target.calls <= 200


def test_wildcard_rules_of_two_letters_are_found_without_trying_them_all() -> None:
    raw = [(number, False, f"/*{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}") for number in range(1, 601)]
    rules = RuleSet([*raw, (601, False, "/*p*q*zzz"), (602, True, "/*x*zw")], "*", "rfc9309")
    target = Counted("/0/ba/0")
    assert rules.match(target).line == 1
    assert target.calls <= 20
    assert rules.match("/x/zw").line == 602
    assert rules.match("/p/q/zzz").line == 601
    assert rules.match("/0/z").allowed


@pytest.mark.parametrize(
    "line",
    [
        b"Request-rate: 1" + b" " * 400_000 + b"x",
        b"Visit-time: 0600" + b" " * 400_000 + b"x",
        b"Content-Signal: " + b"a" * 400_000,
        b"Content-Signal: " + b"= " * 200_000,
        b"Content-Usage: " + b"a;" * 200_000,
        b"Content-Usage: a=(" + b'"' * 300_000,
        b"Clean-param: " + b"&" * 400_000,
        b"Crawl-delay: " + b"9" * 400_000,
        b"Allow: /" + b"%" * 400_000,
        b"Allow: /" + b"*a" * 200_000,
        b"Allow " + b" " * 400_000 + b"x y",
        b"User-agent: " + b"*" * 400_000,
    ],
    ids=lambda line: line[:14].decode(),
)
@pytest.mark.parametrize("mode", MODES)
def test_hostile_lines_are_read_once(line: bytes, mode: Mode) -> None:
    """Anything quadratic in these would run into the suite's time limit."""
    file = parse(b"User-agent: A\n" + line + b"\nDisallow: /x\n", mode)
    agents = ("A",)
    file.crawl_delay(agents), file.request_rate(agents), file.visit_time(agents), file.content_signal(agents)
    file.content_usage(agents, "http://h.test/y")
    assert len(line) < MAX_BYTES
    assert file.match(agents, "http://h.test/y" + "a" * 5000).mode == mode
