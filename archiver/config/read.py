"""From layers to sections: each key found, read by its kind, and no key left that nobody knows."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any, TypeVar

from archiver.config.foreign import without_foreign
from archiver.config.kinds import TEXT, choice, list_of, read_flag, read_int, read_seconds
from archiver.config.layers import Entry, Layer
from archiver.config.model import SECTIONS, Seed, SeedRules
from archiver.config.schema import Key, Kind, camel, keys_of
from archiver.config.special import SITE_PATH
from archiver.errors import ArchiverError, UsageError
from archiver.policy.profiles import PROFILES, Line, Profile, RobotsLines, SignalLines
from archiver.urls import seed_url

T = TypeVar("T")

POLICY = choice(*PROFILES)
SHORTCUTS = {"requisites": ("robots", "requisites"), "onNoarchive": ("signals", "noarchive")}
"""Policy lines that are keys of their own at the top level."""

_TOP = ("seeds", "url", "policy", *SHORTCUTS)


def known_keys() -> dict[str, frozenset[str]]:
    """Names allowed in each mapping: `` is the top level, `seeds` one seed."""
    known: dict[str, set[str]] = {"": set(_TOP), "seeds": {"url"}, "robots": set(), "signals": set()}
    for mapping, _, section in (*SECTIONS, ("", "", SeedRules), ("seeds", "", SeedRules)):
        for about in keys_of(section).values():
            for name in (about.name, *about.aliases):
                outer, dot, inner = name.partition(".")
                known.setdefault(outer if dot else mapping, set()).add(inner if dot else name)
    known["warcinfo"].add("operator")
    for group, lines in (("robots", RobotsLines), ("signals", SignalLines)):
        known[group] = {camel(one.name) for one in dataclasses.fields(lines)}
    known[""] |= set(known) - {"", "seeds"}
    return {mapping: frozenset(names) for mapping, names in known.items()}


KNOWN = known_keys()


def check_keys(layer: Layer, mapping: str = "") -> Layer:
    """The layer without harmless foreign keys. Raises ConfigError/UsageError for keys that nobody knows."""
    prefix = f"{mapping}." if mapping else ""
    kept = without_foreign(layer, prefix) if mapping in ("", "seeds") else dict(layer)
    for name, entry in kept.items():
        if name not in KNOWN[mapping]:
            raise entry.where.error(prefix + name, _unknown(name, KNOWN[mapping]))
        if mapping == "" and name in KNOWN and name != "seeds" and entry.value is not None:
            if not isinstance(entry.value, dict):
                raise entry.where.error(name, "must be a mapping of keys and values")
            check_keys(entry.value, name)
    return kept


def _unknown(name: str, known: Iterable[str]) -> str:
    folded = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower().replace("_", "").replace("-", ""), folded, n=1, cutoff=0.6)
    hint = f"did you mean {folded[near[0]]}?" if near else "docs/operator/config.md lists all keys"
    return f"unknown key; {hint}"


def read_section(layer: Layer, mapping: str, section: type[T]) -> T:
    """One section of the configuration; keys that are not given keep their defaults."""
    values: dict[str, Any] = {}
    for field_name, about in keys_of(section).items():
        found = find(layer, mapping, about)
        if found is not None:
            name, entry = found
            values[field_name] = read(entry, name, about.kind)
    return section(**values)


def find(layer: Layer, mapping: str, about: Key) -> tuple[str, Entry] | None:
    """(full name, entry) of a key or of one of its aliases."""
    hits: list[tuple[str, Entry]] = []
    for name in (about.name, *about.aliases):
        full = f"{mapping}.{name}" if mapping else name
        outer, dot, inner = full.partition(".")
        entry = layer.get(outer)
        if dot and entry is not None:
            entry = entry.value.get(inner) if isinstance(entry.value, dict) else None
        if entry is not None and entry.value is not None:
            hits.append((full, entry))
    if len(hits) > 1:
        hits.sort(key=lambda hit: hit[1].where.source == "command line", reverse=True)
        if hits[0][1].where.source == hits[1][1].where.source:
            raise hits[1][1].where.error(hits[1][0], f"means the same as {hits[0][0]}; give one of them")
    return hits[0] if hits else None


def read(entry: Entry, name: str, kind: Kind) -> Any:
    """An entry's value by its kind. Raises ConfigError/UsageError that names the key."""
    try:
        return kind.read(entry.plain())
    except ValueError as error:
        raise entry.where.error(name, str(error)) from None


def read_policy(layer: Layer) -> Profile:
    """The policy with the lines that the user changed."""
    chosen = layer.get("policy")
    profile = PROFILES["strict" if chosen is None else read(chosen, "policy", POLICY)]
    changed: dict[str, dict[str, Any]] = {"robots": {}, "signals": {}}
    for group, lines in (("robots", RobotsLines), ("signals", SignalLines)):
        given = layer[group].value if group in layer else {}
        for one in dataclasses.fields(lines):
            entry = given.get(camel(one.name))
            if entry is not None and entry.value is not None:
                kind = line_kind(one.metadata["line"], getattr(getattr(profile, group), one.name))
                changed[group][one.name] = read(entry, f"{group}.{camel(one.name)}", kind)
    for name, (group, field_name) in SHORTCUTS.items():
        if name in layer:
            about = next(one for one in dataclasses.fields(getattr(profile, group)) if one.name == field_name)
            changed[group][field_name] = read(layer[name], name, line_kind(about.metadata["line"], ""))
    return profile.with_lines(changed["robots"], changed["signals"])


def line_kind(about: Line, default: object) -> Kind:
    """How a policy's line is read: by its values, else by what its default is."""
    if about.values:
        return choice(*about.values)
    if about.paths:
        return list_of(SITE_PATH)
    if isinstance(default, bool):
        return Kind("true | false", read_flag)
    if isinstance(default, float):
        return Kind("seconds", read_seconds)
    if isinstance(default, int):
        return Kind("whole number", lambda value: read_int(value, high=36_500))
    return list_of(TEXT)


def read_seeds(layer: Layer) -> tuple[Seed, ...]:
    """Seeds of `url` and `seeds`, each with the top level's scope where it has none of its own."""
    defaults = read_section(layer, "", SeedRules)
    seeds: dict[str, Seed] = {}
    for name in ("url", "seeds"):
        entry = layer.get(name)
        if entry is not None:
            for item in entry.value if isinstance(entry.value, tuple) else (entry,):
                seed = _seed(item, defaults)
                seeds.setdefault(seed.url, seed)
    return tuple(seeds.values())


def _seed(item: Entry, defaults: SeedRules) -> Seed:
    rules: dict[str, Any] = {one.name: getattr(defaults, one.name) for one in dataclasses.fields(SeedRules)}
    url = item
    if isinstance(item.value, dict):
        own = check_keys(item.value, "seeds")
        if "url" not in own or own["url"].value is None:
            raise item.where.error("seeds", "a seed needs a url")
        url = own["url"]
        for field_name, about in keys_of(SeedRules).items():
            found = find(own, "", about)
            if found is not None:
                rules[field_name] = read(found[1], f"seeds.{found[0]}", about.kind)
    if not isinstance(url.value, str):
        raise url.where.error("seeds", "a seed is a URL, or a mapping with url:")
    if rules["scope_type"] == "custom" and not rules["include"]:
        raise item.where.error("seeds.include", "scopeType custom needs patterns under include")
    return Seed(url=_url(url), **rules)


def _url(entry: Entry) -> str:
    try:
        return seed_url(entry.value)
    except UsageError as error:
        fault: ArchiverError = error if entry.where.source == "command line" else entry.where.error("url", str(error))
        raise fault from None
