"""Robots vectors: may the agent fetch the URL?"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archiver.policy.robots import Mode, evaluate

FILE = Path(__file__).parents[1] / "data/conformance/robots_vectors.json"
MODES: dict[str, tuple[Mode, ...]] = {
    "both": ("rfc9309", "google"),
    "rfc9309": ("rfc9309",),
    "google": ("google",),
}


def load() -> list[dict[str, Any]]:
    """The cases kept with the tests."""
    cases: list[dict[str, Any]] = json.loads(FILE.read_bytes())["cases"]
    return cases


def answers(case: dict[str, Any]) -> Iterator[tuple[Mode, bool]]:
    """(mode, allowed) for each mode in which the case is scored. A whole header names its token in `product_token`.

    `user_agent` may be a list of tokens, the preferred one first. Raises KeyError for a standard that is not known.
    """
    agents = case.get("product_token") or case["user_agent"]
    for mode in MODES[case.get("standard", "both")]:
        yield (
            mode,
            evaluate(body(case), [agents] if isinstance(agents, str) else agents, text(case["url"]), mode).allowed,
        )


def body(case: dict[str, Any]) -> bytes:
    """The file's octets, from whichever field holds them."""
    if case.get("robots_b64") is not None:
        return base64.b64decode(case["robots_b64"], validate=True)
    given = case.get("robots_gen")
    return text(case["robots_txt"] if given is None else given).encode("utf-8", "surrogatepass")


def text(value: Any) -> str:
    """A string, or `{"parts": [[text, repeat], ...]}`; nothing is an empty text."""
    if value is None or isinstance(value, str):
        return value or ""
    return "".join(part * times for part, times in value["parts"])
