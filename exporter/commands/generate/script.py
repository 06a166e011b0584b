"""The shell script that fills in the past of new SLOs: promtool creates the blocks of one stage after the other."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from exporter import humanize
from exporter.commands.generate.stages import FILE, TOGETHER, Stage
from exporter.slo.rules.series import quote

BLOCK = 7200
"""Seconds of each of promtool's blocks."""

_BEFORE = """\
# Before you run it:
#  - Load these SLOs' rules, and pass the time when Prometheus began to evaluate them as --end. Data that is recorded
#    twice counts twice.
#  - Wait until that was three hours ago. If a block overlaps data that Prometheus still has in memory, Prometheus skips
#    that time for all its series when it restarts.
#  - Prometheus must be 2.39 or newer, and promtool as new. Run this on its machine as its user. Its retention must
#    reach back to --start, because it deletes older blocks immediately. Mimir and other servers that do not load blocks
#    this way are not supported.
#  - The server evaluates every minute of the past again: the first rules cost as much as they would have at the time.
#    It opens two files for each block until it has merged them: see `ulimit -n`.
#  - The directory that was written with this script must be beside it, or set FILES to its path.
# Run it with DATA=/path/to/its/data; RELOAD="systemctl restart prometheus" shortens the waits.
"""

_FUNCTIONS = f"""\
has_result() {{  # whether a query has a result at --end
  promtool query instant --time "$END" "$URL" "$1" | grep -q .
}}
stage() {{  # its number, and a query that has a result at --end once its blocks are loaded
  cd "$FILES/stage-$1"
  rm -rf blocks
  promtool tsdb create-blocks-from rules --quiet --start "$START" --end "$END" --url "$URL" \\
    --output-dir blocks {FILE}
  if [ -z "$(ls blocks 2>/dev/null)" ]; then
    echo "stage $1: no data to record: does $URL have data from --start on?" >&2
    exit 1
  fi
  mv blocks/* "$DATA"/
  [ -z "${{RELOAD:-}}" ] || sh -c "$RELOAD"
  tries=0
  until has_result "$2" 2>/dev/null; do  # Prometheus checks for new blocks once a minute
    tries=$((tries + 1))
    if [ "$tries" -gt 120 ]; then
      echo "stage $1: $URL still has no result at --end for: $2" >&2
      exit 1
    fi
    sleep 5
  done
}}
"""

_TAIL = """
echo "done: budgets are right from the next evaluation on; Prometheus merges the blocks automatically"
"""


def render(stages: Sequence[Stage], start: float, end: float, url: str, directory: Path) -> str:
    """A script that fills in the past from `start` to `end` (Unix seconds), with instructions.

    `directory` contains the stages' files; a relative path is relative to the script.
    """
    parts = [
        "#!/bin/sh\n",
        _summary(stages, start, end),
        _BEFORE,
        _variables(stages[0], start, end, url, directory),
        _FUNCTIONS,
        _refusal(stages[0], end - start),
        *map(_stage, stages),
        _TAIL,
    ]
    return "".join(parts)


def _summary(stages: Sequence[Stage], start: float, end: float) -> str:
    ids: set[str] = set()
    for stage in stages:
        for branches in stage.records.values():
            ids.update(slo.id for slo, _ in branches)

    rules = sum(len(stage.rules) for stage in stages)
    blocks_of_each = math.floor(end / BLOCK) - math.floor(start / BLOCK) + 1
    slos = humanize.pluralize(len(ids), "SLO")
    past = f"{humanize.format_time(start)} to {humanize.format_time(end)}"
    return f"""\
# Fills in the past of {slos}, {past}, with promtool.
# {len(stages)} stages with {rules} rules, and a block for each rule and two hours: {rules * blocks_of_each} blocks.
"""


def _variables(first: Stage, start: float, end: float, url: str, directory: Path) -> str:
    beside = "" if directory.is_absolute() else '$(dirname "$0")/'
    missing = f"$FILES does not contain {first.file}: set FILES=/path/to/them"
    return f"""\
set -eu
: "${{DATA:?must be the data directory of Prometheus}}"
DATA=$(cd "$DATA" && pwd)
[ -n "${{FILES:-}}" ] || FILES={beside}{shlex.quote(str(directory))}
[ -f "$FILES/{first.file}" ] || {{ echo "{missing}" >&2; exit 1; }}
FILES=$(cd "$FILES" && pwd)
URL={shlex.quote(url)}
START={start:.0f}
END={end:.0f}

"""


def _refusal(first: Stage, seconds: float) -> str:
    """Blocks of the same time would be added to existing data."""
    series = [f"last_over_time({series}[{math.ceil(seconds)}s])" for series in _awaited(first)]
    return f"""
if has_result {shlex.quote(_count(series))}; then
  echo "there is recorded data between --start and --end already: it would count twice" >&2
  exit 1
fi
"""


def _stage(stage: Stage) -> str:
    names = ", ".join(stage.records)
    return f"\n# {names}\nstage {stage.number} {shlex.quote(_count(_awaited(stage)))}\n"


def _awaited(stage: Stage) -> list[str]:
    """The series that a stage records last, of each of its SLOs: if one of them exists, all blocks are loaded."""
    name, branches = next(iter(stage.records.items()))
    ids = dict.fromkeys(slo.id for slo, _ in branches)
    return [f"{name}{{sloth_id={quote(id)}}}" for id in [*ids][:TOGETHER]]


def _count(series: Sequence[str]) -> str:
    """A query that has a result if any of the series exists."""
    return f"count({' or '.join(series)})"
