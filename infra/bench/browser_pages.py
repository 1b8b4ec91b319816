"""The twenty pages that browsers are measured with: ten documents of 7 requests, ten applications of 31, 380 answers.

Each sets `window.__done` once its last answer has come. No two share a URL, so that no cache answers for the server;
and no two bodies are equal, so that none is kept as a revisit.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from sites import png

from tests.servers.pages import page

STATIC, APPS = 10, 10
ANSWERS = STATIC * 7 + APPS * 31
EMPTY = "/empty/"

_WORDS = ("archive", "page", "record", "crawl", "harbour", "city", "council", "report", "reader", "garden", "morning")
_ICON = '<link rel="icon" href="data:,">'
_DONE = "addEventListener('load', () => { window.__done = true; });"


def paths() -> list[str]:
    """In the order in which they are visited: one of each kind in turn."""
    return [f"/{kind}/{number}/" for number in range(STATIC) for kind in ("static", "app")]


def answers() -> dict[str, bytes]:
    """Each answer as it is sent, by path; `EMPTY` beside them, for what a start costs."""
    draw = random.Random(4)
    found = {EMPTY: page(f"<!doctype html><title>empty</title>{_ICON}<script>{_DONE}</script><p>Nothing.")}
    for number in range(STATIC):
        found |= {f"/static/{number}/{name}": answer for name, answer in _static(number, draw)}
        found |= {f"/app/{number}/{name}": answer for name, answer in _app(number, draw)}
    return found


def soak_answers(pages: int) -> dict[str, bytes]:
    """`/page/0/` and so on: documents of 7 requests, each tenth an application of 31."""
    draw = random.Random(5)
    found: dict[str, bytes] = {}
    for number in range(pages):
        made = _app(number, draw) if number % 10 == 9 else _static(number, draw)
        found |= {f"/page/{number}/{name}": answer for name, answer in made}
    return found


def _static(number: int, draw: random.Random) -> Iterator[tuple[str, bytes]]:
    """The document, a style sheet, a script, four pictures."""
    text = "".join(f"<p>{_sentence(draw, 60)}</p>" for _ in range(30))
    images = "".join(f'<img src="{n}.png" width="300" height="200" alt="">' for n in range(4))
    title = f"Static page {number}"
    head = f'<title>{title}</title>{_ICON}<link rel="stylesheet" href="style.css"><script src="page.js"></script>'
    body = f"<main><h1>{title}</h1>{images}<article>{text}</article></main>"
    yield "", page(f'<!doctype html><html lang="en"><meta charset="utf-8">{head}{body}</html>')
    yield "style.css", _css(draw)
    yield "page.js", page(f"{_DONE} // {number}", "text/javascript")
    yield from ((f"{n}.png", page(png(draw), "image/png")) for n in range(4))


_MAIN = """import {draw} from './m1.js';
import {ask} from './m2.js';
const root = document.getElementById('app');
let last = '';
for (let turn = 0; turn < 4; turn++) last = draw(root, await ask(`chain-${turn}.json?after=${last}`));
for (const part of await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(n => ask(`part-${n}.json`)))) draw(root, part);
const loaded = one => one.complete || new Promise(done => one.onload = one.onerror = done);
await Promise.all([...document.images].map(loaded));
if (document.readyState !== 'complete') await new Promise(done => addEventListener('load', done));
window.__done = true;
"""
_DRAW = """import {heading} from './m3.js'; import {lines} from './m4.js'; import {picture} from './m5.js';
export function draw(root, part) {
  const section = document.createElement('section');
  section.append(heading(part.title), ...lines(part.lines));
  if (part.image) section.append(picture(part.image));
  root.append(section);
  return part.next;
}
"""
_ASK = """import {check} from './m6.js';
export const ask = async url => check(await (await fetch(url)).json());
"""
_MODULES = {
    "m1.js": _DRAW,
    "m2.js": _ASK,
    "m3.js": "import {make} from './m7.js'; export const heading = text => make('h2', text);",
    "m4.js": "import {make} from './m7.js'; export const lines = all => all.map(text => make('p', text));",
    "m5.js": "export const picture = url => { const one = new Image(300, 200); one.src = url; return one; };",
    "m6.js": "export const check = part => { if (!part.title) throw new Error('no title'); return part; };",
    "m7.js": "export const make = (name, text) => { const one = document.createElement(name); "
    "one.textContent = text; return one; };",
}


def _app(number: int, draw: random.Random) -> Iterator[tuple[str, bytes]]:
    """The document, 2 style sheets, 8 modules, 4 + 8 fetches in turn and together, 8 pictures."""
    sheets = "".join(f'<link rel="stylesheet" href="{n}.css">' for n in range(2))
    head = f'<title>Application {number}</title>{_ICON}{sheets}<script type="module" src="main.js"></script>'
    yield (
        "",
        page(f'<!doctype html><html lang="en"><meta charset="utf-8">{head}<h1>Application</h1><div id="app"></div>'),
    )
    yield from ((f"{n}.css", _css(draw)) for n in range(2))
    yield "main.js", page(f"{_MAIN}// {number}", "text/javascript")
    yield from ((name, page(f"{_filled(text)}\n// {number}", "text/javascript")) for name, text in _MODULES.items())
    after = ""
    for turn in range(4):
        yield f"chain-{turn}.json?after={after}", _part(draw, turn, image="", next_one=f"t{turn}")
        after = f"t{turn}"
    for n in range(8):
        yield f"part-{n}.json", _part(draw, n, image=f"{n}.png", next_one="")
    yield from ((f"{n}.png", page(png(draw), "image/png")) for n in range(8))


def _part(draw: random.Random, number: int, *, image: str, next_one: str) -> bytes:
    lines = [_sentence(draw, 30) for _ in range(4)]
    part = {"title": f"Part {number}", "lines": lines, "image": image, "next": next_one}
    return page(json.dumps(part), "application/json")


def _filled(script: str) -> str:
    """With as much beside it as a bundle has."""
    return script + "\n".join(f"export const unused{n} = () => {{ return {n} * {n}; }};" for n in range(120))


def _css(draw: random.Random) -> bytes:
    rules = "".join(f".c{n} {{ margin: {draw.randrange(30)}px; color: #{n:03d} }}\n" for n in range(200))
    return page(f"body {{ margin: 2em; font-family: serif }}\nmain {{ max-width: 60em }}\n{rules}", "text/css")


def _sentence(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(_WORDS) for _ in range(words)).capitalize() + "."
