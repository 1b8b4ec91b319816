"""The ledger: one hash-chained row for every decision, written before it is acted on, and what is read from it.

`chain` is the arithmetic (pure). `body` makes the text of a row, `segments` writes rows to JSONL files, `memory` keeps
them for tests, `reader` reads and checks files, `index` is a SQLite view that can be thrown away, `explain` says in
words what the rows say about one URL with the sentences of `sentences`, `facts` gathers what each run records.
The form of every row is docs/auditor/ledger.md, and as JSON Schema `schema.json` beside this file.
"""
