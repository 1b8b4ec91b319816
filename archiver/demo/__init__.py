"""A small site on loopback to try everything on: no account, no network, nobody to disturb."""

from archiver.demo.server import DemoSite

__all__ = ["DemoSite"]
