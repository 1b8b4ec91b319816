"""Whether a page has to be seen in a browser, judged by what plain HTTP brought. Pure.

A consent script alone is no reason: plain HTTP runs no script and gives no consent. What is left unrendered is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

FEW = 200
"""Visible characters under which a page with scripts is taken for unrendered."""
SHORT = 1_000
THIN = 0.02
SCRIPTS = 3


class Facts(Protocol):
    """What `extract.text` tells of a document."""

    @property
    def visible(self) -> int: ...
    @property
    def scripts(self) -> int: ...
    @property
    def ratio(self) -> float: ...
    @property
    def placeholders(self) -> tuple[str, ...]: ...
    @property
    def empty_root(self) -> str | None: ...
    @property
    def noscript_asks(self) -> bool: ...
    @property
    def script_moves(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One observation. `name` stands in the ledger, `detail` quotes what was seen; `weak` ones decide nothing."""

    name: str
    detail: str
    weak: bool = False


def signs(facts: Facts) -> tuple[Sign, ...]:
    """What speaks for a browser, the strongest first; the order of the table in docs/operator/browser.md."""
    found = []
    if facts.placeholders:
        found.append(Sign(name="placeholder", detail=facts.placeholders[0]))
    if facts.empty_root is not None:
        found.append(Sign(name="emptyRoot", detail=f"#{facts.empty_root} holds nothing"))
    if facts.noscript_asks and facts.visible < SHORT:
        found.append(Sign(name="noscript", detail="<noscript> asks for JavaScript"))
    if facts.script_moves:
        found.append(Sign(name="scriptRedirect", detail="a script leads elsewhere"))
    if facts.visible < FEW and facts.scripts:
        found.append(Sign(name="littleText", detail=f"{facts.visible} visible characters, {facts.scripts} scripts"))
    if facts.ratio < THIN and facts.scripts >= SCRIPTS:
        weak = facts.visible >= SHORT
        found.append(Sign(name="thinText", detail=f"{facts.ratio:.1%} of the document is text", weak=weak))
    return tuple(found)


def needs_browser(found: tuple[Sign, ...]) -> bool:
    return any(not sign.weak for sign in found)
