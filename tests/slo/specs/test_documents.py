"""Files and directories are read as YAML, and problems are reported."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.errors import ConfigError, Problem
from exporter.model.slo import Slo
from exporter.slo import specs
from exporter.slo.specs.documents import documents, files
from exporter.slo.specs.node import Node

SPEC = """\
version: prometheus/v1
service: {}
slos:
- name: a
  objective: 99.9
  sli: &sli {{events: {{error_query: 'sum(rate(x[{{{{.window}}}}]))', total_query: 'sum(rate(y[{{{{.window}}}}]))'}}}}
  alerting: &alerting {{name: A, labels: {{team: t}}}}
- <<: {{objective: 99.5, sli: *sli}}
  name: b
  objective: 99.99
  alerting: {{<<: *alerting, name: B}}
"""


def test_folders(tmp_path: Path) -> None:
    """All YAML files of a directory are read once, and other documents are skipped."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    first = tmp_path / "deep" / "er" / "one.yaml"
    second = tmp_path / "two.yml"
    first.write_text(SPEC.format("one"), encoding="utf-8")
    second.write_text(
        "---\n# nothing\n---\nkind: ConfigMap\napiVersion: v1\n---\n" + SPEC.format("two"), encoding="utf-8"
    )
    (tmp_path / "empty.yml").write_text("", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("{", encoding="utf-8")
    slos = specs.read([tmp_path, first, tmp_path / "deep" / ".." / "two.yml"])
    assert [slo.id for slo in slos] == ["one-a", "one-b", "two-a", "two-b"]
    assert slos[2].origin == f"{second}: document 3: slos[0]"
    with pytest.raises(ConfigError, match=r"two\.yml: document 2: is not an SLO spec"):
        specs.read([second])


def test_anchors_and_merges(tmp_path: Path) -> None:
    """Aliases have the value of their anchor, and a written key takes precedence over a merged one."""
    path = tmp_path / "spec.yml"
    path.write_text(SPEC.format("shop"), encoding="utf-8")
    first, second = specs.read([path])
    assert first.sli == second.sli
    assert second.objective == Decimal("99.99")
    assert second.alerting.name == "B"
    assert second.alerting.common.labels == {"team": "t"}


def test_merges_of_merges(tmp_path: Path) -> None:
    """Merges that double at each step are read as quickly as others."""
    steps = [f"x{n + 1}: &x{n + 1} {{<<: [*x{n}, *x{n}, *x{n}]}}" for n in range(40)]
    text = "\n".join(["x0: &x0 {name: shop}", *steps, "service: {<<: *x40}", "odd: {<<: [1]}", ""])
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    problems = list[Problem]()
    content = documents(tmp_path / "spec.yml", True, problems)[0].raw
    assert (content["x40"], content["service"]) == ({"name": "shop"}, {"name": "shop"})
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in problems] == [
        "spec.yml: odd: line 43: << expects a mapping or a list of mappings"
    ]


