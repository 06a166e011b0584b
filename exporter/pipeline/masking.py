"""The last net under what a check-up shows: secrets that a source was given never stand in it, nor what is no text.

Steps and errors leave secrets out by themselves; this is for the one that forgets. Names of files, labels and what
servers call things may hold anything: control characters, which a terminal would obey, and bytes that are no UTF-8.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from exporter.clients.http.options import written
from exporter.model.checkup import Cause, CheckResult

HIDDEN = "<secret>"

_SHORTEST = 4
"""Characters. A shorter secret would mask half of the text, and guards nothing."""


def secrets(options: Any) -> tuple[str, ...]:
    """Every secret that the options name and that can be read now, the longest first."""
    found = {each for each in _values(options) if len(each) >= _SHORTEST}
    return tuple(sorted(set[str]().union(*map(written, found)), key=len, reverse=True))


def mask(done: CheckResult, hidden: Sequence[str]) -> CheckResult:
    """The step without the secrets, each text in one printable line."""

    def plain(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, HIDDEN)
        return _printable(text)

    causes = tuple(Cause(plain(each.text), plain(each.remedy)) for each in done.causes)
    subject = _printable(done.subject)
    return replace(done, subject=subject, tried=plain(done.tried), found=plain(done.found), causes=causes)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " if each.isspace() else "?" for each in text)


def _values(options: Any) -> Iterator[str]:
    """By the names that options with secrets have: *_env, *_file but certificates, and headers_files."""
    for name in getattr(options, "__struct_fields__", ()):
        value = getattr(options, name)
        if isinstance(value, msgspec.Struct) and name != "tls":
            yield from _values(value)
        elif isinstance(value, str) and name.endswith("_env"):
            yield os.environ.get(value, "").strip()
        elif isinstance(value, Path) and name.endswith("_file"):
            yield _content(value)
        elif isinstance(value, Mapping) and name == "headers_files":
            yield from (_content(file) for file in value.values())


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
