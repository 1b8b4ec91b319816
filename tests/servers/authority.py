"""A certificate authority of the test's own: root, intermediate, leaf, so that a server sends a chain of two."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """`ca_file`: what a client has to trust. `cert_file` holds leaf and intermediate, `key_file` the leaf's key."""

    ca_file: Path
    cert_file: Path
    key_file: Path
    chain_pem: tuple[bytes, ...]
    root: trustme.CA

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))


def make_authority(folder: Path, *names: str, expired: bool = False, below: Authority | None = None) -> Authority:
    """Writes an authority for `names` (default: localhost, *.localhost, 127.0.0.1, ::1) into `folder`.

    `expired`: the leaf's time is over. `below`: no root of its own, so that one file of roots covers several servers.
    """
    root = below.root if below else trustme.CA()
    names = names or ("localhost", "*.localhost", "127.0.0.1", "::1")
    begins, ends = (datetime(2020, month, 1, tzinfo=UTC) if expired else None for month in (1, 2))
    leaf = root.create_child_ca().issue_cert(*names, not_before=begins, not_after=ends)
    chain = tuple(blob.bytes() for blob in leaf.cert_chain_pems)
    paths = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    paths["ca"].write_bytes(root.cert_pem.bytes())
    paths["cert"].write_bytes(b"".join(chain))
    paths["key"].write_bytes(leaf.private_key_pem.bytes())
    return Authority(ca_file=paths["ca"], cert_file=paths["cert"], key_file=paths["key"], chain_pem=chain, root=root)
