"""A slow robots.txt matcher that is easy to believe: one obvious step after the other, no index, no cache.

Written against the standard's text and Google's published behaviour, not against our parser; properties compare them.
"""

from __future__ import annotations

import string

UNRESERVED = set(string.ascii_letters + string.digits + "-._~")
RESERVED = set(":/?#[]@!$&'()*+,;=")
HEX = set(string.hexdigits)
USER_AGENT = ("user-agent", "useragent", "user agent")
DISALLOW = ("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw")


def allowed(data: bytes, agents: list[str], url: str, mode: str) -> tuple[bool, int | None]:
    """(may be fetched, number of the deciding line)."""
    target = normalise(path_of(url), keep="") if mode == "rfc9309" else path_of(url)
    if mode == "rfc9309" and target == "/robots.txt":
        return True, None
    groups = groups_of(data, mode)
    for agent in [*(agent.lower() for agent in agents), "*"]:
        if any(agent in names for names, _ in groups):
            rules = [rule for names, some in groups if agent in names for rule in some]
            return decide(rules, target, mode)
    return True, None


def decide(rules: list[tuple[int, bool, str]], target: str, mode: str) -> tuple[bool, int | None]:
    matching = []
    for line, allow, path in rules:
        pattern = google_escape(path) if mode == "google" else normalise(path, keep="*$")
        spellings = [pattern]
        slash = path.rfind("/")
        if mode == "google" and allow and path[slash:].startswith("/index.htm"):
            spellings.append(google_escape(path[: slash + 1]) + "$")
        for spelling in spellings:
            if covers(spelling, target, mode):
                matching.append((len(spelling), allow, -line))
    if not matching:
        return True, None
    _, allow, line = max(matching)
    return allow, -line


def covers(pattern: str, target: str, mode: str) -> bool:
    """All places of `target` that the pattern read so far can have reached."""
    units: list[str] = []
    for at, char in enumerate(pattern):
        if char == "*" or (char == "$" and at == len(pattern) - 1):
            units.append(char)
        elif char == "$" and mode == "rfc9309":
            units += ["=%", "=2", "=4"]
        else:
            units.append("=" + char)
    places = {0}
    for unit in units:
        if unit == "*":
            places = set(range(min(places), len(target) + 1)) if places else set()
        elif unit == "$":
            return len(target) in places
        else:
            places = {place + 1 for place in places if target[place : place + 1] == unit[1]}
    return bool(places)


def normalise(text: str, keep: str) -> str:
    out = ""
    at = 0
    while at < len(text):
        char = text[at]
        code = text[at + 1 : at + 3]
        if char == "%" and len(code) == 2 and set(code) <= HEX:
            decoded = chr(int(code, 16))
            out += decoded if decoded in UNRESERVED else "%" + code.upper()
            at += 3
            continue
        plain = char in UNRESERVED or char == "%" or char in keep or (char in RESERVED and char not in "*$#")
        out += char if plain else "".join(f"%{octet:02X}" for octet in char.encode("utf-8", "surrogatepass"))
        at += 1
    return out


def google_escape(text: str) -> str:
    out = ""
    at = 0
    while at < len(text):
        code = text[at + 1 : at + 3]
        if text[at] == "%" and len(code) == 2 and set(code) <= HEX:
            out += "%" + code.upper()
            at += 3
        else:
            char = text[at]
            octets = char.encode("utf-8", "surrogateescape")
            out += char if char.isascii() else "".join(f"%{octet:02X}" for octet in octets)
            at += 1
    return out


def path_of(url: str) -> str:
    rest = url.split("://", 1)[1]
    for at, char in enumerate(rest):
        if char == "#":
            return "/"
        if char in "/?;":
            path = rest[at:].split("#", 1)[0]
            return path if path.startswith("/") else "/" + path
    return "/"


def groups_of(data: bytes, mode: str) -> list[tuple[set[str], list[tuple[int, bool, str]]]]:
    groups: list[tuple[set[str], list[tuple[int, bool, str]]]] = []
    after_rule = True
    for number, raw in enumerate(lines_of(data, mode), 1):
        key, value = split(raw, mode)
        kind = kind_of(key, mode)
        if kind == "agent":
            if after_rule:
                groups.append((set(), []))
            after_rule = False
            groups[-1][0].add(token_of(value, mode))
        elif kind is not None and groups:
            after_rule = True
            if mode == "rfc9309" and any("\udc80" <= char <= "\udcff" for char in value):
                continue
            if value[:1] in {"/", "*"}:
                groups[-1][1].append((number, kind == "allow", value))
    return groups


def lines_of(data: bytes, mode: str) -> list[str]:
    for length in (3, 2, 1):
        mark = b"\xef\xbb\xbf"[:length]
        if data.startswith(mark) and (length == 3 or mode == "google"):
            data = data[length:]
            break
    lines = [b""]
    at = 0
    while at < len(data):
        if data[at : at + 2] == b"\r\n":
            at += 1
        if data[at] in b"\r\n":
            lines.append(b"")
        else:
            lines[-1] += data[at : at + 1]
        at += 1
    if mode == "google":
        lines = [line[: 2083 * 8 - 1].split(b"\0")[0] for line in lines]
    return [line.split(b"#")[0].decode("utf-8", "surrogateescape") for line in lines]


def split(line: str, mode: str) -> tuple[str, str]:
    space = " \t" if mode == "rfc9309" else " \t\v\f\r\n"
    if ":" in line:
        key, value = line.split(":", 1)
        return key.strip(space).lower(), value.strip(space)
    words = line.strip(space).replace("\t", " ").split(" ")
    words = [word for word in words if word]
    if mode == "google" and len(words) == 2:
        return words[0].strip(space).lower(), words[1].strip(space)
    return "", ""


def kind_of(key: str, mode: str) -> str | None:
    if mode == "rfc9309":
        return {"user-agent": "agent", "allow": "allow", "disallow": "disallow"}.get(key)
    if key.startswith(USER_AGENT):
        return "agent"
    if key.startswith("allow"):
        return "allow"
    return "disallow" if key.startswith(DISALLOW) else None


def token_of(value: str, mode: str) -> str:
    if mode == "rfc9309":
        return value.lower() if value.isascii() else ""
    if value == "*" or (value[:1] == "*" and value[1] in " \t\v\f"):
        return "*"
    token = ""
    for char in value:
        if char not in string.ascii_letters + "-_":
            break
        token += char
    return token.lower()
