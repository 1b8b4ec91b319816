"""The published JSON Schema of what `--json` prints."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def _schema(name: str) -> dict[str, Any]:
    text = (resources.files("archiver.cli") / name).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


RESULT_SCHEMA = _schema("result.schema.json")
DRY_SCHEMA = _schema("dry.schema.json")
UPLOAD_SCHEMA = _schema("upload.schema.json")
