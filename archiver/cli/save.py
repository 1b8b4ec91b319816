"""`archiver save URL...`: each URL one visit, one WARC a run, told in sentences or as JSON."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from archiver.cli.options import (
    add_job_options,
    add_override_options,
    allowed_by,
    override_of,
    overrides,
    person,
    wait_of,
    with_a_contact,
)
from archiver.cli.output import json_line, plain, readers_may_leave
from archiver.cli.progress import progress_for
from archiver.cli.results import STOP_CODES, Told, exit_code, override_said, sentence, shown_port, ways_said
from archiver.cli.signals import stopping
from archiver.clock import iso
from archiver.config import Config, for_save, from_environment
from archiver.engine.run import Shipped
from archiver.errors import UsageError
from archiver.model import Page, Reason, Status
from archiver.wiring.loop import run_loop
from archiver.wiring.session import Asked, Session, session

WAIT_FOR_HOST = 90.0  # how long `save` waits for a host's turn before it says "deferred"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("urls", nargs="*", metavar="URL", help="what to archive; https is assumed without a scheme")
    parser.add_argument("--json", action="store_true", help="one JSON object a URL on stdout")
    parser.add_argument("--demo", action="store_true", help="archive the bundled demo site on loopback")
    parser.add_argument("--dry-run", action="store_true", help="ask robots.txt only, and say what would happen")
    add_override_options(parser)
    add_job_options(parser)


def run(options: argparse.Namespace) -> int:
    """Returns the exit code of decision 21."""
    if options.demo:
        if options.urls:
            raise UsageError("--demo brings its own URLs; give either --demo or URLs")
        return _demo(options)
    return _save(options, options.urls)


def _demo(options: argparse.Namespace) -> int:
    from archiver.demo import DemoSite

    with DemoSite() as site:
        options.allow_address = [*(options.allow_address or []), *site.addresses]
        options.collection = options.collection or "demo"
        return _save(options, site.seeds)


def _save(options: argparse.Namespace, urls: list[str]) -> int:
    environ = dict(os.environ)
    override, wait = override_of(options, urls), wait_of(options)
    config = with_a_contact(for_save(urls, overrides(options), environ), environ)
    for warning in config.warnings:
        print(f"archiver: note: {warning}", file=sys.stderr)
    asked = Asked(wait=wait, override=allowed_by(config, override))
    if options.dry_run:
        if override is not None or wait:
            raise UsageError("--dry-run only asks robots.txt; leave out --override and --wait")
        from archiver.cli.dry import dry_run

        return run_loop(dry_run(config, environ, as_json=options.json))
    pages, shipped, stopped = run_loop(_run(config, environ, asked, quiet=options.json))
    where = _where(config) + _addresses(options)
    packed = _packed(config, pages) if stopped not in STOP_CODES else {}
    told = [
        replace(one, override=override, where=where, wacz=packed.get(one.page.capture_id))
        for one in _in_order(config, pages, shipped)
    ]
    with readers_may_leave():
        if options.json:
            for one in told:
                print(json_line(one.to_json()))
        else:
            _say(config, told)
    if stopped in STOP_CODES:
        return STOP_CODES[stopped]
    gaps = any(one.page.completeness.verdict == "gaps" for one in told)
    error = told[0].shipped.error if told else None
    statuses = [one.status for one in told]
    return exit_code(statuses, gaps=gaps, require_complete=config.job.require_complete, store_error=error)


def _packed(config: Config, pages: list[Page]) -> dict[str, Path]:
    """WACZs by capture_id. What makes them is imported where it is asked for: start-up is felt at every `save`."""
    if not config.job.generate_wacz:
        return {}
    from archiver.cli.wacz import at_the_end

    return at_the_end(config, pages)


async def _run(
    config: Config, environ: dict[str, str], asked: Asked, *, quiet: bool
) -> tuple[list[Page], Shipped, Reason | None]:
    """What became of each URL, and what stopped the run before its end."""
    actor = person(environ, through="cli")
    with stopping() as signals:
        async with session(config, from_environment(environ), environ, actor, saving=True, asked=asked) as work:
            signals.attach(work.stop)
            return await _drive(work, config, asked.wait, quiet=quiet)


async def _drive(
    work: Session, config: Config, wait: float, *, quiet: bool
) -> tuple[list[Page], Shipped, Reason | None]:
    pages: list[Page] = []
    ends = work.clock.epoch() + wait
    with progress_for(sys.stderr, quiet=quiet) as progress:

        def on_page(page: Page) -> None:
            pages.append(page)
            progress.page(page)
            until = page.decision.not_before
            if wait and page.status is Status.DEFERRED and until is not None and until.timestamp() <= ends:
                progress.put_off(page, iso(until))

        work.worker.on_notice = work.run.on_notice = progress.note
        tally = await work.pump(patience=WAIT_FOR_HOST, wait=wait).run(on_page, concurrency=config.pace.concurrency)
    pages = list({page.candidate.key: page for page in pages}.values())  # as each was told last
    pages.extend(await work.left_over(pages))
    return pages, await work.run.finish(stopped=tally.stopped, counts=dict(tally.statuses)), tally.stopped


def _in_order(config: Config, pages: list[Page], shipped: Shipped) -> list[Told]:
    """As the user gave the URLs; a URL given twice is one visit."""
    order = {seed.url: number for number, seed in enumerate(config.seeds)}
    pages = sorted(pages, key=lambda page: order.get(page.candidate.url, len(order)))
    name = config.job.collection
    port = shown_port(name)
    allowed = config.basis.overrides
    return [Told(page=page, shipped=shipped, collection=name, replay_port=port, overrides=allowed) for page in pages]


def _say(config: Config, told: list[Told]) -> None:
    for one in told:
        print(plain(sentence(one)))
    kept = [one for one in told if one.status in ("archived", "captured")]
    for line in override_said(told):
        print(plain(line))
    folder = Path(config.job.out, "collections", config.job.collection)
    print()
    ways = ways_said(told)
    if ways:
        print(plain("\n".join(ways)), end="\n\n")
    if kept:
        size = sum(one.page.wire_bytes for one in kept)
        print(f"{len(kept)} of {len(told)} archived in {folder} ({size:,} bytes from the wire).")
    else:
        print("Nothing was archived.")
    error = told[0].shipped.error if told else None
    if error is not None:
        print(f"Not stored: {error}")
    refused = [one for one in told if one.status in ("refused", "deferred")]
    if refused:
        print(f"Why:                       archiver why {refused[0].page.candidate.url}{_where(config)}")
    for one in told:
        if one.wacz is not None:
            print(plain(f"Packed:                    {one.wacz}"))
    if kept:
        print(f"Look at it:                archiver replay {config.job.collection}{_out(config)}")
        print(f"Check it:                  archiver verify {folder}")


def _where(config: Config) -> str:
    collection = "" if config.job.collection == "main" else f" --collection {config.job.collection}"
    return collection + _out(config)


def _addresses(options: argparse.Namespace) -> str:
    """The demo's own are gone when anybody could type them."""
    given = () if options.demo else options.allow_address or ()
    return "".join(f" --allow-address {shlex.quote(one)}" for one in given)


def _out(config: Config) -> str:
    return "" if config.job.out == "crawls" else f" --out {config.job.out}"
