"""Robots vectors: may the agent fetch the URL?"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from archiver.policy.robots import Mode, evaluate

MODES: dict[str, tuple[Mode, ...]] = {
    "both": ("rfc9309", "google"),
    "rfc9309": ("rfc9309",),
    "google": ("google",),
}


def answers(case: dict[str, Any]) -> Iterator[tuple[Mode, bool]]:
    """(mode, allowed) for each mode in which the case is scored. A whole header names its token in `product_token`."""
    agent = case.get("product_token") or case["user_agent"]
    for mode in MODES[case["standard"]]:
        yield mode, evaluate(_body(case), [agent], _text(case["url"]), mode).allowed


def _body(case: dict[str, Any]) -> bytes:
    if "robots_b64" in case:
        return base64.b64decode(case["robots_b64"])
    return _text(case.get("robots_gen") or case["robots_txt"]).encode()


def _text(value: Any) -> str:
    """A string, or `{"parts": [[text, repeat], ...]}`."""
    return value if isinstance(value, str) else "".join(text * times for text, times in value["parts"])
