"""What other tools make of our files: warcio reads all of it, cdxj-indexer sees captures and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cdxj_indexer.main import CDXJIndexer
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from archiver.model import Access
from archiver.warc.cdxj import method_query
from archiver.warc.reader import iter_records
from archiver.warc.reindex import build_index
from tests.warc.samples import capture, document, exchange, page, streams, tls, write_warc

DER = (Path(__file__).parent / "data" / "leaf.der").read_bytes()
FORM_TYPE = b"Content-Type: application/x-www-form-urlencoded"
FORM = b"POST /f HTTP/1.1\r\nHost: x\r\n" + FORM_TYPE + b"\r\nContent-Length: 7\r\n\r\nb=2&a=1"


def everything(folder: Path) -> Path:
    return write_warc(
        folder,
        page(1),
        capture(exchange("https://www.example.org/A?b=2&a=1", body=b"z" * 2000, tls=tls(chain=(DER, DER)))),
        capture(exchange("https://example.org/again", body=b"z" * 2000, tls=tls(chain=(DER, DER)))),
        capture(exchange("http://example.org/form", request=FORM, method="POST")),
        capture(exchange("http://example.org/none", status=404, head=b"HTTP/1.1 404 Not Found\r\n\r\n")),
        document(),
        document(target="urn:pageinfo:http://example.org/", payload=b'{"urls": {}}'),
        document(type="conversion", target="urn:robots:http://example.org/robots.txt", content_type="text/plain"),
    )


def indexed(path: Path, **options: object) -> list[tuple[str, str, dict[str, str]]]:
    target = path.with_suffix(".out")
    CDXJIndexer(str(target), [str(path)], sort=True, **options).process_all()
    rows = []
    for line in target.read_text().splitlines():
        key, stamp, fields = line.split(" ", 2)
        rows.append((key, stamp, json.loads(fields)))
    return rows


def test_warcio_reads_every_record(tmp_path: Path) -> None:
    path = everything(tmp_path)
    ours = list(iter_records(path))
    with open(path, "rb") as file:
        theirs = [
            (record.rec_type, record.rec_headers.get_header("WARC-Record-ID"), record.raw_stream.read())
            for record in ArchiveIterator(file, no_record_parse=True)
        ]
    assert theirs == [(r.headers.type, f"<{r.headers.record_id}>", r.block) for r in ours]


def test_warcio_finds_our_digests_right(tmp_path: Path) -> None:
    checker = Checker(type("Command", (), {"inputs": [str(everything(tmp_path))], "verbose": False})())
    checker.process_all()
    assert checker.exit_value == 0


@pytest.mark.parametrize("post_append", [False, True])
def test_cdxj_indexer_sees_captures_only(tmp_path: Path, post_append: bool) -> None:
    rows = indexed(everything(tmp_path), post_append=post_append)
    assert len(rows) == 5
    assert all(fields["url"].startswith(("http://", "https://")) for _, _, fields in rows)
    assert all(key.startswith("org,example)/") for key, _, _ in rows)


def test_our_index_agrees_with_cdxj_indexer(tmp_path: Path) -> None:
    path = everything(tmp_path)
    theirs = indexed(path, post_append=True)
    ours = [line.split(" ", 2) for line in build_index(path).decode().splitlines()]
    assert [(key, stamp) for key, stamp, _ in ours] == [(key, stamp) for key, stamp, _ in theirs]
    for (_, _, text), (_, _, fields) in zip(ours, theirs):
        own = json.loads(text)
        assert {**own, "mime": own["mime"].replace("unk", "")} == {**fields, "mime": fields.get("mime", "")}


@pytest.mark.parametrize(
    ("content_type", "body", "query"),
    [
        ("application/x-www-form-urlencoded", b"b=2&a=%C3%BC+x", "b=2&a=ü x"),
        ("application/x-www-form-urlencoded", b"\xff\xfe", "__wb_post_data=//4="),
        (
            "application/json",
            b'{"a":{"b":1,"c":[true,null,2.0,"x"]},"b":2}',
            "b=1&c=true&c.2_=null&c.3_=2&c.4_=x&b.2_=2",
        ),
        ("application/json", b'{"a":1}\n{"a":2}', "a=1&a.2_=2"),
        ("application/json", b"not json", ""),
        ("text/plain", b'{"a":1}', "a=1"),
        ("text/plain", b"plain", "__wb_post_data=cGxhaW4="),
        (
            "multipart/form-data; boundary=B",
            b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1 2\r\n--B--\r\n',
            "a=1+2",
        ),
        ("multipart/form-data", b"x", "__wb_post_data=eA=="),
        ("", b"\x00\x01", "__wb_post_data=AAE="),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 5000, ("a=" + "x" * 5000)[:4096]),
    ],
)
def test_post_queries_as_pywb_makes_them(content_type: str, body: bytes, query: str) -> None:
    request = b"POST /x HTTP/1.1\r\nContent-Type: %b\r\n\r\n%b" % (content_type.encode(), body)
    assert method_query(request) == ("POST", query)


def test_other_methods_have_keys_of_their_own(tmp_path: Path) -> None:
    """An empty answer to HEAD must not replay as the page."""
    path = write_warc(tmp_path, capture(exchange(request=b"HEAD / HTTP/1.1\r\n\r\n", method="HEAD", body=b"")))
    assert build_index(path).startswith(b"org,example)/?__wb_method=head ")


def test_lines_are_sorted_and_only_of_http(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write(
        [page(n) for n in (3, 10, 2)] + [document(type="resource", target="urn:view:x", content_type="image/png")]
    )
    index = Path(made.roll()[0].cdxj_path).read_bytes()
    lines = index.splitlines(keepends=True)
    assert lines == sorted(lines) and len(lines) == 3
    fields = json.loads(lines[0].split(b" ", 2)[2])
    assert set(fields) == {"url", "mime", "status", "digest", "length", "offset", "filename"}
    assert all(isinstance(value, str) for value in fields.values())
    assert lines[0].split(b" ")[1] == b"20261123120010"


def test_dark_records_are_in_no_open_index(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([page(1, access=Access.DARK), page(2)])
    made.roll()
    (index,) = (tmp_path / "indexes").iterdir()
    assert b"page-1" not in index.read_bytes() and b"page-2" in index.read_bytes()
