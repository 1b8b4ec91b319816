"""Manifests are what sha256sum writes."""

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from archiver.describe.manifest import manifest, read_manifest

_NAMES = st.text("abcXYZ019-_. /", min_size=1).filter(lambda name: name == name.strip() and name)


@given(st.dictionaries(_NAMES, st.binary(min_size=32, max_size=32).map(bytes.hex)))
def test_what_was_written_is_read(digests: dict[str, str]) -> None:
    text = manifest(digests)
    assert read_manifest(text) == digests
    assert [line[66:] for line in text.splitlines()] == sorted(digests)


def test_sha256sum_writes_the_same(tmp_path: Path) -> None:
    (tmp_path / "a b.warc.gz").write_bytes(b"a")
    (tmp_path / "b.warc.gz").write_bytes(b"b")
    command = ["sha256sum", "a b.warc.gz", "b.warc.gz"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert manifest(read_manifest(said)) == said


def test_what_is_no_line_is_passed_over() -> None:
    assert read_manifest("# note\n\nabc  short\n" + "AB" * 32 + "  capitals\n") == {}
