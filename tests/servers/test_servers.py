"""Each test server really starts, answers and is gone afterwards."""

import asyncio
import gzip
import io
import os
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from warcio.warcwriter import WARCWriter

from tests.servers.authority import make_authority
from tests.servers.nginx import nginx
from tests.servers.ports import SHARES, free_pairs, free_port
from tests.servers.process import ServerFailed, listening, serving
from tests.servers.pywb import make_collection, pywb
from tests.servers.raw import Answer, Request, raw_server, respond
from tests.servers.redis import redis_server
from tests.servers.seaweed import seaweedfs


def fetch(url: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_pairs_of_ports_differ_and_are_none_that_connections_get():
    ports = free_pairs(20, apart=10_000)
    both = {*ports, *(port + 10_000 for port in ports)}
    assert len(both) == 40
    assert max(both) < 32_768


def test_workers_beside_each_other_never_pick_the_same_port(monkeypatch: pytest.MonkeyPatch):
    for worker in ("gw0", "gw3", "gw11"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        ports = [*(free_port() for _ in range(100)), *free_pairs(20, apart=10_000)]
        assert {port % SHARES for port in ports} == {int(worker[2:]) % SHARES}
        assert len(set(ports)) == len(ports), "nor does one pick a port twice in a row"


def test_a_server_that_ends_at_once_is_named_with_its_log(tmp_path: Path):
    with (
        pytest.raises(ServerFailed, match="no such luck"),
        serving(["sh", "-c", "echo no such luck; exit 3"], ready=lambda: False, log=tmp_path / "log"),
    ):
        raise AssertionError("never entered")


def test_children_of_a_server_are_ended_too(tmp_path: Path):
    script = f"trap '' TERM; sleep 300 & echo $! > {tmp_path}/child; wait"
    told = tmp_path / "child"
    ready = lambda: told.exists() and told.read_text().endswith("\n")  # noqa: E731 -- a name for the argument below
    with serving(["sh", "-c", script], ready=ready, log=tmp_path / "log", grace=0.2):
        child = int(told.read_text())
    # Killed is not yet gone: on a busy machine the kernel takes its time to bury it.
    deadline = time.monotonic() + 60
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


class TestRaw:
    def test_bytes_arrive_as_given_and_are_logged(self):
        odd = b"HTTP/1.1 200\r\nX-Foo : bar\r\ncontent-LENGTH: 2\r\n\r\nok"
        with raw_server({"/odd?a=1": odd}) as server:
            answer = asyncio.run(self.exchange(server.port, b"GET /odd?a=1 HTTP/1.1\r\nHost: t\r\nX: y\r\n\r\n"))
            assert answer == odd
            assert server.paths() == ["/odd?a=1"]
            assert server.requests[0].header("x") == "y"
        assert not listening(server.port)

    @staticmethod
    async def exchange(port: int, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    async def test_connections_are_kept_when_asked_and_callables_see_the_request(self):
        def count(request: Request) -> Answer:
            body = f"{request.connection}".encode()
            return Answer(parts=(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", body), pause=0.01, keep=True)

        with raw_server({"/": count}) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for _ in range(2):
                writer.write(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
                assert await reader.readexactly(1) == b"1"
            writer.close()
        assert [request.raw[-3:] for request in server.requests] == [b"abc", b"abc"]

    async def test_abort_resets(self):
        with raw_server(
            {"/": Answer(parts=(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",), abort=True)}
        ) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(100)
            writer.close()

    def test_tls_with_a_chain_of_two(self, tmp_path: Path):
        authority = make_authority(tmp_path)
        assert len(authority.chain_pem) == 2
        with raw_server({"/": respond(b"secret")}, tls=authority) as server:
            assert fetch(server.url("/"), authority.client_context()) == (200, b"secret")
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                urllib.request.urlopen(server.url("/"), timeout=60)


@pytest.mark.system
@pytest.mark.needs("nginx")
@pytest.mark.parametrize("secure", [False, True])
def test_nginx(tmp_path: Path, secure: bool):
    root = tmp_path / "root"
    root.mkdir()
    (root / "index.html").write_text("<p>hello")
    authority = make_authority(tmp_path) if secure else None
    with nginx(root, tmp_path / "work", tls=authority, extra="location = /gone { return 410; }") as server:
        context = authority.client_context() if authority else None
        assert fetch(server.url + "/", context) == (200, b"<p>hello")
        assert fetch(server.url + "/gone", context)[0] == 410
    assert [row[1:4] for row in server.requests()] == [(200, "GET", "/"), (410, "GET", "/gone")]
    assert not listening(server.port)


@pytest.mark.system
@pytest.mark.needs("redis")
async def test_redis(tmp_path: Path):
    import redis.asyncio

    with redis_server(tmp_path) as url:
        client = redis.asyncio.from_url(url)
        assert await client.incr("n") == 1
        await client.aclose()


@pytest.mark.system
@pytest.mark.needs("seaweedfs")
def test_seaweedfs_over_tls_refuses_what_s3_has_to_refuse(tmp_path: Path):
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    with seaweedfs(tmp_path) as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            region_name=server.region,
            verify=str(server.ca_file),
            config=Config(retries={"max_attempts": 3}, s3={"addressing_style": "path"}),
        )
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="a", Body=b"one", IfNoneMatch="*")
        with pytest.raises(ClientError, match=r"412|PreconditionFailed"):
            client.put_object(Bucket="bucket", Key="a", Body=b"two", IfNoneMatch="*")
        with pytest.raises(ClientError, match="BadDigest"):
            client.put_object(Bucket="bucket", Key="b", Body=b"x", ChecksumSHA256="A" * 43 + "=")
        assert client.get_object(Bucket="bucket", Key="a")["Body"].read() == b"one"


@pytest.mark.system
@pytest.mark.replay
@pytest.mark.needs("pywb")
def test_pywb_replays_a_record(tmp_path: Path):
    warc = tmp_path / "one.warc.gz"
    body = gzip.compress(os.urandom(4000))
    with warc.open("wb") as output:
        writer = WARCWriter(output, gzip=True)
        http = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        writer.write_record(writer.create_warc_record("http://site.test/a", "response", payload=io.BytesIO(http)))
    folder = tmp_path / "wayback"
    folder.mkdir()
    make_collection(folder, "web", [warc])
    with pywb(folder) as origin:
        assert fetch(f"{origin}/web/id_/http://site.test/a") == (200, body)
        assert fetch(f"{origin}/web/mp_/http://site.test/absent")[0] == 404
