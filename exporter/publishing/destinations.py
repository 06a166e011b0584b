"""Where a page goes: to a Pushgateway's group, or to a file that a node_exporter reads. Both replace what was there."""

from __future__ import annotations

import os
import re
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from exporter import config
from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.clients.http.validation import problems
from exporter.config.conversion import convert
from exporter.errors import ConfigError, Problem, PteError, SourceError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

JOBS = {"load_run": "pte-exporter", "tests": "pte-exporter-tests"}
"""The job of each kind of page: a group is replaced as a whole, so each kind has a group of its own."""

_PLAIN = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""A grouping value that stands in a path as it is; "." and ".." do not."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Pushgateway."""

    url: str
    options: HttpOptions


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a node_exporter's textfile collector."""

    path: Path


Destination = Gateway | Folder

_EXAMPLE = "https://pushgateway.example:9091"
_CREDENTIALS = "give --to.config.file with username and password_env"
"""What messages about a URL suggest."""


def read(to: Sequence[tuple[str, str]], config_file: Path | None) -> tuple[Destination, ...]:
    """The destinations of these kinds and names, as `--to` has them; raises PteError where one of them can be none."""
    options = _read_options(config_file)
    return tuple(_destination(kind, name, options) for kind, name in to)


def _read_options(path: Path | None) -> HttpOptions:
    if path is None:
        return HttpOptions()

    wrong: list[Problem] = []
    options = convert(config.read_yaml(path), HttpOptions, str(path), "", wrong)
    if options is None or wrong:
        raise ConfigError(wrong)
    return options


def _destination(kind: str, name: str, options: HttpOptions) -> Destination:
    if kind == "pushgateway":
        for key, problem in problems(name, options, _EXAMPLE, credentials=_CREDENTIALS):
            raise PteError(f"--to pushgateway: {key}: {problem}")
        return Gateway(name, options)

    if not Path(name).is_dir():
        raise PteError(f"--to textfile {name}: is no folder")
    return Folder(Path(name))


def send(chosen: Sequence[Destination], application: str, kind: str, body: bytes) -> str:
    """Publish the page at each destination; the sentence that tells where it is now.

    Each is tried; raises PteError when one failed, which says where the page is all the same.
    """
    sent: list[str] = []
    failures: list[str] = []
    for destination in chosen:
        try:
            sent.append(_put(destination, application, kind, body))
        except PteError as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(f"{error.filename or destination}: {error.strerror or error}")

    sentence = f"published {' and '.join(sent)}" if sent else ""
    if failures:
        but = f" (but {sentence})" if sentence else ""
        raise PteError("; ".join(failures) + but)
    return sentence


def _put(destination: Destination, application: str, kind: str, body: bytes) -> str:
    """Publish it there, and say where that is."""
    if isinstance(destination, Gateway):
        return _push(destination, application, kind, body)
    return _write(destination.path, application, kind, body)


def group(application: str, kind: str) -> str:
    """The path of a group. The run's ID is not in it: a new run replaces the old one."""
    if _PLAIN.fullmatch(application):
        return f"/metrics/job/{JOBS[kind]}/application/{application}"
    encoded = urlsafe_b64encode(application.encode()).decode()
    return f"/metrics/job/{JOBS[kind]}/application@base64/{encoded}"


def _push(gateway: Gateway, application: str, kind: str, body: bytes) -> str:
    session = Session(gateway.url, gateway.options)
    try:
        answer = session.put(group(application, kind), body, CONTENT_TYPE, accept=(200, 202, 400, 413))
    except SourceError as error:
        if error.reason not in ("not_found", "http_error"):
            raise
        text = f"{session.address} is no Pushgateway: check the URL, it ends before /metrics"
        raise error.reworded(text) from None
    finally:
        session.close()

    if answer.status == 413:
        size = f"{len(body)} bytes (413)"
        text = f"{session.address} takes no page of {size}: raise its limit, or that of a proxy before it"
        raise SourceError("http_error", text, status=answer.status, location=session.address)

    # A proxy's login page comes with 200: nothing was pushed.
    if answer.body.lstrip().startswith(b"<"):
        text = f"{session.address} is no Pushgateway: it answered with a web page, as proxies that ask for a login do"
        raise SourceError("http_error", text, status=answer.status, location=session.address)
    if answer.status == 400:
        reason = session.redact(answer.body.decode(errors="replace"))
        text = f"{session.address} refused the page: {reason}"
        raise SourceError("http_error", text, status=answer.status, location=session.address)

    return f"to {session.address} (job {JOBS[kind]}, application {application})"


def _write(folder: Path, application: str, kind: str, body: bytes) -> str:
    """Whole or not at all: the collector may read at any moment, and reads only names that end in .prom."""
    suffix = "" if kind == "load_run" else f".{kind}"
    path = folder / f"pte_exporter_{quote(application, safe='')}{suffix}.prom"

    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            os.fchmod(file.fileno(), 0o644)  # another user reads it
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return f"to {path}"
