"""What a page asks of its images."""

from __future__ import annotations

import dataclasses

import pytest

from archiver.model import Decision, Fetched, Keep, Reason, Verdict
from archiver.policy.images import is_image, wish_of
from tests.gateway.gate import candidate
from tests.warc.samples import exchange

URL = "https://a.test/p"
ALLOW = Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED, policy="strict/1")


def page(*rules: str, kind: str = "meta robots") -> Fetched:
    signal = {"kind": kind, "carrier": "meta", "raw": ",".join(rules), "parsed": {"rules": list(rules)}}
    return Fetched(candidate=candidate(URL), decision=ALLOW, keep=Keep(signals=(signal,)))


def test_a_page_that_says_nothing_asks_nothing() -> None:
    assert wish_of(page("noindex", "noai")) is wish_of(page("noimageai", kind="robots-tag")) is None
    assert wish_of(dataclasses.replace(page(), keep=Keep())) is wish_of(dataclasses.replace(page(), keep=None)) is None


@pytest.mark.parametrize(
    ("rule", "listed", "labels"), [("noimageindex", False, set()), ("noimageai", True, {"ai-train"})]
)
def test_the_wish_is_added_to_what_the_image_says(rule: str, listed: bool, labels: set[str]) -> None:
    wish = wish_of(page(rule, "noindex", kind="x-robots-tag"))
    assert wish is not None
    allowed = Keep(usage={"ai-train": {"value": "allow", "sources": ["header"]}, "tdm": {"value": "allow"}})
    for own in (Keep(), allowed):
        keep = wish.on(own)
        assert keep.listed is listed and keep.access is own.access
        assert {name for name, label in keep.usage.items() if label["value"] == "disallow"} == labels
        assert [one["source"] for one in keep.signals] == [{"page": URL}]
    assert wish.on(Keep(listed=False)).listed is False


def test_what_an_image_is() -> None:
    def answer(kind: bytes, wanted: str | None) -> Fetched:
        came = dataclasses.replace(exchange(URL), headers=((b"content-type", kind),))
        asked = dataclasses.replace(candidate(URL), resource_type=wanted)
        return Fetched(candidate=asked, decision=ALLOW, exchange=came, keep=Keep())

    assert is_image(answer(b"Image/PNG", "other")) and is_image(answer(b"text/plain", "image"))
    assert not is_image(answer(b"text/css", "stylesheet"))
    assert not is_image(dataclasses.replace(answer(b"image/png", "image"), exchange=None))
