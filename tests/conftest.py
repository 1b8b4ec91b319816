"""What holds for every test: loopback only, a home of its own, and no silent skip under REQUIRE=all.

A test names what it needs with `@pytest.mark.needs("nginx")`, or asks for the path with the `need` fixture.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import loopback
from tests.needs import need as find_or_skip
from tests.needs import required
from tests.servers.ports import free_port as pick_port

_HOME = Path.home()

# A property is true or not; how long an example takes, or is made, is the machine's business. The examples are the same
# every time, so that a run says something about the change and not about chance; EXPLORE=1 tries others.
settings.register_profile(
    "archiver",
    deadline=None,
    derandomize=not os.environ.get("EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("archiver")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(name, ...): skipped by name when absent, a failure under REQUIRE")
    loopback.install()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            find_or_skip(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Under REQUIRE=all any skip, wherever it comes from, is a failure that keeps its reason."""
    if report.outcome == "skipped" and not hasattr(report, "wasxfail") and required("all"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"REQUIRE=all: skipped, which counts as a failure here: {reason}"


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """A dial outside loopback raises where it happens, and fails the test even if the code swallowed that."""
    with loopback.guarded() as refused:
        yield
    assert not refused, f"the test left loopback: {refused}"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home: no test reads the user's contact, host budget or keys, nor leaves anything there."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", _browsers_path())
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith(("XDG_", "STORE_", "AWS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    return home


def _browsers_path() -> str:
    return os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(_HOME / ".cache" / "ms-playwright")


@pytest.fixture
def need() -> Callable[[str], Path]:
    """`need("nginx")`: its path, or a skip by name."""
    return find_or_skip


@pytest.fixture
def free_port() -> Callable[[], int]:
    """`free_port()`: a loopback TCP port that nobody listens on."""
    return pick_port
