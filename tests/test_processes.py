from __future__ import annotations

import os
import subprocess
import sys

import pytest

from archiver.processes import answers, has_ended, this_process


def test_ours_and_init_answer_and_one_that_ended_does_not() -> None:
    assert answers(os.getpid()) and answers(1)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert not answers(ended.pid)


def test_what_we_may_not_signal_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pid: int, number: int) -> None:
        raise PermissionError(pid, number)

    monkeypatch.setattr(os, "kill", refused)
    assert answers(1)


def test_a_number_that_was_given_again_is_another_process() -> None:
    boot, namespace, pid, started = this_process().split("|")
    assert not has_ended(this_process())
    assert has_ended("|".join([boot, namespace, pid, str(int(started) + 1)]))
    assert not has_ended("|".join([boot, "pid:[1]", pid, started])), "nobody can tell"
