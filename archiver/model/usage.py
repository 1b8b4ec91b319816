"""How usage labels of several sources come to one: any disallow wins, else any allow (aipref-vocab-07, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Usage = Mapping[str, Any]
"""`{"tdm": {"value": "disallow", "sources": ["tdmrep.json tdm-reservation"]}, ...}`; what is not said is left out."""

_ORDER = ("disallow", "allow")


def combined_usage(*stated: Usage) -> dict[str, Any]:
    """One mapping of labels; of each, the sources that said the value which holds, each once."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for usage in stated for name in usage):
        said = [usage[name] for usage in stated if name in usage]
        value = next((word for word in _ORDER if any(one.get("value") == word for one in said)), None)
        if value is not None:
            sources = [source for one in said if one["value"] == value for source in one.get("sources", ())]
            found[name] = {"value": value, "sources": list(dict.fromkeys(sources))}
    return found