def test_labels_are_as_written(tmp_path: Path) -> None:
    """Labels and annotations keep their text, also where YAML sees a number or a boolean."""
    texts = ("1.10", "0123", "22:22", "yes", "1_000", "True", "2026-11-22")
    labels = ", ".join(f"l{n}: {text}" for n, text in enumerate(texts))
    path = tmp_path / "spec.yml"
    path.write_text(SPEC.format("shop").replace("team: t", labels), encoding="utf-8")
    assert tuple(specs.read([path])[0].alerting.common.labels.values()) == texts


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Missing files, other encodings, odd tags and empty directories are reported with their names."""
    (tmp_path / "latin.yml").write_bytes(b"a: \xe9\n")
    (tmp_path / "tag.yml").write_text("version: !env x\nslos: []\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    paths = [tmp_path / name for name in ("gone.yml", "latin.yml", "tag.yml", "folder")]
    with pytest.raises(ConfigError) as caught:
        specs.read(paths)
    messages = [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]
    assert messages == [
        "gone.yml: cannot be read: No such file or directory",
        "latin.yml: cannot be read as YAML in UTF-8: 'utf-8' codec can't decode byte 0xe9 in position 3: "
        "invalid continuation byte",
        "tag.yml: version: unsupported tag !env, remove it",
        "folder: contains no .yml or .yaml file",
        "tag.yml: has slos but neither version nor environments, expected version: prometheus/v1, or our own "
        "configuration",
    ]


def test_own_configuration(tmp_path: Path) -> None:
    """Our own configuration among the files contributes the objectives of its `slos:`."""
    path = tmp_path / "exporter.yml"
    path.write_text(
        "environments:\n- {role: production, source: {kind: demo}}\n- {role: pte, source: {kind: demo}}\n"
        "slos:\n- {name: answers, application: shop, objective: 99.9, sides: [production, pte], sli: {errors: {}}}\n",
        encoding="utf-8",
    )
    assert [slo.id for slo in specs.read([path])] == ["shop-answers", "shop-answers-pte"]
    path.write_text("environments: 5\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="environments: expected a list, got a number"):
        specs.read([path])


def test_numbers_are_those_that_are_written(tmp_path: Path) -> None:
    """99.95 stays 99.95, and is never converted to a float."""
    path = tmp_path / "numbers.yml"
    path.write_text("a: 99.95\nb: 1_000\nc: 0.1\nd: true\n", encoding="utf-8")
    problems: list[Problem] = []
    (document,) = documents(path, True, problems)
    node = Node(document.raw, str(path), "", problems)
    assert [node.number(key) for key in "abc"] == [Decimal("99.95"), Decimal(1000), Decimal("0.1")]
    assert node.number("d") is None
    assert [str(problem) for problem in problems] == [f"{path}: d: expected a number, got true"]
    assert [file for file, _ in files([tmp_path], problems)] == [path]


KEYS = st.sampled_from(
    [
        "version",
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "service",
        "labels",
        "slos",
        "name",
        "objective",
        "sli",
        "events",
        "raw",
        "error_query",
        "total_query",
        "errorRatioQuery",
        "alerting",
        "page_alert",
        "disable",
        "indicator",
        "indicatorRef",
        "ratioMetric",
        "thresholdMetric",
        "good",
        "bad",
        "total",
        "metricSource",
        "query",
        "type",
        "timeWindow",
        "duration",
        "calendar",
        "timeZone",
        "budgetingMethod",
        "objectives",
        "target",
        "timeSliceWindow",
        "alertPolicies",
        "conditions",
        "condition",
        "threshold",
        "lookbackWindow",
        "sloPeriod",
        "page",
        "quick",
        "items",
        "plugin",
        "chain",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "prometheus/v1",
            "openslo/v1",
            "openslo/v1alpha",
            "sloth.slok.dev/v1",
            "SLO",
            "SLI",
            "PrometheusServiceLevel",
            "AlertWindows",
            "List",
            "30d",
            "1M",
            "1w",
            "5m",
            "burnrate",
            "Timeslices",
            "success",
            "lt",
            "Prometheus",
            "x{{.window}}",
            "rate(x[{{.window}}])",
            "{{.a}}",
            "x/y",
            "1-x",
        ]
    ),
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)
HEADS = st.sampled_from(
    [
        {"version": "prometheus/v1"},
        {"apiVersion": "sloth.slok.dev/v1", "kind": "PrometheusServiceLevel"},
        {"apiVersion": "sloth.slok.dev/v1", "kind": "AlertWindows"},
        {"apiVersion": "openslo/v1", "kind": "SLO"},
        {"apiVersion": "openslo/v1alpha", "kind": "SLO"},
        {},
    ]
)


def shaped(tree: dict[str, object]) -> dict[str, object]:
    """The tree at a level that readers reach, so that not all stop at the first key."""
    slo = {"name": "a", "objective": 99, "sli": tree, "alerting": tree, **tree}
    objective = {"target": 0.9, "op": "lt", "value": 5, **tree}
    indicator = {"spec": tree}
    inner = {"service": "s", "slos": [slo], "objectives": [objective], "indicator": indicator, **tree}
    return {"service": "s", "slos": [slo], "metadata": {"name": "n"}, "spec": inner}


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(head=HEADS, tree=st.dictionaries(KEYS, TREES, max_size=8), inner=st.booleans())
def test_any_content_of_a_file(
    tmp_path_factory: pytest.TempPathFactory, head: dict[str, object], tree: dict[str, object], inner: bool
) -> None:
    """Reading returns objectives or reports problems; it never ends in another way."""
    path = tmp_path_factory.getbasetemp() / "any.yml"
    content = {**(shaped(tree) if inner else tree), **head}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    slos: list[Slo] = []
    problems: tuple[Problem, ...] = ()
    try:
        slos = specs.read([path])
    except ConfigError as error:
        problems = error.problems
    assert all(slo.service and slo.name for slo in slos)
    assert all(problem.text and "\n" not in problem.text for problem in problems)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet=st.sampled_from("a:-[]{}&*!|>#%@`'\"\n \t,?<x1.e~")))
def test_any_text_in_a_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Text that is not YAML, or is unusual YAML, is reported too."""
    path = tmp_path_factory.getbasetemp() / "text.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        specs.read([path])
