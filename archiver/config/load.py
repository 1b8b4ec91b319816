"""Layers to one checked `Config`: command line over environment over YAML over the user's file over defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from archiver.config.checks import check, warnings_for
from archiver.config.environment import Environment, from_environment
from archiver.config.kinds import TEXT
from archiver.config.layers import Layer, layer_of, merge
from archiver.config.model import SECTIONS, Basis, Config
from archiver.config.read import check_keys, read, read_policy, read_section, read_seeds
from archiver.config.storage import Storage
from archiver.errors import ConfigError, UsageError

_SECRETS = ("accessKey", "secretKey", "sessionToken")


def load(
    path: Path | None, overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """The configuration of a crawl. `overrides` are options by YAML name, None = not given; `environ` as os.environ.

    Raises ConfigError (file, environment, or rules over several keys) or UsageError (an option, named as typed).
    """
    environment = from_environment(os.environ if environ is None else environ)
    file = _read(path) if path is not None else {}
    config = _build(file, overrides or {}, environment)
    if not config.seeds:
        if path is None:
            raise UsageError("no URL to start from; give --url URL or a config file with seeds:")
        raise ConfigError(f"{path}: no seeds; add seeds: with at least one URL")
    return config


def for_save(
    urls: Sequence[str], overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """The configuration of `archiver save URL...`: each URL one page with its requisites. Raises as `load`."""
    if not urls:
        raise UsageError("no URL given; such as: archiver save https://example.org/")
    environment = from_environment(os.environ if environ is None else environ)
    options = {"scopeType": "page", **(overrides or {}), "seeds": list(urls)}
    return _build({}, options, environment)


def without_seeds(
    overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, *, path: Path | None = None
) -> Config:
    """The configuration of verbs that fetch nothing (`list`, `verify`, `replay`); seeds may be missing. Raises as
    `load`."""
    file = _read(path) if path is not None else {}
    return _build(file, overrides or {}, from_environment(os.environ if environ is None else environ))


def with_contact(config: Config, contact: str) -> Config:
    """The same configuration under a contact that `read_contact` gave."""
    return check(replace(config, identity=replace(config.identity, contact=contact)))


def _build(file: Layer, overrides: Mapping[str, Any], environment: Environment) -> Config:
    user: Layer = {}
    if environment.config_file.is_file():
        user = _read(environment.config_file)
        for name in ("seeds", "url"):
            if name in user:
                raise user[name].where.error(name, "the user's own config holds defaults, no seeds")
    options = check_keys(layer_of(overrides, "command line"))
    merged = merge(user, file, layer_of(environment.values, "environment"), options)
    sections: dict[str, Any] = {
        field: read_section(merged, mapping, section) for mapping, field, section in SECTIONS if field != "storage"
    }
    sections["basis"] = _with_operator(merged, sections["basis"])
    config = Config(seeds=read_seeds(merged), policy=read_policy(merged), storage=_storage(merged), **sections)
    notes = list(environment.warnings)
    if "storage" in options and any(name in options["storage"].value for name in _SECRETS):
        notes.append("a key on the command line is seen by everybody on this machine; use STORE_* variables instead")
    return replace(check(config), warnings=(*notes, *warnings_for(config)))


def _read(path: Path) -> Layer:
    """A file's keys, known ones only. PyYAML is loaded here: `save` without a file need not wait for it."""
    from archiver.config.yamlfile import read_yaml

    return check_keys(read_yaml(path))


def _with_operator(layer: Layer, basis: Basis) -> Basis:
    """Browsertrix has the operator inside `warcinfo`; here it is a key of its own and both are read."""
    entry = layer["warcinfo"].value.get("operator") if "warcinfo" in layer else None
    if entry is None or entry.value is None or basis.operator:
        return basis
    return replace(basis, operator=read(entry, "warcinfo.operator", TEXT))


def _storage(layer: Layer) -> Storage | None:
    """None when neither endpoint nor bucket is given: then the local folder is the store."""
    entry = layer.get("storage")
    if entry is None:
        return None
    storage = read_section(layer, "storage", Storage)
    if storage.endpoint_url or storage.bucket:
        return storage
    if storage.access_key or storage.secret_key or storage.path:
        raise ConfigError(
            "storage: keys or a path, but no place: set STORE_ENDPOINT_URL (https://HOST/BUCKET) or storage.bucket"
        )
    return None
