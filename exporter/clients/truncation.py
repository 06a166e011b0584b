"""Detects JSON that was cut off on its way: a proxy's limit differs from a page that is not JSON at all."""

from __future__ import annotations

import re

_STRING = rb'"(?:[^"\\]|\\.)*+"'

_STRINGS = re.compile(_STRING, re.DOTALL)

_TOKENS = re.compile(
    rb"(?:\s|[{}\[\],:]|" + _STRING + rb"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)*+",
    re.DOTALL,
)
"""Complete tokens of JSON, in any order."""

_BEGUN = re.compile(rb'(?:"(?:[^"\\]|\\.)*+\\?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)?', re.DOTALL)
"""A token without its end; also matches nothing at all."""


def is_cut_off(body: bytes) -> bool:
    """Whether the body is valid JSON up to its end, inside an object or a list; also true for an empty body."""
    if not body.strip():
        return True

    tokens = _TOKENS.match(body)
    end = tokens.end() if tokens is not None else 0

    brackets = _STRINGS.sub(b"", body[:end])
    opened = brackets.count(b"{") + brackets.count(b"[")
    closed = brackets.count(b"}") + brackets.count(b"]")
    return opened > closed and _BEGUN.fullmatch(body, end) is not None
