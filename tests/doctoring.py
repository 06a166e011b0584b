"""Golden transcripts of check-ups: what a person sees, with what changes from run to run replaced by placeholders.

    assert_golden("loadtest_nothing_found", transcript(checked(steps), tmp_path))

compares with tests/golden/doctor/loadtest_nothing_found.txt. After an intended change, rewrite the files and read the
difference:

    REWRITE_GOLDEN=1 .venv/bin/pytest tests/doctor
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from exporter.commands.doctor import text
from exporter.model.checkup import CheckResult, Checkup

GOLDEN = Path(__file__).parent / "golden" / "doctor"

_VOLATILE: tuple[tuple[str, str], ...] = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?(UTC|Z|\+00:00))?", "<time>"),
    (r"\b(127\.0\.0\.1|localhost|\[::1\]):\d+", r"\1:<port>"),
    (r"(?<![\d.])(?!127\.0\.0\.1\b)\d+\.\d+\.\d+[\w.+-]*(?<![.])", "<version>"),
    (r"\b\d+(\.\d+)? (bytes?|kB|MB|GB)\b", "<size>"),
    (r"-?\b\d+(\.\d+)? ?(ms|s|seconds?|minutes?|hours?|days?)\b", "<duration>"),
)
"""In this order: an address is not a version."""


def transcript(
    steps: Iterable[CheckResult] | Checkup, tmp_path: Path | None = None, replaced: Mapping[str, str] | None = None
) -> str:
    """The text of the command, without volatile things: times, ports, versions, durations, and below `tmp_path`.

    `replaced` maps more strings to what stands for them. Lines are filled after that, so that they break alike however
    long a path or port is.
    """
    done = steps if isinstance(steps, Checkup) else Checkup("source", "kind", tuple(steps))
    swapped = {**(replaced or {}), **({str(tmp_path): "<tmp>"} if tmp_path is not None else {})}
    plain = tuple(_plain(result, swapped) for result in done.steps)
    return text.checkup(Checkup(done.source, done.kind, plain))


def assert_golden(name: str, output: str) -> None:
    """Compare with the golden file; with REWRITE_GOLDEN=1 in the environment, write it."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output, encoding="utf-8")
    assert path.is_file(), f"no golden file {path}: write it with REWRITE_GOLDEN=1"
    assert output == path.read_text(encoding="utf-8")


def _plain(done: CheckResult, swapped: Mapping[str, str]) -> CheckResult:
    causes = tuple(
        type(result)(_placeholders(result.text, swapped), _placeholders(result.remedy, swapped))
        for result in done.causes
    )
    texts = [_placeholders(result, swapped) for result in (done.subject, done.tried, done.result)]
    return CheckResult(done.check, texts[0], texts[1], done.verdict, texts[2], causes)


def _placeholders(line: str, swapped: Mapping[str, str]) -> str:
    for there, placeholder in swapped.items():
        line = line.replace(there, placeholder)
    for pattern, placeholder in _VOLATILE:
        line = re.sub(pattern, placeholder, line)
    return line
