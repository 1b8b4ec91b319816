"""SeaweedFS as an S3 store over TLS."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.needs import need
from tests.servers.authority import Authority, make_authority
from tests.servers.ports import free_pairs
from tests.servers.process import serving

_GRPC_OFFSET = 10_000  # each component listens on its port and on that port + 10000


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """Where the store is and how to get in. `ca_file` is what boto3's `verify` and AWS_CA_BUNDLE want.

    The writer's key may do what a bucket's policy lets `arn:aws:iam::000000000000:user/writer` do, and nothing else.
    """

    endpoint: str
    access_key: str
    secret_key: str
    ca_file: Path
    region: str = "us-east-1"
    writer_access_key: str = "AKWRITER"
    writer_secret_key: str = "SKWRITER"

    def environment(self, path: str) -> dict[str, str]:
        """STORE_* variables for the bucket and prefix in `path`, such as `bucket/prefix/`."""
        return {
            "STORE_ENDPOINT_URL": f"{self.endpoint}/{path}",
            "STORE_ACCESS_KEY": self.access_key,
            "STORE_SECRET_KEY": self.secret_key,
            "STORE_REGION": self.region,
            "AWS_CA_BUNDLE": str(self.ca_file),
        }


def client(server: S3Server) -> Any:
    """boto3's own client, with its own settings: what the bucket holds, read by somebody else than us."""
    return boto3.client(
        "s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key, region_name=server.region, verify=str(server.ca_file),
        config=Config(retries={"max_attempts": 5}, s3={"addressing_style": "path"}),
    )  # fmt: skip


@contextmanager
def seaweedfs(work: Path, *, authority: Authority | None = None) -> Iterator[S3Server]:
    """Runs master, volume, filer and S3 gateway in one process, with its data in `work`. About 3 s and 130 MB."""
    program = need("seaweedfs")
    work.mkdir(parents=True, exist_ok=True)
    tls = authority or make_authority(work)
    server = S3Server(endpoint="", access_key="AKTEST", secret_key="SKTEST", ca_file=tls.ca_file)
    identities = work / "s3.json"
    identities.write_text(_identities(server))
    master, volume, filer, plain, secure = free_pairs(5, apart=_GRPC_OFFSET)
    command = [
        str(program), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={work}",
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}",
        "-volume.max=0", "-master.volumeSizeLimitMB=256", "-master.telemetry=false",
        "-s3", f"-s3.port={plain}", f"-s3.config={identities}", "-s3.port.iceberg=0", "-s3.port.lance=0",
        f"-s3.port.https={secure}", f"-s3.cert.file={tls.cert_file}", f"-s3.key.file={tls.key_file}",
    ]  # fmt: skip
    ready = lambda: _answers(secure, tls) and has_room(master)  # noqa: E731 -- a name for the argument below
    # SIGTERM can take 27 s, and nothing in `work` outlives the test: end it soon
    with serving(command, ready=ready, log=work / "weed.log", grace=1.0):
        yield S3Server(
            endpoint=f"https://127.0.0.1:{secure}",
            access_key=server.access_key,
            secret_key=server.secret_key,
            ca_file=tls.ca_file,
        )


def _identities(server: S3Server) -> str:
    credentials = [{"accessKey": server.access_key, "secretKey": server.secret_key}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    writer = [{"accessKey": server.writer_access_key, "secretKey": server.writer_secret_key}]
    identities = [
        {"name": "tests", "credentials": credentials, "actions": actions},
        {"name": "writer", "credentials": writer, "actions": []},
    ]
    return json.dumps({"identities": identities})


def has_room(master: int) -> bool:
    """Whether the master knows a volume server: until then the gateway answers, and every object that is put fails."""
    asked = http.client.HTTPConnection("127.0.0.1", master, timeout=5)
    try:
        asked.request("GET", "/dir/status")
        return bool(json.loads(asked.getresponse().read())["Topology"]["Max"] > 0)
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        asked.close()


def _answers(port: int, tls: Authority) -> bool:
    """An unsigned request answered at all (403) means that filer and gateway have found each other."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
            tls.client_context().wrap_socket(raw, server_hostname="localhost") as sock,
        ):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return sock.recv(12).startswith(b"HTTP/1.1 403")
    except (OSError, ssl.SSLError):
        return False
