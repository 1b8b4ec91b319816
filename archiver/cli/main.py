"""`archiver VERB ...`: finds the verb's file, turns faults into one line on stderr and a documented exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from archiver import __version__
from archiver.errors import ArchiverError, UsageError

VERBS = {
    "save": "archive URLs now, each with what it needs to be shown",
    "crawl": "archive a site by a config file or a seed",
    "list": "what a collection holds",
    "why": "why a URL was fetched, kept, hidden or refused",
    "verify": "check WARCs, indexes and ledgers, record by record",
    "replay": "show a collection with pywb",
    "doctor": "what works on this machine, and what is switched off",
}

EXIT_OK = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `archiver` command; returns the exit code (docs/operator/exit-codes.md)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(arguments[0] if arguments else "")
    try:
        options = parser.parse_args(arguments)
        return int(options.run(options))
    except SystemExit as ended:  # --help, --version
        return int(ended.code or 0)
    except ArchiverError as error:
        print(f"archiver: {_one_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output went away; what was archived stays archived.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("archiver: stopped before anything was begun", file=sys.stderr)
        return 11


class _Parser(argparse.ArgumentParser):
    """A wrong option is told as every other bad input is: in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `{self.prog} --help` lists what there is")


def _parser(verb: str) -> argparse.ArgumentParser:
    """Only the verb at hand is imported: start-up is felt at every `save`."""
    parser = _Parser(
        prog="archiver",
        description="Archive web pages lawfully, byte for byte, and be able to say why.",
        epilog="Documentation: README.md and docs/. Exit codes: docs/operator/exit-codes.md",
    )
    parser.add_argument("--version", action="version", version=f"archiver {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, summary in VERBS.items():
        sub = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == verb:
            module = _module(name)
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"archiver.cli.{'list_' if verb == 'list' else verb}")


def _one_line(text: str) -> str:
    """Control characters escaped: a URL in a message must not forge a second line."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


if __name__ == "__main__":
    sys.exit(main())
