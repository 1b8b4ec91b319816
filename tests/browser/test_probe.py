from __future__ import annotations

import os
from pathlib import Path

import pytest

from archiver.browser.probe import probe_chromium
from archiver.errors import BrowserError
from tests.needs import need


@pytest.mark.browser
@pytest.mark.needs("chromium")
async def test_the_browser_is_really_started() -> None:
    assert (await probe_chromium(need("chromium"), os.environ)).startswith("starts, ")


async def test_what_does_not_start_is_told(tmp_path: Path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\necho a library is missing >&2\nexit 127\n", encoding="ascii")
    fake.chmod(0o755)
    with pytest.raises(BrowserError, match=r"does not start: .*a library is missing"):
        await probe_chromium(fake, {})
