"""Tests: the tree mirrors `archiver/`; nothing here leaves loopback."""
