"""When a store's word is taken: a fresh proof, the same certificate, all that has to hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.clock import SYSTEM
from archiver.errors import DiskError
from archiver.store import S3Settings
from archiver.store.proofs import CHECKSUMS, Proof, certificate_of, read_proof, said_of, with_proof, write_proof
from tests.servers.authority import Authority, make_authority
from tests.store.loose import loose

Make = Callable[..., S3Settings]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "stores.json"


def proof_for(settings: S3Settings, *, days: float = 0.0, proved: frozenset[str] = CHECKSUMS) -> Proof:
    return Proof(
        at=SYSTEM.now() - timedelta(days=days), server="Loose/1", certificate=certificate_of(settings), proved=proved
    )


def test_a_fresh_proof_is_believed(settings: Make, authority: Authority, file: Path) -> None:
    with loose(authority) as store:
        wanted = settings(endpoint_url=store.endpoint)
        assert not with_proof(wanted, file).checksums_proved
        write_proof(wanted, file, proof_for(wanted))
        believed = with_proof(wanted, file)
        assert (believed.checksums_proved, believed.proved_server) == (True, "Loose/1")
        assert "were proved on" in said_of(wanted, file)
        other = dataclasses.replace(wanted, bucket="another")
        assert not with_proof(other, file).checksums_proved and "bucket check" in said_of(other, file)
        for more in ({"verify_upload": "readback"}, {"checksum_mode": "none"}):
            assert not with_proof(dataclasses.replace(wanted, **more), file).checksums_proved
            assert said_of(dataclasses.replace(wanted, **more), file) == ""


@pytest.mark.parametrize(
    ("days", "words"), [(91.0, "too long ago"), (-1.0, "too long ago")], ids=["old", "from the future"]
)
def test_an_old_proof_is_not(settings: Make, authority: Authority, file: Path, days: float, words: str) -> None:
    with loose(authority) as store:
        wanted = settings(endpoint_url=store.endpoint)
        write_proof(wanted, file, proof_for(wanted, days=days))
        assert not with_proof(wanted, file).checksums_proved and words in said_of(wanted, file)


@pytest.mark.parametrize("missing", sorted(CHECKSUMS))
def test_all_of_it_has_to_hold(settings: Make, authority: Authority, file: Path, missing: str) -> None:
    wanted = settings(endpoint_url="")
    write_proof(wanted, file, proof_for(wanted, proved=CHECKSUMS - {missing}))
    assert not with_proof(wanted, file).checksums_proved and "did not refuse" in said_of(wanted, file)


def test_another_certificate_is_another_store(settings: Make, authority: Authority, file: Path, tmp_path: Path) -> None:
    with loose(authority) as store:
        wanted = settings(endpoint_url=store.endpoint)
        write_proof(wanted, file, proof_for(wanted))
    renewed = make_authority(tmp_path, below=authority)
    with loose(renewed) as store:
        moved = settings(endpoint_url=store.endpoint)
        write_proof(
            moved, file, dataclasses.replace(proof_for(wanted), certificate=read_proof(wanted, file).certificate)
        )  # type: ignore[union-attr]
        assert not with_proof(moved, file).checksums_proved and "another certificate" in said_of(moved, file)
    assert certificate_of(moved) == "", "nobody is there any more"
    assert not with_proof(moved, file).checksums_proved


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2, "stores": {}}', '{"version": 1, "stores": []}',
     '{"version": 1, "stores": {"aws:us-east-1/bucket": {"at": "2026-01-01", "server": "", "certificate": "", '
     '"proved": []}}}'],
    ids=["empty", "torn", "list", "newer", "no mapping", "no time zone"],
)  # fmt: skip
def test_a_damaged_file_proves_nothing_and_is_renewed(settings: Make, file: Path, text: str) -> None:
    wanted = settings(endpoint_url="")
    file.parent.mkdir()
    file.write_text(text)
    assert read_proof(wanted, file) is None and not with_proof(wanted, file).checksums_proved
    write_proof(wanted, file, proof_for(wanted))
    assert with_proof(wanted, file).checksums_proved


def test_other_stores_keep_theirs(settings: Make, file: Path) -> None:
    one, other = settings(endpoint_url="", bucket="one"), settings(endpoint_url="", bucket="other")
    write_proof(one, file, proof_for(one))
    write_proof(other, file, proof_for(other, proved=frozenset()))
    assert with_proof(one, file).checksums_proved and not with_proof(other, file).checksums_proved
    assert [path.name for path in file.parent.iterdir()] == ["stores.json"]


def test_a_file_that_cannot_be_written_is_named(settings: Make, tmp_path: Path) -> None:
    (tmp_path / "flat").write_text("")
    wanted = settings(endpoint_url="")
    with pytest.raises(DiskError, match=r"flat/stores\.json"):
        write_proof(wanted, tmp_path / "flat" / "stores.json", proof_for(wanted))
