"""`scrapy crawl site -a url=...`: Scrapy's own command, with one line for a refused argument and our exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scrapy.commands import crawl
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import UsageError as ScrapyUsageError

from archiver.config import Config
from archiver.crawl.arguments import config_of
from archiver.crawl.run import ScrapyCrawl, drive, prepare_loop
from archiver.crawl.setup import OPTIONS_SETTING, account
from archiver.crawl.spider import ArchiverSpider
from archiver.errors import ArchiverError
from archiver.model import Actor, Page, Reason, Status

_LIMIT_CODES = {Reason.INTERRUPTED: 11, Reason.SIZE_LIMIT: 14, Reason.TIME_LIMIT: 15}
_SEED_CODES = {Status.FAILED: 9, Status.REFUSED: 30, Status.DEFERRED: 32}


class Command(crawl.Command):  # type: ignore[misc,unused-ignore]
    """Spiders that are not ours run as in any Scrapy project."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """What Scrapy calls before it makes the process."""
        super().process_options(args, opts)
        assert self.settings is not None
        prepare_loop(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        process = self.crawler_process
        spider = None
        if len(args) == 1 and isinstance(process, AsyncCrawlerProcess):
            try:
                spider = process.spider_loader.load(args[0])
            except KeyError as error:
                raise ScrapyUsageError(f"no spider {args[0]!r}: {', '.join(process.spider_loader.list())}") from error
        if spider is None or not issubclass(spider, ArchiverSpider) or not isinstance(process, AsyncCrawlerProcess):
            super().run(args, opts)
            return
        try:
            self.exitcode = self._crawl(process, spider, opts.spargs)
        except ArchiverError as error:
            print(f"archiver: {error}", file=sys.stderr)
            self.exitcode = error.exit_code

    def _crawl(self, process: AsyncCrawlerProcess, spider: type[ArchiverSpider], arguments: dict[str, str]) -> int:
        defaults = {**spider.defaults, **process.settings.getdict(OPTIONS_SETTING)}
        config = config_of(arguments, defaults, os.environ, scope_type=spider.scope_type)
        for warning in config.warnings:
            print(f"archiver: note: {warning}", file=sys.stderr)
        seeds: list[Page] = []

        def on_page(page: Page) -> None:
            if page.candidate.seed:
                seeds.append(page)

        actor = Actor(name=account(), through="scrapy")
        found = drive(process, self._create_crawler(spider), config, actor, on_page, arguments)
        _say(config, found)
        return exit_code(found, seeds)


def exit_code(found: ScrapyCrawl, seeds: list[Page]) -> int:
    """docs/operator/exit-codes.md: a signal or a limit, a store that refused, then what became of the seeds."""
    stopped = found.tally.stopped
    if stopped in _LIMIT_CODES:
        return _LIMIT_CODES[stopped]
    if found.shipped.error is not None:
        return found.shipped.error.exit_code
    told = {page.candidate.key for page in seeds}
    statuses = {page.status for page in (*seeds, *(one for one in found.left if one.candidate.key not in told))}
    if Status.FAILED in statuses:
        return _SEED_CODES[Status.FAILED]
    if statuses == {Status.REFUSED}:
        return _SEED_CODES[Status.REFUSED]
    return _SEED_CODES[Status.DEFERRED] if Status.DEFERRED in statuses else 0


def _say(config: Config, found: ScrapyCrawl) -> None:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.tally.statuses.items())) or "no page"
    print(f"{counts}, in {Path(config.job.out, 'collections', config.job.collection)}.")
    if found.tally.stopped is Reason.INTERRUPTED:
        print("Interrupted: the same command goes on where this one stopped.")
    elif found.tally.stopped is not None:
        print(f"Ended by {found.tally.stopped.value}.")
