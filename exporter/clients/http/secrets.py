"""Secrets, which stand in files or in the environment: read as they are at the moment, and never quoted."""

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
    """Where a secret stands: in a file or in an environment variable."""

    path: str
    """The option that says so, such as proxy.password_file."""
    file: Path | None
    variable: str | None = None

    def read(self) -> str:
        """The secret as it is now; raises SourceError `unreadable`."""
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
    """A secret as a server may write it down that repeats what it was sent: plain, in a URL, in JSON, in HTML."""
    urls = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    return {secret, *urls, json.dumps(secret)[1:-1], html.escape(secret), html.escape(secret, quote=False)}


class _Flaw(NamedTuple):
    """Why a text is no secret."""

    detail: Detail
    text: str


def _flaw(line: str) -> _Flaw | None:
    """What is wrong with a secret; nothing of what it holds is said."""
    if line.startswith("\ufeff"):
        return _Flaw("byte_order_mark", "begins with a byte order mark")
    if not line:
        return _Flaw("empty", "is empty")

    lines = len(line.splitlines())
    if lines > 1:
        return _Flaw("several_lines", f"has {lines} lines")
    if not line.isascii():
        number = next(at for at, letter in enumerate(line, 1) if not letter.isascii())
        return _Flaw("not_ascii", f"holds a letter that is not ASCII, the {number}. one")
    if not line.isprintable():
        return _Flaw("control_character", "holds a control character")
    return None


def read_text(file: Path) -> str:
    """A file's text; SourceError `unreadable` that says which file, and not what is in it."""
    path = file.absolute()

    try:
        return file.read_text(encoding="utf-8")
    except PermissionError as error:
        user = _user()
        text = f"cannot read {path}: {error.strerror or 'error'} to user {user}"
        raise SourceError("unreadable", text, path=path, user=user, detail=detail_of(error)) from None
    except OSError as error:
        text = f"cannot read {path}: {error.strerror or 'error'}"
        raise SourceError("unreadable", text, path=path, detail=detail_of(error)) from None
    except ValueError:
        text = f"cannot read {path}: it is not text in UTF-8"
        raise SourceError("unreadable", text, path=path, detail="not_utf8") from None


def _user() -> str:
    """Who we are to files: a container's user often has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
