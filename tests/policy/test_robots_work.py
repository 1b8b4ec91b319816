"""Random octets against a third telling of Google's dialect; and what hostile files cost, in steps, at n and at 2n."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.policy.robots import Mode, Pattern, evaluate, parse
from tests.conformance import robots as vectors
from tests.policy import robots_states
from tests.policy.steps import steps

MODES: tuple[Mode, Mode] = ("rfc9309", "google")

words = st.sampled_from(
    [
        b"User-agent", b"useragent", b"user agent", b"USER-AGENTS", b"Allow", b"allowed", b"Disallow", b"dissallow",
        b"disallaw", b"Crawl-delay", b"Sitemap", b"foo", b":", b": ", b" : ", b" ", b"\t", b"\v", b"\f", b"\0", b"\x85",
        b"a", b"A", b"b", b"ab", b"a-b", b"a/1", b"a1", b"*", b"* x", b"*x", b"/", b"/a", b"/a/", b"/b", b"/index.html",
        b"/*", b"*a", b"$", b"**", b"?", b";", b"%61", b"%2f", b"%2F", b"%", b"%zz", b"\xc3\xa9", b"%c3%A9", b"\xff",
        b"#", b"\n", b"\n", b"\n", b"\r", b"\r\n", b"\nUser-agent: a\n", b"\nUser-agent: *\n", b"\nDisallow: /",
        b"\nAllow: /a",
        b"\xef", b"\xef\xbb", b"\xef\xbb\xbf",
    ]
)  # fmt: skip
octets = st.one_of(st.lists(words, max_size=40).map(b"".join), st.binary(max_size=120))
tails = st.lists(
    st.sampled_from(
        ["/", "a", "b", "A", "/a/", "index.html", "?", ";", "$", "*", "%61", "%2F", "%2f", "é", "%C3%A9", "#"]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=400)
@given(octets, st.sampled_from(["a", "A", "ab", "a-b", "a b", "b", ""]), tails)
@example(b"user-agent: *\nallow: /a/index.html\ndisallow: /", "x", "/a/")
@example(b"user-agent: a\nuser-agent: *\ndisallow: /\nuser-agent: a\nallow: /b", "a", "/b")
@example(b"disallow /\nuser-agent a b\ndisallow: /", "a", "/")
def test_google_mode_reads_octets_as_the_state_machine_does(data: bytes, agent: str, tail: str) -> None:
    url = "http://h.test" + ("/" if tail[:1] not in "/?;#" else "") + tail
    assert evaluate(data, (agent,), url, "google").allowed == robots_states.allowed(data, agent, url)


@pytest.mark.parametrize("name", ["robots_vectors", "own_robots"])
def test_the_vectors_of_google_mode_are_what_the_state_machine_says(name: str) -> None:
    document = json.loads((vectors.FILE.parent / f"{name}.json").read_bytes())
    cases = [one for one in document["cases"] if one["standard"] != "rfc9309" and not one.get("contested")]
    for case in cases:
        url = vectors.text(case["url"])
        agent = case.get("product_token") or case["user_agent"]
        assert robots_states.allowed(vectors.body(case), agent, url) is case["expect_allowed"], case["id"]
    assert len(cases) > 200


@settings(max_examples=150)
@given(octets, tails, st.sampled_from(MODES))
def test_line_ends_mean_nothing_but_the_end_of_a_line(data: bytes, tail: str, mode: Mode) -> None:
    """CR, LF and CRLF are the same; blank lines, comments and records nobody knows change nothing."""
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    url = "http://h.test/" + tail
    said = evaluate(plain, ("a",), url, mode).allowed
    for other in (b"\r", b"\r\n", b"\n\n", b"\n# x\n", b"\nunheard-of: y\n", b"\nSitemap: https://h.test/s\n"):
        assert evaluate(plain.replace(b"\n", other), ("a",), url, mode).allowed is said, other


@settings(max_examples=150)
@given(octets, tails, st.sampled_from(MODES))
def test_what_is_read_can_be_written_and_read_again(data: bytes, tail: str, mode: Mode) -> None:
    """The deciding line alone, in a file of its own, decides the same."""
    url = "http://h.test/" + tail
    verdict = evaluate(data, ("a",), url, mode)
    if verdict.rule is None:
        assert verdict.allowed
        return
    line = f"User-agent: *\n{'Allow' if verdict.allowed else 'Disallow'}: {verdict.rule}\n"
    again = evaluate(line.encode("utf-8", "surrogateescape"), ("a",), url, mode)
    assert (again.allowed, again.rule, again.line) == (verdict.allowed, verdict.rule, 2)


FILES: dict[str, Callable[[int], bytes]] = {
    "groups": lambda n: b"".join(b"User-agent: a%d\nDisallow: /%d\n" % (i, i) for i in range(n)) + b"User-agent: a\n",
    "agents": lambda n: b"User-agent: a\n" * n + b"Disallow: /x\n",
    "same-group": lambda n: b"User-agent: a\nDisallow: /x\n" * n,
    "same-rule": lambda n: b"User-agent: a\n" + b"Disallow: /x\n" * n,
    "same-prefix": lambda n: b"User-agent: a\n" + b"".join(b"Disallow: /aaaaaaaaaaaaaaaa%d\n" % i for i in range(n)),
    "nested-prefixes": lambda n: b"User-agent: a\n" + b"".join(b"Allow: /%s\n" % (b"a" * (i % 250)) for i in range(n)),
    "nested-wild": lambda n: b"User-agent: a\n" + b"".join(b"Allow: /%s*q\n" % (b"a" * (i % 250)) for i in range(n)),
    "short-wild": lambda n: b"User-agent: a\n" + b"".join(b"Disallow: /*%d*z\n" % i for i in range(n)),
    "long-wild": lambda n: b"User-agent: a\n" + b"".join(b"Disallow: /*abc%d*z\n" % i for i in range(n)),
    "stars": lambda n: b"User-agent: a\nDisallow: /" + b"*a" * n + b"b\n",
    "only-stars": lambda n: b"User-agent: a\nDisallow: /" + b"*" * n + b"b\n",
    "escapes": lambda n: b"User-agent: a\nDisallow: /" + b"%zz%4" * n + b"\n",
    "octets": lambda n: b"User-agent: a\nDisallow: /" + b"\xff\xc3\xa9" * n + b"\n",
    "delays": lambda n: b"User-agent: a\n" + b"Crawl-delay: 1\nRequest-rate: 1/2\nVisit-time: 0600-0700\n" * n,
    "usages": lambda n: b"User-agent: a\n" + b"Content-Usage: /a train-ai=n\nContent-Signal: search=no\n" * n,
    "usage-keys": lambda n: b"User-agent: a\nContent-Usage: " + b"a=(1 2);b=?1, " * n + b"train-ai=n\n",
    "sitemaps": lambda n: b"Sitemap: https://h.test/s\nLicense: https://h.test/l\nClean-param: a&b /x\n" * n,
    "unknown": lambda n: b"".join(b"x%d: y\n" % i for i in range(n)),
    "empty-lines": lambda n: b"\n\r" * n,
    "binary": lambda n: bytes(range(256)) * n,
}


def all_of(data: bytes, mode: Mode) -> None:
    """Read a file and ask it everything, once."""
    file = parse(data, mode)
    url = "http://h.test/" + "a" * 300 + "?abc12=z"
    file.match(("a",), url)
    file.crawl_delay(("a",)), file.request_rate(("a",)), file.visit_time(("a",))
    file.content_signal(("a",)), file.content_usage(("a",), url)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FILES)
def test_twice_the_file_is_twice_the_work(name: str, mode: Mode) -> None:
    one, two = FILES[name](400), FILES[name](800)
    small, large = (steps(partial(all_of, data, mode)) for data in (one, two))
    assert large <= 2.3 * small + 500


@pytest.mark.parametrize("pattern", ["/*a*a*a*b", "/" + "*a" * 500 + "$", "/*" + "a" * 200 + "b", "/aaa*ab*aab$"])
@pytest.mark.parametrize("mode", MODES)
def test_a_longer_url_takes_no_more_steps_than_it_is_longer(pattern: str, mode: Mode) -> None:
    compiled = Pattern(pattern, mode)
    small, large = (steps(partial(compiled.matches, "/" + "a" * n)) for n in (2_000, 4_000))
    assert large <= 2 * small + 50


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "data",
    [
        b"User-agent: a\nDisallow: /" + b"a" * 511_000 + b"\n",
        b"".join(b"User-agent: %d\nDisallow:/\n" % i for i in range(20_000)),
        b"User-agent:a\n" + b"Disallow:/aaaaaaaaaaa\n" * 23_000,
        b"User-agent:a\n" + b"".join(b"Disallow:/%05d*a*b$\n" % i for i in range(25_000)),
        b"User-agent:a\nDisallow:/" + b"*" * 500_000 + b"\n",
        b"User-agent:a\nDisallow:/" + b"*a" * 250_000 + b"\n",
        b"#" * 511_000,
        b":" * 511_000,
        b" " * 511_000 + b"\n",
        b"\r" * 511_000,
        b"\0" * 511_000,
        b"\xff" * 511_000,
    ],
    ids=[
        "line", "groups", "same-rules", "wild-rules", "stars", "star-a", "comment", "colons", "blanks", "lines", "nul",
        "octets",
    ],
)  # fmt: skip
def test_the_largest_hostile_file_is_read(data: bytes, mode: Mode) -> None:
    """Anything quadratic in these would run into the suite's time limit."""
    file = parse(data, mode)
    for url in ("http://h.test/" + "a" * 8_000, "http://h.test/"):
        assert file.match(("a",), url).mode == mode
