"""`archiver crawl CONFIG.yaml` or `--url URL`: a site within its scope, by Scrapy or by the pump; it can be resumed."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from archiver.cli.options import add_job_options, forbid_override, number, overrides, person, with_a_contact
from archiver.cli.output import json_line, readers_may_leave
from archiver.cli.progress import progress_for
from archiver.cli.results import STOP_CODES, Told, exit_code, shown_port
from archiver.cli.signals import stopping
from archiver.config import Config, from_environment, load
from archiver.engine.run import Shipped
from archiver.engine.source import Tally
from archiver.errors import UsageError
from archiver.model import Page, Reason
from archiver.wiring.loop import run_loop
from archiver.wiring.session import Session, session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", metavar="CONFIG.yaml", help="docs/operator/config.md lists its keys")
    parser.add_argument("--url", action="append", dest="seeds", metavar="URL", help="seed; may be given more than once")
    parser.add_argument("--scope-type", metavar="TYPE", help="page, prefix (default), host, domain, any, custom")
    parser.add_argument("--include", action="append", metavar="REGEX", help="with custom: URLs in scope")
    parser.add_argument("--exclude", action="append", metavar="REGEX", help="URLs left out")
    parser.add_argument("--depth", metavar="N", help="links away from the seed")
    parser.add_argument("--limit", metavar="N", help="pages in all")
    parser.add_argument("--driver", metavar="scrapy|pump", help="what drives the crawl (default: scrapy)")
    parser.add_argument("--dry-run", action="store_true", help="ask robots.txt only, and say what would happen")
    parser.add_argument("--json", action="store_true", help="one JSON object a seed on stdout")
    add_job_options(parser)
    forbid_override(parser)


def run(options: argparse.Namespace) -> int:
    """Returns the exit code of decision 21; 11 after a signal, 14 and 15 when a size or time limit ended the crawl."""
    environ = dict(os.environ)
    if options.config is None and not options.seeds:
        raise UsageError("nothing to crawl; give CONFIG.yaml or --url URL")
    path = Path(options.config) if options.config else None
    config = with_a_contact(load(path, _overrides(options), environ), environ)
    for warning in config.warnings:
        print(f"archiver: note: {warning}", file=sys.stderr)
    if config.job.dry_run:
        from archiver.cli.dry import dry_run

        return run_loop(dry_run(config, environ, as_json=options.json))
    if config.job.driver == "scrapy":
        crawled = _scrapy(config, environ, quiet=options.json)
    else:
        crawled = run_loop(_pump(config, environ, quiet=options.json))
    code = report(config, crawled, as_json=options.json)
    if config.job.generate_wacz and crawled.tally.stopped is not Reason.INTERRUPTED:
        _pack(config)
    return code


def _pack(config: Config) -> None:
    """Imported where it is asked for, as `save` does. Told on standard error: standard output is the seeds' own."""
    from archiver.cli.wacz import of_the_crawl

    print(f"archiver: packed {of_the_crawl(config)}", file=sys.stderr)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    found = overrides(options)
    found.update(
        seeds=options.seeds,
        scopeType=options.scope_type,
        include=options.include,
        exclude=options.exclude,
        depth=number(options.depth, "--depth", whole=True),
        pageLimit=number(options.limit, "--limit", whole=True),
        driver=options.driver,
        dryRun=True if options.dry_run else None,
    )
    return {name: value for name, value in found.items() if value is not None}


class Crawled:
    """What a crawl came to: the seeds' pages, counts, files."""

    def __init__(self) -> None:
        self.seeds: list[Page] = []
        self.tally = Tally()
        self.gaps = 0
        self.shipped = Shipped()

    def page(self, page: Page) -> None:
        if page.candidate.seed:
            # A seed that is visited again, such as after a rest, stands here once, as it is now.
            self.seeds = [one for one in self.seeds if one.candidate.key != page.candidate.key]
            self.seeds.append(page)
        if page.completeness.verdict == "gaps":
            self.gaps += 1


def _scrapy(config: Config, environ: dict[str, str], *, quiet: bool) -> Crawled:
    """Imported here: `--driver pump` must not wait for Scrapy and Twisted to load."""
    from archiver.crawl.run import crawl

    crawled = Crawled()
    with progress_for(sys.stderr, quiet=quiet) as progress:

        def on_page(page: Page) -> None:
            crawled.page(page)
            progress.page(page)

        found = crawl(config, person(environ, through="scrapy"), on_page)
    told = {page.candidate.key for page in crawled.seeds}
    crawled.seeds.extend(page for page in found.left if page.candidate.key not in told)
    crawled.tally, crawled.shipped = found.tally, found.shipped
    return crawled


async def _pump(config: Config, environ: dict[str, str], *, quiet: bool) -> Crawled:
    crawled = Crawled()
    actor = person(environ, through="cli")
    with stopping() as signals:
        async with session(config, from_environment(environ), environ, actor, saving=False) as work:
            signals.attach(work.stop)
            await drive(work, crawled, quiet=quiet, concurrency=config.pace.concurrency)
    return crawled


async def drive(work: Session, crawled: Crawled, *, quiet: bool, concurrency: int) -> None:
    """Pump until nothing is left or a limit is met, then close and store."""
    with progress_for(sys.stderr, quiet=quiet) as progress:
        work.run.on_notice = progress.note
        work.run.on_counts = lambda counts: progress.queue(counts.pending)

        def on_page(page: Page) -> None:
            crawled.page(page)
            progress.page(page)

        crawled.tally = await work.pump(patience=None).run(on_page, concurrency=concurrency)
    crawled.seeds.extend(await work.left_over(crawled.seeds))
    crawled.shipped = await work.run.finish(stopped=crawled.tally.stopped, counts=dict(crawled.tally.statuses))


def report(config: Config, crawled: Crawled, *, as_json: bool) -> int:
    """Say what was crawled; returns the exit code."""
    name = config.job.collection
    port = shown_port(name) if as_json else None
    told = [Told(page=page, shipped=crawled.shipped, collection=name, replay_port=port) for page in crawled.seeds]
    with readers_may_leave():
        if as_json:
            for one in told:
                print(json_line(one.to_json()))
        else:
            _say(config, crawled)
    stopped = crawled.tally.stopped
    if stopped in STOP_CODES:
        return STOP_CODES[stopped]
    statuses = [one.status for one in told]
    return exit_code(
        statuses,
        gaps=crawled.gaps > 0,
        require_complete=config.job.require_complete,
        store_error=crawled.shipped.error,
    )


def _say(config: Config, crawled: Crawled) -> None:
    tally = crawled.tally
    folder = Path(config.job.out, "collections", config.job.collection)
    parts = ", ".join(f"{count} {status}" for status, count in sorted(tally.statuses.items())) or "no page"
    print(f"{parts}; {tally.wire_bytes:,} bytes from the wire, in {folder}.")
    if crawled.gaps:
        print(f"{crawled.gaps} pages lack something: archiver list {config.job.collection} shows which.")
    if tally.stopped is Reason.INTERRUPTED:
        print("Interrupted: the same command goes on where this one stopped.")
    elif tally.stopped is not None:
        print(f"Ended by {tally.stopped.value}.")
    if crawled.shipped.error is not None:
        print(f"Not stored: {crawled.shipped.error}")
