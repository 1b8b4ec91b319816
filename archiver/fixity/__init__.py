"""Whether what was kept is still there and whole: collections on disk (`collection`), and in a bucket (`remote`).

Stands on `warc`, `ledger` and `store` alone, so that a check loads nothing that fetches.
"""
