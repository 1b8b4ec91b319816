"""Chromium through Playwright, and nothing of it reaches the network but through the recording proxy.

`flags`     how Chromium is started: no sandbox only where there is none to lose, no traffic of its own
`process`   one Chromium process tree: started, watched, ended for certain
`pool`      contexts, fresh for each job and site, recycled; implements `ports.browser.Browser`
`page`      one page: navigation, time limits, dialogs, downloads, popups, crashes
`settle`    when a page has come to rest
`steps`     what is done with a loaded page (consent, behaviours, views), as Protocols
"""

from archiver.browser.pool import Chromium

__all__ = ["Chromium"]
