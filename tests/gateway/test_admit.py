from archiver.model import Candidate, Kind, Objection, Origin, Reason, Verdict
from archiver.ports import PaceRules
from archiver.wire.memory import Answer
from tests.gateway.gate import Bench, candidate

HOST = Origin("https", "a.test", 443)


def out_of_scope(one: Candidate) -> Objection | None:
    if "/out" in one.url:
        return Objection(verdict=Verdict.REFUSE, reason=Reason.OUT_OF_SCOPE, rule="prefix")
    return None


async def test_a_url_out_of_scope_costs_neither_a_look_up_nor_a_robots_question() -> None:
    bench = Bench({}, rules=(out_of_scope,))
    bench.web.private.add("a.test")
    admitted = await bench.gate.admit(candidate("https://a.test/out"))
    assert (admitted.decision.verdict, admitted.decision.reason) == (Verdict.REFUSE, Reason.OUT_OF_SCOPE)
    assert admitted.vetted.objection is None


async def test_a_private_address_is_refused_before_robots_is_asked() -> None:
    bench = Bench({})
    bench.web.private.add("a.test")
    bench.web.forbid(HOST, b"User-agent: *\nDisallow: /")
    admitted = await bench.gate.admit(candidate("https://a.test/"))
    assert admitted.decision.reason is Reason.PRIVATE_ADDRESS


async def test_robots_refusal_names_rule_and_line() -> None:
    bench = Bench({})
    bench.web.forbid(HOST, b"User-agent: *\nDisallow: /private/")
    decision = (await bench.gate.admit(candidate("https://a.test/private/x"))).decision
    assert decision.reason is Reason.ROBOTS_TXT
    assert decision.line == 2
    assert "/private/" in decision.rule
    assert (await bench.gate.admit(candidate("https://a.test/public"))).decision.allowed


async def test_requisites_are_refused_like_pages_unless_transcluded() -> None:
    image = candidate("https://a.test/private/x.png", kind=Kind.REQUISITE)
    for transclude, verdict in ((False, Verdict.REFUSE), (True, Verdict.ALLOW)):
        bench = Bench({}, transclude=transclude)
        bench.web.forbid(HOST, b"User-agent: *\nDisallow: /private/")
        decision = (await bench.gate.admit(image)).decision
        assert decision.verdict is verdict
    assert decision.notes["transcluded"] == {"rule": decision.notes["transcluded"]["rule"], "line": 2}


async def test_transclusion_never_covers_a_page() -> None:
    bench = Bench({}, transclude=True)
    bench.web.forbid(HOST, b"User-agent: *\nDisallow: /private/")
    assert not (await bench.gate.admit(candidate("https://a.test/private/x"))).decision.allowed


async def test_a_host_at_rest_defers_until_its_time() -> None:
    bench = Bench({"https://a.test/": Answer(status=429, headers={"Retry-After": "120"})})
    await bench.gate.fetch(candidate("https://a.test/"))
    decision = (await bench.gate.admit(candidate("https://a.test/other"))).decision
    assert (decision.verdict, decision.reason) == (Verdict.DEFER, Reason.RATE_LIMITED)
    assert decision.not_before is not None
    assert abs(decision.not_before.timestamp() - bench.clock.epoch() - 120) < 1


async def test_what_else_was_objected_stands_in_the_notes() -> None:
    bench = Bench({"https://a.test/": Answer(status=503, headers={"Retry-After": "60"})})
    bench.web.forbid(HOST, b"User-agent: *\nDisallow: /p")
    await bench.gate.fetch(candidate("https://a.test/"))
    decision = (await bench.gate.admit(candidate("https://a.test/p"))).decision
    assert decision.reason is Reason.ROBOTS_TXT
    assert [one["reason"] for one in decision.notes["also"]] == ["rateLimited"]


async def test_a_name_that_does_not_resolve_fails_at_the_dial() -> None:
    bench = Bench({})
    bench.web.unresolved.add("a.test")
    fetched = await bench.gate.fetch(candidate("https://a.test/"))
    assert fetched.failure is not None and fetched.failure.code == "dnsError"
    assert bench.web.asked == []
    assert isinstance((await bench.gate.admit(candidate("https://a.test/"))).rules, PaceRules)
