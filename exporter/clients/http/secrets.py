"""Secrets from files or from the environment: read at each use, and never quoted."""

from __future__ import annotations

import getpass
import html
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from exporter.errors import Detail, SourceError, detail_of

_EXPECTED = "it must hold one line of printable ASCII"


@dataclass(frozen=True, slots=True)
class Secret:
    """Where to read a secret: from a file or from an environment variable."""

    path: str
    """The option that names it, such as proxy.password_file."""
    file: Path | None
    variable: str | None = None

    def read(self) -> str:
        """The current secret; raises SourceError `unreadable`."""
        if self.file is not None:
            path = self.file.absolute()
            line = read_text(self.file).strip()
            if (flaw := _flaw(line)) is not None:
                raise SourceError("unreadable", f"{path} {flaw.text}: {_EXPECTED}", path=path, detail=flaw.detail)
            return line

        variable = self.variable or ""
        where = f"the environment variable {variable}"
        value = os.environ.get(variable)
        if value is None:
            raise SourceError("unreadable", f"{where} is not set: set it", variable=variable, detail="unset")
        line = value.strip()
        if (flaw := _flaw(line)) is not None:
            raise SourceError("unreadable", f"{where} {flaw.text}: {_EXPECTED}", variable=variable, detail=flaw.detail)
        return line


def written(secret: str) -> set[str]:
    """The forms in which a server may echo a secret: plain, in a URL, in JSON, in HTML."""
    urls = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    return {secret, *urls, json.dumps(secret)[1:-1], html.escape(secret), html.escape(secret, quote=False)}


class _Flaw(NamedTuple):
    """Why a text is not a usable secret."""

    detail: Detail
    text: str


def _flaw(line: str) -> _Flaw | None:
    """Why a secret is invalid; quotes nothing of its content."""
    if line.startswith("\ufeff"):
        return _Flaw("byte_order_mark", "begins with a byte order mark")
    if not line:
        return _Flaw("empty", "is empty")

    lines = len(line.splitlines())
    if lines > 1:
        return _Flaw("several_lines", f"has {lines} lines")
    if not line.isascii():
        number = next(at for at, letter in enumerate(line, 1) if not letter.isascii())
        return _Flaw("not_ascii", f"has a character that is not ASCII at position {number}")
    if not line.isprintable():
        return _Flaw("control_character", "has a control character")
    return None


def read_text(file: Path) -> str:
    """A file's text; raises SourceError `unreadable` that names the file and not its content."""
    path = file.absolute()

    try:
        return file.read_text(encoding="utf-8")
    except PermissionError as error:
        user = _user()
        text = f"cannot read {path} as user {user}: {error.strerror or 'error'}"
        raise SourceError("unreadable", text, path=path, user=user, detail=detail_of(error)) from None
    except OSError as error:
        text = f"cannot read {path}: {error.strerror or 'error'}"
        raise SourceError("unreadable", text, path=path, detail=detail_of(error)) from None
    except ValueError:
        text = f"cannot read {path}: it is not UTF-8 text"
        raise SourceError("unreadable", text, path=path, detail="not_utf8") from None


def _user() -> str:
    """The name of our own user, or its number: a container's user often has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
