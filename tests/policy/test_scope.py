"""Scope types, exclusions, extra hops, traps (bad input B-37, pain 19)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import urls
from archiver.errors import ConfigError
from archiver.model import Candidate, Kind, Objection, Origin, Reason
from archiver.policy.scope import Scope, ScopeRules, TrapLimits, first_objection

SEED = "https://www.example.org/news/index.html?x=1"


def candidate(url: str, **more: object) -> Candidate:
    return Candidate(url=url, key=urls.canonical(url), origin=urls.origin_of(url), **more)  # type: ignore[arg-type]


def scope(**rules: object) -> Scope:
    return ScopeRules(**{"seed": SEED, **rules}).compiled()  # type: ignore[arg-type]


def reason(objection: Objection | None) -> Reason | None:
    return None if objection is None else objection.reason


@pytest.mark.parametrize(
    ("scope_type", "inside", "outside"),
    [
        ("page", ["https://www.example.org/news/index.html?x=1"], ["https://www.example.org/news/index.html"]),
        ("page-spa", ["http://example.org/news/index.html?x=1"], ["https://www.example.org/news/other"]),
        (
            "prefix",
            ["https://www.example.org/news/", "http://example.org/news/2026/a?b", "https://example.org./news/x"],
            ["https://www.example.org/", "https://www.example.org/newspaper", "https://example.org:444/news/"],
        ),
        (
            "host",
            ["http://example.org/", "https://www.example.org/other?x"],
            ["https://blog.example.org/", "https://example.org.evil.example/", "https://example.org:8443/"],
        ),
        (
            "domain",
            ["https://example.org/", "https://www.example.org/", "http://a.b.example.org:8080/"],
            ["https://notexample.org/", "https://example.org.evil.example/", "https://example.com/"],
        ),
        ("any", ["https://example.com/", "http://127.0.0.1:81/"], []),
    ],
)
def test_scope_types(scope_type: str, inside: list[str], outside: list[str]) -> None:
    rules = scope(scope_type=scope_type)
    assert [reason(rules.check(candidate(url))) for url in inside] == [None] * len(inside)
    assert [reason(rules.check(candidate(url))) for url in outside] == [Reason.OUT_OF_SCOPE] * len(outside)


def test_ports_and_addresses_are_hosts_too() -> None:
    rules = scope(seed="http://127.0.0.1:8000/docs/", scope_type="prefix")
    assert rules.check(candidate("http://127.0.0.1:8000/docs/a")) is None
    assert reason(rules.check(candidate("http://127.0.0.1:8001/docs/a"))) is Reason.OUT_OF_SCOPE


def test_prefixes_compare_keys_so_that_escapes_do_not_matter() -> None:
    rules = scope(seed="https://example.org/%7Euser/")
    assert rules.check(candidate("https://example.org/~user/a")) is None


def test_custom_takes_its_seed_and_what_include_matches() -> None:
    rules = scope(scope_type="custom", include=(r"/wiki/[A-Z]\w+$", r"^https://cdn\.example/"))
    assert rules.check(candidate("https://any.example/wiki/Page")) is None
    assert rules.check(candidate("https://cdn.example/x")) is None
    assert rules.check(candidate(SEED, seed=True)) is None
    assert rules.check(candidate(SEED)) is None
    assert reason(rules.check(candidate("https://any.example/wiki/page"))) is Reason.OUT_OF_SCOPE


def test_exclusions_bind_seeds_and_requisites_and_name_their_pattern() -> None:
    rules = scope(exclude=(r"\.zip$", "/news/"))
    for one in (
        candidate(SEED, seed=True),
        candidate("https://www.example.org/news/a"),
        candidate("https://cdn.example/a.zip", kind=Kind.REQUISITE),
    ):
        objection = rules.check(one)
        assert objection is not None and objection.reason is Reason.USER_EXCLUSION
        assert objection.rule in (r"exclude: \.zip$", "exclude: /news/")
    assert rules.excluded("https://cdn.example/a.png") is None


def test_requisites_come_from_anywhere() -> None:
    assert scope(depth=0).check(candidate("https://cdn.example/a.png", kind=Kind.REQUISITE, depth=5)) is None


def test_depth_counts_links_from_the_seed() -> None:
    rules = scope(depth=1)
    assert rules.check(candidate("https://example.org/news/a", depth=1)) is None
    assert reason(rules.check(candidate("https://example.org/news/a", depth=2))) is Reason.DEPTH_LIMIT
    assert reason(scope(depth=0).check(candidate("https://example.org/news/a", depth=1))) is Reason.DEPTH_LIMIT
    assert scope().check(candidate("https://example.org/news/a", depth=10**6)) is None


@pytest.mark.parametrize(
    ("hops", "via", "path", "taken"),
    [
        (0, SEED, "L", False),
        (1, SEED, "L", True),
        (1, "https://other.example/", "LXL", False),
        (1, "https://other.example/", "LL", False),
        (2, "https://other.example/", "LXL", True),
        (2, "https://other.example/", "LXRL", True),
        (2, "https://third.example/", "LXXL", False),
        (1, None, "", False),
    ],
)
def test_extra_hops_are_counted_past_the_scope(hops: int, via: str | None, path: str, taken: bool) -> None:
    found = scope(extra_hops=hops).check(candidate("https://far.example/", via=via, path=path))
    assert (found is None) is taken


@pytest.mark.parametrize("kind", ["prefix", "any"])
def test_what_is_no_web_address_is_refused_by_name(kind: str) -> None:
    rules = scope(scope_type=kind)
    ftp = Candidate(url="ftp://example.org/", key="ftp://example.org/", origin=Origin("ftp", "example.org", 21))
    assert reason(rules.check(ftp)) is Reason.UNSUPPORTED_SCHEME
    secret = candidate("https://me:secret@example.org/news/")
    objection = rules.check(secret)
    assert objection is not None and objection.reason is Reason.CREDENTIALS_IN_URL
    assert "secret" not in objection.rule


@pytest.mark.parametrize("field", ["include", "exclude"])
@pytest.mark.parametrize("pattern", [r"(?=a)", r"(a)\1", "(", "a{1001}", "[z-a]"])
def test_patterns_without_linear_time_are_refused_with_the_fix(field: str, pattern: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        scope(**{field: (pattern,)})
    assert field in str(refusal.value) and repr(pattern) in str(refusal.value) and "RE2" in str(refusal.value)


def test_a_seed_that_is_no_url_is_refused() -> None:
    with pytest.raises(ConfigError, match="no http"):
        scope(seed="example.org")


def test_catastrophic_patterns_are_not() -> None:
    url = "https://example.org/news/" + "a" * 50_000 + "!"
    rules = scope(exclude=(r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$"), traps=TrapLimits(length=0))
    assert rules.check(candidate(url)) is None


@pytest.mark.parametrize(
    ("tail", "rule"),
    [
        ("a" * 5000, "trap:length"),
        ("x/" * 4, "trap:repeats"),
        ("a/b/a/b/a/b/", "trap:repeats"),
        ("s/a/b/c/a/b/c/a/b/c", "trap:repeats"),
        ("/".join(map(str, range(60))), "trap:depth"),
        ("?" + "&".join(f"p{number}=1" for number in range(80)), "trap:parameters"),
    ],
)
def test_traps_are_named(tail: str, rule: str) -> None:
    objection = scope().check(candidate(f"https://example.org/news/{tail}"))
    assert objection is not None and objection.reason is Reason.TRAP and objection.rule.startswith(rule)
    off = TrapLimits(length=0, depth=0, repeats=0, parameters=0, calendar=0)
    assert scope(traps=off).check(candidate(f"https://example.org/news/{tail}")) is None


@pytest.mark.parametrize(
    "tail", ["000/000/123/", "2026/01/01/01/", "a/b/a/b/", "a/x/a/y/a/z/a/w/", "////", "a//b//c//d"]
)
def test_ordinary_paths_are_no_traps(tail: str) -> None:
    assert scope().check(candidate(f"https://example.org/news/{tail}")) is None


def test_an_endless_calendar_ends() -> None:
    rules = scope(traps=TrapLimits(calendar=3))
    days = [candidate(f"https://example.org/news/cal?date=2031-{month:02}") for month in range(1, 8)]
    first = [reason(rules.check(day)) for day in days]
    assert first == [None] * 3 + [Reason.TRAP] * 4
    assert [reason(rules.check(day)) for day in days] == first
    objection = rules.check(days[-1])
    assert objection is not None and objection.rule.startswith("trap:calendar")
    assert rules.check(candidate("https://example.org/news/other?month=5")) is None
    assert rules.check(candidate("https://example.org/news/cal?id=5")) is None


@given(st.lists(st.sampled_from("abc"), max_size=14), st.integers(2, 5))
def test_repetition_is_what_it_says(segments: list[str], most: int) -> None:
    text = "/".join(segments)
    groups = ["/".join(segments[at : at + size]) for size in range(1, 9) for at in range(len(segments) - size + 1)]
    expected = any(
        f"/{'/'.join([group] * (most if '/' not in group else max(most - 1, 2)))}/" in f"/{text}/" for group in groups
    )
    objection = scope(seed="http://h/", traps=TrapLimits(repeats=most)).check(candidate(f"http://h/{text}"))
    assert (reason(objection) is Reason.TRAP) is expected


def test_of_several_scopes_one_is_enough_and_the_best_reason_is_told() -> None:
    page = candidate("https://example.org/news/a", depth=3)
    elsewhere, shallow, open_ = scope(seed="https://other.example/"), scope(depth=1), scope()
    assert first_objection([elsewhere.check(page), open_.check(page)]) is None
    assert reason(first_objection([elsewhere.check(page), shallow.check(page)])) is Reason.DEPTH_LIMIT
    excluding = scope(exclude=("news",))
    assert reason(first_objection([shallow.check(page), excluding.check(page)])) is Reason.USER_EXCLUSION
    assert first_objection([]) is None
