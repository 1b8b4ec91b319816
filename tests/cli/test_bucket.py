"""`archiver bucket`: what is refused before anything is sent, what a dry run prints, and both verbs on a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.cli.main import main
from archiver.store import S3Settings
from archiver.store.bucketpolicy import lifecycle, public_policy, writer_policy
from tests.documents import ROOT
from tests.servers.seaweed import S3Server, seaweedfs

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed")) as server:
        yield server


def configured(monkeypatch: pytest.MonkeyPatch, endpoint: str = "https://127.0.0.1:9/BUCKET".lower()) -> None:
    monkeypatch.setenv("STORE_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("STORE_ACCESS_KEY", "AKTEST")
    monkeypatch.setenv("STORE_SECRET_KEY", "SKTEST")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["init", "--lock", "forever", "--days", "3"], 2, "governance and compliance"),
        (["init", "--lock", "governance"], 2, "needs --days"),
        (["init", "--lock", "governance", "--days", "0"], 2, "needs --days, 1 to"),
        (["init", "--lock", "governance", "--days", "two"], 2, "--days: 'two'"),
        (["init", "--lock", "compliance", "--days", "9"], 2, "orders to erase cannot be met until then"),
        (["init", "--lock", "governance", "--days", "9", "--accept-no-erasure"], 2, "goes with --lock compliance"),
        (["init", "--days", "9"], 2, "go with --lock"),
        (["init", "--writer", "me"], 2, "arn:aws:iam::"),
        (["init", "--writer", "arn:aws:iam::1:user/*"], 2, "arn:aws:iam::"),
        (["check", "--dry-run"], 2, "--dry-run goes with `archiver bucket init`"),
        (["check", "--lock", "governance"], 2, "--lock goes with"),
        (["erase"], 2, "erase"),
    ],
)
def test_what_does_not_go_together_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    configured(monkeypatch)
    assert main(["bucket", *arguments]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("action", ["init", "check"])
def test_without_a_bucket_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str], action: str) -> None:
    assert main(["bucket", action]) == 4
    assert "STORE_ENDPOINT_URL=https://HOST/BUCKET" in capsys.readouterr().err


def dry(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["bucket", "init", "--dry-run", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_dry_run_prints_what_the_files_in_infra_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens at that endpoint: nothing is sent."""
    configured(monkeypatch)
    writer = "arn:aws:iam::ACCOUNT:user/NAME"
    plain, public = dry(capsys), dry(capsys, "--public", "--writer", writer)
    rules = next(step["request"]["LifecycleConfiguration"] for step in plain["steps"] if step["name"] == "lifecycle")
    printed = {
        "writer-policy": plain["writer_policy"], "writer-bucket-policy": public["writer_policy"],
        "public-read-policy": public["public_policy"], "lifecycle": rules,
    }  # fmt: skip
    files = {path.stem: path.read_text("utf-8") for path in (ROOT / "infra/s3").glob("*.json")}
    assert printed == {name: json.loads(text.replace(":::BUCKET", ":::bucket")) for name, text in files.items()}
    assert plain["public_policy"] is None


def test_a_policy_never_names_the_private_tree_nor_a_right_to_delete() -> None:
    for path in ("", "deep/prefix"):
        settings = S3Settings(bucket="b", path=path, private_path="closed")
        (public,) = public_policy(settings)["Statement"]
        inside = f"arn:aws:s3:::b/{path}/" if path else "arn:aws:s3:::b/"
        assert all(one.startswith(f"{inside}collections/*/") for one in public["Resource"])
        named = {one.removeprefix(f"{inside}collections/*/").partition("/")[0] for one in public["Resource"]}
        assert not named & {"logs", "acl", "pages", "reports", "*"}, "they name what is hidden or refused"
        assert f"{inside}collections/*/indexes/merged/*" in public["Resource"]
        assert f"{inside}collections/*/indexes/*" not in public["Resource"], "the others have lines of what is hidden"
        allowed = [one for one in writer_policy(settings)["Statement"] if one["Effect"] == "Allow"]
        actions = {action for one in allowed for action in one["Action"]}
        assert actions and not any(
            "Delete" in one or "Bypass" in one or one.startswith("s3:PutBucket") for one in actions
        )
        assert {one for one in actions if one.startswith("s3:Put")} == {"s3:PutObject"}


def test_rules_of_others_stay() -> None:
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
    once = lifecycle(S3Settings(bucket="b"), 7, [theirs])
    assert once["Rules"][0] == theirs
    assert lifecycle(S3Settings(bucket="b"), 7, once["Rules"]) == once


def test_init_and_check_on_a_real_store(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: S3Server, _own_home: Path
) -> None:
    for name, value in store.environment("cli-bucket/pre").items():
        monkeypatch.setenv(name, value)
    assert main(["bucket", "init", "--json", "--writer", "arn:aws:iam::000000000000:user/writer"]) == 0
    steps = {step["name"]: step["outcome"] for step in json.loads(capsys.readouterr().out)["steps"]}
    assert steps == {
        "bucket": "done", "versioning": "done", "lifecycle": "done", "public access": "not supported", "policy": "done"
    }  # fmt: skip
    monkeypatch.setenv("STORE_ACCESS_KEY", store.writer_access_key)
    monkeypatch.setenv("STORE_SECRET_KEY", store.writer_secret_key)
    assert main(["bucket", "check"]) == 0
    printed = capsys.readouterr().out
    kept = _own_home / ".local/state/archiver/stores.json"
    assert f"the store's own SHA-256 is trusted (kept in {kept})" in printed and kept.is_file()
    assert "warn" not in printed and store.writer_secret_key not in printed + kept.read_text()
    assert main(["bucket", "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checksums_proved"] is True
    assert main(["bucket", "init"]) == 33, "a writer's key sets nothing up"
    told = capsys.readouterr().out
    assert "failed" in told and "denied: " in told
