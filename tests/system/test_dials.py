"""No verb dials anything but the site, the store and what it started itself: seen from outside, by strace."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import need
from tests.servers.authority import make_authority
from tests.servers.raw import raw_server, respond
from tests.servers.seaweed import S3Server, seaweedfs
from tests.system.cli import Ran, archiver, running
from tests.system.site import site

pytestmark = [pytest.mark.system, pytest.mark.needs("strace")]

REPLAY = {("127.0.0.1", 8090)}  # `save` looks whether a replay is running, to name its address
_IP = re.compile(r"sin6?_port=htons\((\d+)\).*?(?:inet_addr\(\"([^\"]+)\"\)|inet_pton\(AF_INET6, \"([^\"]+)\")")


def dials(trace: Path) -> set[tuple[str, int]]:
    """(address, port) of every connect, sendto and sendmsg over IP; Unix sockets are the machine's own."""
    found = set()
    for line in trace.read_text("utf-8", "replace").splitlines():
        match = _IP.search(line)
        if match:
            found.add((match[2] or match[3], int(match[1])))
    return found


def traced(tmp_path: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[Ran, set[tuple[str, int]]]:
    trace = tmp_path / "trace"
    wrapper = strace(trace)
    with running(*arguments, cwd=tmp_path, env=env, wrapper=wrapper) as process:
        out, err = process.communicate(timeout=100)
    return Ran(code=process.returncode, out=out, err=err), dials(trace)


def strace(trace: Path) -> tuple[str, ...]:
    return (str(need("strace")), "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "--signal=none", "-o", str(trace))


def test_save(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with raw_server({"/": respond(b"<title>t</title><img src=/i.png>")}, tls=authority) as server:
        ran, seen = traced(
            tmp_path, "save", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}",
            env={"SSL_CERT_FILE": str(authority.ca_file)},
        )  # fmt: skip
    assert ran.code == 0, ran.err
    assert seen - REPLAY == {("127.0.0.1", server.port)}


def test_save_of_the_demo(tmp_path: Path) -> None:
    ran, seen = traced(tmp_path, "save", "--demo")
    assert ran.code == 0, ran.err
    assert seen and {address for address, _ in seen} == {"127.0.0.1"}


@pytest.mark.parametrize("driver", ["pump", "scrapy"])
def test_crawl(tmp_path: Path, driver: str) -> None:
    with site(5) as server:
        ran, seen = traced(
            tmp_path, "crawl", "--url", server.url("/"), "--driver", driver, "--delay", "0",
            "--allow-address", f"127.0.0.1:{server.port}",
        )  # fmt: skip
    assert ran.code == 0, ran.err
    assert seen == {("127.0.0.1", server.port)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.mark.needs("seaweedfs")
@pytest.mark.parametrize("keys", [True, False])
def test_a_crawl_that_uploads_asks_no_metadata_service(tmp_path: Path, store: S3Server, keys: bool) -> None:
    """Without keys the SDK's chain is asked, of which the last link is a cloud machine's own address."""
    patience = 60 if keys else 1  # traced, a second may not be enough for the first question
    (tmp_path / "crawl.yaml").write_text(f"storage: {{patience: {patience}, attempts: 1}}\ndriver: pump\n")
    env = store.environment("bucket/x/")
    if not keys:
        env = {name: value for name, value in env.items() if "KEY" not in name}
    with site(3) as server:
        ran, seen = traced(
            tmp_path, "crawl", "crawl.yaml", "--url", server.url("/"), "--delay", "0",
            "--allow-address", f"127.0.0.1:{server.port}", env=env,
        )  # fmt: skip
    port = int(store.endpoint.rpartition(":")[2])
    assert ran.code in ((0,) if keys else (22, 33)), ran.err
    assert seen <= {("127.0.0.1", server.port), ("127.0.0.1", port)} and ("127.0.0.1", server.port) in seen
    if keys:
        assert ("127.0.0.1", port) in seen


def test_verbs_that_read_dial_nothing(tmp_path: Path) -> None:
    assert archiver("save", "--demo", cwd=tmp_path).code == 0
    for arguments in (
        ["list", "demo"], ["why", "http://127.0.0.1/", "--collection", "demo"], ["verify", "crawls"],
    ):  # fmt: skip
        ran, seen = traced(tmp_path, *arguments)
        assert ran.code in (0, 1), ran.err
        assert seen == set(), arguments


# Chromium looks up a route to this address (a UDP connect, nothing is sent), and no switch ends that
_ROUTE_PROBE = "2001:4860:4860::8888"


def test_doctor_stays_on_loopback(tmp_path: Path) -> None:
    """It starts Chromium, to say whether that works."""
    ran, seen = traced(tmp_path, "doctor")
    assert ran.code in (0, 1), ran.err
    assert {address for address, _ in seen} <= {"127.0.0.1", "::1", _ROUTE_PROBE}


@pytest.mark.replay
@pytest.mark.needs("pywb")
def test_replay_stays_on_loopback(tmp_path: Path) -> None:
    assert archiver("save", "--demo", cwd=tmp_path).code == 0
    trace = tmp_path / "trace"
    with running("replay", "demo", "--port", "0", cwd=tmp_path, wrapper=strace(trace)) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        address = re.search(r"http://\S+?:(\d+)", said)
        assert address, said
        fetch = [sys.executable, "-c", _FETCH, address[1]]
        assert subprocess.run(fetch, capture_output=True, timeout=90, check=False).returncode == 0
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:  # the verb itself, below strace: it ends its own children
            subprocess.run(["kill", "-TERM", child], check=True)
        process.wait(60)
    seen = dials(trace)
    assert {address for address, _ in seen} <= {"127.0.0.1", "::1"}


_FETCH = """
import sys, http.client
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=80)
connection.request("GET", "/", headers={"Host": f"demo.replay.localhost:{sys.argv[1]}"})
sys.exit(0 if connection.getresponse().status < 500 else 1)
"""
