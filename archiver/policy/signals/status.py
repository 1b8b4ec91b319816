"""What a status says to a crawler that means well (RFC 9110, 6585, 7725): a table, and nothing but."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archiver.policy.fields import Header, values_of


@dataclass(frozen=True, slots=True)
class StatusAction:
    """`action`: `backoff` (slow down, then try again), `do-not-retry`, `retry` (this URL, later) or `none`.

    `scope`: what it binds, `host` or `url`. `store`: keep the answer as evidence. `replay`: `show-status` = the refusal
    itself is shown, never a substitute; `normal` otherwise. `why` cites the source.
    """

    action: str
    scope: str
    store: bool
    replay: str
    why: str


_BACKOFF = "backoff"
_STOP = "do-not-retry"
STATUS_ACTIONS: Mapping[int, StatusAction] = {
    401: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5.2: a login is asked for; none is given"),
    402: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5.3: priced access (crawler-price); refused"),
    403: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5.4: the operator refuses; identity never changes"),
    404: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5.5"),
    407: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5.8"),
    408: StatusAction("retry", "url", True, "normal", "RFC 9110 15.5.9"),
    410: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5.11: gone for good"),
    425: StatusAction("retry", "url", True, "normal", "RFC 8470 5.2"),
    429: StatusAction(_BACKOFF, "host", True, "normal", "RFC 6585 4"),
    451: StatusAction(_STOP, "url", True, "show-status", "RFC 7725 3: no way around; Link rel=blocked-by kept"),
    503: StatusAction(_BACKOFF, "host", True, "normal", "RFC 9110 15.6.4"),
}
_CLASSES = {
    4: StatusAction(_STOP, "url", True, "normal", "RFC 9110 15.5"),
    5: StatusAction("retry", "url", True, "normal", "RFC 9110 15.6"),
}
_NONE = StatusAction("none", "url", True, "normal", "")
_MEMENTO = StatusAction("none", "url", False, "normal", "RFC 7089 2.1.1: an archive's copy is no live web")


def status_action(status: int, headers: Sequence[Header] = ()) -> StatusAction:
    """The row for a status. An archive's copy (Memento-Datetime) is not to be stored as live web."""
    row = STATUS_ACTIONS.get(status) or _CLASSES.get(status // 100, _NONE)
    return _MEMENTO if row is _NONE and values_of(headers, "memento-datetime") else row
