"""What a run says about itself."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import orjson
import pytest

from archiver.ledger import facts

ROOT = Path(__file__).resolve().parents[2]


def test_the_libraries_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0] for line in project["dependencies"]}
    assert set(facts.LIBRARIES) == wanted


def test_versions_are_those_that_are_installed() -> None:
    software = facts.software(chromium="Chromium 156")
    assert software["chromium"] == "Chromium 156"
    assert set(software["libraries"]) == set(facts.LIBRARIES)
    for name, version in software["libraries"].items():
        assert version == metadata.version(name)


def test_folders_that_are_not_there_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "H11-9.9.dist-info").mkdir()
    (tmp_path / "unknown-1.dist-info").mkdir()
    (tmp_path / "orjson").mkdir()
    assert facts.library_versions([str(tmp_path / "none"), str(tmp_path)]) == {"h11": "9.9"}


def test_a_run_records_the_machine_and_can_be_written_down() -> None:
    told = facts.run_facts(environ={})
    assert orjson.loads(orjson.dumps(told)) == told
    assert "chromium" not in told["software"]
    assert told["machine"]["host"]
    assert isinstance(told["machine"]["uid"], int)
    assert told["time_zone"]["name"]
    assert told["clock"]["synchronised"] in (True, False, None)
    assert told["trust"] == []


def test_the_time_zone_of_the_process_wins() -> None:
    assert facts.run_facts(environ={"TZ": ":Europe/Berlin"})["time_zone"]["name"] == "Europe/Berlin"


def test_added_roots_are_recorded(tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n" * 2)
    told = facts.run_facts(environ={"SSL_CERT_FILE": str(roots), "SSL_CERT_DIR": str(tmp_path)})["trust"]
    assert [(one["variable"], one["path"]) for one in told] == [
        ("SSL_CERT_FILE", str(roots)),
        ("SSL_CERT_DIR", str(tmp_path)),
    ]
    assert told[0]["certificates"] == 2
    assert "sha256" not in told[1]


def test_name_servers_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("# nameserver 9.9.9.9\nsearch example.org\nnameserver 192.0.2.1\n nameserver  2001:db8::1 x\n")
    assert facts.resolver(path) == ["192.0.2.1", "2001:db8::1"]
    assert facts.resolver(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("state", "synchronised"), [(0, True), (1, True), (5, False), (-1, None)], ids=["ok", "leap", "error", "denied"]
)
def test_what_the_kernel_says_about_the_clock(state: int, synchronised: bool | None) -> None:
    told = facts.clock_state(lambda timex: state)
    assert told["synchronised"] is synchronised
    assert ("max_error_us" in told) == (synchronised is True)


def test_a_kernel_that_cannot_be_asked_is_unknown() -> None:
    def absent(timex: object) -> int:
        raise AttributeError("adjtimex")

    assert facts.clock_state(absent) == {"synchronised": None}
