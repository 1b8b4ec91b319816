"""What is remembered of a host within a run: whether it has notices, and how often one was pressed there."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

HOSTS = 5_000
HOST_ACTIONS = 60
SAMPLE = 10
"""Every so many pages a host known without a notice is looked at as if it were new."""


@dataclass(slots=True)
class Host:
    pages: int = 0
    notices: int = 0
    actions: int = 0
    without: int = 0
    last: str = ""
    keys: tuple[str, ...] = field(default=())

    @property
    def is_known_without(self) -> bool:
        """No notice came on its pages so far, and this one is not of the sample."""
        return self.without > 0 and self.without % SAMPLE != 0

    @property
    def is_spent(self) -> bool:
        return self.actions >= HOST_ACTIONS


class Memory:
    def __init__(self) -> None:
        self._hosts: OrderedDict[str, Host] = OrderedDict()

    def of(self, host: str) -> Host:
        known = self._hosts.setdefault(host, Host())
        self._hosts.move_to_end(host)
        if len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)
        return known

    def note(self, host: str, outcome: str, *, notice: bool, actions: int, keys: tuple[str, ...]) -> None:
        known = self.of(host)
        known.pages += 1
        known.actions += actions
        known.last = outcome if notice else known.last
        if notice:
            known.notices += 1
            known.without = 0
            known.keys = keys or known.keys
        else:
            known.without += 1
