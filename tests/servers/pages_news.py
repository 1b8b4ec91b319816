"""A news listing as the project's first users met it: a notice with only an OK, a template that a script fills in.

Plain HTTP stores `{{ subpage.title }}`; a naive robot presses OK, and the site is told that it consents.
"""

from __future__ import annotations

import json

from tests.servers.pages import Pages, page
from tests.servers.pages_everything import png

TITLE = "News of the region"
NOTICE = "We have updated our privacy policy"
TRENDING = ("Bridge closed until spring", "Three bears seen near the station", "Market moves to Thursday")
ARTICLES = tuple(
    (f"{what} {where}", f"What was decided there on {day}, who came, and what it means for those who read about it.")
    for what, where, day in (
        ("New school opens in", "Altdorf", "Monday"),
        ("Council votes on the budget of", "Neustadt", "Tuesday"),
        ("Orchestra plays again in", "Weststadt", "Wednesday"),
        ("Flood wall finished in", "Hafen", "Thursday"),
        ("Library extends its hours in", "Oberdorf", "Friday"),
        ("Tram line reaches", "Seeblick", "Saturday"),
    )
)

_SOURCE = """<!doctype html><html lang=en ng-app=news><head><meta charset=utf-8><title>{{ subpage.title }}</title>
<meta name=viewport content="width=device-width"><link rel=stylesheet href=/news.css><link rel=icon href=/icon.png>
</head><body>
<header><a class=brand href=/>The Daily Bench</a><nav><a href=/region>Region</a> <a href=/sport>Sport</a></nav></header>
<main><h1>{{ subpage.title }}</h1><p class=lead>{{ subpage.lead }}</p>
<section id=articles ng-repeat="article in subpage.articles"></section>
<aside><h2>Trending</h2><ol id=trending>TRENDING</ol></aside></main>
<div id=policy-update class=banner role=dialog aria-label="Policy update"><p><b>NOTICE.</b> By using our website you
consent to our use of cookies and to our updated <a href=/privacy>privacy policy</a>.</p><button id=ok>OK</button></div>
<footer>The Daily Bench, Bench Street 1</footer><script src=/news.js></script></body></html>"""

_SCRIPT = """
const fill = subpage => {
  document.title = subpage.title;
  document.querySelector("h1").textContent = subpage.title;
  document.querySelector(".lead").textContent = subpage.lead;
  document.getElementById("articles").innerHTML = subpage.articles.map(one => `<article><img src="${one.image}" alt="">
    <h2><a href="${one.url}">${one.title}</a></h2><p>${one.teaser}</p></article>`).join("");
};
fetch("/api/subpage.json").then(answer => answer.json()).then(fill);
const notice = document.getElementById("policy-update");
if (localStorage.getItem("policy") === "agreed") notice.remove();
document.getElementById("ok").addEventListener("click", () => {
  localStorage.setItem("policy", "agreed"); document.cookie = "policy=agreed";
  fetch("/api/consent", {method: "POST", body: "agreed"}); notice.remove();
});
"""

_STYLE = """
body { margin: 0; font: 16px/1.5 sans-serif; color: #222 }
header, footer { background: #134; color: #fff; padding: 12px }
header a { color: #fff; margin-right: 12px } main { display: grid; grid-template-columns: 3fr 1fr; gap: 24px;
  max-width: 1100px; margin: 0 auto; padding: 16px } h1, .lead { grid-column: 1 / 3; margin: 0 }
article { border-bottom: 1px solid #ccc; min-height: 90px } article img { float: left; width: 80px; height: 80px;
  margin-right: 12px } article h2 { font-size: 20px; margin: 0 }
.banner { position: fixed; bottom: 0; left: 0; right: 0;
  background: #fec; border-top: 3px solid #c80; padding: 16px 32px }
"""


def news(site: Pages) -> None:
    """Fills a site: `/` is the listing."""
    trending = "".join(f"<li><a href=/t{place}>{title}</a></li>" for place, title in enumerate(TRENDING))
    articles = [
        {"title": title, "teaser": teaser, "url": f"/article-{place}", "image": f"/image-{place}.png"}
        for place, (title, teaser) in enumerate(ARTICLES)
    ]
    subpage = {"title": TITLE, "lead": "All that happened between the hills this week.", "articles": articles}
    site.answers |= {
        "/": page(_SOURCE.replace("TRENDING", trending).replace("NOTICE", NOTICE)),
        "/news.css": page(_STYLE, "text/css"),
        "/news.js": page(_SCRIPT, "text/javascript"),
        "/api/subpage.json": page(json.dumps(subpage), "application/json", coding="gzip"),
        "/api/consent": page("", "text/plain", status="204 No Content"),
        "/icon.png": page(png("news icon"), "image/png"),
        **{f"/image-{place}.png": page(png(title, 80, 80), "image/png") for place, (title, _) in enumerate(ARTICLES)},
    }
