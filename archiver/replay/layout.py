"""What pywb is told for one collection, and the origin under which the collection is shown. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.config import Places
from archiver.model import Access

CSP = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: mediastream:; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'self'"
)
"""Nothing that a page asks for leaves its own origin (CSP3): `<iframe srcdoc>` and WebSockets otherwise would, because
pywb's rewriting does not reach them. Inline code must run, or archived pages would not."""

SANDBOX = "; sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads"
"""For archived documents, beside `CSP`: no navigation of the top window, no pop-ups."""

SUFFIX = ".replay.localhost"
HIDDEN_RULES = "hidden.aclj"
"""Made from the ledger's hides; binds both views. Rules made by hand lie beside it under other names."""

ALL_RULES = "all/access.aclj"
"""Made from the ledger too, for a pywb that is given the folders of all classes; our own views never read it."""

LISTED = "_listed-only"
"""The public view's second collection: the same without what asks not to be listed. Searches are asked of it."""

OPENED = "opened"
"""The public view's index of what an override had fetched and somebody opened: those lines alone."""

STATIC = "_pywb"
"""Where pywb's own scripts lie. No collection name begins with an underscore, so none can hide them."""

INDEX_SECONDS = 300
"""pywb leaves out, without a word, what an index does not answer in time (its default: 5 s)."""

_LABEL = re.compile(r"(?!..--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def shown(*, public: bool) -> tuple[Access, ...]:
    """The access classes of the public view (open only) or of the owner's (all)."""
    return (Access.OPEN,) if public else tuple(Access)


def acl_folder(places: Places) -> Path:
    """`acl/` of the collection: pywb access rules, `*.aclj`; those made by hand bind the public view."""
    return places.root / "acl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where else WARCs lie, so that pywb reads there what is not here: a bucket, and the full key of the folder of each
    access class. `environ` is for pywb alone: endpoint, credentials. `aws_config` is the text of its AWS_CONFIG_FILE.
    """

    name: str
    folders: Mapping[Access, str]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    aws_config: str = ""


def group(name: str, bucket: Bucket | None) -> str:
    """What pywb calls the index of a class (or `OPENED`), and puts in the place of the star in `archive_paths`. With a
    bucket it is the folder's key there, and the view's links have that path too."""
    if bucket is None:
        return name
    return bucket.folders[Access.RESTRICTED if name == OPENED else Access(name)]


def pywb_config(name: str, view: Path, *, public: bool, bucket: Bucket | None = None) -> Mapping[str, Any]:
    """The content of pywb's config.yaml. `view` is the folder that `view.View` keeps; nothing else is read.

    No `live` collection, no recorder, no collections found by folder, no proxy mode: pywb reads and dials nothing but
    the bucket, where there is one.
    """
    entry: dict[str, Any] = {
        "index_group": {
            group(access.value, bucket): f"{view / 'index' / access.value}/" for access in shown(public=public)
        },
        # The star becomes the index's name: equal file names of two classes are not mixed up.
        "archive_paths": [f"{view / 'warcs'}/*/"] + ([] if bucket is None else [f"s3://{bucket.name}/*/"]),
        "timeout": INDEX_SECONDS,
        "acl_paths": f"{view / 'acl'}/",
        "default_access": "allow",
    }
    collections = {name: entry}
    if public:
        entry["index_group"][group(OPENED, bucket)] = f"{view / 'index' / OPENED}/"
        listed = {
            group(Access.OPEN.value, bucket): f"{view / 'listed'}/",
            group(OPENED, bucket): f"{view / 'listed-opened'}/",
        }
        collections[LISTED] = {**entry, "index_group": listed}
    return {
        "collections": collections,
        "collections_root": "none",
        "enable_auto_colls": False,
        "enable_memento": True,
        "enable_auto_fetch": False,
        "framed_replay": True,
        "static_prefix": STATIC,
        "csp-header": CSP,
        "debug": False,
    }


def host_of(collection: str) -> str:
    """`news.replay.localhost`: one host a collection, no two alike.

    A name that is no host label (RFC 1123, 2.1; `a_b`, `a-`, `xn--a`) gets a digest of itself instead of what is not
    allowed there.
    """
    if _LABEL.fullmatch(collection):
        return collection + SUFFIX
    plain = re.sub("-+", "-", re.sub("[^a-z0-9]", "-", collection)).strip("-")[:50].rstrip("-")
    return f"{plain}-{hashlib.sha256(collection.encode()).hexdigest()[:10]}{SUFFIX}"


def origin_of(collection: str, port: int) -> str:
    """`http://news.replay.localhost:8090`, without the port where it is 80."""
    return f"http://{host_of(collection)}" + ("" if port == 80 else f":{port}")


def replay_url(collection: str, port: int, *, timestamp: str = "", url: str = "") -> str:
    """Where a capture is shown: `http://main.replay.localhost:8090/main/20261123120000/https://example.org/`."""
    where = f"{timestamp}/{url}" if url else ""
    return f"{origin_of(collection, port)}/{collection}/{where}"
