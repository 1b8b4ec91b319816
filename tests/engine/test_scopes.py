"""Many seeds are one scope: the short way to those that could take a URL in gives the answer that all would give."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from archiver import urls
from archiver.engine.scopes import SeedScopes
from archiver.model import Candidate, Kind
from archiver.policy.scope import ScopeRules, first_objection

_HOSTS = st.sampled_from(["a.test", "www.a.test", "b.a.test", "c.b.a.test", "test", "127.0.0.1", "x.test:8080"])
_PATHS = st.sampled_from(["/", "/d/", "/d/x", "/e?q=1"])
_URLS = st.builds(
    lambda scheme, host, path: f"{scheme}://{host}{path}", st.sampled_from(["http", "https"]), _HOSTS, _PATHS
)
_RULES = st.builds(
    lambda seed, kind, exclude, hops: ScopeRules(
        seed=seed, scope_type=kind, include=("/e",), exclude=exclude, extra_hops=hops
    ),
    _URLS,
    st.sampled_from(["page", "prefix", "host", "domain", "any", "custom"]),
    st.sampled_from([(), (), ("/d/x",)]),
    st.sampled_from([0, 0, 0, 1]),
)


@given(st.lists(_RULES, min_size=1, max_size=6), _URLS, st.booleans())
def test_the_index_changes_no_verdict(rules: list[ScopeRules], url: str, seed: bool) -> None:
    one = urls.of(url)
    link = Candidate(url=one.url, key=one.key, origin=one.origin, kind=Kind.DOCUMENT)
    candidate = replace(link, seed=seed)
    scopes, compiled = SeedScopes(rules), [rule.compiled() for rule in rules]
    expected = first_objection([scope.check(link) for scope in compiled])
    assert (scopes.check(link) is None) == (expected is None)
    assert scopes.takes(one.url, one.key) == any(scope.takes(one.url, one.key) for scope in compiled)
    if seed:
        assert (scopes.admit(candidate) is None) == all(scope.excluded(one.url) is None for scope in compiled)
