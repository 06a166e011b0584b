"""How the recordings of new SLOs get a past: files for promtool, and the commands that use them.

promtool asks the server what a rule gives, and cannot see what it has just made. So rules that rest on others come in a
later stage, after the blocks of the earlier ones have been moved into the server's data directory.

promtool makes a block for each rule and two hours. So all SLOs share one rule for each name.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from exporter import humanize
from exporter.model.rule import Record
from exporter.model.slo import Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.render import INTERVAL
from exporter.slo.rules.series import identity, quote

SAFE_AGE = 3 * 3600
"""Seconds before now that blocks may reach up to: what is younger is still in the server's head.

A block that reaches into the head makes Prometheus leave out what its write-ahead log has of that time, of all series,
when it starts again.
"""

WHY = "what is younger is in Prometheus's memory still, and lost when blocks reach into it"

BLOCK = 7200
"""Seconds of each of promtool's blocks."""

_GROUP, _FILE = "history", "rules.yml"
"""promtool takes the second of a minute at which it evaluates from these names: so all stages have the same ones.

Where that is the minute's last second, it leaves one minute of each two hours out: of these names it is another.
"""

_TOGETHER = 50
"""SLOs' branches in one rule, at most: `or` compares each with all before it."""

_ROOTS = tuple(names.quarter(kind) for kind in names.KINDS)
"""What all long windows are made of: with their past, the rules themselves give the right budget at once."""


_Key = tuple[str, str]
"""A recorded name and, of data states, which one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Recordings that rest on those of earlier stages alone."""

    number: int
    records: Mapping[str, tuple[tuple[Slo, Record], ...]]
    """By the recorded name."""

    @property
    def file(self) -> str:
        return f"stage-{self.number}/{_FILE}"

    @property
    def rules(self) -> list[dict[str, object]]:
        """As a rules file has them. The most basic one is last, as the commands wait for it."""
        return [rule for name in reversed(list(self.records)) for rule in _rules(name, self.records[name])]


def stages(slos: Iterable[Slo], *, graphs: bool = False) -> list[Stage]:
    """What has to be recorded, in order; `graphs`: not only what budgets are made of, but every recording."""
    rests, branches = dict[_Key, set[_Key]](), dict[_Key, list[tuple[Slo, Record]]]()
    for slo in slos:
        for record, below in _edges(slo):
            rests.setdefault(_key(record), set()).update(below)
            branches.setdefault(_key(record), []).append((slo, record))
    found: dict[int, dict[str, list[tuple[Slo, Record]]]] = {}
    for key, level in _levels(rests, graphs=graphs).items():
        found.setdefault(level, {}).setdefault(key[0], []).extend(branches[key])
    return [
        Stage(number, {name: tuple(each) for name, each in found[level].items()})
        for number, level in enumerate(sorted(found), start=1)
    ]


def _key(record: Record) -> _Key:
    """States rest on each other; of other names all series come in one stage."""
    return record.name, record.labels.get("state", "")


def _edges(slo: Slo) -> Iterator[tuple[Record, list[_Key]]]:
    """Each record with what it rests on, which comes before it."""
    known = dict[_Key, str]()
    for rule in slo_rules.rules(slo, "", ""):
        if isinstance(rule, Record):
            key = _key(rule)
            yield rule, [other for other, selector in known.items() if other != key and selector in rule.expr]
            state = f",state={quote(key[1])}" if key[1] else ""
            known[key] = f"{rule.name}{{sloth_id={quote(slo.id)}{state}"


def _levels(rests: Mapping[_Key, set[_Key]], *, graphs: bool) -> dict[_Key, int]:
    """The stage of each that is wanted; what nothing rests on comes last."""

    @cache
    def level(key: _Key) -> int:
        return 1 + max(map(level, rests[key]), default=0)

    wanted = dict.fromkeys(key for key in rests if graphs or key[0] in _ROOTS)
    todo = list(wanted)
    while todo:
        below = [key for key in rests[todo.pop()] if key not in wanted]
        wanted.update(dict.fromkeys(below))
        todo += below
    needed = set[_Key]().union(*(rests[key] for key in wanted))
    last = max(map(level, wanted), default=0)
    return {key: level(key) if key in needed else last for key in rests if key in wanted}


