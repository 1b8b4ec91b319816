"""One page's consent notice, from the first look to the proof: what is done, in which order, and what is written down.

Order (each intent stands in the ledger before its press): look, picture, intent, press, proof by stored state.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from playwright.async_api import Error, Frame

from archiver.browser.consent_engine import Engine, Ruled
from archiver.browser.consent_frames import Spot
from archiver.browser.consent_memory import HOST_ACTIONS, Host
from archiver.browser.consent_package import Package
from archiver.browser.consent_sight import Seen, Sight
from archiver.browser.steps import OnPage
from archiver.model import LedgerEntry
from archiver.policy import consent as rules
from archiver.policy import consent_traces as traces
from archiver.policy.consent import Act, Notice, Outcome, Policy, Step
from archiver.policy.consent_labels import forbidden_labels
from archiver.policy.consent_state import Proof, Says, State, proof_of
from archiver.policy.consent_words import PAY

ROUNDS = 3
ACTIONS = 3
LATE_SECONDS = 4.0
"""How long a page that names a consent library is watched for a notice that comes late."""
EFFECT_SECONDS = 3.0
PROOF_SECONDS = 1.2
"""How long stored state is waited for once the notice is gone."""
RELOADS = 3
RELOAD_SECONDS = 0.6
_STEP = 0.08


class Visit(Sight):
    """From the first look to the outcome; what happened stays readable in its attributes."""

    def __init__(self, on: OnPage, package: Package | None, host: Host) -> None:
        super().__init__(on)
        self.host = host
        self.policy = Policy(on.plan.consent)
        self.engine = Engine(on.page, package, cosmetic=self.policy is Policy.HIDE)
        self.seen = Seen()
        self.first: list[Notice] = []
        self.before: State | None = None
        self.after: State | None = None
        self.noise: frozenset[str] = frozenset()
        self.proof = Proof(says=Says.NOTHING)
        self.actions: list[dict[str, Any]] = []
        self.popups: list[str] = []
        self.engines: list[str] = []
        self.locks: list[bool] = []
        self.sure = True
        self.signature = ""
        self.refused = self.accepted = self.hidden = self.stuck = False
        self._answered: list[str] = []
        self._presses = 0
        self._opened = False
        self._moves = self._settled = 0
        self._looped = False

    # --- the order of things ---

    async def run(self) -> Outcome:
        """Raises Error and TimeoutError when the page itself is gone."""
        page = self.on.page
        page.on("framenavigated", self._moved)
        try:
            ruled = await self._first_look()
            if self.seen.notices or ruled:
                await self._handle(ruled)
            return self._conclude()
        finally:
            page.remove_listener("framenavigated", self._moved)
            await self.engine.close()

    def _moved(self, frame: Frame) -> None:
        if frame is self.on.page.main_frame:
            self._moves += 1

    async def _first_look(self) -> list[Ruled]:
        ruled: list[Ruled]
        self.seen, ruled, self.api = await asyncio.gather(self.look(), self.engine.look(), self.ask_api())
        self.signature = "\n".join(sorted({trace.partition("?")[0] for trace in self.seen.traces}))
        if not self.seen.notices and not ruled and await self._may_come_late():
            await self._wait_for_late()
            ruled = await self.engine.look()
        self.first = list(self.seen.notices)
        self.locks.append(self.seen.locked)
        return ruled

    async def _may_come_late(self) -> bool:
        """Where a library left traces, unless pages of this host with the same traces came without a notice before, or
        its notice was answered and the answer still stands."""
        if not (self.seen.traces or self.engine.detected or self.api.get("globals")):
            return False
        if self.host.is_quiet(self.signature):
            return False
        if self.signature not in self.host.answered or not self.host.keys:
            return True
        stands = (await self.state()).entries
        return not all(key in stands for key in self.host.keys)

    async def _wait_for_late(self) -> None:
        """Until a notice is there; changes of the page are what wakes us, and a bound."""
        loop = asyncio.get_running_loop()
        end = min(loop.time() + LATE_SECONDS, self.on.deadline)
        while (left := end - loop.time()) > 0:
            spots = self.seen.spots
            changed = False
            with contextlib.suppress(Error, TimeoutError):
                changed = bool(spots and await spots[0].call("change", left * 1000, seconds=left + 1.0))
            if not changed and spots:
                return
            await asyncio.sleep(_STEP)
            self.seen = await self.look()
            if self.seen.notices:
                return

    async def _handle(self, ruled: list[Ruled]) -> None:
        self.popups += [one.popup for one in ruled]
        self.before = await self.state()
        if self.policy is Policy.LEAVE:
            self.after = self.before
            return
        await self.on.shoot("viewBefore")
        if self.policy is Policy.HIDE:
            await self._hide(ruled)
        else:
            await self._answer(ruled)
        self.locks.append(self.seen.locked)

    async def _answer(self, ruled: list[Ruled]) -> None:
        latest = await self.state()
        self.noise = frozenset(self.before.changed(latest)) if self.before else frozenset()
        self.before = latest
        for _ in range(ROUNDS):
            if not await self._round(ruled) or self._is_spent() or not await self._look_again():
                return
            ruled = [one for one in await self.engine.look() if one.popup not in self.popups]
            self.popups += [one.popup for one in ruled]

    def _is_spent(self) -> bool:
        late = asyncio.get_running_loop().time() > self.on.deadline - 2.0
        return self._presses >= ACTIONS or self.host.actions + self._presses >= HOST_ACTIONS or self._looped or late

    async def _look_again(self) -> bool:
        """Whether there is a notice left to answer."""
        self.seen = await self.look()
        return any(not self._is_answered(notice) for notice in self.seen.notices)

    async def _round(self, ruled: list[Ruled]) -> bool:
        """One notice. False when there is nothing more to be done about any."""
        own = self._own_step()
        rule = next((one for one in ruled if self._is_of_use(one, own)), None)
        if rule is not None and await self._by_rule(rule):
            return True
        if rule is not None:
            self.seen = await self.look()
            own = self._own_step()
        if own is None or self._is_spent():
            return False
        return await self._by_words(*own)

    def _is_answered(self, notice: Notice) -> bool:
        return any(rules.is_same(notice.text, text) for text in self._answered)

    def _own_step(self) -> tuple[Notice, Step] | None:
        fresh = [notice for notice in self.seen.notices if not self._is_answered(notice)]
        if self.policy is Policy.ACCEPT:
            return next(((one, step) for one in fresh if (step := rules.accept_step(one)) is not None), None)
        return rules.best(fresh, opened=self._opened)

    def _is_of_use(self, ruled: Ruled, own: tuple[Notice, Step] | None) -> bool:
        nature = self.engine.about(ruled.popup)["nature"]
        if nature == "acts":
            return True
        in_sight = own is not None and own[1].act is Act.REJECT
        return nature == "may hide" and not in_sight

    # --- by a rule ---

    async def _by_rule(self, ruled: Ruled) -> bool:
        accepting = self.policy is Policy.ACCEPT
        what = "optIn" if accepting else "optOut"
        about = self.engine.about(ruled.popup)
        text = self.seen.notices[0].text if self.seen.notices else ""
        action = self._intend({"engine": "rules", "act": what, **about, "frame": ruled.frame.url[:300]})
        self.engines.append("rules")
        if not accepting:
            await self._everywhere("listen", {"labels": forbidden_labels(), "paid": PAY})
        said = await self.engine.act(ruled, what)
        heard = [one for told in await self._everywhere("heard") for one in told or ()]
        action |= {"result": said, "pressed": heard[:20]}
        stopped = any(one["stopped"] for one in heard)
        self._presses += 1
        await self._effect(None)
        done = said is not False and not stopped and (said or self.proof.says is not Says.NOTHING)
        if done or self.proof.says is Says.REJECTED:
            self.refused, self.accepted = self.refused or not accepting, accepting
            if text and (self.proof.says is Says.REJECTED or not await self._still(text)):
                self._answered.append(text)
            return True
        return False

    async def _still(self, text: str) -> bool:
        return any(notice.text == text for notice in (await self.look()).notices)

    async def _everywhere(self, name: str, argument: Any = None) -> list[Any]:
        told = await asyncio.gather(*(spot.call(name, argument) for spot in self.seen.spots), return_exceptions=True)
        return [one for one in told if not isinstance(one, BaseException)]

    # --- by wording ---

    async def _by_words(self, notice: Notice, step: Step) -> bool:
        spot = next((one for one in self.seen.spots if one.index == notice.frame), None)
        if spot is None:
            return False
        self.engines.append("wording")
        told = rules.notice_json(notice)
        action = self._intend({
            "engine": "wording",
            "act": step.act.value,
            "button": step.button.text,
            "off": [toggle.text for toggle in step.toggles],
            "notice": {name: told[name] for name in ("frame", "place", "layer", "buttons")},
        })  # fmt: skip
        self._presses += 1
        with contextlib.suppress(Error, TimeoutError):
            if step.act is Act.SETTINGS:
                await spot.call("mark")
            if step.toggles:
                action["switched"] = await spot.call("off", [toggle.id for toggle in step.toggles])
                self._presses += 1
            action["result"] = await spot.call("press", step.button.id)
        if step.act is Act.SETTINGS:
            self._opened = True
            return await self._deeper(spot, notice)
        self._answered.append(notice.text)
        self.refused, self.accepted = self.refused or step.act is not Act.ACCEPT, step.act is Act.ACCEPT
        self.sure = self.sure and step.sure
        await self._effect((spot, notice.id))
        return True

    async def _deeper(self, spot: Spot, notice: Notice) -> bool:
        """The second layer: waited for, then answered."""
        loop = asyncio.get_running_loop()
        end = loop.time() + EFFECT_SECONDS
        while loop.time() < end:
            await asyncio.sleep(_STEP * 2)
            found = await self._layer(spot, notice)
            best = rules.best(found, opened=True)
            if best is not None:
                self.first += [one for one in found if one is best[0]]
                self._answered.append(notice.text)
                return await self._by_words(*best)
        self.stuck = True
        return False

    async def _layer(self, spot: Spot, notice: Notice) -> list[Notice]:
        with contextlib.suppress(Error, TimeoutError):
            told = await spot.call("deeper", {"words": rules.words_for_page(), "notice": notice.id})
            found = [rules.notice_of(one, frame=spot.index) for one in told]
            if any(rules.is_notice(one) for one in found):
                return [one for one in found if rules.is_notice(one)]
        self.seen = await self.look()
        return [one for one in self.seen.notices if not self._is_answered(one) and one.text != notice.text]

    async def _hide(self, ruled: Sequence[Ruled]) -> None:
        ids: dict[int, list[int]] = {}
        for notice in self.seen.notices:
            ids.setdefault(notice.frame, []).append(notice.id)
        self._intend({"engine": "wording" if ids else "rules", "act": "hide", "notices": sum(map(len, ids.values()))})
        for spot in self.seen.spots:
            if spot.index in ids:
                with contextlib.suppress(Error, TimeoutError):
                    self.hidden = bool(await spot.call("hide", ids[spot.index])) or self.hidden
                    self.engines.append("wording")
        for one in ruled:
            if not self.hidden and self.engine.about(one.popup)["cosmetic"]:
                self.hidden = bool(await self.engine.act(one, "optOut"))
                self.engines.append("rules")
        self.after = self.before

    # --- effect and end ---

    async def _effect(self, pressed: tuple[Spot, int] | None) -> None:
        """Wait until the notice is gone and stored state says something, no longer than that takes."""
        loop = asyncio.get_running_loop()
        started, moves = loop.time(), self._moves
        while (spent := loop.time() - started) < EFFECT_SECONDS:
            await asyncio.sleep(_STEP)
            if self._moves > moves:
                moves = self._moves
                await self.on.quiet(5.0)
                if self._moves - self._settled >= RELOADS:
                    break
            there = await self._is_there(pressed)
            await self.prove()
            if there and self.proof.says is Says.REJECTED and spent > PROOF_SECONDS:
                break  # fades out slowly, or stays: stored state has the answer
            if not there and (self.proof.says is not Says.NOTHING or spent > PROOF_SECONDS):
                break
        await self.on.quiet(1.0)
        await self._until_it_stays()
        await self.prove()

    async def _until_it_stays(self) -> None:
        """A page that loads itself again after an answer may do so for ever: watched as long as it goes on."""
        moves = self._moves - self._settled
        while 0 < moves < RELOADS:
            before = self._moves
            await asyncio.sleep(RELOAD_SECONDS)
            if self._moves == before:
                break
            await self.on.quiet(2.0)
            moves = self._moves - self._settled
        self._looped = moves >= RELOADS
        self._settled = self._moves

    async def _is_there(self, pressed: tuple[Spot, int] | None) -> bool:
        if pressed is None:
            return False
        with contextlib.suppress(Error, TimeoutError):
            return bool(await pressed[0].call("isThere", pressed[1]))
        return False

    async def prove(self) -> None:
        self.after = await self.state()
        if self.before is not None:
            self.proof = proof_of(self.before, self.after, noise=self.noise, sure=self.sure)

    def _conclude(self) -> Outcome:
        left = [notice for notice in self.seen.notices if not self._is_answered(notice)]
        standing = [notice for notice in self.seen.notices if self._is_answered(notice)]
        return rules.conclude(rules.Course(
            policy=self.policy,
            seen=bool(self.first or self.popups),
            refused=self.refused,
            accepted=self.accepted,
            hidden=self.hidden,
            stuck=self.stuck or (bool(self.popups) and not self.first),
            looped=self._looped or (self.host.is_spent and bool(self.first)),
            standing=bool(standing) and self._presses > 0,
            others=bool(left) and self._presses > 0,
            proof=self.proof,
            missing=self.missing(),
        ))  # fmt: skip

    def missing(self) -> list[str]:
        return traces.missing_libraries(self.on.failed())

    def _intend(self, what: Mapping[str, Any]) -> dict[str, Any]:
        """Write down what is about to be done; the row is there before the press."""
        plan = self.on.plan
        row = {"stage": "intent", "outcome": "intent", "engine": what["engine"], "policy": plan.consent}
        row |= {"setBy": plan.consent_set_by, "details": {name: one for name, one in what.items() if name != "engine"}}
        self.on.tell(LedgerEntry(event="consent", url=plan.url, data=row))
        action = {"policy": plan.consent, "setBy": plan.consent_set_by, **what}
        self.actions.append(action)
        return action

    @property
    def presses(self) -> int:
        return self._presses
