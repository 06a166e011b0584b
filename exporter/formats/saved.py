"""Our own format: a run as JSON, as `baseline save` and `run` write it. It is read as it was, nothing is lost."""

from __future__ import annotations

import msgspec

from exporter.errors import SourceError
from exporter.formats import File
from exporter.model.loadrun import LoadRun

FORMAT, TOOL = "pte-exporter", "pte-exporter"

_MARK = b'{"pte_load_run":1,'


def recognises(head: bytes) -> bool:
    return head.startswith(_MARK)


class _Saved(msgspec.Struct, forbid_unknown_fields=True):
    pte_load_run: int
    result: LoadRun


def read(content: bytes, file: File) -> LoadRun:
    """The run that was saved, with the tool that it came from."""
    try:
        return msgspec.json.decode(content, type=_Saved).result
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("bad_data", f"is no run that pte-exporter saved: {error}") from None


def write(run: LoadRun) -> bytes:
    """JSON that `read` understands."""
    return msgspec.json.encode(_Saved(1, run)) + b"\n"