def _rules(name: str, branches: Sequence[tuple[Slo, Record]]) -> Iterator[dict[str, object]]:
    for first in range(0, len(branches), _TOGETHER):
        part = branches[first : first + _TOGETHER]
        own = [{**identity(slo), **record.labels} for slo, record in part]
        shared = {label: value for label, value in own[0].items() if all(each.get(label) == value for each in own)}
        exprs = (
            _labelled(record.expr, {label: value for label, value in each.items() if label not in shared})
            for (_, record), each in zip(part, own, strict=True)
        )
        yield {"record": name, "expr": "\nor\n".join(exprs), **({"labels": shared} if shared else {})}


def _labelled(expr: str, labels: Mapping[str, str]) -> str:
    """An expression whose result has these labels too; `$` would name a part of a match."""
    for label, value in labels.items():
        expr = f'label_replace({expr}, {quote(label)}, {quote(value.replace("$", "$$"))}, "", "")'
    return expr if labels else f"({expr})"


def files(found: Sequence[Stage]) -> Mapping[str, bytes]:
    """The stages' rules files by name."""
    return {
        stage.file: yaml.safe_dump(
            {"groups": [{"name": _GROUP, "interval": INTERVAL, "rules": stage.rules}]},
            sort_keys=False,
            width=1_000_000,
            allow_unicode=True,
        ).encode()
        for stage in found
    }


def other(files: Mapping[str, bytes], directory: Path) -> Path | None:
    """A stage's file in the directory that is not one of these; raises OSError."""
    there = sorted(directory.glob(f"stage-*/{_FILE}"))
    return next((path for path in there if files.get(f"{path.parent.name}/{_FILE}") != path.read_bytes()), None)


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
    --output-dir blocks {_FILE}
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


def commands(found: Sequence[Stage], start: float, end: float, url: str, directory: Path) -> str:
    """A shell script that makes the past from `start` to `end` (Unix seconds), and says what to know before it is run.

    `directory` is where the stages' files are; where it is relative, it is so to the script.
    """
    slos = len({slo.id for stage in found for branches in stage.records.values() for slo, _ in branches})
    rules = sum(len(stage.rules) for stage in found)
    blocks = rules * (math.floor(end / BLOCK) - math.floor(start / BLOCK) + 1)
    past = f"[{math.ceil(end - start)}s]"
    beside = "" if directory.is_absolute() else '$(dirname "$0")/'
    head = f"""\
#!/bin/sh
# Gives {slos} SLO{"s" * (slos != 1)} a past, {humanize.moment(start)} to {humanize.moment(end)}, with promtool.
# {len(found)} stages with {rules} rules, each a block for two hours: {blocks} blocks.
{_BEFORE}set -eu
: "${{DATA:?is to be the data directory of Prometheus}}"
DATA=$(cd "$DATA" && pwd)
[ -n "${{FILES:-}}" ] || FILES={beside}{shlex.quote(str(directory))}
[ -f "$FILES/{found[0].file}" ] || {{ echo "$FILES has no {found[0].file}: give FILES=/path/to/them" >&2; exit 1; }}
FILES=$(cd "$FILES" && pwd)
URL={shlex.quote(url)}
START={start:.0f}
END={end:.0f}

{_FUNCTIONS}
if seen {shlex.quote(_any(found[0], past))}; then
  echo "between --start and --end something is recorded already: it would count twice" >&2
  exit 1
fi
"""
    return head + "".join(map(_stage, found)) + _TAIL


def _stage(stage: Stage) -> str:
    return f"\n# {', '.join(stage.records)}\nstage {stage.number} {shlex.quote(_any(stage))}\n"


def _any(stage: Stage, past: str = "") -> str:
    """A query that gives something where what a stage makes last is recorded for one of its SLOs."""
    name, branches = next(iter(stage.records.items()))
    ids = list(dict.fromkeys(slo.id for slo, _ in branches))[:_TOGETHER]
    series = (f"{name}{{sloth_id={quote(one)}}}{past}" for one in ids)
    return f"count({' or '.join(f'last_over_time({one})' if past else one for one in series)})"
