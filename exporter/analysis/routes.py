"""One name for one endpoint, whatever the framework calls it. docs/explanation/method.md, section "Routes".

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
"""Characters of a route that are read; longer text is not a template and would make a poor label."""


@lru_cache(maxsize=8192)
def normalise(method: str, route: str, *, heuristics: bool) -> tuple[str, str, bool]:
    """Method, route and whether heuristics changed the route. An empty route (none was matched) stays empty.

    Idempotent: a normalised route is its own normal form.
    """
    verb = method.strip().upper()
    if not route.strip():
        return verb, "", False

    path = _ORIGIN.sub("", route.strip())[:_LONGEST]
    guessed = False
    # A pass may leave something for the next one, so passes repeat until one changes nothing.
    while True:
        tidied = _tidy(path)
        result = _guess(tidied) if heuristics else tidied
        guessed = guessed or result != tidied
        if result == path:
            return verb, path, guessed
        path = result


def _tidy(path: str) -> str:
    """One pass of the certain rules: placeholders, query, slashes. Every pass shortens the text, so passes end."""
    path = path.strip().lstrip("^").rstrip("$")
    path = _erase_brackets(path)
    path = _COLON.sub(PLACEHOLDER, path)
    path = _REPEATED.sub(PLACEHOLDER, path)
    # Before the query is cut off, as `?` may be a modifier of a placeholder.
    path = _MODIFIER.sub(PLACEHOLDER, path)
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
        end = _closing(path, position)
        if end is None:
            result.append(path[position])
            position += 1
        else:
            result.append(PLACEHOLDER)
            position = end + 1
    return "".join(result)


def _closing(path: str, start: int) -> int | None:
    """Where the bracket at `start` closes, counting only brackets of its kind; None when it does not, or is none."""
    opening = path[start]
    if opening not in _CLOSING:
        return None

    closing = _CLOSING[opening]
    depth = 0
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
    digits = sum(character.isdigit() for character in segment)
    return digits >= 2 and any(_is_mixed(part) for part in re.split(r"[-_=]", segment))


def _is_mixed(text: str) -> bool:
    return all(re.search(kind, text) for kind in (r"\d", r"[A-Z]", r"[a-z]"))
