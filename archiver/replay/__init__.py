"""Replay with pywb: writes its configuration, runs it in its own environment, never imports it.

pywb listens on an ephemeral loopback port. In front of it stands a small reverse proxy that gives each collection an
origin of its own (`<collection>.replay.localhost`), so that one archived page cannot read another collection, and that
refuses any other Host (421).
"""
