"""How single values are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.config.kinds import (
    COLLECTION,
    read_address,
    read_collection,
    read_host,
    read_list,
    read_seconds,
    read_size,
)
from archiver.config.kinds import read_text as read_line
from archiver.config.special import is_loopback, read_bucket, read_endpoint, read_prefix, read_secret


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), (0, 0), ("500000", 500_000), ("10GB", 10**10), ("1.5k", 1500), ("1GiB", 2**30), ("2 MB", 2_000_000)],
)
def test_sizes(text: object, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "1XB", "-1", "1e3", "nan", "inf", "1i", "1iB", "١", True, None, [1]])
def test_no_sizes(text: object) -> None:
    with pytest.raises(ValueError, match=r"must be|too large"):
        read_size(text)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), (1.5, 1.5), ("2h", 7200), ("250ms", 0.25), ("1d", 86_400)])
def test_seconds(text: object, seconds: float) -> None:
    assert read_seconds(text) == seconds


@given(st.floats() | st.integers() | st.text() | st.booleans() | st.none())
def test_numbers_are_finite_and_not_negative_or_refused(value: object) -> None:
    for read in (read_size, read_seconds):
        try:
            assert 0 <= read(value) <= 2**53
        except ValueError:
            continue


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/abs",
        "a/b",
        "a\\b",
        "%2e%2e%2f",
        "a" * 64,
        "a b",
        "é",
        "CON",
        "-rf",
        "--help",
        "News",
        "a\n",
    ],
)
def test_collection_names_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no collection name"):
        read_collection(name)


@given(st.text())
def test_a_collection_name_is_one_harmless_path_part(name: str) -> None:
    if COLLECTION.fullmatch(name):
        assert read_collection(name) == name
        assert "/" not in name
        assert name not in (".", "..")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:80", "[::1]:80"),
        ("10.0.0.0/8:80", "10.0.0.0/8:80"),
        ("127.0.0.1:*", "127.0.0.1:*"),
        ("Test.LAN:443", "test.lan:443"),
    ],
)
def test_addresses(text: str, read: str) -> None:
    assert read_address(text) == read
    assert read_address(read) == read


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "a:0", "a:65536", ":80", "a:b", "1.2.3:80", "a b:80", "http://a:80", "::1:80", "169.254.169.254:80"],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST|PORT|brackets|write|metadata"):
        read_address(text)


def test_hosts_lists_and_lines() -> None:
    assert read_host("[2001:DB8::1]") == "2001:db8::1"
    assert read_host("example.org.") == "example.org"
    assert read_list(["b", "a", "b"], read_line) == ("b", "a")
    assert read_list("a", read_line) == ("a",)
    with pytest.raises(ValueError, match="must be a list"):
        read_list({"a": 1}, read_line)
    with pytest.raises(ValueError, match="control character"):
        read_line("a\u202eb")


@pytest.mark.parametrize(("text", "prefix"), [("", ""), ("/a//b/", "a/b"), ("e\u0301", "\u00e9"), ("a b", "a b")])
def test_prefixes(text: str, prefix: str) -> None:
    assert read_prefix(text) == prefix
    assert read_prefix(prefix) == prefix


@given(st.text())
def test_a_prefix_never_escapes(text: str) -> None:
    try:
        parts = read_prefix(text).split("/")
    except ValueError:
        return
    assert ".." not in parts
    assert parts == [""] or "" not in parts


def test_endpoints_buckets_and_secrets() -> None:
    assert read_endpoint("https://s3.example.org/b/") == "https://s3.example.org/b"
    assert read_endpoint("http://127.0.0.1:8333/b") == "http://127.0.0.1:8333/b"
    for bad in ("s3://bucket", "https://", "http://10.0.0.1/b", "https://h:99999/b", "https://h/b?x=1"):
        with pytest.raises(ValueError, match=r"must|valid|http"):
            read_endpoint(bad)
    assert read_bucket("my-bucket.1") == "my-bucket.1"
    for bad in ("ab", "A-bucket", "a..b", "127.0.0.1", "-abc"):
        with pytest.raises(ValueError, match="is no bucket name"):
            read_bucket(bad)
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        read_secret("top secret\n")
    assert "top" not in str(caught.value)


@pytest.mark.parametrize(("host", "loopback"), [
    ("localhost", True), ("a.localhost.", True), ("127.0.0.1", True), ("127.9.9.9", True), ("[::1]", True),
    ("127.0.0.0/8", True), ("127.0.0.0/7", False), ("localhost.example.org", False), ("10.0.0.1", False),
    ("127.example.org", False),
])  # fmt: skip
def test_loopback_as_written(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
