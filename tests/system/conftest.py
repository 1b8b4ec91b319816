"""What holds after every test here: each ledger row that any run wrote has a form that the published schema knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.cli import check_rows


@pytest.fixture(autouse=True)
def _rows_follow_the_schema(tmp_path: Path) -> Iterator[None]:
    yield
    check_rows(tmp_path)
