"""robots.txt side by side with Protego, in one process: `python infra/bench/robots.py`.

Prints CPU time for 100,000 matches against 1,000 rules (six kinds of file and URL), for parsing 100 KiB, and for
patterns made to be slow. Scrapy brings Protego along, so nothing has to be installed for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from protego import Protego

from archiver.policy.robots import evaluate, parse

LETTERS = "abcdefghijklmnopqrstuvwxyz"
RULES = 1_000
MATCHES = 100_000
AGENT = "FooBot"
WORDS = (
    "shop",
    "news",
    "user",
    "admin",
    "search",
    "item",
    "tag",
    "page",
    "api",
    "blog",
    "img",
    "static",
    "cart",
    "login",
)


def path(parts: int) -> str:
    return "/" + "/".join(f"{random.choice(WORDS)}{random.randrange(50)}" for _ in range(random.randint(1, parts)))


def mixed() -> str:
    kind = random.random()
    if kind < 0.1:
        return "/*" + path(1)[1:] + "="
    return path(4) + "*.html$" if kind < 0.15 else path(4)


def rules(make: Callable[[int], str]) -> str:
    lines = (f"{'Allow' if random.random() < 0.2 else 'Disallow'}: {make(number)}" for number in range(RULES))
    return "User-agent: *\n" + "\n".join(lines) + "\n"


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(name: str, text: str, urls: list[str], matches: int = MATCHES) -> None:
    theirs, data = Protego.parse(text), text.encode()
    ours, dialect = parse(data), parse(data, "google")
    theirs.can_fetch(urls[0], AGENT), ours.match((AGENT,), urls[0]), dialect.match((AGENT,), urls[0])
    asked = [urls[number % len(urls)] for number in range(matches)]
    protego = cpu(lambda: [theirs.can_fetch(url, AGENT) for url in asked])
    match = cpu(lambda: [ours.match((AGENT,), url) for url in asked])
    google = cpu(lambda: [dialect.match((AGENT,), url) for url in asked])
    whole = cpu(lambda: [evaluate(data, [AGENT], url, "rfc9309") for url in asked])
    print(
        f"{name:9} protego {protego:6.2f} s   match {match:5.2f} s ({protego / match:5.1f}x)   "
        f"google {google:5.2f} s ({protego / google:5.1f}x)   evaluate {whole:5.2f} s ({protego / whole:5.1f}x)"
    )


def parsing(name: str, text: str) -> None:
    text = text[:102_400]
    data = text.encode()
    protego = cpu(lambda: [Protego.parse(text) for _ in range(10)]) / 10
    ours = cpu(lambda: [parse(data) for _ in range(10)]) / 10
    google = cpu(lambda: [parse(data, "google") for _ in range(10)]) / 10
    print(
        f"parse {name:9} protego {protego * 1e3:5.1f} ms   rfc9309 {ours * 1e3:5.1f} ms   google {google * 1e3:5.1f} ms"
    )


def hostile() -> None:
    for pattern in ("/*a*a*a*a*b", "/" + "a*" * 40 + "b$", "/*" + "a" * 150 + "b"):
        for length in (10_000, 20_000, 40_000):
            file = parse(f"User-agent: *\nDisallow: {pattern}\n".encode())
            url = "http://h.test/" + "a" * length
            spent = cpu(lambda file=file, url=url: [file.match((AGENT,), url) for _ in range(10)]) / 10  # type: ignore[misc]
            print(f"hostile {pattern[:14]:14} URL of {length:6} octets: {spent * 1e3:6.2f} ms")


def main() -> None:
    random.seed(7)
    urls = [f"https://example.com{path(5)}{random.choice(['', '.html', '?a=1&b=2'])}" for _ in range(2_000)]
    files = {"literal": rules(lambda _: path(4)), "mixed": rules(lambda _: mixed())}
    for name, text in files.items():
        compare(name, text, urls)
    compare("miss", rules(lambda number: f"/private{number}/section"), urls)
    compare("wildcard", rules(lambda number: f"/*/x{number}/*.php$"), urls, MATCHES // 50)
    compare("short", rules(lambda number: f"/*{LETTERS[number % 26]}{LETTERS[number // 26 % 26]}*"), urls)
    odd = [url + random.choice(("%20x", "%c3%a9", "é", "*", "")) for url in urls]
    compare("recoded", files["mixed"], odd)
    many = "".join(
        f"User-agent: bot{number}\nDisallow: {path(4)}\nAllow: {path(4)}$\nCrawl-delay: 3\n\n"
        for number in range(2_000)
    )
    for name, text in {"one group": files["mixed"] * 8, "groups": many}.items():
        parsing(name, text)
    hostile()


if __name__ == "__main__":
    main()
