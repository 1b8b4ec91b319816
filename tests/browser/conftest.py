from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from archiver.browser.flags import has_sandbox
from tests.browser.kit import Rig, Site, serving
from tests.needs import need
from tests.wire.rawserver import Certificates, make_certificates


@pytest.fixture(scope="session")
def authority() -> Certificates:
    return make_certificates()


@pytest_asyncio.fixture(loop_scope="session")
async def secure(authority: Certificates) -> AsyncIterator[Site]:
    """Over TLS; the shared rig's client knows its authority."""
    async with serving(authority.server) as site:
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_rig(tmp_path_factory: pytest.TempPathFactory, authority: Certificates) -> AsyncIterator[Rig]:
    """One Chromium for the tests of this folder: starting one takes a second."""
    spool = tmp_path_factory.mktemp("spool")
    rig = Rig.make(need("chromium"), spool=spool, sandbox=has_sandbox(os.environ), tls=authority.client())
    yield rig
    await rig.close()


@pytest.fixture
def rig(shared_rig: Rig) -> Rig:
    return shared_rig


@pytest_asyncio.fixture(loop_scope="session")
async def own_rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A Chromium of this test alone, which may be hurt."""
    rig = Rig.make(need("chromium"), spool=tmp_path, sandbox=has_sandbox(os.environ))
    yield rig
    await rig.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def other() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site
