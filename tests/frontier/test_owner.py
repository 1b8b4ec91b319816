"""A process is known by more than its number."""

import subprocess
import sys
from pathlib import Path

from archiver.frontier.owner import is_gone, me

ROOT = Path(__file__).parents[2]


def test_we_are_here_and_every_holder_has_a_name() -> None:
    first, second = me(), me()
    assert first != second
    assert not is_gone(first)


def test_another_process_is_here_until_it_ends() -> None:
    code = "import sys; from archiver.frontier.owner import me; print(me(), flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert not is_gone(name)
    process.kill()
    process.communicate()
    assert is_gone(name)


def test_a_reused_number_is_not_the_same_process() -> None:
    boot, namespace, pid, started, number = me().split("|")
    assert is_gone("|".join([boot, namespace, pid, str(int(started) + 1), number]))


def test_before_the_last_boot_nobody_lives() -> None:
    assert is_gone("another boot|" + me().partition("|")[2])


def test_whom_we_cannot_see_is_not_gone() -> None:
    boot, _, *rest = me().split("|")
    assert not is_gone("|".join([boot, "pid:[1]", *rest]))
