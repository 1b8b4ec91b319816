"""A WACZ as somebody else reads it: Python's zipfile, warcio, json; nothing of ours."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Every file of a WACZ in memory."""

    files: dict[str, bytes]
    stored: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Package:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            infos = archive.infolist()
            assert len({one.filename for one in infos}) == len(infos), "a name stands twice"
            stored = frozenset(one.filename for one in infos if one.compress_type == zipfile.ZIP_STORED)
            return cls(files={one.filename: archive.read(one) for one in infos}, stored=stored)

    def json(self, name: str) -> dict[str, Any]:
        found = json.loads(self.files[name])
        assert isinstance(found, dict)
        return found

    @property
    def warcs(self) -> dict[str, bytes]:
        return {name.rpartition("/")[2]: data for name, data in self.files.items() if name.startswith("archive/")}

    @property
    def pages(self) -> list[dict[str, Any]]:
        """Rows of both page lists, headers aside."""
        rows = []
        for name in ("pages/pages.jsonl", "pages/extraPages.jsonl"):
            lines = [json.loads(line) for line in self.files.get(name, b"").splitlines()]
            assert all(line["format"] == "json-pages-1.0" for line in lines[:1])
            rows += lines[1:]
        return rows

    @property
    def lines(self) -> list[tuple[str, str, dict[str, str]]]:
        """The index: key, timestamp, fields."""
        text = gzip.decompress(self.files["indexes/index.cdx.gz"]).decode()
        rows = [line.split(" ", 2) for line in text.splitlines()]
        return [(key, stamp, json.loads(fields)) for key, stamp, fields in rows]

    @property
    def urls(self) -> list[str]:
        return [fields["url"] for _, _, fields in self.lines]

    def record(self, fields: dict[str, str]) -> Any:
        """What warcio finds at the place that an index line names."""
        data = self.warcs[fields["filename"]]
        begin, length = int(fields["offset"]), int(fields["length"])
        return next(iter(ArchiveIterator(io.BytesIO(data[begin : begin + length]), no_record_parse=True)))

    def records(self) -> list[tuple[str, str, bytes]]:
        """(type, target, block) of every record, file by file."""
        found = []
        for data in self.warcs.values():
            for record in ArchiveIterator(io.BytesIO(data), no_record_parse=True):
                target = record.rec_headers.get_header("WARC-Target-URI") or ""
                found.append((record.rec_type, target, record.raw_stream.read()))
        return found

    def check(self) -> None:
        """Every file is listed with its hash and size, the list's own hash holds, and the index is right."""
        package = self.json("datapackage.json")
        listed = {one["path"]: one for one in package["resources"]}
        assert listed.keys() == self.files.keys() - {"datapackage.json", "datapackage-digest.json"}
        for path, one in listed.items():
            assert one["hash"] == f"sha256:{hashlib.sha256(self.files[path]).hexdigest()}", path
            assert one["bytes"] == len(self.files[path])
        digest = self.json("datapackage-digest.json")
        assert digest["hash"] == f"sha256:{hashlib.sha256(self.files['datapackage.json']).hexdigest()}"
        assert {name for name in self.files if name.endswith((".warc.gz", ".cdx.gz"))} <= self.stored
        keys = [(key, stamp) for key, stamp, _ in self.lines]
        assert keys == sorted(keys) and len(self.lines) == len({json.dumps(line) for line in self.lines})
        for _, _, fields in self.lines:
            found = self.record(fields).rec_headers
            assert found.get_header("WARC-Target-URI") == fields["url"]
            assert found.get_header("WARC-Payload-Digest") == fields["digest"]
            assert (found.get_header("WARC-Type") == "revisit") == (fields["mime"] == "warc/revisit")
