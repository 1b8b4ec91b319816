"""The published JSON Schema of what `--json` prints."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

RESULT_SCHEMA: dict[str, Any] = json.loads(
    (resources.files("archiver.cli") / "result.schema.json").read_text(encoding="utf-8")
)
