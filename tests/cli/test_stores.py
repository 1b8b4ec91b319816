"""A store that cannot work as it is configured: said at once, in a line that names the key, and by `doctor` before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Verb
from tests.servers.authority import make_authority
from tests.servers.raw import RawServer, raw_server, respond
from tests.servers.seaweed import seaweedfs

pytestmark = pytest.mark.system

PAGE = {"/": respond(b"<title>t</title>")}
ANSWERS = {
    "404": (respond(b"<h1>Not here</h1>", status="404 Not Found"), 22, "STORE_ENDPOINT_URL"),
    "301": (respond(b"", status="301 Moved", headers="Location: https://127.0.0.1:9/\r\n"), 22, "STORE_ENDPOINT_URL"),
    "400": (respond(b"", status="400 Bad Request"), 22, "STORE_ENDPOINT_URL"),
    "405": (respond(b"", status="405 Method Not Allowed"), 22, "STORE_ENDPOINT_URL"),
    "no bucket": (respond(b"<Error><Code>NoSuchBucket</Code></Error>", status="404 Not Found"), 22, "STORE_BUCKET"),
    "403": (respond(b"", status="403 Forbidden"), 33, "STORE_ACCESS_KEY"),
}


@pytest.fixture(params=list(ANSWERS))
def wrong(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[RawServer, int, str]]:
    """A server over TLS that answers everything alike, as the configured store; the exit code; the variable to fix."""
    answer, code, word = ANSWERS[request.param]
    authority = make_authority(tmp_path)
    with raw_server({}, tls=authority, otherwise=answer) as server:
        for name, value in {
            "STORE_ENDPOINT_URL": server.url("/bucket"), "STORE_ACCESS_KEY": "AK", "STORE_SECRET_KEY": "not-told",
            "AWS_CA_BUNDLE": str(authority.ca_file),
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield server, code, word


def test_save_does_not_try_for_minutes(verb: Verb, wrong: tuple[RawServer, int, str]) -> None:
    store, code, word = wrong
    with raw_server(PAGE) as site:
        said = verb("save", site.url("/"), "--allow-address", f"127.0.0.1:{site.port}", "--delay", "0")
    assert said.code == code, said
    (line,) = [line for line in said.out.splitlines() if "Not stored" in line]
    assert word in line and "not-told" not in said.out + said.err
    assert "Captured" in said.out, "it is archived here all the same"
    # each of the few uploads at a time may have been under way when the first one failed
    assert sum(request.raw.startswith(b"PUT ") for request in store.requests) <= 4


def test_doctor_tries_it(verb: Verb, wrong: tuple[RawServer, int, str]) -> None:
    _, _, word = wrong
    said = verb("doctor", "--json")
    (storage,) = [one for one in json.loads(said.out)["findings"] if one["name"] == "storage"]
    assert said.code == 1 and storage["state"] == "bad" and word in storage["says"]


@pytest.mark.system
@pytest.mark.needs("seaweedfs")
def test_doctor_with_a_store_that_works(verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    with seaweedfs(tmp_path / "weed") as server:
        for name, value in server.environment("bucket/x/").items():
            monkeypatch.setenv(name, value)
        said = verb("doctor")
    assert "storage" in said.out and "read back, and deleted" in said.out, said
