"""What passes, what is renamed, and where redirects lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.replay.headers import archived, policy, to_pywb, to_visitor
from archiver.replay.layout import CSP, SANDBOX

ORIGIN = "http://main.replay.localhost:8090"
RAW = "/main/20261123120000id_/http://site.test/a/b?c"


def shown(*headers: tuple[str, str], target: str = RAW) -> list[tuple[str, str]]:
    return to_visitor(list(headers), target=target, origin=ORIGIN)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (RAW, ("20261123120000id_", "http://site.test/a/b?c")),
        ("/main/mp_/http://site.test/", ("mp_", "http://site.test/")),
        ("/main/2026wkr_/site.test", ("2026wkr_", "site.test")),
        ("/main/2026$br:v1/site.test", ("2026$br:v1", "site.test")),
        ("/main/2026/http://site.test/", None),
        ("/main/http://site.test/", None),
        ("/main/", None),
        ("/main/cdx?url=http://site.test/id_/x", None),
        ("/main/*/http://site.test/", None),
    ],
)
def test_archived_bodies_are_told_from_pywbs_own_pages(target: str, expected: tuple[str, str] | None) -> None:
    assert archived(target) == expected


def test_visitors_cannot_lift_access_rules_or_bring_cookies() -> None:
    given_headers = [
        ("Host", "x"), ("X-Pywb-ACL-User", "staff"), ("Cookie", "a=1"), ("X-Forwarded-Proto", "https"),
        ("X-Wombat-History-Page", "http://other.test/"), ("Authorization", "Basic x"), ("RANGE", "bytes=0-1"),
    ]  # fmt: skip
    assert to_pywb(given_headers) == [("Host", "x"), ("RANGE", "bytes=0-1")]


@pytest.mark.parametrize(
    "name",
    ["Set-Cookie", "Access-Control-Allow-Origin", "Content-Security-Policy", "Clear-Site-Data", "Report-To", "Refresh",
     "WWW-Authenticate", "X-Robots-Tag", "Service-Worker-Allowed", "NEL", "alt-svc", "Cross-Origin-Embedder-Policy"],
)  # fmt: skip
def test_what_would_act_on_the_replay_is_kept_under_another_name(name: str) -> None:
    out = shown((name, "value"), ("X-Other", "1"))
    assert (f"X-Archive-Orig-{name}", "value") in out
    assert (name, "value") not in out
    assert ("X-Other", "1") in out


def test_repeated_headers_keep_number_and_order() -> None:
    assert [value for name, value in shown(("X-A", "1"), ("X-B", "2"), ("X-A", "3")) if name == "X-A"] == ["1", "3"]


def test_pywbs_memento_link_stays_and_archived_links_do_not_act() -> None:
    theirs = ("Link", '<http://live.test/>; rel="original", <http://live.test/>; rel=preconnect')
    own = ("Link", '<http://site.test/>; rel="original", <x>; rel="timegate"')
    out = shown(theirs, own)
    assert own in out and theirs not in out
    assert ("X-Archive-Orig-Link", theirs[1]) in out


def test_our_policy_stands_once() -> None:
    out = shown(("Content-Security-Policy", CSP))
    assert [value for name, value in out if name == "Content-Security-Policy"] == [CSP + SANDBOX]


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("text/html", RAW, CSP + SANDBOX),
        ("application/pdf", RAW, CSP),
        ("Application/PDF; x=1", RAW, CSP),
        ("text/html", "/main/2026/http://site.test/", CSP),
    ],
)
def test_archived_documents_are_sandboxed_and_pdf_opens(kind: str, target: str, expected: str) -> None:
    assert policy([("content-type", kind)], target) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://site.test/new", f"{ORIGIN}/main/20261123120000id_/http://site.test/new"),
        ("/new", f"{ORIGIN}/main/20261123120000id_/http://site.test/new"),
        ("new?x=%2F", f"{ORIGIN}/main/20261123120000id_/http://site.test/a/new?x=%2F"),
        ("//other.test/", f"{ORIGIN}/main/20261123120000id_/http://other.test/"),
        (f"{ORIGIN}/main/2026id_/http://site.test/", f"{ORIGIN}/main/2026id_/http://site.test/"),
        (f"{ORIGIN}.evil.test/", f"{ORIGIN}/main/20261123120000id_/{ORIGIN}.evil.test/"),
        ("javascript:alert(1)", None),
        ("mailto:a@b.test", None),
    ],
)
def test_redirects_stay_inside(location: str, expected: str | None) -> None:
    out = shown(("Location", location))
    assert [value for name, value in out if name == "Location"] == ([expected] if expected else [])
    kept = [value for name, value in out if name == "X-Archive-Orig-Location"]
    assert kept == ([] if expected == location else [location])


def test_what_pywb_made_of_a_path_is_not_resolved_again() -> None:
    made = "/main/20261123120000mp_/http://site.test/new"
    out = shown(("Location", made))
    assert [value for name, value in out if name.endswith("Location")] == [ORIGIN + made]


@pytest.mark.parametrize("location", ["http://live.test/", "//live.test/", "/\\live.test/"])
def test_pywbs_own_pages_lead_nowhere_else(location: str) -> None:
    assert not [value for name, value in shown(("Location", location), target="/main/x") if name == "Location"]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=6), st.sampled_from([RAW, "/main/x"]))
def test_whatever_was_archived_the_answer_can_be_sent(headers: list[tuple[str, str]], target: str) -> None:
    for name, value in shown(*headers, target=target):
        assert name and not set(name) - set("!#$%&'*+-.^_`|~") - {c for c in name if c.isascii() and c.isalnum()}
        assert not any(ord(char) < 32 and char != "\t" for char in value)


@given(st.text(max_size=40))
def test_every_location_stays_inside(location: str) -> None:
    for name, value in shown(("Location", location)):
        if name == "Location":
            assert value.startswith(ORIGIN + "/")
