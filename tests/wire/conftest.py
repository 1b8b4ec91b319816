from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from archiver.clock import SYSTEM
from archiver.wire.client import HttpClient
from tests.wire.rawserver import Certificates, RawServer, make_certificates, raw_server


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return make_certificates()


@pytest.fixture
async def client(certificates: Certificates, tmp_path: Path) -> AsyncIterator[HttpClient]:
    client = HttpClient(SYSTEM, tls=certificates.client(), spool_dir=str(tmp_path))
    yield client
    await client.close()


@pytest.fixture(params=["http", "https"])
async def server(request: pytest.FixtureRequest, certificates: Certificates) -> AsyncIterator[RawServer]:
    async with raw_server(certificates.server if request.param == "https" else None) as server:
        server.reply("/ok", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        yield server


@pytest.fixture
async def plain() -> AsyncIterator[RawServer]:
    async with raw_server() as server:
        server.reply("/ok", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        yield server
