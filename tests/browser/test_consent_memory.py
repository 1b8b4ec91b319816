from __future__ import annotations

from archiver.browser.consent_memory import HOST_ACTIONS, SAMPLE, Memory

TRACE = "https://a.test/klaro.js"


def test_a_kind_of_page_without_a_notice_is_looked_at_again_now_and_then() -> None:
    memory = Memory()
    host = memory.of("a.test")
    assert not host.is_quiet(TRACE)
    looked = []
    for _ in range(2 * SAMPLE + 1):
        looked.append(not host.is_quiet(TRACE))
        memory.note(host, TRACE)
    assert [at for at, is_new in enumerate(looked) if is_new] == [0, SAMPLE, 2 * SAMPLE]
    assert not host.is_quiet("another library"), "other traces are another kind of page"


def test_a_notice_ends_the_quiet() -> None:
    memory = Memory()
    host = memory.of("a.test")
    memory.note(host, TRACE)
    memory.note(host, TRACE, notice="rejected", actions=1, keys=("http://a.test cookie:choice",))
    assert not host.is_quiet(TRACE) and TRACE in host.answered and host.last == "rejected"
    assert memory.of("a.test") is host and not memory.of("b.test").pages


def test_presses_on_a_host_have_an_end() -> None:
    memory = Memory()
    host = memory.of("a.test")
    for _ in range(HOST_ACTIONS):
        memory.note(host, TRACE, notice="loop", actions=1)
    assert host.is_spent
