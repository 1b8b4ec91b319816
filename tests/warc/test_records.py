from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.clock import iso
from archiver.model import Truncated
from archiver.spooled import Spool
from archiver.warc import records
from archiver.warc.fields import field_value, parse_fields
from archiver.warc.reader import Record, iter_records
from archiver.warc.reindex import index_lines
from archiver.warc.verify import verify_file
from tests.warc.samples import START, capture, document, exchange, tls, write_warc


def only(path: Path, kind: str) -> Record:
    found = [record for record in iter_records(path) if record.headers.type == kind]
    assert len(found) == 1
    return found[0]


def test_response_is_the_wire(tmp_path: Path) -> None:
    made = exchange(head=b"HTTP/1.1 200 OK\r\nX-oDD : a\r\nSet-Cookie: 1\r\nset-cookie: 2\r\n\r\n", ip="::FFFF:0:1")
    item = capture(made, page_id="p1", resource_type="document")
    record = only(write_warc(tmp_path, item), "response")
    assert record.block == made.response.read()
    head = record.headers
    assert head.version == "WARC/1.1"
    assert head.record_id == item.response_id
    assert head.target == made.url
    assert head.get("WARC-Date") == "2026-11-23T12:00:00.123Z"
    assert head.get("WARC-IP-Address") == "::ffff:0:1"
    assert head.get_all("WARC-Protocol") == ["http/1.1"]
    assert head.get("WARC-Page-ID") == "p1"
    assert head.get("WARC-Resource-Type") == "document"
    assert head.get("WARC-Block-Digest") == records.sha256(made.response.read())
    assert head.get("WARC-Payload-Digest") == records.sha256(b"<p>hello</p>")
    assert head.get("WARC-Truncated") is None


def test_the_three_records_belong_together(tmp_path: Path) -> None:
    item = capture(via="http://example.org/from", hop_path="LE")
    info, response, request, policy = iter_records(write_warc(tmp_path, item))
    assert [r.headers.type for r in (info, response, request, policy)] == [
        "warcinfo",
        "response",
        "request",
        "metadata",
    ]
    for record in (response, request, policy):
        assert record.headers.get("WARC-Warcinfo-ID") == f"<{info.headers.record_id}>"
    for record in (request, policy):
        assert record.headers.get("WARC-Concurrent-To") == f"<{item.response_id}>"
    assert request.block == item.exchange.request
    assert policy.headers.target == "urn:policy:http://example.org/"
    assert parse_fields(policy.block)[:2] == [("via", "http://example.org/from"), ("hopsFromSeed", "LE")]
    assert json.loads(field_value(policy.block, "policy") or "") == json.loads(item.policy_json)


def test_warcinfo_names_the_final_file(tmp_path: Path) -> None:
    path = write_warc(tmp_path)
    info = only(path, "warcinfo")
    assert info.headers.get("WARC-Filename") == path.name
    assert info.headers.get("Content-Type") == "application/warc-fields"
    fields = dict(parse_fields(info.block))
    assert fields["robots"] == "obey" and fields["format"] == "WARC File Format 1.1"


