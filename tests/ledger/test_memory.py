"""The fake keeps the promises of the port and the same chain."""

from archiver.clock import ManualClock
from archiver.ledger.chain import verify_rows
from archiver.ledger.memory import MemoryLedger
from archiver.model import LedgerEntry
from archiver.ports import Ledger
from tests.ledger.conftest import story


def test_the_fake_chains_like_the_real_one() -> None:
    ledger = MemoryLedger(ManualClock())
    port: Ledger = ledger
    assert port.append(LedgerEntry(event="run")) == 0
    assert port.append_many(story()) == len(story())
    assert ledger.synced == 0
    port.sync()
    assert ledger.synced == len(story()) + 1
    assert verify_rows(ledger.lines, head=port.head).ok
    assert [body["event"] for body in ledger.bodies()] == ["run", *(entry.event for entry in story())]
    assert len(ledger.bodies("visit")) == 2
    assert not ledger.closed
    port.close()
    assert ledger.closed
