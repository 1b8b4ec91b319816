"""TLS ended inside a CONNECT: a key that lives as long as the run and never touches a disk, and TLS in memory.

The browser is told to trust this key and no other (`--ignore-certificate-errors-spki-list`), so one certificate serves
every host: what a site really presented is checked, and recorded, where we dial it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_READ = 65_536


class RunKey:
    """A key pair of this run, its server context and its pin."""

    def __init__(self, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _certificate(key, now)
        self.context = _context(key, self._certificate)

    @property
    def spki(self) -> str:
        """Base64 of the SHA-256 of the key's SubjectPublicKeyInfo (RFC 7469, 2.4)."""
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(hashlib.sha256(self._certificate.public_key().public_bytes(*form)).digest()).decode()


def _certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "archiver recording proxy, this run only")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _context(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> ssl.SSLContext:
    """`ssl` reads keys from files only: this one is memory that has a name for as long as it is read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.memfd_create("run-key", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context


class TlsInMemory:
    """The server's side of one TLS connection, without a socket. `out` holds what has to be sent after each call."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken = False

    def feed(self, data: bytes) -> bytes:
        """Plain bytes out of what came from the wire. Raises ssl.SSLError, also when the peer has ended TLS."""
        self._incoming.write(data)
        if not self._shaken:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self._shaken = True
        pieces = []
        try:
            while piece := self._tls.read(_READ):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            if not pieces:
                raise
        return b"".join(pieces)

    def encrypt(self, data: bytes) -> bytes:
        """`data` as TLS records, with whatever else has to go out."""
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
        return self._outgoing.read()

    def pending(self) -> bytes:
        """What the handshake or an alert wants to send."""
        return self._outgoing.read()