def test_payload_digest_is_of_the_transfer_decoded_entity(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    made = exchange(head=head, body=b"3\r\nabc\r\n0\r\n\r\n", entity=b"abc")
    record = only(write_warc(tmp_path, capture(made)), "response")
    assert record.headers.get("WARC-Payload-Digest") == records.sha256(b"abc")
    assert record.block.endswith(b"3\r\nabc\r\n0\r\n\r\n")


def test_interim_heads_stay_in_the_block(tmp_path: Path) -> None:
    made = exchange(interim=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    path = write_warc(tmp_path, capture(made))
    record = only(path, "response")
    assert record.block.startswith(b"HTTP/1.1 103")
    assert record.headers.get("WARC-Payload-Digest") is None
    assert verify_file(path).ok


def test_dropped_body_leaves_the_head_and_says_so(tmp_path: Path) -> None:
    record = only(write_warc(tmp_path, capture(drop_body=True)), "response")
    assert record.block == b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    assert record.headers.get("WARC-Truncated") == "unspecified"
    assert record.headers.get("WARC-Payload-Digest") == records.sha256(b"")


@pytest.mark.parametrize("why", list(Truncated))
def test_truncation_is_named(tmp_path: Path, why: Truncated) -> None:
    record = only(write_warc(tmp_path, capture(exchange(truncated=why))), "response")
    assert record.headers.get("WARC-Truncated") == why.value


def test_tls_is_described_and_its_chain_written_once(tmp_path: Path) -> None:
    der = (Path(__file__).parent / "data" / "leaf.der").read_bytes()
    info = tls(chain=(der, der))
    items = [capture(exchange(f"https://example.org/{n}", tls=info)) for n in range(3)]
    path = write_warc(tmp_path, *items)
    chain = only(path, "resource")
    assert chain.headers.target == records.chain_urn(info.chain_id)
    assert len(x509.load_pem_x509_certificates(chain.block)) == 2
    for record in iter_records(path):
        if record.headers.type == "response":
            assert record.headers.get("WARC-Certificate-Chain") == f"<{chain.headers.target}>"
            assert record.headers.get_all("WARC-Protocol") == ["http/1.1", "tls/1.3"]
            assert record.headers.get("WARC-Cipher-Suite") == "TLS_AES_128_GCM_SHA256"


def test_json_metadata_becomes_a_field_and_a_resource_stays_as_given(tmp_path: Path) -> None:
    rows = document(target="urn:ledger:x", content_type="application/x-ndjson", payload=b'{"a":1}\n{"a":2}\n')
    shot = document(type="resource", target="urn:view:http://x/", content_type="image/png", payload=b"\x89PNG\r\n")
    note = document(concurrent_to="urn:uuid:1", refers_to="urn:uuid:2")
    _, first, second, third = iter_records(write_warc(tmp_path, note, rows, shot))
    assert first.headers.get("Content-Type") == "application/warc-fields"
    assert json.loads(field_value(first.block, "consent") or "") == {"outcome": "none"}
    assert first.headers.get("WARC-Concurrent-To") == "<urn:uuid:1>"
    assert first.headers.get("WARC-Refers-To") == "<urn:uuid:2>"
    assert first.headers.get("WARC-Date") == iso(START)
    assert second.block == b'ledger: {"a":1}\r\nledger: {"a":2}\r\n'
    assert (third.headers.get("Content-Type"), third.block) == ("image/png", b"\x89PNG\r\n")
    assert third.headers.get("WARC-Payload-Digest") == records.sha256(b"\x89PNG\r\n")


def test_a_conversion_says_of_what_it_is_and_whether_it_is_cut(tmp_path: Path) -> None:
    body = b"User-agent: *\n"
    cut = document(
        type="conversion", target="urn:robots:http://x/robots.txt", content_type="text/plain", payload=body,
        refers_to="urn:uuid:1", truncated=Truncated.LENGTH,
    )  # fmt: skip
    path = write_warc(tmp_path, cut)
    record = only(path, "conversion")
    assert (record.headers.get("WARC-Refers-To"), record.block) == ("<urn:uuid:1>", body)
    assert record.headers.get("WARC-Truncated") == "length"
    assert record.headers.get("WARC-Payload-Digest") == records.sha256(body)
    assert verify_file(path).ok
    assert not list(index_lines(path))


def test_a_block_on_disk_is_streamed(tmp_path: Path) -> None:
    body = bytes(range(256)) * 16_384
    spool = Spool(limit=1000)
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    spool.append(head)
    for start in range(0, len(body), 100_000):
        spool.append(body[start : start + 100_000])
    made = exchange(response=spool, body_start=len(head))
    path = write_warc(tmp_path, capture(made))
    record = only(path, "response")
    assert record.block == head + body
    assert record.headers.get("WARC-Payload-Digest") == records.sha256(body)
    assert verify_file(path).ok


@settings(max_examples=60, deadline=None)
@given(
    head=st.binary(max_size=120), body=st.binary(max_size=400), request=st.binary(max_size=80), url=st.text(max_size=40)
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, body: bytes, request: bytes, url: str
) -> None:
    made = exchange("http://x/" + url, head=b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n", body=body, request=request)
    path = write_warc(tmp_path_factory.mktemp("w"), capture(made, page_id=url, hop_path=url, via=url))
    _, response, asked, _ = iter_records(path)
    assert (response.block, asked.block) == (made.response.read(), request)
    report = verify_file(path)
    assert report.records == 4
    assert not [p for p in report.errors if p.code != "payloadDigest"]  # `head` may forge framing of its own
