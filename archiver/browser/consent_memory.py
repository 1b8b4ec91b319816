"""What is remembered of a host within a run: where notices came, and how often one was pressed there."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

HOSTS = 5_000
HOST_ACTIONS = 60
SAMPLE = 10
"""Every so many pages a kind of page known without a notice is looked at as if it were new."""
_KINDS = 50


@dataclass(slots=True)
class Host:
    """`quiet` counts pages without a notice by the traces of libraries that they had (their signature)."""

    pages: int = 0
    actions: int = 0
    last: str = ""
    keys: tuple[str, ...] = ()
    quiet: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    def is_quiet(self, signature: str) -> bool:
        """Pages like this one came without a notice, and this one is not of the sample."""
        count = self.quiet.get(signature, 0)
        return count > 0 and count % SAMPLE != 0

    @property
    def is_spent(self) -> bool:
        return self.actions >= HOST_ACTIONS


class Memory:
    """Bounded: hosts not met for long are forgotten."""

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, Host] = OrderedDict()

    def of(self, host: str) -> Host:
        known = self._hosts.setdefault(host, Host())
        self._hosts.move_to_end(host)
        if len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)
        return known

    def note(
        self, known: Host, signature: str, *, notice: str = "", actions: int = 0, keys: tuple[str, ...] = ()
    ) -> None:
        """A page was dealt with; `notice` is what became of its notice, empty when it had none."""
        known.pages += 1
        known.actions += actions
        if notice:
            known.last, known.keys = notice, keys
            known.quiet.pop(signature, None)
            if len(known.answered) < _KINDS:
                known.answered.add(signature)
        elif signature in known.quiet or len(known.quiet) < _KINDS:
            known.quiet[signature] = known.quiet.get(signature, 0) + 1
