from __future__ import annotations

import pytest

from archiver.policy.challenge import LOOKED_AT, challenge_of, has_marks

CASES = [
    ("cloudflare header", 403, [(b"cf-mitigated", b"challenge")], b"<p>x", 3000, "cloudflare"),
    ("cloudflare page", 503, [], b"<script>window._cf_chl_opt={}</script>", 60, "cloudflare"),
    ("anubis", 200, [], b'<script id="anubis_challenge" type="application/json">{}</script>', 4000, "anubis"),
    ("akamai", 403, [], b"Access Denied https://errors.edgesuite.net/18.1", 120, "akamai"),
    ("datadome", 403, [], b'<script src="https://ct.captcha-delivery.com/c.js">', 40, "datadome"),
    ("perimeterx", 403, [], b'<div id="px-captcha"></div>', 90, "perimeterx"),
    ("imperva", 200, [], b'<iframe src="/_Incapsula_Resource?x=1"></iframe>', 0, "imperva"),
    ("aws", 202, [(b"x-amzn-waf-action", b"challenge")], b"", 0, "aws-waf"),
    ("turnstile alone", 200, [], b'<div class="cf-turnstile" data-sitekey=x></div>', 80, "captcha"),
    ("hcaptcha, refused", 403, [], b'<div class="h-captcha"></div>', 900, "captcha"),
    ("contact form with a captcha", 200, [], b'<form><div class="g-recaptcha"></div></form>', 900, None),
    ("article about cloudflare", 200, [], b"window._cf_chl_opt is set by ...", 9000, None),
    ("an article that names it in full", 403, [], b"_Incapsula_Resource", 9000, None),
    ("plain refusal", 403, [(b"server", b"cloudflare")], b"<h1>Forbidden</h1>", 9, None),
    ("page behind the cdn", 200, [(b"cf-ray", b"1")], b"/cdn-cgi/challenge-platform/scripts/jsd/main.js", 4000, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "headers", "body", "visible", "vendor"), CASES, ids=[c[0] for c in CASES])
def test_challenges_are_told_from_pages(name, status, headers, body, visible, vendor) -> None:  # type: ignore[no-untyped-def]
    assert challenge_of(status=status, headers=headers, body=body, visible=visible) == vendor


def test_only_the_beginning_is_looked_at() -> None:
    body = b" " * LOOKED_AT + b'id="anubis_challenge"'
    assert challenge_of(status=200, headers=[], body=body, visible=0) is None


@pytest.mark.parametrize(("name", "status", "headers", "body", "visible", "vendor"), CASES, ids=[c[0] for c in CASES])
def test_a_body_that_can_make_a_challenge_has_marks(name, status, headers, body, visible, vendor) -> None:  # type: ignore[no-untyped-def]
    by_body = challenge_of(status=status, headers=[], body=body, visible=visible)
    assert has_marks(body) or by_body is None
    assert has_marks(body.upper()) == has_marks(body)
    assert not has_marks(b"<p>an ordinary page</p>")
