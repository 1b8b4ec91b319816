"""A row gives back the candidate it was made of, whatever is in it."""

from hypothesis import given
from hypothesis import strategies as st

from archiver.frontier.rows import decode, digest, encode
from archiver.model import Candidate, Kind, Lane, Origin

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
near = st.one_of(text, text.map(lambda tail: f"https://a.test{tail}"), text.map(lambda tail: f"https://a.test/{tail}"))
origins = st.sampled_from([Origin("https", "a.test", 443), Origin("http", "a.test", 8080), Origin("http", "::1", 80)])
candidates = st.builds(
    Candidate,
    url=near,
    key=near,
    origin=origins,
    kind=st.sampled_from(Kind),
    resource_type=text,
    depth=st.integers(0, 1000),
    via=st.none() | near,
    initiator=st.none() | near,
    path=st.text("LREXP", max_size=9),
    lane=st.sampled_from(Lane),
    method=st.sampled_from(["GET", "POST"]),
    headers=st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=3).map(tuple),
    body=st.binary(max_size=40),
    seed=st.booleans(),
    hops=st.integers(0, 30),
)


@given(candidates)
def test_round_trip(candidate: Candidate) -> None:
    prefix = str(candidate.origin)
    assert decode(encode(candidate, prefix), candidate.origin, prefix, candidate.depth) == candidate


def test_an_ordinary_link_is_short() -> None:
    url = "https://a.test/docs/page.html"
    link = Candidate(url=url, key=url, origin=Origin("https", "a.test", 443), depth=2, via="https://a.test/", path="LL")
    assert encode(link, "https://a.test") == '{"url":"/docs/page.html","via":"/","path":"LL"}'


def test_a_digest_is_16_bytes_of_blake2b() -> None:
    assert digest("https://a.test/").hex() == "f8225a0b57c575040d8852378e23426d"
