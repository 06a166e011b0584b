"""What is wrong with a spec is told in one line each, with the file, the document and the path."""

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


def told(tmp_path: Path, text: str, options: specs.Options | None = None, *, name: str = "spec.yml") -> list[str]:
    """What is told of a file, without its name."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        specs.read([path], options)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [str(problem).removeprefix(f"{path}: ").replace(str(path), "FILE") for problem in caught.value.problems]


WRITTEN = "is a label that the rules write themselves, wanted another name"
NEVER = (
    "slos[0].objective: the alert page_quick can never fire: 14.4 times the budget of 7 % is all events or more; "
    "a burn rate of 14.4 needs an objective above 93.06 %: wanted that, or `page_alert: {disable: true}`, or windows "
    "of its own (a document of kind AlertWindows)"
)

CASES: dict[str, tuple[str, str]] = {
    "objective of 100": (
        sloth(slo(objective="100")),
        "slos[0].objective: found 100, wanted a percentage above 0 and below 100",
    ),
    "objective of 0": (
        sloth(slo(objective="0.0")),
        "slos[0].objective: found 0, wanted a percentage above 0 and below 100",
    ),
    "objective as text": (sloth(slo(objective="high")), 'slos[0].objective: found "high", wanted a number'),
    "objective not a number": (sloth(slo(objective=".nan")), "slos[0].objective: found nan, wanted a number"),
    "objective as a ratio": (
        sloth(slo(objective="0.999")),
        "slos[0].objective: found 0.999, wanted percent; did you mean 99.9?",
    ),
    "objective with a comma": (
        sloth(slo(objective="99,9")),
        'slos[0].objective: found "99,9", wanted a number',
    ),
    "month": (
        sloth(slo(more="alerting: {page_alert: {for: 1M}}")),
        'slos[0].alerting.page_alert.for: found "1M", wanted a duration such as 5m, 6h or 3d; did you mean 30d?',
    ),
    "info label": (
        sloth(slo(more="infoLabels: {sloth_version: x}")),
        f"slos[0].infoLabels.sloth_version: {WRITTEN}",
    ),
    "info label of all series": (
        sloth(slo(more="info_labels: {team: x}"), more="labels: {team: y}\n"),
        "slos[0].info_labels.team: is a label of all the objective's series, wanted another name",
    ),
    "Grafana's variable": (
        sloth(slo(sli=events(total="sum(rate(y[$__rate_interval]))"))),
        "slos[0].sli.events.total_query: holds $__rate_interval, wanted no template variable but {{.window}}",
    ),
    "for": (
        sloth(slo(more="alerting: {page_alert: {for: soon}}")),
        'slos[0].alerting.page_alert.for: found "soon", wanted a duration such as 5m, 6h or 3d',
    ),
    "negative for": (
        sloth(slo(more="alerting: {page_alert: {for: '-1'}}")),
        'slos[0].alerting.page_alert.for: found "-1", wanted a duration such as 5m, 6h or 3d',
    ),
    "endless range": (
        sloth(slo(sli=events("sum(rate(x[1e300]))"))),
        "slos[0].sli.events.error_query: does not parse as PromQL: a duration cannot be read: cannot convert float "
        "seconds to Duration: value is either too big or NaN",
    ),
    "open template": (
        sloth(slo(more="alerting: {annotations: {summary: 'of {{ $labels.team'}}")),
        "slos[0].alerting.annotations.summary: has a {{ without its }}, and Prometheus would load none of the rules",
    ),
    "closed twice": (
        sloth(slo(more="alerting: {page_alert: {labels: {team: '{{ $labels.team }} {{'}}}")),
        "slos[0].alerting.page_alert.labels.team: has a {{ without its }}, and Prometheus would load none of the rules",
    ),
    "long name": (
        sloth(slo("a" * 129)),
        f'slos[0].name: found "{"a" * 129}", wanted at most 128 characters',
    ),
    "burn factor": (sloth(slo(objective="93")), NEVER),
    "unparsed": (
        sloth(slo(sli=events("sum(rate(x[{{.window}}])"))),
        "slos[0].sli.events.error_query: does not parse as PromQL: unclosed left parenthesis",
    ),
    "no window": (
        sloth(slo(sli=events(total="sum(rate(y[5m]))"))),
        "slos[0].sli.events.total_query: lacks {{.window}}, wanted it in place of a range: "
        "rate(requests_total[{{.window}}])",
    ),
    "other variable": (
        sloth(slo(sli=events(total='sum(rate(y{s="{{ .service }}"}[{{.window}}]))'))),
        "slos[0].sli.events.total_query: holds {{.service}}, wanted no template variable but {{.window}}",
    ),
    "same query": (
        sloth(slo(sli=events(TOTAL.replace("(", "( ", 1)))),
        "slos[0].sli.events.error_query: is the same query as that of all events, wanted another",
    ),
    "same series": (
        sloth(slo(sli=events(f"{TOTAL} * 2"))),
        "slos[0].sli.events.error_query: names the same series as the query of all events: x{}, wanted another",
    ),
    "other labels": (
        sloth(slo(sli=events("sum by (a, b) (rate(y[{{.window}}]))"))),
        "slos[0].sli.events.error_query: keeps other labels (a, b) than the query of all events (none), "
        "wanted the same",
    ),
    "range of samples": (
        sloth(slo(sli=events("y[{{.window}}]"))),
        "slos[0].sli.events.error_query: gives no value for each series, wanted an expression such as "
        "sum(rate(requests_total[{{.window}}]))",
    ),
    "number": (
        sloth(slo(sli=events(total="scalar(rate(y[{{.window}}]))"))),
        "slos[0].sli.events.total_query: gives no value for each series, wanted an expression such as "
        "sum(rate(requests_total[{{.window}}]))",
    ),
    "mixed": (
        sloth(slo(sli=events("sum(increase(y[{{.window}}]))"))),
        "slos[0].sli.events.error_query: mixes rate (per second) with increase (per window), wanted one of them",
    ),
    "kept label of ours": (
        sloth(slo(sli=events("sum by (side) (rate(y[{{.window}}]))", "sum by (side) (rate(x[{{.window}}]))"))),
        "slos[0].sli.events.total_query: keeps the label side, which the rules write themselves; "
        "wanted it left out or renamed",
    ),
    "raw without window": (
        sloth(slo(sli="{raw: {error_ratio_query: job:errors:ratio}}")),
        "slos[0].sli.raw.error_ratio_query: lacks {{.window}}, wanted it in place of a range",
    ),
    "raw twice the same": (
        sloth(slo(sli=f"{{raw: {{error_ratio_query: '{TOTAL} / {TOTAL}'}}}}")),
        "slos[0].sli.raw.error_ratio_query: is the same query as that of all events, wanted another",
    ),
    "SLI plugin": (
        sloth(slo(sli="{plugin: {id: mine}}")),
        'slos[0].sli.plugin: the SLI plugin "mine" cannot be run here, wanted events or raw with its query',
    ),
    "SLO plugin": (
        sloth(slo(), more="slo_plugins: {chain: [{id: mine}]}\n"),
        'slo_plugins.chain[0].id: the SLO plugin "mine" cannot be run here, wanted none but those of sloth.dev/',
    ),
    "no SLI": (sloth(slo(sli="{}")), "slos[0].sli: missing, wanted either events or raw"),
    "label of ours": (sloth(slo(more="labels: {sloth_id: x}")), f"slos[0].labels.sloth_id: {WRITTEN}"),
    "shared label of ours": (sloth(slo(), more="labels: {side: x}\n"), f"labels.side: {WRITTEN}"),
    "label of an alert": (
        sloth(slo(more="alerting: {page_alert: {labels: {sloth_severity: x}}}")),
        f"slos[0].alerting.page_alert.labels.sloth_severity: {WRITTEN}",
    ),
    "name of a label": (
        sloth(slo(more="labels: {a-b: x}")),
        "slos[0].labels.a-b: is no name of a label, wanted letters, digits and _",
    ),
    "label without a value": (sloth(slo(more="labels: {a: [b]}")), "slos[0].labels.a: found a list, wanted a string"),
    "unknown key": (
        sloth(slo(more="alerting: {page_alert: {lables: {}}}")),
        'slos[0].alerting.page_alert.lables: unknown key "lables", did you mean "labels"? '
        "expected one of: disable, for, labels, annotations",
    ),
    "name": (
        sloth(slo(name="a/b")),
        'slos[0].name: found "a/b", wanted letters, digits, and . _ - between them',
    ),
    "no name": (sloth(slo(name="")), "slos[0].name: found nothing, wanted a string"),
    "no service": ("version: prometheus/v1\nslos:\n" + slo(), "service: missing, wanted a string"),
    "no SLO": (HEAD, "slos: missing, wanted a list of at least one objective"),
    "entry": (sloth(slo()) + "- 5\n", "slos[1]: found 5, wanted a mapping"),
    "twice": (
        sloth(slo(), slo()),
        'slos[1]: "shop-a" is the id of the objective in FILE: slos[0] too, wanted another service or name',
    ),
    "key twice": (sloth(slo()) + "  name: b\n", "slos[0].name: stands twice, in lines 4 and 8; wanted once"),
    "version": (HEAD.replace("v1", "v2") + "slos: []\n", "unknown version prometheus/v2, wanted prometheus/v1"),
    "other file": (
        "kind: Deployment\n",
        "is no SLO spec, wanted a mapping with version: prometheus/v1 (Sloth), apiVersion: sloth.slok.dev/v1 or "
        "openslo/v1, or environments (our own configuration)",
    ),
    "empty": ("# nothing\n", "is empty, wanted a spec"),
    "not YAML": ("a: [1\n", "line 2, column 1: is not YAML: did not find expected ',' or ']'"),
    "alias of itself": ("version: prometheus/v1\nslos: &a [*a]\n", "slos[0]: the alias stands inside of what it names"),
}


@pytest.mark.parametrize("case", CASES)
def test_faults_of_sloth_files(case: str, tmp_path: Path) -> None:
    """Each fault is told in the words that are expected, among what else it leads to."""
    text, expected = CASES[case]
    assert expected in told(tmp_path, text)


def test_every_fault_is_told(tmp_path: Path) -> None:
    """Faults of several objectives and documents come together, each with its document."""
    text = sloth(slo(objective="0"), slo("b", sli="{plugin: {id: p}}")) + "---\n" + sloth(slo("c", more="labels: 5"))
    assert told(tmp_path, text) == [
        "document 1: slos[0].objective: found 0, wanted a percentage above 0 and below 100",
        'document 1: slos[1].sli.plugin: the SLI plugin "p" cannot be run here, wanted events or raw with its query',
        "document 2: slos[0].labels: found 5, wanted a mapping",
    ]


def test_windows_against_scrapes_retention_and_period(tmp_path: Path) -> None:
    """A short window needs 4 scrapes, and no window may be longer than the retention or the period."""
    short = "page_quick: the short window (5m) is below 4 scrape intervals of 2m, wanted at least 8m"
    assert told(tmp_path, sloth(slo()), specs.Options(scrape_interval=120)) == [f"slos[0].alerting: {short}"]
    assert told(tmp_path, sloth(slo()), specs.Options(retention=2 * DAY)) == [
        "slos[0]: 30d is longer than the retention (2d), wanted at most that, or a Prometheus that keeps more",
        "slos[0].alerting: ticket_slow: the long window (3d) is longer than the retention (2d)",
    ]
    assert "slos[0]: found 3650d, wanted full hours, at most 366d" in told(
        tmp_path, sloth(slo()), specs.Options(period=3650 * DAY)
    )
    assert told(tmp_path, sloth(slo()), specs.Options(period=DAY)) == [
        "slos[0].alerting: there are no usual alert tiers for a period below 7d, wanted at least 7d or tiers of its "
        "own (a document of kind AlertWindows)"
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
            "spec: page_quick: the short window (1h) is not below the long one (1h)",
        ),
        (
            "longWindow: 3d",
            "longWindow: 40d",
            "spec: ticket_slow: the long window (40d) is longer than the period (30d)",
        ),
        (
            "shortWindow: 5m",
            "shortWindow: 150s",
            "spec: page_quick: a window of 150s is not possible, wanted full minutes",
        ),
        (
            "longWindow: 1h",
            "longWindow: soon",
            'spec.page.quick.longWindow: found "soon", wanted a duration such as 5m, 6h or 3d',
        ),
        (
            "errorBudgetPercent: 2",
            "errorBudgetPercent: 0",
            "spec.page.quick.errorBudgetPercent: wanted a percentage above 0 and at most 100",
        ),
        (
            WINDOWS,
            f"{WINDOWS}---\n{WINDOWS}",
            "document 2: spec.sloPeriod: FILE: document 1 has windows of this period too, wanted one of them",
        ),
    ],
)
def test_faults_of_alert_windows(old: str, new: str, expected: str, tmp_path: Path) -> None:
    """Windows that cannot be are told where they are written, once."""
    assert told(tmp_path, WINDOWS.replace(old, new, 1)) == [expected]


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
            'kind: found "SLOs", wanted one of SLO, SLI, Service, DataSource, AlertPolicy, AlertCondition, '
            "AlertNotificationTarget",
        ),
        (
            "duration: 30d, isRolling: true",
            "duration: 1Q, isRolling: false",
            'spec.timeWindow[0].duration: found "1Q", wanted 1M or 1w for a calendar window, or isRolling: true',
        ),
        (
            "duration: 30d",
            "duration: 30 days",
            'spec.timeWindow[0].duration: found "30 days", wanted a number with one of m h d w M Q Y, such as '
            "30d or 4w",
        ),
        (
            "duration: 30d, isRolling: true",
            "duration: 1M, calendar: {timeZone: Mars/Olympus}",
            'spec.timeWindow: found "Mars/Olympus", wanted a name of the IANA time zone database',
        ),
        (
            "type: Prometheus",
            "type: Datadog",
            f'{METRIC}.good.metricSource.type: found "Datadog", wanted Prometheus or what speaks PromQL: rules '
            f"can ask nothing else",
        ),
        (
            "target: 0.99",
            "target: 1.0",
            "spec.objectives[0].target: found 1.0, wanted a ratio above 0 and below 1, or targetPercent in its place",
        ),
        (
            "target: 0.99",
            "target: 0.99, targetPercent: 99",
            "spec.objectives[0].target: found target and targetPercent, wanted either target (0..1) or targetPercent",
        ),
        ("indicator:", "indicatorRef: other\n  unused:", 'spec.indicatorRef: there is no SLI "other" in the files'),
        (
            "query: x}",
            "query: x offset 5m}",
            f"{METRIC}.total.metricSource.spec.query: has no {{{{.window}}}}, and none can be put in for sure; "
            f"wanted it in place of a range: sum(rate(requests_total[{{{{.window}}}}]))",
        ),
        (
            "query: x}",
            "query: sum(x}",
            f"{METRIC}.total.metricSource.spec.query: does not parse as PromQL: unclosed left parenthesis",
        ),
        (
            "query: x}",
            "query: 'x{code=\"2\"}'}",
            f"{METRIC}.good.metricSource.spec.query: is the same query as that of all events, wanted another",
        ),
        (
            "Occurrences",
            "Guesses",
            'spec.budgetingMethod: found "Guesses", wanted one of Occurrences, Timeslices, RatioTimeslices',
        ),
        ("Occurrences", "Timeslices", "spec.objectives[0].timeSliceWindow: wanted full minutes, such as 5 or 5m"),
        (
            "target: 0.99",
            "target: 0.99, timeSliceWindow: 5m, timeSliceTarget: 2",
            "spec.objectives[0].timeSliceTarget: wanted a ratio above 0 and at most 1",
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
            "unknown apiVersion openslo/v9, wanted sloth.slok.dev/v1 or openslo/v1 or openslo/v1alpha",
        ),
    ],
)
def test_faults_of_openslo(old: str, new: str, expected: str, tmp_path: Path) -> None:
    """Each fault of an OpenSLO file is told where it stands."""
    text = OPENSLO.replace(old, new, 1)
    assert expected in told(tmp_path, text.replace("Occurrences", "Timeslices") if "timeSliceTarget" in new else text)


def test_faults_of_computed_shares(tmp_path: Path) -> None:
    """A share of good events that is no share, or of an unknown kind, is told where its query is."""
    raw = "{rawType: success, raw: {metricSource: {type: Prometheus, spec: {query: QUERY}}}}"
    start, end = OPENSLO.index("      ratioMetric:"), OPENSLO.index("  timeWindow:")
    text = f"{OPENSLO[:start]}      ratioMetric: {raw}\n{OPENSLO[end:]}"
    query = f"{METRIC}.raw.metricSource.spec.query"
    same = text.replace("QUERY", "'sum(rate(x[5m])) / sum(rate(x[5m]))'")
    assert told(tmp_path, same) == [f"{query}: is the same query as that of all events, wanted another"]
    (range_,) = told(tmp_path, text.replace("QUERY", "'x[5m]'"))
    assert range_.startswith(f"{query}: gives no value for each series, wanted an expression such as sum(rate(")
    assert told(tmp_path, text.replace("success", "good")) == [f"{METRIC}.rawType: wanted success or failure"]


def test_two_indicators_of_one_name(tmp_path: Path) -> None:
    """A name that two objects of a kind have is told, as nothing says which one is meant."""
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: a}\nspec: {}\n"
    assert told(tmp_path, f"{sli}---\n{sli}") == [
        'document 2: metadata.name: FILE: document 1: metadata.name has the name "a" too, wanted another'
    ]


def test_duplicates_across_files(tmp_path: Path) -> None:
    """An id that two files have is told with both places."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.yml").write_text(sloth(slo()), encoding="utf-8")
    (tmp_path / "two.yml").write_text("---\n" + sloth(slo("b")) + "---\n" + sloth(slo()), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        specs.read([tmp_path])
    one, two = tmp_path / "a" / "one.yml", tmp_path / "two.yml"
    text = f'"shop-a" is the id of the objective in {one}: slos[0] too, wanted another service or name'
    assert str(caught.value) == f"{two}: document 2: slos[0]: {text}"
