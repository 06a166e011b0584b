"""Rules of objectives in promtool's unit tests, on both versions side by side.

    holds(tmp_path, [slo], {'errors_total': counter((60, 0), (10, 100))}, [("up == 1", 62, True)])

A promtool test evaluates every rule each minute, which takes minutes for a range of days. So it gets only the rules
that the expectations depend on, unchanged.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from exporter.model.rule import Record, Rule
from exporter.model.slo import Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import render
from tests.servers import PROMTOOL, program

Expected = tuple[str, float, bool]
"""A query, a minute, and whether the query has a result then."""

_SELECTOR = re.compile(r"((?:slo|sloth)[:_]\w+(?::\w+)?)(?:\{([^}]*)\})?")


def counter(*stretches: tuple[float, float], start: float = 0) -> str:
    """Values of a counter, two a minute: (minutes, increase in a minute) one after the other."""
    parts, value = [], start
    for minutes, increase in stretches:
        steps = round(minutes * 2)
        parts.append(f"{value:.12g}+{increase / 2:.12g}x{steps - 1}")
        value += increase / 2 * steps
    return " ".join([*parts, f"{value:.12g}"])


def holds(directory: Path, slos: Sequence[Slo], series: Mapping[str, str], expected: Sequence[Expected]) -> None:
    """Asserts that each expectation holds on both versions of promtool."""
    groups = [
        slo_rules.group(slo, _needed(slo_rules.rules(slo, "https://r.test", "https://g.test"), expected))
        for slo in slos
    ]
    (directory / "slo.rules.yml").write_bytes(render.file(groups))
    test: dict[str, Any] = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [_test(*expectation) for expectation in expected],
    }
    case = {"rule_files": ["slo.rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    path = directory / "slo.test.yml"
    path.write_text(yaml.safe_dump(case, width=10_000, sort_keys=False), encoding="utf-8")
    running = {
        version: subprocess.Popen(
            [program(promtool), "test", "rules", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for version, promtool in PROMTOOL.items()
    }
    output = {version: process.communicate()[0] for version, process in running.items()}
    failed = {version: output[version] for version, process in running.items() if process.returncode}
    assert not failed, "\n".join(f"promtool {version}:\n{text}" for version, text in failed.items())


def _test(query: str, minute: float, there: bool) -> dict[str, Any]:
    """An empty result, or exactly one, without labels."""
    samples = [{"labels": "{}", "value": 1}] if there else []
    return {"expr": f"group({query})", "eval_time": f"{round(minute * 60)}s", "exp_samples": samples}


def _needed(rules: Iterable[Rule], expected: Sequence[Expected]) -> list[Rule]:
    """The rules that the expectations depend on, and the dependencies of these."""
    selectors = {selector for query, _, _ in expected for selector in _selected(query)}
    alerts = any("ALERTS" in query for query, _, _ in expected)
    needed: list[Rule] = []
    for rule in reversed(list(rules)):
        if _is_selected(rule, selectors) if isinstance(rule, Record) else alerts:
            needed.append(rule)
            selectors |= set(_selected(rule.expr))
    return needed[::-1]


def _selected(query: str) -> Iterable[tuple[str, str, str]]:
    """(name, window, state) of each selector; empty where it has no such matcher."""
    for name, matchers in _SELECTOR.findall(query):
        window, state = (re.search(rf'{label}="(\w+)"', matchers) for label in ("sloth_window", "state"))
        yield name, window[1] if window else "", state[1] if state else ""


def _is_selected(rule: Record, selectors: set[tuple[str, str, str]]) -> bool:
    window, state = rule.labels.get("sloth_window", ""), rule.labels.get("state", "")
    return any(name == rule.name and w in ("", window) and s in ("", state) for name, w, s in selectors)
