"""Check-ups for programs. The format is stable: keys may be added, but none is renamed or removed.

{"version": "...", "at": "2026-11-20T10:00:00+00:00", "well": false,
 "problems": [{"file": "...", "path": "...", "text": "..."}],    why the configuration does not load; no sources then
 "sources": [
  {"source": "pte", "role": "pte", "kind": "loadtest", "well": false, "steps": [
    {"check": "found", "subject": "shop", "verdict": "failed",      ok, warning, failed or skipped
     "tried": "...", "found": "...",                                one line each, without secrets
     "causes": [{"text": "...", "remedy": "..."}]}]}]}              the likeliest first; empty where all is well
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from exporter import __version__
from exporter.errors import Problem
from exporter.model.checkup import CheckResult, Checkup


def render(checkups: Sequence[tuple[str, Checkup]], at: float, problems: Sequence[Problem] = ()) -> bytes:
    """Each source's role and check-up, and their start (Unix seconds), as JSON.

    `problems`: of a configuration that does not load.
    """
    all_well = all(checkup.well for _, checkup in checkups)
    document = {
        "version": __version__,
        "at": datetime.fromtimestamp(at, UTC).isoformat(),
        "well": not problems and all_well,
        "problems": problems,
        "sources": [_source(role, checkup) for role, checkup in checkups],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _source(role: str, checkup: Checkup) -> dict[str, object]:
    return {
        "source": checkup.source,
        "role": role,
        "kind": checkup.kind,
        "well": checkup.well,
        "steps": [_step(step) for step in checkup.steps],
    }


def _step(step: CheckResult) -> dict[str, object]:
    return {
        "check": step.check,
        "subject": step.subject,
        "tried": step.tried,
        "verdict": step.verdict,
        "found": step.result,
        "causes": step.causes,
    }
