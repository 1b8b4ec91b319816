"""The settings module that scrapy.cfg names: what holds for the process. What holds for a spider is in `settings`."""

from archiver.crawl.settings import OURS

SPIDER_MODULES = ["spiders"]
COMMANDS_MODULE = "archiver.crawl.commands"
# Half the loop's own CPU time. A spider cannot ask for a loop, only a process can.
ASYNCIO_EVENT_LOOP = "uvloop.Loop"
# Nothing of ours needs Twisted's reactor, and starting it takes a tenth of a second.
TWISTED_REACTOR_ENABLED = False
LOG_LEVEL = OURS["LOG_LEVEL"]
