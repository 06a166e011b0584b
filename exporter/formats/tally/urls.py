"""The endpoint behind a URL in a result file."""

from __future__ import annotations

import re
from functools import lru_cache

from exporter.analysis.routes import normalise

_TEMPLATE = re.compile(r"\$\{[^}]*\}")
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


@lru_cache(maxsize=8192)
def endpoint(name: str, method: str) -> tuple[str, str, str]:
    """Name, method and route of a tool's name; method and route are empty where it is not a URL.

    URLs that differ only in IDs or in the query get one name: otherwise there would be too many.
    """
    origin = _ORIGIN.match(name)
    if origin is None and not name.startswith("/"):
        return name, "", ""

    path = _TEMPLATE.sub("{}", name)
    _, route, guessed = normalise(method, path, heuristics=True)
    if guessed or "?" in name or "#" in name:
        host = origin[0] if origin else ""
        name = f"{host}{route}"
    return name, method, route if method else ""
