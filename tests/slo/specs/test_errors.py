"""Each problem of a spec is reported in one line, with the file, the document and the path."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from exporter.errors import ConfigError
from exporter.model.slo import DAY
from exporter.slo import specs

HEAD = "version: prometheus/v1\nservice: shop\n"
ERRORS, TOTAL = 'sum(rate(x{code="5"}[{{.window}}]))', "sum(rate(x[{{.window}}]))"


def slo(name: str = "a", objective: str = "99.9", sli: str = "", more: str = "") -> str:
    sli = sli or f"{{events: {{error_query: '{ERRORS}', total_query: '{TOTAL}'}}}}"
    return f"- name: {name}\n  objective: {objective}\n  sli: {sli}\n{textwrap.indent(more or 'alerting: {}', '  ')}\n"


def events(errors: str = ERRORS, total: str = TOTAL) -> str:
    return f"{{events: {{error_query: '{errors}', total_query: '{total}'}}}}"


def sloth(*slos: str, more: str = "") -> str:
    return f"{HEAD}{more}slos:\n{''.join(slos)}"


def messages(tmp_path: Path, text: str, options: specs.Options | None = None, *, name: str = "spec.yml") -> list[str]:
    """The problems of a file, without its name."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        specs.read([path], options)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [str(problem).removeprefix(f"{path}: ").replace(str(path), "FILE") for problem in caught.value.problems]


WRITTEN = "is a label that the rules set, use another name"
NEVER = (
    "slos[0].objective: the alert page_quick can never fire: 14.4 times the budget of 7 % is all events or more; "
    "set an objective above 93.06 % (a burn rate of 14.4 needs it), or `page_alert: {disable: true}`, or other windows "
    "(a document of kind AlertWindows)"
)

