"""The last safeguard for the output of a check-up: it contains neither a source's secrets nor control characters.

Steps and errors already leave secrets out; this is for the one that forgets. Names of files, labels and servers may
contain anything: control characters, which a terminal would interpret, and bytes that are not UTF-8.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from exporter.clients.http.secrets import written
from exporter.model.checkup import Cause, CheckResult

HIDDEN = "<secret>"

_SHORTEST = 4
"""Characters. A shorter secret would mask half of the text and protects nothing."""


def secrets(options: Any) -> tuple[str, ...]:
    """Every secret in the options that can be read now, the longest first."""
    values = {value for value in _values(options) if len(value) >= _SHORTEST}
    forms = set[str]().union(*map(written, values))
    return tuple(sorted(forms, key=len, reverse=True))


def mask(done: CheckResult, hidden: Sequence[str]) -> CheckResult:
    """The step without the secrets, each text in one printable line."""

    def plain(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, HIDDEN)
        return _printable(text)

    causes = tuple(Cause(plain(cause.text), plain(cause.remedy)) for cause in done.causes)
    subject = _printable(done.subject)
    return replace(done, subject=subject, tried=plain(done.tried), result=plain(done.result), causes=causes)


def _printable(text: str) -> str:
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else "?"


def _values(options: Any) -> Iterator[str]:
    """Secrets by the names of options: *_env, *_file except certificates, and headers_files."""
    for name in getattr(options, "__struct_fields__", ()):
        if name != "tls":  # certificates are public, and a key is never sent
            yield from _value(name, getattr(options, name))


def _value(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, msgspec.Struct):
        yield from _values(value)
    elif isinstance(value, str) and name.endswith("_env"):
        yield os.environ.get(value, "").strip()
    elif isinstance(value, Path) and name.endswith("_file"):
        yield _content(value)
    elif isinstance(value, Mapping) and name == "headers_files":
        for file in value.values():
            yield _content(file)


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
