"""Which format a client prefers: Accept and Accept-Encoding with their q-values (RFC 9110, 12.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

OPENMETRICS = "application/openmetrics-text"
TEXT = "text/plain"


def wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics 1.0 is preferred to the text format; on a tie the text format wins."""
    openmetrics = 0.0
    text = 0.0
    for name, parameters, quality in _choices(accept):
        version = parameters.get("version", "")
        if name == OPENMETRICS and version in ("", "1.0.0"):
            openmetrics = max(openmetrics, quality)
        elif (name == TEXT and version in ("", "0.0.4")) or name in ("text/*", "*/*"):
            text = max(text, quality)

    return openmetrics > text


def content_type(*, openmetrics: bool) -> str:
    """The Content-Type of a page of series."""
    if openmetrics:
        return f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
    return f"{TEXT}; version=0.0.4; charset=utf-8"


def wants_gzip(accept_encoding: str) -> bool:
    """Whether gzip is acceptable and at least as welcome as no compression."""
    qualities = {name: quality for name, _, quality in _choices(accept_encoding)}
    gzip = qualities.get("gzip", qualities.get("*", 0.0))
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def _choices(header: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Each choice with its parameters and its q-value."""
    for choice in header.split(","):
        name, *rest = choice.lower().split(";")
        parameters: dict[str, str] = {}
        for parameter in rest:
            key, _, value = parameter.strip().partition("=")
            parameters[key.strip()] = value.strip(' "')

        yield name.strip(), parameters, _quality(parameters.get("q", "1"))


def _quality(text: str) -> float:
    """A text that is not a number from 0 to 1 counts as 0."""
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
