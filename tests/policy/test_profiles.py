"""Policies are data: stable hashes, and what is looser than strict is told."""

from __future__ import annotations

import dataclasses

import pytest

from archiver.policy.profiles import LEGAL_DEPOSIT, PROFILES, RESEARCH, STRICT, Profile, camel, canonical


def test_strict_loosens_nothing_and_the_others_say_what_they_loosen() -> None:
    assert STRICT.loosened == ()
    assert RESEARCH.loosened == ("robots.matcher", "robots.beyondCap", "signals.usage")
    assert "robots.disallowed" in LEGAL_DEPOSIT.loosened
    assert "robots.delays" in LEGAL_DEPOSIT.loosened


@pytest.mark.parametrize(
    ("robots", "signals", "loosened"),
    [
        ({"forbidden": "disallow"}, {}, ()),
        ({"requisites": "transclude"}, {}, ()),
        ({}, {"noarchive": "restricted"}, ()),
        ({}, {"noarchive": "drop-body"}, ()),
        ({"matcher": "google"}, {}, ("robots.matcher",)),
        ({"undefined_days": 1}, {}, ("robots.undefinedDays",)),
        ({"undefined_days": 60}, {}, ()),
        ({"mandate": ("example.org",)}, {}, ("robots.mandate",)),
        ({}, {"gpc": False}, ("signals.gpc",)),
    ],
)
def test_one_changed_line(robots: dict[str, object], signals: dict[str, object], loosened: tuple[str, ...]) -> None:
    changed = STRICT.with_lines(robots, signals)
    assert changed.loosened == loosened
    assert changed.sha256 != STRICT.sha256
    assert changed.label == f"strict/{STRICT.version}+{changed.sha256[:8]}"


def test_hash_covers_every_line() -> None:
    seen = {STRICT.sha256}
    for group in ("robots", "signals"):
        for f in dataclasses.fields(getattr(STRICT, group)):
            value = getattr(getattr(STRICT, group), f.name)
            others: list[object] = [choice for choice in f.metadata["line"].values if choice != value]
            if isinstance(value, bool):
                others = [not value]
            elif isinstance(value, tuple):
                others = [(*value, "x")]
            other = others[0] if others else value + 1
            changed = STRICT.with_lines(**{"robots": {}, "signals": {}, group: {f.name: other}})
            assert changed.sha256 not in seen, f.name
            seen.add(changed.sha256)


def test_every_default_is_one_of_its_values() -> None:
    for profile in PROFILES.values():
        for group in (profile.robots, profile.signals):
            for f in dataclasses.fields(group):
                values = f.metadata["line"].values
                assert not values or getattr(group, f.name) in values, (profile.name, f.name)


def test_canonical_form_is_independent_of_order() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'.encode()
    assert canonical(dataclasses.asdict(Profile(name="strict"))) == canonical(dataclasses.asdict(STRICT))
    assert camel("unavailable_after") == "unavailableAfter"
