"""Opening a connection: TCP to one vetted address and no other, then TLS where the scheme says so."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any

from archiver.errors import CaptureError
from archiver.model import FailureCode, Origin, TlsInfo
from archiver.wire.connection import Connection

_DER = 2  # _ssl.ENCODING_DER
_CLOSE_NOTIFY_SECONDS = 2.0

Context = Callable[[], ssl.SSLContext]


async def connect(
    origin: Origin, address: str, context: Context, on_closed: Callable[[Connection], None], seconds: float
) -> Connection:
    """Connect within `seconds`, TLS handshake included.

    Raises CaptureError: `connectError`, `connectTimeout` (try the next address) or `tlsError` (do not).
    """
    loop = asyncio.get_running_loop()
    connection = Connection((origin, address), on_closed)
    try:
        async with asyncio.timeout(seconds):
            sock = await _dial(loop, address, origin.port)
            try:
                await _start(loop, connection, sock, origin, context)
            except BaseException:
                sock.close()
                raise
    except TimeoutError as exc:
        message = f"{address} port {origin.port} did not answer within {seconds:g} s"
        raise CaptureError(FailureCode.CONNECT_TIMEOUT, message) from exc
    return connection


async def _dial(loop: asyncio.AbstractEventLoop, address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        raise CaptureError(FailureCode.CONNECT_ERROR, f"no socket for {address}: {exc}") from exc
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, (address, port))
        check_peer(sock, address)
    except OSError as exc:
        sock.close()
        if isinstance(exc, TimeoutError):  # the kernel's own ETIMEDOUT
            raise CaptureError(FailureCode.CONNECT_TIMEOUT, f"{address} port {port}: {exc}") from exc
        raise CaptureError(FailureCode.CONNECT_ERROR, f"{address} port {port}: {exc}") from exc
    except BaseException:
        sock.close()
        raise
    return sock


def check_peer(sock: socket.socket, address: str) -> None:
    """What the kernel says we are connected to must be what was vetted (0.0.0.0, for one, becomes 127.0.0.1)."""
    peer = sock.getpeername()[0]
    if ipaddress.ip_address(peer) != ipaddress.ip_address(address):
        message = f"connected to {peer} where {address} was vetted"
        raise CaptureError(FailureCode.CONNECT_ERROR, message)


async def _start(
    loop: asyncio.AbstractEventLoop, connection: Connection, sock: socket.socket, origin: Origin, context: Context
) -> None:
    connection.fd = sock.fileno()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if origin.scheme != "https":
        await loop.create_connection(lambda: connection, sock=sock)
        return
    try:
        transport, _ = await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=context(),
            server_hostname=origin.host.rstrip("."),
            ssl_shutdown_timeout=_CLOSE_NOTIFY_SECONDS,
        )
    except (ssl.SSLError, ssl.CertificateError) as exc:
        raise CaptureError(FailureCode.TLS_ERROR, _explain(origin, exc)) from exc
    except (ValueError, UnicodeError) as exc:
        raise CaptureError(FailureCode.TLS_ERROR, f"{origin.host} cannot be named in TLS: {exc}") from exc
    except OSError as exc:
        message = f"{origin.host}: the connection broke in the TLS handshake: {exc}"
        raise CaptureError(FailureCode.TLS_ERROR, message) from exc
    connection.tls = _describe(transport.get_extra_info("ssl_object"))


def _explain(origin: Origin, exc: ssl.SSLError) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"{origin.host}: its certificate is not trusted: {exc.verify_message}"
    if "NO_APPLICATION_PROTOCOL" in str(exc.reason):
        return f"{origin.host}: the server refuses HTTP/1.1, the one protocol offered (ALPN)"
    return f"{origin.host}: {exc.reason or exc}"


def _describe(tls: Any) -> TlsInfo:
    """What was negotiated, and every certificate that the server sent, leaf first."""
    # public from Python 3.13 on, where it returns DER at once
    sent = getattr(tls, "get_unverified_chain", None) or tls._sslobj.get_unverified_chain
    chain = tuple(item if isinstance(item, bytes) else item.public_bytes(_DER) for item in sent() or ())
    cipher = tls.cipher()
    return TlsInfo(
        version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        chain_id=hashlib.sha256(b"".join(chain)).hexdigest(),
        chain=chain,
    )
