from __future__ import annotations

from pathlib import Path

import pytest

from infra.bench.browser_soak import soak
from tests.needs import need

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.needs("chromium"), pytest.mark.timeout(3600)]


async def test_three_hundred_pages_leave_nothing_behind(tmp_path: Path) -> None:
    found = await soak(need("chromium"), 300, tmp_path)
    assert found.growth() < 1024 and found.spread() < 0.15 and found.left == 0
