"""Our own format: a run as JSON, as `baseline save` and `run` write it. It is read as it was, nothing is lost."""

from __future__ import annotations

import msgspec

from exporter.formats import File, Format
from exporter.formats.report_json import load_run
from exporter.model.loadrun import LoadRun

_MARK = b'"pte_load_run"'


def recognise(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{" and _MARK in head[:64]


def read(content: bytes, file: File) -> LoadRun:
    """The run that was saved, with the tool that it came from."""
    return load_run(content)


def write(run: LoadRun) -> bytes:
    """JSON that `read` understands."""
    return msgspec.json.encode({"pte_load_run": 1, "result": run}) + b"\n"


FORMAT = Format("pte-exporter", "pte-exporter", recognise, read=read)
FORMATS = (FORMAT,)
