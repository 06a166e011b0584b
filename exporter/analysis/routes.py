"""One name for one endpoint, whatever the framework calls it. docs/method.md, section "Routes".

Placeholders lose their names: /users/{id}, /users/:user_id, /users/<int:id>, /users/[id] and /users/(?P<pk>[^/]+)
are all /users/{}. Segments of raw paths that look like values become {} too, and are flagged as a guess.
"""

from __future__ import annotations

import re
from functools import lru_cache

PLACEHOLDER = "{}"
_CLOSING = {"{": "}", "<": ">", "[": "]", "(": ")"}
_ORIGIN = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_COLON = re.compile(r"(?<![A-Za-z0-9_:}]):[A-Za-z_][A-Za-z0-9_]*(\{\})?")
_REPEATED = re.compile(r"(\{\})+")
_MODIFIER = re.compile(r"\{\}[?*+](?=/|$)")
_WILDCARD = re.compile(r"\*+")

_VALUES = (
    re.compile(r"[+-]?\d+([.,]\d+)?"),
    re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    re.compile(r"(?=[^/]*\d)[0-9a-fA-F]{16,}"),
    re.compile(r"(?=[^/]*\d)[0-9A-HJKMNP-TV-Z]{26}"),
    re.compile(r"\d{4}-\d{2}(-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:?\d{2})?)?)?"),
    re.compile(r"[^/@\s]+@[^/@\s]+\.[^/@\s]+"),
)
"""Numbers, UUIDs, long hexadecimal, ULIDs, dates and mail addresses (which should not end up in labels at all)."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,}={0,2}")


_LONGEST = 512
"""Characters of a route that are looked at; what is longer is no template and would make a poor label."""


@lru_cache(maxsize=8192)
def normalise(method: str, route: str, *, heuristics: bool) -> tuple[str, str, bool]:
    """Method, route and whether heuristics changed the route. An empty route (none was matched) stays empty.

    Idempotent: a normalised route is its own normal form.
    """
    verb, path, guessed = method.strip().upper(), _ORIGIN.sub("", route.strip())[:_LONGEST], False
    if not route.strip():
        return verb, "", False
    while True:
        plain = _tidy(path)
        named = _guess(plain) if heuristics else plain
        guessed = guessed or named != plain
        if named == path:
            return verb, path, guessed
        path = named


def _tidy(path: str) -> str:
    """One pass of what is certain: placeholders, query, slashes. Every pass leaves less, so passes come to an end."""
    path = path.strip().lstrip("^").rstrip("$")
    path = _MODIFIER.sub(PLACEHOLDER, _REPEATED.sub(PLACEHOLDER, _COLON.sub(PLACEHOLDER, _erase_brackets(path))))
    path = re.split(r"[?#]", path, maxsplit=1)[0]
    segments = [segment for segment in path.split("/") if segment]
    return "/" + "/".join(PLACEHOLDER if _WILDCARD.fullmatch(segment) else segment for segment in segments)


def _guess(path: str) -> str:
    """Segments that look like values become placeholders."""
    return "/".join(PLACEHOLDER if _is_value(segment) else segment for segment in path.split("/"))


def _erase_brackets(path: str) -> str:
    """Each balanced {…}, <…>, […] or (…), nested ones included, becomes one placeholder; a lone bracket stays."""
    result: list[str] = []
    position = 0
    while position < len(path):
        end = _closing(path, position) if path[position] in _CLOSING else None
        result.append(path[position] if end is None else PLACEHOLDER)
        position = position + 1 if end is None else end + 1
    return "".join(result)


def _closing(path: str, start: int) -> int | None:
    """Where the bracket at `start` closes, counting only brackets of its kind; None when it does not."""
    opening, closing, depth = path[start], _CLOSING[path[start]], 0
    for position in range(start, len(path)):
        depth += (path[position] == opening) - (path[position] == closing)
        if depth == 0:
            return position
    return None


def _is_value(segment: str) -> bool:
    return any(pattern.fullmatch(segment) for pattern in _VALUES) or _is_token(segment)


def _is_token(segment: str) -> bool:
    """Base64-like: long, both cases and digits mixed within one part, unlike a title of hyphenated words."""
    if not _TOKEN.fullmatch(segment):
        return False
    parts = re.split(r"[-_=]", segment)
    mixed = any(re.search(r"\d", part) and re.search(r"[A-Z]", part) and re.search(r"[a-z]", part) for part in parts)
    return mixed and sum(character.isdigit() for character in segment) >= 2
