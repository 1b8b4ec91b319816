"""A foreign project's request as a candidate."""

from __future__ import annotations

import pytest
from scrapy import Request

from archiver.crawl.foreign import candidate_of
from archiver.errors import UsageError


def test_method_headers_and_body_travel_but_nothing_for_a_proxy() -> None:
    request = Request(
        "HTTP://A.example:80/x#part", method="POST", body=b"q=1",
        headers={"X-One": ["1", "2"], "Proxy-Authorization": "Basic x", "Cookie": "a=b"}, meta={"depth": 2},
    )  # fmt: skip
    candidate = candidate_of(request)
    assert candidate.url == "http://a.example/x" and str(candidate.origin) == "http://a.example"
    assert (candidate.method, candidate.body, candidate.depth, candidate.seed) == ("POST", b"q=1", 2, True)
    assert set(candidate.headers) == {(b"X-One", b"1"), (b"X-One", b"2"), (b"Cookie", b"a=b")}


@pytest.mark.parametrize("url", ["http://user:secret@a.example/", "http://a.example:0/"])
def test_what_is_no_plain_web_address_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        candidate_of(Request(url))
    assert "secret" not in str(refused.value)
