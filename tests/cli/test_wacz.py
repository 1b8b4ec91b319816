"""`wacz` in this process: what is opened, expired, hidden by prefix, restricted; what its messages say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.ledger.reader import verify_folder
from tests.cli.conftest import Said, Verb
from tests.servers.raw import RawServer, raw_server, respond
from tests.warc.wacz_package import Package

SITE = {
    "/robots.txt": respond(b"User-agent: *\nDisallow: /x", content_type="text/plain"),
    "/x": respond(b"<title>X</title><p>page x</p><img src=/i.png>"),
    "/ok": respond(b"<title>Ok</title><p>ok</p>"),
    "/old": respond(b"<title>Old</title><p>old</p>", headers="X-Robots-Tag: unavailable_after: 2020-01-01\r\n"),
    "/unlisted": respond(b"<title>U</title><p>u</p>", headers="X-Robots-Tag: noindex\r\n"),
    "/f/a": respond(b"<title>Fa</title><p>f a</p>"),
    "/f/b": respond(b"<title>Fb</title><p>f b</p>"),
    "/i.png": respond(b"image" * 500, content_type="image/png"),
}
ROOT = Path("crawls/collections/main")
Save = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server(SITE) as running:
        yield running


@pytest.fixture
def save(verb: Verb, server: RawServer) -> Save:
    def made(*paths: str, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
        said = verb("save", *map(server.url, paths), *allow, "--json", *more)
        return [json.loads(line) for line in said.out.splitlines()]

    return made


def packed(said: Said, path: Path = ROOT / "main.wacz") -> Package:
    assert said.code == 0, said.err
    found = Package.read(path)
    found.check()
    assert all(one.chain.ok for one in verify_folder(ROOT / "logs").segments)
    return found


def test_what_was_opened_is_in_and_what_was_not_is_not(verb: Verb, server: RawServer, save: Save) -> None:
    lift = ("--override", "robots", "--because", "court order", "--by", "Ann Smith")
    (first,), (second,) = save("/x", more=lift), save("/x", more=lift)
    save("/ok")
    found = packed(verb("wacz"))
    assert server.url("/x") not in found.urls and server.url("/ok") in found.urls
    assert found.json("reports/left-out.json")["captures"]["restricted"] == 4

    assert verb("open", second["capture_id"], "--because", "agreed").code == 0
    found = packed(verb("wacz"))
    assert found.urls.count(server.url("/x")) == 1 and server.url("/i.png") in found.urls
    (page,) = [row for row in found.pages if row["url"] == server.url("/x")]
    assert page["id"] == second["capture_id"]
    kinds = [kind for kind, target, _ in found.records() if target.endswith("/x")]
    assert sorted(kinds) == ["metadata", "request", "response"], "the decision says who lifted what"

    one = packed(verb("wacz", "--url", server.url("/x")), ROOT / "wacz" / f"{second['capture_id']}.wacz")
    assert server.url("/x") in one.urls
    assert "restricted" in one.json("datapackage.json")["capture"]["access"]
    refused = verb("wacz", "--capture", first["capture_id"])
    assert refused.code == 2 and "override" in refused.err


def test_what_is_past_its_date_is_out_and_unlisted_is_not_listed(verb: Verb, server: RawServer, save: Save) -> None:
    save("/ok", "/old", "/unlisted")
    said = verb("wacz")
    found = packed(said)
    assert server.url("/old") not in found.urls and "1 expired" in said.err
    assert server.url("/unlisted") in found.urls
    assert [row["url"] for row in found.pages] == [server.url("/ok")]
    assert not any(b"<p>old</p>" in block for _, _, block in found.records())
    rows = b"".join(data for name, data in found.files.items() if name.startswith("logs/")).splitlines()
    erased = [json.loads(row) for row in rows if json.loads(row)["body"] is None]
    assert erased and all(row["salt"] is None for row in erased)
    packed(verb("wacz", "--owner"), ROOT / "main.owner.wacz")


def test_a_prefix_hides_under_any_spelling(verb: Verb, server: RawServer, save: Save) -> None:
    save("/ok", "/f/a", "/f/b")
    assert verb("hide", server.url("/f/").replace("http:", "https:") + "*", "--because", "x").code == 0
    found = packed(verb("wacz"))
    assert found.urls and not any("/f/" in url for url in found.urls)
    assert not any(b"/f/a" in block or b"/f/" in target.encode() for _, target, block in found.records())
    assert not any(b"/f/a" in data for name, data in found.files.items() if not name.startswith("archive/"))
    assert verb("wacz", "--url", server.url("/f/a")).code == 2


def test_nothing_to_hide_is_packed_byte_for_byte(verb: Verb, server: RawServer, save: Save) -> None:
    (saved,) = save("/ok", more=("--wacz",))
    said = verb("wacz", "--title", "Ours")
    found = packed(said)
    assert said.err == ""
    assert found.warcs == {path.name: path.read_bytes() for path in (ROOT / "archive").iterdir()}
    assert found.files[f"logs/{next((ROOT / 'logs').iterdir()).name}"] == next((ROOT / "logs").iterdir()).read_bytes()
    package = found.json("datapackage.json")
    assert package["title"] == "Ours" and package["description"] == "Nothing was left out."
    one = packed(said, Path(saved["wacz"]))
    assert one.warcs == found.warcs, "the run's only capture: even its copy of the ledger is in"


def test_a_collection_with_nothing_for_the_public_says_so(verb: Verb, server: RawServer, save: Save) -> None:
    save("/x", more=("--override", "robots", "--because", "x", "--by", "y"))
    for path in (ROOT / "archive").iterdir():
        path.unlink()
    for path in (ROOT / "indexes").glob("*.cdxj"):
        path.unlink()
    said = verb("wacz")
    assert said.code == 2 and "--owner" in said.err and not (ROOT / "main.wacz").exists()


def test_a_row_that_cannot_be_judged_stops_the_packing(verb: Verb, server: RawServer, save: Save) -> None:
    """It might name what is hidden; nothing is written then."""
    save("/ok", "/f/a")
    path = next((ROOT / "logs").iterdir())
    path.write_bytes(path.read_bytes() + b'{"broken\n')
    assert verb("wacz").code == 0, "with nothing to judge, rows go in as they are"
    (ROOT / "main.wacz").unlink()
    assert verb("hide", server.url("/f/a"), "--because", "x").code == 0
    said = verb("wacz")
    assert said.code == 1 and path.name in said.err and not (ROOT / "main.wacz").exists()
