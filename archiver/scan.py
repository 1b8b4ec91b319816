"""One pass over bytes for any of many words, at the speed of RE2: a first look that saves a second one."""

from __future__ import annotations

import re2


def words(pattern: bytes) -> re2._Regexp[bytes]:
    """A compiled RE2 pattern over single bytes, whatever their case; ask its `search`. Linear in the text."""
    options = re2.Options()
    options.case_sensitive = False
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    return re2.compile(pattern, options=options)
