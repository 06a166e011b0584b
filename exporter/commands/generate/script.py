"""The shell script that gives new SLOs a past: promtool makes the blocks of one stage after the other."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from exporter import humanize
from exporter.commands.generate.stages import FILE, TOGETHER, Stage
from exporter.slo.rules.rule import quote

BLOCK = 7200
"""Seconds of each of promtool's blocks."""

_BEFORE = """\
# Before it is run:
#  - Load these SLOs' rules, and give as --end when Prometheus began to evaluate them. What is recorded twice
#    counts twice.
#  - Wait until that was three hours ago. Where a block reaches into what Prometheus still has in memory, it leaves that
#    time out when it starts again, of all its series.
#  - Prometheus is 2.39 or newer, promtool as new, and this runs on its machine as its user. Its retention goes back to
#    --start: it deletes older blocks at once. Mimir and others that take no blocks this way: not for them.
#  - The server evaluates every minute of the past anew: the first rules cost it as much as they would have at the time.
#    It opens two files a block until it has merged them: see `ulimit -n`.
#  - The folder that was made with this script lies beside it, or FILES says where.
# Run it with DATA=/path/to/its/data; with RELOAD="systemctl restart prometheus" there is less to wait for.
"""

_FUNCTIONS = f"""\
seen() {{  # whether a query gives something at --end
  promtool query instant --time "$END" "$URL" "$1" | grep -q .
}}
stage() {{  # its number, and what is there at --end when its blocks are loaded
  cd "$FILES/stage-$1"
  rm -rf blocks
  promtool tsdb create-blocks-from rules --quiet --start "$START" --end "$END" --url "$URL" \\
    --output-dir blocks {FILE}
  if [ -z "$(ls blocks 2>/dev/null)" ]; then
    echo "stage $1: nothing to record from: does $URL have data from --start on?" >&2
    exit 1
  fi
  mv blocks/* "$DATA"/
  [ -z "${{RELOAD:-}}" ] || sh -c "$RELOAD"
  tries=0
  until seen "$2" 2>/dev/null; do  # Prometheus looks for new blocks once a minute
    tries=$((tries + 1))
    if [ "$tries" -gt 120 ]; then
      echo "stage $1: $URL still shows nothing at --end for: $2" >&2
      exit 1
    fi
    sleep 5
  done
}}
"""

_TAIL = """
echo "done: budgets are right from the next evaluation on, and Prometheus merges the blocks by itself"
"""


def render(stages: Sequence[Stage], start: float, end: float, url: str, directory: Path) -> str:
    """A script that makes the past from `start` to `end` (Unix seconds), and says what to know before it is run.

    `directory` is where the stages' files are; where it is relative, it is so to the script.
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
# Gives {slos} a past, {past}, with promtool.
# {len(stages)} stages with {rules} rules, each a block for two hours: {rules * blocks_of_each} blocks.
"""


def _variables(first: Stage, start: float, end: float, url: str, directory: Path) -> str:
    beside = "" if directory.is_absolute() else '$(dirname "$0")/'
    missing = f"$FILES has no {first.file}: give FILES=/path/to/them"
    return f"""\
set -eu
: "${{DATA:?is to be the data directory of Prometheus}}"
DATA=$(cd "$DATA" && pwd)
[ -n "${{FILES:-}}" ] || FILES={beside}{shlex.quote(str(directory))}
[ -f "$FILES/{first.file}" ] || {{ echo "{missing}" >&2; exit 1; }}
FILES=$(cd "$FILES" && pwd)
URL={shlex.quote(url)}
START={start:.0f}
END={end:.0f}

"""


def _refusal(first: Stage, seconds: float) -> str:
    """Blocks of the same time would be added to what is there."""
    series = [f"last_over_time({series}[{math.ceil(seconds)}s])" for series in _awaited(first)]
    return f"""
if seen {shlex.quote(_count(series))}; then
  echo "between --start and --end something is recorded already: it would count twice" >&2
  exit 1
fi
"""


def _stage(stage: Stage) -> str:
    names = ", ".join(stage.records)
    return f"\n# {names}\nstage {stage.number} {shlex.quote(_count(_awaited(stage)))}\n"


def _awaited(stage: Stage) -> list[str]:
    """The series that a stage makes last, of each of its SLOs: with one of them all is there."""
    name, branches = next(iter(stage.records.items()))
    ids = dict.fromkeys(slo.id for slo, _ in branches)
    return [f"{name}{{sloth_id={quote(id)}}}" for id in [*ids][:TOGETHER]]


def _count(series: Sequence[str]) -> str:
    """A query that gives something where there is any of the series."""
    return f"count({' or '.join(series)})"
