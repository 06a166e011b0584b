"""How the recordings of new SLOs get a past: what has to be recorded in which order, as rules files for promtool.

promtool asks the server what a rule gives, and cannot see what it has just made. So rules that rest on others come in a
later stage, after the blocks of the earlier ones have been moved into the server's data directory.

promtool makes a block for each rule and two hours. So all SLOs share one rule for each name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from exporter.model.rule import Record
from exporter.model.slo import Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.render import INTERVAL
from exporter.slo.rules.series import identity, quote

_GROUP = "history"
FILE = "rules.yml"
"""promtool takes the second of a minute at which it evaluates from these names: so all stages have the same ones.

Where that is the minute's last second, it leaves one minute of each two hours out: of these names it is another.
"""

TOGETHER = 50
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
        return f"stage-{self.number}/{FILE}"

    @property
    def rules(self) -> list[dict[str, object]]:
        """As a rules file has them. The most basic one is last, as the script waits for it."""
        rules: list[dict[str, object]] = []
        for name in reversed(list(self.records)):
            rules += _rules(name, self.records[name])
        return rules


def plan(slos: Iterable[Slo], *, graphs: bool = False) -> list[Stage]:
    """What has to be recorded, in order; `graphs`: not only what budgets are made of, but every recording."""
    rests: dict[_Key, set[_Key]] = {}
    branches: dict[_Key, list[tuple[Slo, Record]]] = {}
    for slo in slos:
        for record, below in _edges(slo):
            key = _key(record)
            rests.setdefault(key, set()).update(below)
            branches.setdefault(key, []).append((slo, record))

    by_level: dict[int, dict[str, list[tuple[Slo, Record]]]] = {}
    for key, level in _levels(rests, graphs=graphs).items():
        name, _ = key
        by_level.setdefault(level, {}).setdefault(name, []).extend(branches[key])

    # Levels have gaps where all of one is left out; stages are counted without.
    ordered = [by_level[level] for level in sorted(by_level)]
    return [Stage(number, _frozen(records)) for number, records in enumerate(ordered, start=1)]


def _frozen(records: Mapping[str, list[tuple[Slo, Record]]]) -> Mapping[str, tuple[tuple[Slo, Record], ...]]:
    return {name: tuple(branches) for name, branches in records.items()}


def _key(record: Record) -> _Key:
    """States rest on each other; of other names all series come in one stage."""
    return record.name, record.labels.get("state", "")


def _edges(slo: Slo) -> Iterator[tuple[Record, list[_Key]]]:
    """Each record with what it rests on, which comes before it."""
    selectors: dict[_Key, str] = {}
    for rule in slo_rules.rules(slo, "", ""):
        if not isinstance(rule, Record):
            continue
        key = _key(rule)
        yield rule, [other for other, selector in selectors.items() if other != key and selector in rule.expr]

        state = f",state={quote(key[1])}" if key[1] else ""
        selectors[key] = f"{rule.name}{{sloth_id={quote(slo.id)}{state}"


def _levels(rests: Mapping[_Key, set[_Key]], *, graphs: bool) -> dict[_Key, int]:
    """The level of each that has to be recorded; what nothing rests on comes last."""

    @cache
    def level(key: _Key) -> int:
        return 1 + max(map(level, rests[key]), default=0)

    required = _required(rests, graphs=graphs)
    rested_on = set[_Key]().union(*(rests[key] for key in required))
    last = max(map(level, required), default=0)

    levels: dict[_Key, int] = {}
    for key in rests:
        if key in required:
            levels[key] = level(key) if key in rested_on else last
    return levels


def _required(rests: Mapping[_Key, set[_Key]], *, graphs: bool) -> set[_Key]:
    """What budgets are made of, or with graphs everything, and all that it rests on."""
    required = {key for key in rests if graphs or key[0] in _ROOTS}
    todo = [*required]
    while todo:
        new = rests[todo.pop()] - required
        required |= new
        todo += new
    return required


def _rules(name: str, branches: Sequence[tuple[Slo, Record]]) -> Iterator[dict[str, object]]:
    """Rules for one name, of as few as are quick to evaluate."""
    for first in range(0, len(branches), TOGETHER):
        yield _rule(name, branches[first : first + TOGETHER])


def _rule(name: str, branches: Sequence[tuple[Slo, Record]]) -> dict[str, object]:
    """Labels that all branches have are the rule's, the others are set branch by branch."""
    labels = [{**identity(slo), **record.labels} for slo, record in branches]
    shared = _shared(labels)

    exprs = []
    for (_, record), all_labels in zip(branches, labels, strict=True):
        own = {label: value for label, value in all_labels.items() if label not in shared}
        exprs.append(_labelled(record.expr, own))

    rule: dict[str, object] = {"record": name, "expr": "\nor\n".join(exprs)}
    if shared:
        rule["labels"] = shared
    return rule


def _shared(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What is the same in all of them."""
    shared = dict(labels[0])
    for others in labels[1:]:
        shared = {label: value for label, value in shared.items() if others.get(label) == value}
    return shared


def _labelled(expr: str, labels: Mapping[str, str]) -> str:
    """An expression whose result has these labels too."""
    if not labels:
        return f"({expr})"
    for label, value in labels.items():
        literal = value.replace("$", "$$")  # `$` would name a part of a match
        expr = f'label_replace({expr}, {quote(label)}, {quote(literal)}, "", "")'
    return expr


def files(all_stages: Sequence[Stage]) -> Mapping[str, bytes]:
    """The stages' rules files by name."""
    contents: dict[str, bytes] = {}
    for stage in all_stages:
        document = {"groups": [{"name": _GROUP, "interval": INTERVAL, "rules": stage.rules}]}
        text = yaml.safe_dump(document, sort_keys=False, width=1_000_000, allow_unicode=True)
        contents[stage.file] = text.encode()
    return contents


def other(contents: Mapping[str, bytes], directory: Path) -> Path | None:
    """A stage's file in the directory that is not one of these; raises OSError."""
    for path in sorted(directory.glob(f"stage-*/{FILE}")):
        if contents.get(f"{path.parent.name}/{FILE}") != path.read_bytes():
            return path
    return None
