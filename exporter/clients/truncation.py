"""Whether JSON was cut off on its way: a proxy's limit looks different from a page that is no JSON at all."""

from __future__ import annotations

import re

_STRING = rb'"(?:[^"\\]|\\.)*+"'

_STRINGS = re.compile(_STRING, re.DOTALL)

_TOKENS = re.compile(
    rb"(?:\s|[{}\[\],:]|" + _STRING + rb"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)*+",
    re.DOTALL,
)
"""Whole tokens of JSON, in whatever order."""

_BEGUN = re.compile(rb'(?:"(?:[^"\\]|\\.)*+\\?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)?', re.DOTALL)
"""A token whose end is missing; nothing at all is one too."""


def is_cut_off(body: bytes) -> bool:
    """Whether it is JSON as far as it goes, and ends inside an object or a list; an empty answer lacks all of it."""
    if not body.strip():
        return True

    tokens = _TOKENS.match(body)
    end = tokens.end() if tokens is not None else 0

    brackets = _STRINGS.sub(b"", body[:end])
    opened = brackets.count(b"{") + brackets.count(b"[")
    closed = brackets.count(b"}") + brackets.count(b"]")
    return opened > closed and _BEGUN.fullmatch(body, end) is not None