CASES: dict[str, tuple[str, str]] = {
    "objective of 100": (
        sloth(slo(objective="100")),
        "slos[0].objective: must be a percentage above 0 and below 100, got 100",
    ),
    "objective of 0": (
        sloth(slo(objective="0.0")),
        "slos[0].objective: must be a percentage above 0 and below 100, got 0",
    ),
    "objective as text": (sloth(slo(objective="high")), 'slos[0].objective: expected a number, got "high"'),
    "objective not a number": (sloth(slo(objective=".nan")), "slos[0].objective: expected a number, got nan"),
    "objective as a ratio": (
        sloth(slo(objective="0.999")),
        "slos[0].objective: expected percent, got the ratio 0.999; did you mean 99.9?",
    ),
    "objective with a comma": (
        sloth(slo(objective="99,9")),
        'slos[0].objective: expected a number, got "99,9"',
    ),
    "month": (
        sloth(slo(more="alerting: {page_alert: {for: 1M}}")),
        'slos[0].alerting.page_alert.for: expected a duration such as 5m, 6h or 3d, got "1M"; did you mean 30d?',
    ),
    "info label": (
        sloth(slo(more="infoLabels: {sloth_version: x}")),
        f"slos[0].infoLabels.sloth_version: {WRITTEN}",
    ),
    "info label of all series": (
        sloth(slo(more="info_labels: {team: x}"), more="labels: {team: y}\n"),
        "slos[0].info_labels.team: is already a label of all the objective's series, use another name",
    ),
    "Grafana's variable": (
        sloth(slo(sli=events(total="sum(rate(y[$__rate_interval]))"))),
        "slos[0].sli.events.total_query: contains $__rate_interval, but the only template variable allowed is "
        "{{.window}}",
    ),
    "for": (
        sloth(slo(more="alerting: {page_alert: {for: soon}}")),
        'slos[0].alerting.page_alert.for: expected a duration such as 5m, 6h or 3d, got "soon"',
    ),
    "negative for": (
        sloth(slo(more="alerting: {page_alert: {for: '-1'}}")),
        'slos[0].alerting.page_alert.for: expected a duration such as 5m, 6h or 3d, got "-1"',
    ),
    "endless range": (
        sloth(slo(sli=events("sum(rate(x[1e300]))"))),
        "slos[0].sli.events.error_query: is not valid PromQL: a duration cannot be read: cannot convert float "
        "seconds to Duration: value is either too big or NaN",
    ),
    "open template": (
        sloth(slo(more="alerting: {annotations: {summary: 'of {{ $labels.team'}}")),
        "slos[0].alerting.annotations.summary: has a {{ without its }}, so Prometheus would reject all the rules",
    ),
    "closed twice": (
        sloth(slo(more="alerting: {page_alert: {labels: {team: '{{ $labels.team }} {{'}}}")),
        "slos[0].alerting.page_alert.labels.team: has a {{ without its }}, so Prometheus would reject all the rules",
    ),
    "long name": (
        sloth(slo("a" * 129)),
        f'slos[0].name: must have at most 128 characters, got "{"a" * 129}"',
    ),
    "burn factor": (sloth(slo(objective="93")), NEVER),
    "unparsed": (
        sloth(slo(sli=events("sum(rate(x[{{.window}}])"))),
        "slos[0].sli.events.error_query: is not valid PromQL: unclosed left parenthesis",
    ),
    "no window": (
        sloth(slo(sli=events(total="sum(rate(y[5m]))"))),
        "slos[0].sli.events.total_query: has no {{.window}}, expected it instead of a range: "
        "rate(requests_total[{{.window}}])",
    ),
    "other variable": (
        sloth(slo(sli=events(total='sum(rate(y{s="{{ .service }}"}[{{.window}}]))'))),
        "slos[0].sli.events.total_query: contains {{.service}}, but the only template variable allowed is {{.window}}",
    ),
    "same query": (
        sloth(slo(sli=events(TOTAL.replace("(", "( ", 1)))),
        "slos[0].sli.events.error_query: is the same query as that for all events, expected a different one",
    ),
    "same series": (
        sloth(slo(sli=events(f"{TOTAL} * 2"))),
        "slos[0].sli.events.error_query: reads the same series as the query for all events: x{}, "
        "expected a different one",
    ),
    "other labels": (
        sloth(slo(sli=events("sum by (a, b) (rate(y[{{.window}}]))"))),
        "slos[0].sli.events.error_query: keeps other labels (a, b) than the query for all events (none), "
        "expected the same",
    ),
    "range of samples": (
        sloth(slo(sli=events("y[{{.window}}]"))),
        "slos[0].sli.events.error_query: is not an instant vector, expected an expression such as "
        "sum(rate(requests_total[{{.window}}]))",
    ),
    "number": (
        sloth(slo(sli=events(total="scalar(rate(y[{{.window}}]))"))),
        "slos[0].sli.events.total_query: is not an instant vector, expected an expression such as "
        "sum(rate(requests_total[{{.window}}]))",
    ),
    "mixed": (
        sloth(slo(sli=events("sum(increase(y[{{.window}}]))"))),
        "slos[0].sli.events.error_query: mixes rate (per second) with increase (per window), use only one of them",
    ),
    "kept label of ours": (
        sloth(slo(sli=events("sum by (side) (rate(y[{{.window}}]))", "sum by (side) (rate(x[{{.window}}]))"))),
        "slos[0].sli.events.total_query: keeps the label side, which the rules set: omit or rename it",
    ),
    "raw without window": (
        sloth(slo(sli="{raw: {error_ratio_query: job:errors:ratio}}")),
        "slos[0].sli.raw.error_ratio_query: has no {{.window}}, expected it instead of a range",
    ),
    "raw twice the same": (
        sloth(slo(sli=f"{{raw: {{error_ratio_query: '{TOTAL} / {TOTAL}'}}}}")),
        "slos[0].sli.raw.error_ratio_query: is the same query as that for all events, expected a different one",
    ),
    "SLI plugin": (
        sloth(slo(sli="{plugin: {id: mine}}")),
        'slos[0].sli.plugin: the SLI plugin "mine" is not supported, use events or raw with its query',
    ),
    "SLO plugin": (
        sloth(slo(), more="slo_plugins: {chain: [{id: mine}]}\n"),
        'slo_plugins.chain[0].id: the SLO plugin "mine" is not supported, only those of sloth.dev/ are accepted',
    ),
    "no SLI": (sloth(slo(sli="{}")), "slos[0].sli: missing, expected either events or raw"),
    "label of ours": (sloth(slo(more="labels: {sloth_id: x}")), f"slos[0].labels.sloth_id: {WRITTEN}"),
    "shared label of ours": (sloth(slo(), more="labels: {side: x}\n"), f"labels.side: {WRITTEN}"),
    "label of an alert": (
        sloth(slo(more="alerting: {page_alert: {labels: {sloth_severity: x}}}")),
        f"slos[0].alerting.page_alert.labels.sloth_severity: {WRITTEN}",
    ),
    "name of a label": (
        sloth(slo(more="labels: {a-b: x}")),
        "slos[0].labels.a-b: is not a label name, expected letters, digits and _",
    ),
    "label without a value": (sloth(slo(more="labels: {a: [b]}")), "slos[0].labels.a: expected a string, got a list"),
    "unknown key": (
        sloth(slo(more="alerting: {page_alert: {lables: {}}}")),
        'slos[0].alerting.page_alert.lables: unknown key "lables", did you mean "labels"? '
        "expected one of: disable, for, labels, annotations",
    ),
    "name": (
        sloth(slo(name="a/b")),
        'slos[0].name: expected letters, digits, and . _ - between them, got "a/b"',
    ),
    "no name": (sloth(slo(name="")), "slos[0].name: expected a string, got nothing"),
    "no service": ("version: prometheus/v1\nslos:\n" + slo(), "service: missing, expected a string"),
    "no SLO": (HEAD, "slos: missing, expected a list of at least one objective"),
    "entry": (sloth(slo()) + "- 5\n", "slos[1]: expected a mapping, got 5"),
    "twice": (
        sloth(slo(), slo()),
        'slos[1]: duplicate id "shop-a", also in FILE: slos[0]: use another service or name',
    ),
    "key twice": (sloth(slo()) + "  name: b\n", "slos[0].name: duplicate key (lines 4 and 8)"),
    "version": (HEAD.replace("v1", "v2") + "slos: []\n", "unknown version prometheus/v2, expected prometheus/v1"),
    "other file": (
        "kind: Deployment\n",
        "is not an SLO spec, expected a mapping with version: prometheus/v1 (Sloth), apiVersion: sloth.slok.dev/v1 or "
        "openslo/v1, or environments (our own configuration)",
    ),
    "empty": ("# nothing\n", "is empty, expected a spec"),
    "not YAML": ("a: [1\n", "line 2, column 1: is not YAML: did not find expected ',' or ']'"),
    "alias of itself": (
        "version: prometheus/v1\nslos: &a [*a]\n",
        "slos[0]: the alias is inside the value that it refers to",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_problems_of_sloth_files(case: str, tmp_path: Path) -> None:
    """Each problem has the expected text; it may cause further ones."""
    text, expected = CASES[case]
    assert expected in messages(tmp_path, text)


def test_every_problem_is_reported(tmp_path: Path) -> None:
    """Problems of several objectives and documents are reported together, each with its document."""
    text = sloth(slo(objective="0"), slo("b", sli="{plugin: {id: p}}")) + "---\n" + sloth(slo("c", more="labels: 5"))
    assert messages(tmp_path, text) == [
        "document 1: slos[0].objective: must be a percentage above 0 and below 100, got 0",
        'document 1: slos[1].sli.plugin: the SLI plugin "p" is not supported, use events or raw with its query',
        "document 2: slos[0].labels: expected a mapping, got 5",
    ]


def test_windows_against_scrapes_retention_and_period(tmp_path: Path) -> None:
    """A short window needs 4 scrapes, and no window may be longer than the retention or the period."""
    short = "page_quick: the short window (5m) is below 4 scrape intervals of 2m, must be at least 8m"
    assert messages(tmp_path, sloth(slo()), specs.Options(scrape_interval=120)) == [f"slos[0].alerting: {short}"]
    assert messages(tmp_path, sloth(slo()), specs.Options(retention=2 * DAY)) == [
        "slos[0]: 30d is longer than the retention (2d): shorten it, or increase Prometheus's retention",
        "slos[0].alerting: ticket_slow: the long window (3d) is longer than the retention (2d)",
    ]
    assert "slos[0]: must be full hours, at most 366d, got 3650d" in messages(
        tmp_path, sloth(slo()), specs.Options(period=3650 * DAY)
    )
    assert messages(tmp_path, sloth(slo()), specs.Options(period=DAY)) == [
        "slos[0].alerting: a period below 7d has no usual alert tiers: use at least 7d, or set tiers (in a "
        "document of kind AlertWindows)"
    ]


WINDOWS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 30d
  page: {quick: {errorBudgetPercent: 2, shortWindow: 5m, longWindow: 1h},
         slow: {errorBudgetPercent: 5, shortWindow: 30m, longWindow: 6h}}
  ticket: {quick: {errorBudgetPercent: 10, shortWindow: 2h, longWindow: 1d},
           slow: {errorBudgetPercent: 10, shortWindow: 6h, longWindow: 3d}}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "shortWindow: 5m",
            "shortWindow: 1h",
            "spec: page_quick: the short window (1h) must be shorter than the long window (1h)",
        ),
        (
            "longWindow: 3d",
            "longWindow: 40d",
            "spec: ticket_slow: the long window (40d) is longer than the period (30d)",
        ),
        (
            "shortWindow: 5m",
            "shortWindow: 150s",
            "spec: page_quick: a window of 150s is not possible, must be full minutes",
        ),
        (
            "longWindow: 1h",
            "longWindow: soon",
            'spec.page.quick.longWindow: expected a duration such as 5m, 6h or 3d, got "soon"',
        ),
        (
            "errorBudgetPercent: 2",
            "errorBudgetPercent: 0",
            "spec.page.quick.errorBudgetPercent: must be a percentage above 0 and at most 100",
        ),
        (
            WINDOWS,
            f"{WINDOWS}---\n{WINDOWS}",
            "document 2: spec.sloPeriod: FILE: document 1 has windows of this period too, remove one of them",
        ),
    ],
)
def test_problems_of_alert_windows(old: str, new: str, expected: str, tmp_path: Path) -> None:
    """Invalid windows are reported once, at their location."""
    assert messages(tmp_path, WINDOWS.replace(old, new, 1)) == [expected]


OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'x{code="2"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: x}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""
METRIC = "spec.indicator.spec.ratioMetric"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "kind: SLO",
            "kind: SLOs",
            "kind: expected one of: SLO, SLI, Service, DataSource, AlertPolicy, AlertCondition, "
            'AlertNotificationTarget; got "SLOs"',
        ),
        (
            "duration: 30d, isRolling: true",
            "duration: 1Q, isRolling: false",
            'spec.timeWindow[0].duration: expected 1M or 1w for a calendar window, or isRolling: true, got "1Q"',
        ),
        (
            "duration: 30d",
            "duration: 30 days",
            "spec.timeWindow[0].duration: expected a number with one of m h d w M Q Y, such as "
            '30d or 4w, got "30 days"',
        ),
        (
            "duration: 30d, isRolling: true",
            "duration: 1M, calendar: {timeZone: Mars/Olympus}",
            'spec.timeWindow: expected a name from the IANA time zone database, got "Mars/Olympus"',
        ),
        (
            "type: Prometheus",
            "type: Datadog",
            f"{METRIC}.good.metricSource.type: expected Prometheus or another source that understands "
            f'PromQL, got "Datadog"',
        ),
        (
            "target: 0.99",
            "target: 1.0",
            "spec.objectives[0].target: must be a ratio above 0 and below 1, got 1.0; or use targetPercent",
        ),
        (
            "target: 0.99",
            "target: 0.99, targetPercent: 99",
            "spec.objectives[0].target: expected either target (0..1) or targetPercent, got both",
        ),
        ("indicator:", "indicatorRef: other\n  unused:", 'spec.indicatorRef: the files contain no SLI "other"'),
        (
            "query: x}",
            "query: x offset 5m}",
            f"{METRIC}.total.metricSource.spec.query: has no {{{{.window}}}}, and it is unclear where to insert it; "
            f"put it in place of a range: sum(rate(requests_total[{{{{.window}}}}]))",
        ),
        (
            "query: x}",
            "query: sum(x}",
            f"{METRIC}.total.metricSource.spec.query: is not valid PromQL: unclosed left parenthesis",
        ),
        (
            "query: x}",
            "query: 'x{code=\"2\"}'}",
            f"{METRIC}.good.metricSource.spec.query: is the same query as that for all events, "
            "expected a different one",
        ),
        (
            "Occurrences",
            "Guesses",
            'spec.budgetingMethod: expected one of: Occurrences, Timeslices, RatioTimeslices; got "Guesses"',
        ),
        ("Occurrences", "Timeslices", "spec.objectives[0].timeSliceWindow: must be full minutes, such as 5 or 5m"),
        (
            "target: 0.99",
            "target: 0.99, timeSliceWindow: 5m, timeSliceTarget: 2",
            "spec.objectives[0].timeSliceTarget: must be a ratio above 0 and at most 1",
        ),
        (
            "good:",
            "godo:",
            f'{METRIC}.godo: unknown key "godo", did you mean "good"? '
            "expected one of: counter, good, bad, total, raw, rawType",
        ),
        (
            "openslo/v1",
            "openslo/v9",
            "unknown apiVersion openslo/v9, expected sloth.slok.dev/v1 or openslo/v1 or openslo/v1alpha",
        ),
    ],
)
def test_problems_of_openslo(old: str, new: str, expected: str, tmp_path: Path) -> None:
    """Each problem of an OpenSLO file is reported at its location."""
    text = OPENSLO.replace(old, new, 1)
    assert expected in messages(
        tmp_path, text.replace("Occurrences", "Timeslices") if "timeSliceTarget" in new else text
    )


