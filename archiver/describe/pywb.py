"""`config.yaml` for a plain pywb that is started in the collection's folder."""

from __future__ import annotations

import json


def config(name: str, csp: str) -> str:
    """The public's view: the merged index of what is open, its WARCs, and the access rules. `csp` keeps what archived
    pages ask for on the replay's own origin."""
    return f"""\
# For a plain pywb, started in this folder; README.txt tells how. Written by archiver, which writes it anew.
collections:
  {json.dumps(name)}:
    index_paths: ./indexes/merged/
    archive_paths: ./archive/
    acl_paths: ./acl/
    default_access: allow

# nothing but this collection, and nothing from the live web
enable_auto_colls: false
collections_root: none
enable_auto_fetch: false
framed_replay: true
csp-header: {json.dumps(csp)}
"""
