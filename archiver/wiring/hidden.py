"""From the ledger's hides to the rule that objects to them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from archiver.ledger.hides import Hide, standing
from archiver.policy.hidden import HiddenRule


def hidden_rule(logs: Path, now: datetime) -> HiddenRule | None:
    """The rule of a collection, None where nothing is hidden. A hidden capture does not stop the next one.

    Raises LedgerError where it cannot be told what is hidden.
    """
    hides = [hide for hide in standing(logs) if hide.lasts(now)]
    urls = {hide.target: _says(hide) for hide in hides if hide.match == "url"}
    prefixes = {hide.target: _says(hide) for hide in hides if hide.match == "prefix"}
    return HiddenRule(urls=urls, prefixes=prefixes) if urls or prefixes else None


def _says(hide: Hide) -> str:
    until = f" until {hide.until}" if hide.until else ""
    return f"hide {hide.match} {hide.target}, by {hide.by} on {hide.t}{until}: {hide.because}"
