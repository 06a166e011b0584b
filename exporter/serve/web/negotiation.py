"""What a client would rather have: Accept and Accept-Encoding with their q-values (RFC 9110, 12.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

OPENMETRICS = "application/openmetrics-text"
TEXT = "text/plain"


def wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics 1.0 is preferred to the text format; a draw goes to the text format."""
    best = {OPENMETRICS: 0.0, TEXT: 0.0}
    for name, parameters, quality in _choices(accept):
        version = parameters.get("version", "")
        if name == OPENMETRICS and version in ("", "1.0.0"):
            best[OPENMETRICS] = max(best[OPENMETRICS], quality)
        elif (name == TEXT and version in ("", "0.0.4")) or name in ("text/*", "*/*"):
            best[TEXT] = max(best[TEXT], quality)
    return best[OPENMETRICS] > best[TEXT]


def wants_gzip(accept_encoding: str) -> bool:
    """Whether gzip is acceptable and not less welcome than no compression."""
    qualities = {name: quality for name, _, quality in _choices(accept_encoding)}
    gzip = qualities.get("gzip", qualities.get("*", 0.0))
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def _choices(header: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Each choice with its parameters and its q-value, which is 1 where it is not given and 0 where it is nonsense."""
    for choice in header.split(","):
        name, *rest = (part.strip() for part in choice.lower().split(";"))
        parameters = {key.strip(): value.strip(' "') for key, _, value in (part.partition("=") for part in rest)}
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        yield name, parameters, quality if 0 <= quality <= 1 else 0.0
