"""A collection's own words about itself, for readers who have nothing but its folder. Pure: values in, texts out.

`about` holds the values and makes `collection.json`; `readme` makes `README.txt`, whose commands work as typed; `pywb`
makes the `config.yaml` of a plain pywb; `manifest` reads and writes lists of sha256sum. `check-ledger.sh` is
copied into each collection: it checks ledger segments with jq, openssl and awk alone.
"""
