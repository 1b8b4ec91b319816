"""The image and the compose file, as far as they can be read without containers.

No test builds or starts them; `test_nightly.py` runs what they run, with the keys that `keys.sh` makes.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.needs import ROOT, need

COMPOSE = ROOT / "infra/compose"
DOCKERFILE = ROOT / "infra/docker/Dockerfile"
INSTRUCTIONS = frozenset(
    ("FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "VOLUME", "ENTRYPOINT", "CMD", "HEALTHCHECK")
)


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.M).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))["services"]
    return found


def test_the_image_runs_as_nobody_in_particular() -> None:
    told = instructions()
    assert {name for name, _ in told} <= INSTRUCTIONS
    last_user = [rest for name, rest in told if name == "USER"][-1]
    assert last_user == "archiver"
    at = {name: number for number, (name, _) in enumerate(told)}
    assert at["USER"] < at["ENTRYPOINT"] and at["USER"] < at["CMD"]
    assert "nightly.sh" in dict(told)["HEALTHCHECK"] and "tini" in dict(told)["ENTRYPOINT"]


def test_the_image_holds_nothing_secret_and_all_that_is_copied_exists() -> None:
    text = DOCKERFILE.read_text("utf-8")
    assert not re.search(r"(ARG|ENV)[^\n]*(KEY|SECRET|TOKEN|PASSWORD)", text, re.I)
    for name, rest in instructions():
        if name == "COPY":
            *sources, _ = (word for word in rest.split() if not word.startswith("--"))
            assert all((ROOT / source).exists() for source in sources), rest
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    assert "*" in ignored and "infra/compose/secrets" in ignored


def test_every_layer_that_fetches_is_pinned_or_debians() -> None:
    runs = " ".join(rest for name, rest in instructions() if name == "RUN")
    assert "infra/setup.py" in runs and not re.search(r"\b(pip|npm|curl|wget)\b (?!-rf)", runs)


@pytest.mark.parametrize("name", sorted(services()))
def test_each_service_is_held(name: str) -> None:
    service = services()[name]
    assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service and ":latest" not in service["image"]
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), "let out of this machine"
    given = " ".join(str(one) for one in service.get("command", []))
    assert not re.search("key=|secret", given.replace("s3.key.file", ""), re.I)


def test_no_service_waits_for_one_that_is_not_there() -> None:
    there = services()
    for service in there.values():
        for wanted, how in service.get("depends_on", {}).items():
            assert wanted in there
            if how["condition"] == "service_healthy":
                assert "test" in there[wanted]["healthcheck"]
        assert service.get("network_mode", "service:door").removeprefix("service:") in there


def test_only_the_service_that_crawls_reaches_the_sites() -> None:
    outside = [name for name, service in services().items() if "outside" in service.get("networks", [])]
    assert outside == ["archiver"]


def test_verbs_in_the_compose_file_exist() -> None:
    from archiver.cli.main import VERBS

    verbs = [service["command"][1] for service in services().values() if service.get("command", [""])[0] == "archiver"]
    assert verbs == ["bucket", "replay"] and set(verbs) <= VERBS.keys()


def test_keys_are_new_each_time_private_and_never_overwritten(tmp_path: Path) -> None:
    need("openssl")
    script = tmp_path / "compose/keys.sh"
    script.parent.mkdir()
    script.write_text((COMPOSE / "keys.sh").read_text("utf-8"))
    assert subprocess.run(["sh", script], check=False).returncode == 0
    secrets = script.parent / "secrets"
    assert secrets.stat().st_mode & 0o077 == 0
    lines = [line for path in secrets.glob("*.env") for line in path.read_text().splitlines()]
    keys = [line.split("=")[1] for line in lines if "_KEY=" in line]
    assert len(set(keys)) == 6
    before = (secrets / "s3.json").read_bytes()
    again = subprocess.run(["sh", script], capture_output=True, text=True, check=False)
    assert again.returncode == 2 and "already" in again.stderr
    assert (secrets / "s3.json").read_bytes() == before and not (secrets / "ca.key").exists()


@pytest.mark.parametrize("path", sorted((ROOT / "infra").rglob("*.sh")), ids=lambda path: path.name)
def test_shell_scripts_are_posix(path: Path) -> None:
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
