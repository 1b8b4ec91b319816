"""Consent notices: refused where that can be done, never accepted on a page's account, and written down with proof.

`consent_package` the rules as installed · `consent_engine` the rules at work · `consent_frames` our look into every
document · `consent_visit` one page from look to proof · `consent_memory` what a run knows of a host. What to press and
what a change of stored state means is decided in `policy.consent*`, as data.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from playwright.async_api import BrowserContext, Error, Page

from archiver.browser.consent_memory import Memory
from archiver.browser.consent_package import OFF, Package
from archiver.browser.consent_visit import Visit
from archiver.browser.steps import OnPage
from archiver.clock import Clock
from archiver.model import ConsentOutcome
from archiver.policy import consent as rules
from archiver.policy.consent import GUARDED, Outcome
from archiver.policy.consent_labels import wording_hash
from archiver.policy.consent_state import State, proof_of

HANDLE_SECONDS = 45.0
GUARD_SECONDS = 20.0
_SHOWN = 500
_NAMED = 60


class Consent:
    """`steps.ConsentStep`. `package` None: the rules are not installed, wording alone finds and refuses."""

    def __init__(self, clock: Clock, package: Package | None) -> None:
        self._clock = clock
        self._package = package
        self._memory = Memory()
        self._visits: WeakKeyDictionary[Page, Visit] = WeakKeyDictionary()

    async def prepare(self, context: BrowserContext) -> None:
        """Nothing of ours enters a page before it has come to rest."""

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"off": OFF} if self._package is None else self._package.facts(self._clock)

    async def handle(self, on: OnPage) -> ConsentOutcome:
        started = asyncio.get_running_loop().time()
        visit = Visit(on, self._package, self._memory.of(_host(on.page.url)))
        self._visits[on.page] = visit
        outcome, fault = Outcome.FAILED, ""
        try:
            async with asyncio.timeout(HANDLE_SECONDS):
                outcome = await visit.run()
        except (Error, TimeoutError) as error:
            fault = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:300]
        seconds = asyncio.get_running_loop().time() - started
        notice = bool(visit.first or visit.popups)
        told = self._told(visit, seconds, fault)
        met = outcome.value if notice else ""
        self._memory.note(visit.host, visit.signature, notice=met, actions=visit.presses, keys=visit.proof.keys)
        return ConsentOutcome(outcome=outcome.value, engine="+".join(dict.fromkeys(visit.engines)), details=told)

    async def guard(self, on: OnPage, before: ConsentOutcome) -> ConsentOutcome | None:
        """Scrolling *is* consent on some sites: stored state is compared after each behaviour."""
        visit = self._visits.get(on.page)
        if visit is None:
            return None
        try:
            async with asyncio.timeout(GUARD_SECONDS):
                if Outcome(before.outcome) in GUARDED:
                    return await self._compared(visit, before)
                if Outcome(before.outcome) in {Outcome.ABSENT, Outcome.NOT_LOADED} and visit.traces:
                    return await self._came_late(on, visit)
        except (Error, TimeoutError):
            return None
        return None

    async def _compared(self, visit: Visit, before: ConsentOutcome) -> ConsentOutcome | None:
        known, now = visit.after or visit.before or State(), await visit.state()
        proof = proof_of(known, now, noise=visit.noise)
        visit.after = now
        if not rules.implied(proof, standing=bool((await visit.look()).notices)):
            return None
        changed = {
            "before": _shown(known, proof.keys),
            "after": _shown(now, proof.keys),
            "readings": dict(proof.readings),
        }
        details = {**before.details, "was": before.outcome, "implied": changed}
        return ConsentOutcome(outcome=Outcome.IMPLIED.value, engine=before.engine, details=details)

    async def _came_late(self, on: OnPage, visit: Visit) -> ConsentOutcome | None:
        """A notice that a behaviour brought up is answered like any other."""
        if not (await visit.look()).notices:
            return None
        return await self.handle(on)

    async def without_notice(self, on: OnPage) -> str | None:
        visit = self._visits.get(on.page)
        if visit is None or not visit.first:
            return None
        with contextlib.suppress(Error, TimeoutError):
            return await visit.cut()
        return None

    # --- the record ---

    def _told(self, visit: Visit, seconds: float, fault: str) -> dict[str, Any]:
        plan, keys = visit.on.plan, visit.proof.keys
        told: dict[str, Any] = {
            "policy": plan.consent,
            "setBy": plan.consent_set_by,
            "rules": dict(self.facts),
            "wording": wording_hash(),
            "notices": [rules.notice_json(notice) for notice in visit.first[:6]],
            "popups": list(visit.popups),
            "detected": list(visit.engine.detected),
            "traces": visit.traces[:30],
            "globals": visit.api.get("globals", []),
            "webdriver": visit.api.get("webdriver"),
            "actions": visit.actions,
            "seconds": round(seconds, 3),
        }
        if visit.before is not None and visit.after is not None:
            told["state"] = {
                "says": visit.proof.says.value,
                "readings": dict(visit.proof.readings),
                "before": _shown(visit.before, keys),
                "after": _shown(visit.after, keys),
            }
        if visit.first or visit.popups:
            told["scrollLock"] = {
                "before": visit.locks[0] if visit.locks else None,
                "after": visit.locks[-1] if visit.locks else None,
            }
        missing = visit.missing()
        if missing:
            told["missing"] = missing[:20]
        if not visit.first and not visit.popups and visit.host.keys:
            told["earlier"] = {"outcome": visit.host.last, "keys": list(visit.host.keys)}
        if fault:
            told["fault"] = fault
        return told


def _shown(state: State, keys: tuple[str, ...]) -> dict[str, Any]:
    """Values of what has to do with consent; of everything else the names alone, for they may hold secrets."""
    return {
        "values": {key: state.entries[key][:_SHOWN] for key in keys if key in state.entries},
        "names": sorted(state.entries)[:_NAMED],
    }


def _host(url: str) -> str:
    return url.split("/", 3)[2].lower() if url.count("/") >= 2 else ""
