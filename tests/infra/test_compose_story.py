"""What the compose file's services do, without containers: their keys, their commands, their configuration files."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.test_container import services
from tests.needs import ROOT, need
from tests.servers.nginx import nginx
from tests.servers.ports import free_pairs, free_port
from tests.servers.process import listening, serving
from tests.servers.raw import Answer
from tests.servers.seaweed import has_room
from tests.system.site import site

pytestmark = [pytest.mark.system, pytest.mark.replay, pytest.mark.needs("seaweedfs", "pywb", "nginx", "openssl")]

COMPOSE = ROOT / "infra/compose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The compose file's store on loopback. `keys` by service: the variables of its `env_file`."""

    port: int
    keys: Mapping[str, Mapping[str, str]]

    def environment(self, who: str, **more: str) -> dict[str, str]:
        return {**os.environ, **self.keys[who], **more}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("compose")
    shutil.copy(COMPOSE / "keys.sh", folder)
    subprocess.run(["sh", folder / "keys.sh"], check=True, stdout=subprocess.DEVNULL)
    secrets = folder / "secrets"
    master, volume, filer, plain, secure = free_pairs(5, apart=10_000)  # gRPC is each port + 10000
    given = services()["store"]["command"]
    for there, here in {
        "-dir=/data": f"-dir={folder}", "-ip=store": "-ip=127.0.0.1", "-ip.bind=0.0.0.0": "-ip.bind=127.0.0.1",
        "-s3.port=8333": f"-s3.port={plain}", "-s3.port.https=8334": f"-s3.port.https={secure}",
        "/etc/seaweedfs/": f"{secrets}/",
    }.items():  # fmt: skip
        assert there in given
        given = given.replace(there, here)
    ports = [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
    keys = {}
    for path in secrets.glob("*.env"):
        lines = dict(line.split("=", 1) for line in path.read_text().split())
        assert lines["STORE_ENDPOINT_URL"] == "https://store:8334"
        moved = {"STORE_ENDPOINT_URL": f"https://127.0.0.1:{secure}", "AWS_CA_BUNDLE": str(secrets / "ca.pem")}
        keys[path.stem] = {**lines, **moved}
    ready = lambda: listening(secure) and has_room(master)  # noqa: E731 -- a name for the argument below
    command = [str(need("seaweedfs")), *given.split(), *ports]
    with serving(command, ready=ready, log=folder / "weed.log", grace=1.0):
        yield Store(port=secure, keys=keys)


def archiver(store: Store, who: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "archiver", *arguments], cwd=cwd, env=store.environment(who), capture_output=True,
        text=True, stdin=subprocess.DEVNULL, timeout=100, check=False,
    )  # fmt: skip


@contextmanager
def replaying(store: Store, folder: Path) -> Iterator[tuple[int, str]]:
    """The service `replay` with the reader's keys, behind the service `door`: the door's port, and the Host to name."""
    port, (_, verb, *options) = free_port(), services()["replay"]["command"]
    assert options[options.index("--port") + 1] == "8090"
    options[options.index("--port") + 1] = str(port)
    given = services()["replay"]["environment"]
    env = store.environment("reader", **{name: f"{folder}{value}" for name, value in given.items()})
    door = re.sub(r"^server \{\n\s+listen 8080;|^\}", "", (COMPOSE / "door.conf").read_text("utf-8"), flags=re.M)
    door = re.sub(r"^#.*\n", "", door).replace("127.0.0.1:8090", f"127.0.0.1:{port}")
    command = [sys.executable, "-m", "archiver", verb, *options]
    with ExitStack() as stack:
        stack.enter_context(serving(command, ready=lambda: listening(port), log=folder / "replay.log", env=env))
        outside = stack.enter_context(nginx(folder, folder / "door", extra=door))
        yield outside.port, f"news.replay.localhost:{port}"


def shown(door: int, host: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", door, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_night_ends_in_the_bucket_and_is_replayed_from_there(store: Store, tmp_path: Path) -> None:
    made = archiver(store, "admin", *services()["bucket"]["command"][1:], cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    config = tmp_path / "news.yaml"
    with site(6) as server:
        rules = f"allowAddresses: ['127.0.0.1:{server.port}']\ndelay: 0\ndriver: pump\n"
        config.write_text(f"seeds:\n  - {{url: '{server.url('/')}', scopeType: host}}\n{rules}")
        command = str(Path(sys.executable).parent / "archiver")
        env = store.environment("writer", OUT=str(tmp_path / "crawls"), ARCHIVER=command, VERIFY_SAMPLE="100%")
        ran = subprocess.run(
            [ROOT / "infra/nightly.sh", "once", config], env=env, capture_output=True, text=True, timeout=100,
            check=False, cwd=tmp_path,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        url, wanted = server.url("/p1"), server.answers["/p1"]
    assert isinstance(wanted, Answer)
    secret = store.keys["writer"]["STORE_SECRET_KEY"]
    assert secret not in ran.stdout + ran.stderr
    shutil.rmtree(tmp_path / "crawls")
    with replaying(store, tmp_path) as (door, host):
        status, body = shown(door, host, f"/news/2id_/{url}")
        assert (status, body) == (200, wanted.parts[0].partition(b"\r\n\r\n")[2])
        assert shown(door, f"127.0.0.1:{door}", f"/news/2id_/{url}")[0] == 421
