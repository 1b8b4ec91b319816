"""No spelling of an inner address is dialled, whoever names it: a redirect, a page, a style sheet, a name server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from archiver.model import Origin
from archiver.policy.address import AllowList
from archiver.wire.dial import SystemDialer
from tests.hostile.conftest import Canary, Save
from tests.servers.raw import raw_server, respond
from tests.system.cli import check_collection, collection

SPELLINGS = {
    "plain": "http://127.0.0.1:{p}/", "other": "http://127.0.0.2:{p}/", "mapped": "http://[::ffff:127.0.0.2]:{p}/",
    "nat64": "http://[64:ff9b::7f00:2]:{p}/", "local-nat64": "http://[64:ff9b:1::7f00:2]:{p}/",
    "6to4": "http://[2002:7f00:2::]:{p}/", "compatible": "http://[::127.0.0.2]:{p}/",
    "decimal": "http://2130706434:{p}/", "octal": "http://0177.0.0.2:{p}/", "hex": "http://0x7f000002:{p}/",
    "short": "http://127.2:{p}/", "zero": "http://0:{p}/", "v6": "http://[::1]:{p}/", "any6": "http://[::]:{p}/",
    "fullwidth": "http://１２７。０。０。２:{p}/", "circled": "http://①②⑦.⓪.⓪.②:{p}/",
    "name": "http://localhost.:{p}/", "below": "http://x.localhost:{p}/", "dot": "http://127.0.0.2.:{p}/",
    "escaped": "http://%31%32%37.0.0.2:{p}/", "userinfo": "http://example.org@127.0.0.2:{p}/",
    "backslash": "http:\\\\127.0.0.2:{p}\\", "tab": "http://127.\t0.0.2:{p}/", "relative": "//127.0.0.2:{p}/",
    "metadata": "http://169.254.169.254/latest/", "metadata6": "http://[fd00:ec2::254]/",
    "gcp": "http://metadata.google.internal/", "azure": "http://168.63.129.16/", "aliyun": "http://100.100.100.200/",
    "site-local": "http://[fec0::1]/", "teredo": "http://[2001:0:7f00:2::]/", "multicast": "http://224.0.0.1/",
    "private": "http://10.0.0.1/", "ssh": "http://93.184.216.34:22/", "redis": "http://93.184.216.34:6379/",
}  # fmt: skip
SCHEMES = {
    "file": "file:///etc/passwd", "ftp": "ftp://127.0.0.2/", "gopher": "gopher://127.0.0.2:{p}/",
    "data": "data:text/html,x", "javascript": "javascript:alert(1)",
}  # fmt: skip


def redirect(location: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n"


@pytest.mark.system
def test_redirects_pages_and_styles(save: Save, canary: Canary, tmp_path: Path) -> None:
    inner = {name: text.format(p=canary.port) for name, text in SPELLINGS.items()}
    other = {name: text.format(p=canary.port) for name, text in SCHEMES.items()}
    first = inner["other"]
    answers = {f"/to-{name}": redirect(text) for name, text in {**inner, **other}.items()}
    answers["/refresh"] = respond(f'<meta http-equiv=refresh content="0;url={first}">'.encode())
    answers["/page"] = respond("".join(f'<img src="{text}">' for text in inner.values()).encode())
    answers["/style"] = respond(b"<link rel=stylesheet href=/s.css>")
    style = f'@import "{first}"; a{{background:url({inner["v6"]})}}'
    answers["/s.css"] = respond(style.encode(), content_type="text/css")
    paths = [path for path in answers if path != "/s.css"]
    with raw_server(answers) as server:
        ran = save(*map(server.url, paths), port=server.port)
    assert canary.seen == []
    told = dict(zip(paths, ran.objects, strict=True))
    for name in inner:
        decision = told[f"/to-{name}"]["decision"]
        assert decision["reason"] in ("privateAddress", "badPort"), name
    for name in other:
        gap = told[f"/to-{name}"]["completeness"]["matter"][0]
        assert gap["reason"] == "unsupportedScheme", name
    assert told["/refresh"]["decision"]["reason"] == "privateAddress"
    assert {gap["reason"] for gap in told["/page"]["completeness"]["matter"]} <= {"privateAddress", "badPort"}
    assert len(told["/style"]["completeness"]["matter"]) == 2
    check_collection(collection(tmp_path))


@pytest.mark.parametrize("answers", [["203.0.113.7", "127.0.0.2"], ["::ffff:127.0.0.2"], ["203.0.113.7", "fd00::1"]])
async def test_a_name_with_an_inner_address_is_refused_whatever_else_it_has(answers: list[str]) -> None:
    dialer = SystemDialer(AllowList.parse(()), resolver=lambda host: answers)
    vetted = await dialer.vet(Origin(scheme="http", host="rebind.test", port=80))
    assert vetted.objection is not None and vetted.addresses == ()
    await dialer.close()


async def test_a_name_that_changes_its_mind_is_vetted_again() -> None:
    turns = iter([["93.184.216.34"], ["127.0.0.2"], ["127.0.0.2"]])
    dialer = SystemDialer(AllowList.parse(()), resolver=lambda host: next(turns), ttl=0.0)
    origin = Origin(scheme="http", host="rebind.test", port=80)
    first = await dialer.vet(origin)
    await asyncio.sleep(0.01)
    second = await dialer.vet(origin)
    assert first.addresses == ("93.184.216.34",) and second.objection is not None
    await dialer.close()
