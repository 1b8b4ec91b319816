"""`verify --log`: when each file of a collection was last read again, where, and what was found."""

from __future__ import annotations

import argparse
import json

from archiver.cli.collections import places_of
from archiver.cli.output import escaped
from archiver.fixity.files import contents
from archiver.ledger import fixity
from archiver.ledger.fixity import LastCheck

_NEVER = "never"


def run(options: argparse.Namespace) -> int:
    """Always 0: what was found is told, and `verify` itself judges. Raises UsageError."""
    places = places_of(options.collection, options.out)
    log = fixity.read(fixity.segments(places.logs))
    here = contents(places.root)
    files = {path.relative_to(places.root).as_posix() for path in (*(one.path for one in here.warcs), *here.ledgers)}
    for name in sorted(files | log.local.keys() | log.remote.keys()):
        local, remote = log.local.get(name), log.remote.get(name)
        if options.json:
            print(json.dumps({"file": name, "local": _data(local), "remote": _data(remote)}, ensure_ascii=False))
        else:
            print(f"{_word(local):<32} {_word(remote):<32} {escaped(name)}")
    if not options.json:
        print(f"{len(log.checks)} checks of {places.name}; each line: last read here, last read in the bucket, file.")
    for text in log.damaged:
        print(escaped(f"damaged row of the log: {text}") if not options.json else json.dumps({"damaged": text}))
    return 0


def _word(check: LastCheck | None) -> str:
    return _NEVER if check is None else f"{check.t[:19]}Z {check.state}"


def _data(check: LastCheck | None) -> dict[str, str] | None:
    return None if check is None else {"t": check.t, "state": check.state, "sha256": check.sha256}
