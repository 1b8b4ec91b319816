"""WARC 1.1 files: written whole or not at all, read strictly, salvaged after a crash.

`records`   what a record is, as bytes (pure); `fields` makes text safe, `http` finds the final head of a block
`writer`    the `Recorder` on a thread, over `streams` (what goes where) and `segment` (one growing file); `dedup`
`cdxj`      index lines, keys by `surt`; `reindex` makes the same lines from a file, and checks an index against one
`reader`    records by offset, over `members` (gzip); `verify` goes on behind damage, with the rules in `checks`, and
            takes what is faultless by the short way of `ordinary`
`salvage`   closes what a killed process left open
"""