def test_problems_of_computed_shares(tmp_path: Path) -> None:
    """A share of good events that is not a share, or of an unknown kind, is reported at its query."""
    raw = "{rawType: success, raw: {metricSource: {type: Prometheus, spec: {query: QUERY}}}}"
    start, end = OPENSLO.index("      ratioMetric:"), OPENSLO.index("  timeWindow:")
    text = f"{OPENSLO[:start]}      ratioMetric: {raw}\n{OPENSLO[end:]}"
    query = f"{METRIC}.raw.metricSource.spec.query"
    same = text.replace("QUERY", "'sum(rate(x[5m])) / sum(rate(x[5m]))'")
    assert messages(tmp_path, same) == [f"{query}: is the same query as that for all events, expected a different one"]
    (range_,) = messages(tmp_path, text.replace("QUERY", "'x[5m]'"))
    assert range_.startswith(f"{query}: is not an instant vector, expected an expression such as sum(rate(")
    assert messages(tmp_path, text.replace("success", "good")) == [
        f"{METRIC}.rawType: expected one of: success, failure"
    ]


def test_two_indicators_of_one_name(tmp_path: Path) -> None:
    """A duplicate name of two objects of a kind is reported, because references to it are ambiguous."""
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: a}\nspec: {}\n"
    assert messages(tmp_path, f"{sli}---\n{sli}") == [
        'document 2: metadata.name: duplicate name "a", also in FILE: document 1: metadata.name'
    ]


def test_duplicates_across_files(tmp_path: Path) -> None:
    """An id that two files use is reported with both locations."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.yml").write_text(sloth(slo()), encoding="utf-8")
    (tmp_path / "two.yml").write_text("---\n" + sloth(slo("b")) + "---\n" + sloth(slo()), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        specs.read([tmp_path])
    first = tmp_path / "a" / "one.yml"
    second = tmp_path / "two.yml"
    text = f'duplicate id "shop-a", also in {first}: slos[0]: use another service or name'
    assert str(caught.value) == f"{second}: document 2: slos[0]: {text}"
