"""archiver: fetch what may be fetched, keep it byte for byte, and be able to say why.

The nouns. A *seed* is what the user asked for. A *candidate* is any URL that something wants: a seed, a link, an image
of a page, a robots.txt. A *decision* says whether it may be fetched, a *keep* how its answer is stored and who sees it.
An *exchange* is one request and its answer as they crossed the wire. A *visit* is a document with its hops and
requisites, committed as one transaction. A *record* is a block in a WARC; a *collection* a folder of WARCs with index
and ledger. The *ledger* holds a row for every decision, before it is acted on.

The flow. Seeds enter the *frontier*; a driver (`engine.pump`, or Scrapy through `crawl`) claims candidates and visits
them; every request of a visit passes `gateway` (admit, dial, keep), is recorded by `warc`, told to `ledger`; closed
files go to `store`; `replay` shows them with pywb.

Who does I/O. `policy`, `extract`, `model` and `gateway` do none. `wire` talks to sites, `store` to object stores,
`warc`, `ledger` and `frontier` to the disk. `wiring` is the only file that names concrete classes.
"""

__version__ = "0.1.0"
