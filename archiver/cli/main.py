"""`archiver VERB ...`: finds the verb's file, turns faults into one line on stderr and a documented exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from archiver import __version__
from archiver.cli.output import escaped, readers_may_leave, secure_streams, silence
from archiver.errors import ArchiverError, DiskError, LimitError, UsageError, room

VERBS = {
    "save": "archive URLs now, each with what it needs to be shown",
    "crawl": "archive a site by a config file or a seed",
    "list": "what a collection holds",
    "why": "why a URL was fetched, kept, hidden or refused",
    "report": "what a job did and left out, in sentences and tables",
    "dataset": "a table of captures for analysis, without what is reserved",
    "wacz": "pack a collection or one capture for ReplayWeb.page",
    "import": "take in WARCs and WACZs of others, unchanged",
    "upload": "put into the bucket what is not there yet",
    "verify": "check WARCs, indexes and ledgers, record by record",
    "replay": "show a collection with pywb",
    "hide": "stop showing and fetching a URL, a prefix or a capture",
    "unhide": "take a hiding back",
    "open": "show the public what an override had fetched",
    "bucket": "set up an S3 bucket, and have it prove what it does",
    "cost": "what a collection's bucket costs, as its runs counted it",
    "doctor": "what works on this machine, and what is switched off",
}

_MODULES = {"list": "list_", "import": "import_"}
"""Where a verb's own name is no name for a module."""

EXIT_OK = 0
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_TOO_MANY = (errno.EMFILE, errno.ENFILE)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `archiver` command; returns the exit code (docs/operator/exit-codes.md)."""
    secure_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = _parsed(arguments)
        code = EXIT_OK
        with readers_may_leave():
            code = int(options.run(options))
        return code
    except SystemExit as ended:  # --help, --version
        return int(ended.code or 0)
    except ArchiverError as error:
        print(f"archiver: {escaped(str(error))}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if error.errno in _TOO_MANY:
            print(f"archiver: {error.strerror}: raise the limit (ulimit -n)", file=sys.stderr)
            return LimitError.exit_code
        if error.errno not in _FULL:
            raise
        silence()
        where = f" ({room(Path(str(error.filename)))})" if error.filename else ""
        print(f"archiver: {error.filename or 'the output'}: {error.strerror}{where}", file=sys.stderr)
        return DiskError.exit_code
    except KeyboardInterrupt:
        print("archiver: interrupted", file=sys.stderr)
        return 11


class _Parser(argparse.ArgumentParser):
    """A wrong option is told as every other bad input is: in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `{self.prog} --help` lists what there is")


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Only the verb at hand is imported: start-up is felt at every `save`. Options may stand between its arguments."""
    if not arguments or arguments[0] not in VERBS:
        return _parser().parse_args(arguments)
    verb, *rest = arguments
    module = _module(verb)
    parser = _Parser(prog=f"archiver {verb}", description=_sentence(VERBS[verb]))
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    # intermixed parsing loses what `--` says of the words behind it
    return parser.parse_args(rest) if "--" in rest else parser.parse_intermixed_args(rest)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="archiver",
        description="Archive web pages lawfully, byte for byte, and be able to say why.",
        epilog="Documentation: README.md and docs/. Exit codes: docs/operator/exit-codes.md",
    )
    parser.add_argument("--version", action="version", version=f"archiver {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, summary in VERBS.items():
        verbs.add_parser(name, help=summary)
    return parser


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"archiver.cli.{_MODULES.get(verb, verb)}")


if __name__ == "__main__":
    sys.exit(main())
