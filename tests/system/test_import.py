"""Files of other tools, made here and now by those tools, imported as users type it and shown by real pywb."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import need
from tests.replay.conftest import command
from tests.replay.samples import dial, replaying
from tests.servers.raw import RawServer, raw_server, respond
from tests.system.cli import Ran, archiver, check_rows, ledger_bodies
from tests.warc.foreign import document, warcio_warc

pytestmark = [pytest.mark.system, pytest.mark.replay, pytest.mark.needs("pywb", "wget")]

PACKED = gzip.compress(b"<p>packed page", mtime=0)
PAGES = {
    "/": respond(b"<title>Theirs</title><a href=/chunked>1</a><a href=/packed>2</a><img src=/i.png>"),
    "/chunked": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"7\r\n<p>chun\r\n8\r\nked page\r\n0\r\n\r\n",
    "/packed": respond(PACKED, headers="Content-Encoding: gzip\r\n"),
    "/i.png": respond(b"\x89PNG picture", content_type="image/png"),
}
NOTE = ("--note", "wget's, for a test", "--json")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, RawServer]]:
    """A folder with `theirs/wget.warc.gz`, a damaged copy of it and a WACZ made of it; the site it was taken from."""
    folder = tmp_path_factory.mktemp("import")
    theirs = folder / "theirs"
    theirs.mkdir()
    with raw_server(PAGES) as server:
        wget = [need("wget"), "-q", "-r", "-p", f"--warc-file={theirs / 'wget'}", "--warc-header=operator: A. Wget"]
        subprocess.run([*wget, server.url("/")], cwd=folder, check=False, timeout=60)
    whole = (theirs / "wget.warc.gz").read_bytes()
    (theirs / "damaged.warc.gz").write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    wacz = [Path(sys.executable).with_name("wacz"), "create", "--title", "Made by wacz", "-o"]
    other = warcio_warc(folder / "other.warc.gz", document("resource", "http://site.test/note", b"words", "text/plain"))
    subprocess.run([*wacz, theirs / "made.wacz", other], check=True, capture_output=True, timeout=60)
    yield folder, server


@pytest.fixture(scope="module")
def imported(work: tuple[Path, RawServer]) -> Ran:
    """All of `theirs`, restricted."""
    env = {"HOME": str(work[0]), "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""}  # before a test's own home is set
    return archiver("import", "theirs", "--collection", "main", *NOTE, cwd=work[0], env=env)


def test_wgets_warc_and_a_wacz_are_taken_in_and_a_damaged_file_is_not(
    work: tuple[Path, RawServer], imported: Ran
) -> None:
    folder, ran = work[0], imported
    found = {Path(one["source"].partition("!")[0]).name: one for one in ran.objects}
    assert ran.code == 1, ran.err
    assert {name: one["outcome"] for name, one in found.items()} == {
        "wget.warc.gz": "imported", "damaged.warc.gz": "quarantined", "made.wacz": "imported",
    }  # fmt: skip
    assert "transfer coding (chunked), as wget" in found["wget.warc.gz"]["notes"][0]
    main = folder / "crawls/collections/main"
    assert (main / "restricted/wget.warc.gz").read_bytes() == (folder / "theirs/wget.warc.gz").read_bytes()
    check_rows(main)

    row = next(row for row in ledger_bodies(main) if row["event"] == "imported" and row["source"] == "wget.warc.gz")
    assert (row["policy"], row["claims"]["operator"]) == ("unknown", "A. Wget")


@pytest.mark.usefixtures("imported")
def test_what_is_imported_openly_is_shown_to_everybody_and_nothing_else(
    work: tuple[Path, RawServer], tmp_path: Path
) -> None:
    """wget's captures from a WARC that is not compressed, beside what was kept restricted."""
    folder, server = work
    plain = folder / "plain.warc"
    plain.write_bytes(gzip.decompress((folder / "theirs/wget.warc.gz").read_bytes()))
    ran = archiver("import", str(plain), "--access", "open", *NOTE, cwd=folder)
    assert ran.code == 0 and ran.objects[0]["file"] == "plain.warc", ran.err
    assert archiver("hide", server.url("/packed"), "--because", "asked to", cwd=folder).code == 0
    with replaying(command(folder / "crawls", "--public"), tmp_path / "public.log") as (port, _):
        assert b"<p>chunked page" in dial(port, f"/main/mp_/{server.url('/chunked')}").body
        assert dial(port, f"/main/id_/{server.url('/i.png')}").body == b"\x89PNG picture"
        assert dial(port, f"/main/mp_/{server.url('/packed')}").status in (404, 451)
        assert dial(port, "/main/mp_/http://site.test/2").status == 404
    with replaying(command(folder / "crawls"), tmp_path / "owner.log") as (port, _):
        assert b"their page 2" in dial(port, "/main/mp_/http://site.test/2").body
        assert dial(port, "/main/id_/http://site.test/note").body == b"words"
