"""docs/reference/metrics.md has every value that our labels can have."""

from __future__ import annotations

import re
from collections import defaultdict

import promql_parser

from exporter import catalogue
from exporter.catalogue.exporter import OWN
from exporter.catalogue.live import LIVE
from exporter.commands.generate import metrics_page
from tests.servers import TOP

FREE = {"application", "side", "source", "method", "route", "slo", "process", "kind", "version", "pythonversion"}
FREE |= {"endpoint", "run", "commit", "tool", "check", "suite", "test", "property", "value"}
"""Labels whose values come from the configuration, the data or the build."""

PAGE = metrics_page.files()["docs/reference/metrics.md"].decode()


def listed() -> dict[str, set[str]]:
    """Label to the values that the page lists, over all its rows."""
    values_by_label = defaultdict[str, set[str]](set)
    for label, values in re.findall(r"(?m)^\| `(\w+)` \| .* \| (.*) \|$", PAGE.partition("## Label values")[2]):
        values_by_label[label] |= set(re.findall(r"`([^`]+)`", values))
    return values_by_label


def test_every_label_has_its_values() -> None:
    """A label that is not free is in the table."""
    used = {label for series in catalogue.ALL for label in series.labels}
    used |= {label for series in (*OWN, *LIVE) for label in series.labels}
    assert listed().keys() == used - FREE


def test_published_values_are_listed() -> None:
    """The page lists each value on the golden page, which the demo fills."""
    page_values = listed()
    golden = (TOP / "tests" / "golden" / "metrics.txt").read_text(encoding="utf-8")
    published = set(re.findall(r'[{,](\w+)="([^"]*)"', golden))
    assert [(label, value) for label, value in published if value not in page_values.get(label, {value})] == []
    assert len(published) > 100


def test_its_queries_are_promql() -> None:
    """A pasted query has a result, not a parse error."""
    queries = re.findall(r"(?m)\| `(.*)` \|$", PAGE.partition("## Queries")[2].partition("##")[0])
    assert len(queries) == 6
    for query in queries:
        promql_parser.parse(query)


def test_it_opens_with_few_series() -> None:
    """The most important series come first, each with the catalogue's help and maybe an example; the rest follows."""
    opening, _, rest = PAGE.partition("## Queries")
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.+) \| (.*) \|$", opening)
    meanings = {series.name: series.help for series in catalogue.ALL}
    meanings |= {series.published: series.help for series in OWN}
    assert 30 <= len(rows) <= 45
    assert all(meaning == meanings[name] for name, meaning, _ in rows)
    assert all(name in example for name, _, example in rows if example)
    assert sum(bool(example) for _, _, example in rows) > 20
    assert all(f"| `{name}` |" in rest for name, _, _ in rows)


def test_inputs_are_marked() -> None:
    """A reader sees which series only explain others."""
    marked = set(re.findall(r"(?m)^\| `(\w+)` .*\| \*Input\.\* ", PAGE))
    assert marked == {series.name for series in catalogue.ALL if series.is_input}
