"""Side by side in one run: wget, bare Scrapy, our Scrapy driver, our pump, everything on. Prints Markdown.

    python infra/bench/run.py [--rounds N] [--sites s5,pg] [--peers wget,bare,scrapy,pump,all,writing,save]

Peers take turns (A B C A B C ...); CPU is user + system of the whole process tree, each peer's start-up is measured in
the same round, ratios are paired by round. The run is void (exit code 1) unless the WARCs hold the same.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # tests.servers knows how to start nginx and SeaweedFS

from measure import CommandFailed  # noqa: E402
from peers import PEERS  # noqa: E402
from rounds import Stage, Void, run  # noqa: E402
from sites import site  # noqa: E402
from table import render  # noqa: E402

from tests.needs import REQUIREMENTS  # noqa: E402
from tests.servers.nginx import nginx  # noqa: E402

EXTRAS = ("writing", "save")


def main() -> int:
    options = _options()
    missing = _missing(options.peers, options.sites)
    for line in missing:
        print(f"bench: {line}", file=sys.stderr)
    if missing:
        return 2
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _served(Path(folder), options) as stage:
        chosen = [PEERS[name] for name in options.peers if name in PEERS]
        extras = [name for name in options.peers if name in EXTRAS]
        try:
            results = run(stage, chosen, options.sites, options.rounds, extras=extras)
        except (Void, CommandFailed) as error:
            print(f"bench: void: {error}", file=sys.stderr)
            return 1
    print(render(results, load=(before, os.getloadavg()[0])), end="")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sites", type=_names("s5", "pg"), default=["s5", "pg"])
    parser.add_argument("--peers", type=_names(*PEERS, *EXTRAS), default=[*PEERS, *EXTRAS])
    return parser.parse_args()


def _names(*known: str) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        unknown = set(text.split(",")) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
        return [name for name in known if name in text.split(",")]

    return parse


def _missing(chosen: Sequence[str], sites: Sequence[str]) -> list[str]:
    """What the chosen peers and sites need and this machine lacks, one sentence each."""
    needs = {"nginx"} | ({"wget"} & set(chosen))
    if "all" in chosen:
        needs |= {"seaweedfs", "trustme"}
    if "pg" in sites:
        needs.add("postgresql-doc")
    return [f"needs {name}: {REQUIREMENTS[name].get}" for name in sorted(needs) if REQUIREMENTS[name].find() is None]


@contextmanager
def _served(work: Path, options: argparse.Namespace) -> Iterator[Stage]:
    """nginx for every site, SeaweedFS where something is uploaded."""
    with ExitStack() as stack:
        folders = {name: site(name, work / name) for name in (*options.sites, "empty", "plain")}
        urls = {
            name: stack.enter_context(nginx(folder, work / f"nginx-{name}")).url + "/"
            for name, folder in folders.items()
        }
        store = stack.enter_context(_store(work)) if "all" in options.peers else None
        yield Stage(work=work, urls=urls, folders=folders, store=store)
        shutil.rmtree(work / "out", ignore_errors=True)


@contextmanager
def _store(work: Path) -> Iterator[Callable[[str], Mapping[str, str]]]:
    """An S3 server with one bucket; gives the environment for a prefix in it."""
    import boto3

    from tests.servers.seaweed import seaweedfs

    with seaweedfs(work / "weed") as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            region_name=server.region,
            verify=str(server.ca_file),
        )
        client.create_bucket(Bucket="bench")
        yield lambda prefix: server.environment(f"bench/{prefix}/")


if __name__ == "__main__":
    sys.exit(main())
