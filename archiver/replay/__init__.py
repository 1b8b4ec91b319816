"""Replay with pywb: writes its configuration, runs it in its own environment, never imports it.

`layout` says what pywb is told and under which origin a collection stands; `view` is the folder of links that pywb
reads; `pywb` is the child process on an ephemeral loopback port. In front of it stands `proxy`, a small reverse proxy
that gives each collection an origin of its own (`<collection>.replay.localhost`), so that one archived page cannot read
another collection, and that refuses any other Host (421). `headers` holds the rules of what passes, `upstream` speaks
to pywb byte by byte. `serve` puts the parts together.
"""
