"""Collections that are there already: found by name and folder, for the verbs that only read."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from archiver.config import Places, from_environment, without_seeds
from archiver.errors import UsageError


def add_place_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="DIR", help="folder that holds collections/ (default: ./crawls)")


def places_of(collection: str | None, out: str | None, environ: Mapping[str, str] | None = None) -> Places:
    """Raises UsageError when there is no such collection, naming those that there are."""
    environ = dict(os.environ) if environ is None else environ
    given = {"collection": collection, "out": out}
    config = without_seeds({name: value for name, value in given.items() if value is not None}, environ)
    places = Places.of(config, from_environment(environ))
    if not places.root.is_dir():
        known = names_in(places.out)
        hint = f"there are: {', '.join(known)}" if known else f"nothing was archived in {places.out} yet"
        raise UsageError(f"no collection {config.job.collection!r}; {hint}")
    return places


def names_in(out: Path) -> list[str]:
    folder = out / "collections"
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
