"""`README.txt`: what a collection is, and how to replay and check it without the program that made it.

A line that begins with `    $ ` is a command. All of them work as they are typed, in the collection's folder, one after
the other (a test runs them). Nothing in the text changes with each run, so that it is not written anew each time.
"""

from __future__ import annotations

import shlex
from textwrap import fill

from archiver.describe.about import About

WIDTH = 100
PYWB = "2.10.0"
REPLAYWEB = "2.5.3"
PORT = 8090

_FILES = """\
archive/                 what may be shown: WARC files (ISO 28500), never changed once they are closed
indexes/                 one CDXJ index a WARC file; indexes/merged/ holds all their lines in ten sorted files,
                         but for what is hidden or has expired
restricted/  dark/       where there are: captures that are not for the public, with indexes of their own
pages/pages.jsonl        the pages, one JSON object a line; grows
logs/ledger-*.jsonl      the ledger: why each URL was fetched, refused or put off; ledger.schema.json explains its rows
acl/                     access rules for pywb: what is hidden, until when
manifest-sha256.txt      SHA-256 of every closed file; restricted/ and dark/ have one of their own
collection.json          this page for programs: runs, policies, counts, the ledger's last hashes
config.yaml              for pywb
check-ledger.sh          checks the ledger
reports/  state/         made by archiver for itself; not needed for anything here
"""


def readme(about: About) -> str:
    """The text, lines of at most 100 characters where nobody's own words are longer."""
    title = f"{about.name}: {about.title}" if about.title else about.name
    parts = [f"{title}\n{'=' * min(len(title), WIDTH)}"]
    if about.description:
        parts.append(_filled(about.description))
    parts += [_what(about), "Files\n-----\n" + _FILES.rstrip(), _pywb(about), _replayweb(about), _CHECK.strip()]
    return "\n\n".join(parts) + "\n"


def _what(about: About) -> str:
    made = f" made by {about.software}" if about.software else ""
    rows = [
        ("who", about.operator or "not told"),
        ("when", f"since {about.first[:10]}; collection.json names the last run" if about.first else "nothing yet"),
        ("policy", ", ".join(sorted(filter(None, about.policies))) or "not told"),
        ("legal basis", about.legal_basis or "not told"),
    ]
    if about.imported:
        number = sum(about.imported.values())
        rows.append(("imported", f"{number} WARC files that others made, policy unknown; the ledger names them"))
    table = "\n".join(f"{name + ':':<13}{text}" for name, text in rows)
    intro = _filled(
        f"Web pages as they were sent,{made} with what was asked, answered and decided beside them. Everything below "
        "works without that program."
    )
    return f"{intro}\n\n{table}"


def _pywb(about: About) -> str:
    return f"""\
Replay with pywb
----------------
In this folder, with Python 3.9 to 3.12. The first command installs pywb in a folder of its own, the second
serves until it is stopped, the third asks for a page as it was sent; in a browser, the address without
`id_` shows it.

    $ python3 -m venv ~/pywb && ~/pywb/bin/pip install pywb=={PYWB} 'setuptools<81'
    $ ~/pywb/bin/wayback --bind 127.0.0.1 --port {PORT}
    $ curl --fail --silent --show-error {shlex.quote(_address(about))}

Search by URL: http://127.0.0.1:{PORT}/{about.name}/

Into a pywb that is there already, `wb-manager add COLLECTION archive/*.warc.gz` adds what may be shown and
nothing restricted or dark. It knows nothing of acl/ then: what was hidden comes along."""


def _address(about: About) -> str:
    root = f"http://127.0.0.1:{PORT}/{about.name}/"
    example = about.example
    return root if example is None else f"{root}{example.timestamp}id_/{example.url}"


def _replayweb(about: About) -> str:
    return f"""\
Replay with ReplayWeb.page
--------------------------
Open https://replayweb.page and choose a file of archive/: your browser reads it, and it goes nowhere. Or
from this machine alone, with npm, and a browser window that is not a private one:

    $ mkdir -p ~/rwp && cd ~/rwp && npm pack replaywebpage@{REPLAYWEB} && tar xzf replaywebpage-{REPLAYWEB}.tgz; cd -
    $ ln -sfn "$PWD/archive" ~/rwp/package/archive
    $ python3 -m http.server {PORT + 1} --bind 127.0.0.1 --directory ~/rwp/package

then open

    {replayweb_address(about)}

It reads a whole file before it shows a page; large ones take long. It knows nothing of acl/: what was
hidden is shown."""


def replayweb_address(about: About) -> str:
    """Where ReplayWeb.page shows the collection's first open WARC: what is in it, by URL."""
    root = f"http://127.0.0.1:{PORT + 1}"
    return f"{root}/?source={root}/archive/{about.warc or 'FILE.warc.gz'}"


_CHECK = r"""
Check
-----
That no file changed or went away, that each archive file unpacks, and that no row of the ledger was
changed, put in or taken out (OK or BAD, a line a segment). Rows cut off at the end show by the last hashes,
which collection.json names.

    $ sha256sum --check --quiet manifest-sha256.txt && echo every file is as it was closed
    $ gzip --test archive/*.warc.gz && echo every archive file unpacks
    $ sh check-ledger.sh logs/ledger-*.jsonl
    $ jq -r '.ledger.heads[] | .file + " " + .hash' collection.json

One row by hand: its leaf is the SHA-256 of salt and body (the two lines agree), its hash that of prev and
leaf.

    $ head -qn 1 logs/ledger-*.jsonl | head -n 1 | jq -r .leaf
    $ head -qn 1 logs/ledger-*.jsonl | head -n 1 | jq -rj '.salt, .body' | openssl dgst -sha256 -r

What was decided about each URL:

    $ cat logs/ledger-*.jsonl | jq -c '.body // "{}" | fromjson | select(.event == "decision") | [.url, .reason]'

restricted/ and dark/ have a manifest inside and are checked there. While archiver writes here, what it has
not finished is in no manifest."""


def _filled(text: str) -> str:
    return "\n".join(fill(line, WIDTH) for line in text.splitlines())
