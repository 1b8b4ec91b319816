"""Which peer, and whether it is who it says: addresses, TLS verification, the certificate chain."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import socket
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from archiver.clock import SYSTEM
from archiver.errors import CaptureError
from archiver.ports import WireLimits
from archiver.wire.client import HttpClient
from archiver.wire.connect import check_peer
from archiver.wire.tls import Trust
from tests.servers.ports import free_port
from tests.wire.rawserver import Certificates, RawServer, raw_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def failure(client: HttpClient, server: RawServer, **changes: object) -> CaptureError:
    with pytest.raises(CaptureError) as caught:
        await client.exchange(server.request("/ok", **changes))
    return caught.value


async def test_the_whole_chain_is_kept(client: HttpClient, certificates: Certificates) -> None:
    async with raw_server(certificates.server) as server:
        server.reply("/ok", OK)
        first = await client.exchange(server.request("/ok"))
        again = await client.exchange(server.request("/ok"))
    tls = first.tls
    assert tls is not None and tls == again.tls
    assert tls.version == "TLSv1.3" and tls.cipher.startswith("TLS_")
    assert len(tls.chain) == 2
    leaf, intermediate = (x509.load_der_x509_certificate(der) for der in tls.chain)
    leaf.verify_directly_issued_by(intermediate)
    assert intermediate.issuer == x509.load_pem_x509_certificate(certificates.root.cert_pem.bytes()).subject
    assert tls.chain_id == hashlib.sha256(b"".join(tls.chain)).hexdigest()
    assert (first.ip, first.port) == ("127.0.0.1", server.port)


async def test_plain_exchanges_have_no_tls(client: HttpClient, plain: RawServer) -> None:
    assert (await client.exchange(plain.request("/ok"))).tls is None


@pytest.mark.parametrize("fault", ["wrong host", "self-signed", "expired", "untrusted", "TLS 1.1", "h2 only"])
async def test_tls_faults_have_a_name(client: HttpClient, certificates: Certificates, fault: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    root = certificates.root
    if fault == "wrong host":
        root.issue_cert("other.test").configure_cert(context)
    elif fault in ("self-signed", "untrusted"):
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    elif fault == "expired":
        then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        root.issue_cert("127.0.0.1", not_before=then, not_after=then + datetime.timedelta(1)).configure_cert(context)
    else:
        root.issue_cert("127.0.0.1").configure_cert(context)
    if fault == "TLS 1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.deprecated_call():
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    if fault == "h2 only":
        context.set_alpn_protocols(["h2"])
    async with raw_server(context) as server:
        server.reply("/ok", OK)
        if fault == "h2 only":
            # OpenSSL servers written in Python go on without ALPN; such a peer then talks HTTP/2 at us
            server.reply("/ok", b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18)
            error = await failure(client, server)
            assert error.code == "protocolError" and "HTTP/2 only" in str(error)
            return
        error = await failure(client, server)
    assert error.code == "tlsError"
    expected = {"wrong host": "mismatch", "expired": "expired", "TLS 1.1": "127.0.0.1"}
    assert expected.get(fault, "127.0.0.1") in str(error)
    assert server.requests == []


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["not TLS", "reset"])
async def test_whoever_speaks_no_tls_is_a_tls_error(client: HttpClient, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        if answer:
            await writer.drain()
            writer.close()
        else:
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        server = RawServer("https", port=listener.sockets[0].getsockname()[1])
        assert (await failure(client, server)).code == "tlsError"


async def test_a_silent_handshake_times_out(client: HttpClient) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listener:
        server = RawServer("https", port=listener.sockets[0].getsockname()[1])
        error = await failure(client, server, limits=WireLimits(connect=0.2))
        assert error.code == "connectTimeout"


async def test_the_next_vetted_address_is_tried(client: HttpClient, plain: RawServer) -> None:
    exchange = await client.exchange(plain.request("/ok", addresses=("127.0.0.9", "127.0.0.1")))
    assert exchange.ip == "127.0.0.1"


async def test_nobody_listening(client: HttpClient) -> None:
    server = RawServer(port=free_port())
    error = await failure(client, server)
    assert error.code == "connectError" and "127.0.0.1" in str(error)


async def test_a_full_backlog_times_out(client: HttpClient) -> None:
    """Connections beyond a listener that never accepts stay unanswered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        held = [socket.socket() for _ in range(4)]
        try:
            for sock in held:
                sock.setblocking(False)
                sock.connect_ex(listener.getsockname())
            server = RawServer(port=listener.getsockname()[1])
            error = await failure(client, server, limits=WireLimits(connect=0.3, idle=0.3, total=0.6))
        finally:
            for sock in held:
                sock.close()
    # kernels differ in whether they drop the SYN or complete the handshake and let us wait for an answer
    assert error.code in ("connectTimeout", "idleTimeout", "connectError")


async def test_the_peer_must_be_the_vetted_one(plain: RawServer) -> None:
    """What a kernel or its packet filter makes of an address is compared with what was vetted."""
    with socket.create_connection(("127.0.0.1", plain.port)) as sock:
        check_peer(sock, "127.0.0.1")
        with pytest.raises(CaptureError, match=r"connected to 127\.0\.0\.1 where 10\.0\.0\.1 was vetted"):
            check_peer(sock, "10.0.0.1")


async def test_an_added_root_is_trusted_and_recorded(certificates: Certificates, tmp_path: Path) -> None:
    pem = tmp_path / "root.pem"
    certificates.root.cert_pem.write_to_path(str(pem))
    trust = Trust([str(pem), str(pem), ""])
    (added,) = trust.added
    assert (added.path, added.certificates) == (str(pem), 1)
    assert added.sha256 == hashlib.sha256(pem.read_bytes()).hexdigest()
    client = HttpClient(SYSTEM, tls=trust)
    async with raw_server(certificates.server) as server:
        server.reply("/ok", OK)
        assert (await client.exchange(server.request("/ok"))).tls is not None
        await client.close()
        client = HttpClient(SYSTEM, tls=Trust())
        assert (await failure(client, server)).code == "tlsError"
    await client.close()
