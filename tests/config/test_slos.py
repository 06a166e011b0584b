"""`slos:` is read whole, and every problem in it is told with its path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import sources
from exporter.config.slos import weekly_start
from exporter.errors import ConfigError

ENVIRONMENTS = """\
environments:
  - {role: production, source: {kind: demo}}
  - {role: pte, source: {kind: demo}}
slos:
"""
FULL = """\
  - name: availability
    application: shop
    objective: 99.9
    sides: [production, pte]
    sli: {errors: {}}
    calendar: month
    timezone: Europe/Berlin
    min_bad_events: 0
    tiers:
      - {name: page, notify: page, long: 1h, short: 5m, budget_percent: 2}
      - {name: ticket, notify: ticket, long: 3d, short: 6h, burn_rate: 1, for: 1h, keep_firing_for: 0s}
    sla:
      objective: 99.5
      credits: [{below: 99.5, credit: 10}, {below: 99, credit: 25}]
    maintenance:
      - {start: 2026-11-20T22:00:00Z, end: 2026-11-21T02:00:00Z}
      - {weekly: Sat 22:00, duration: 2h}
    service: webshop
    alert: ShopBurns
    labels: {team: shop}
    annotations: {wiki: "https://wiki.example"}
"""
LEAST = "  - {name: a, application: b, objective: 99, sli: {errors: {}}, %s}\n"


def told(tmp_path: Path, text: str) -> list[str]:
    """Each problem of the file, without its name."""
    path = tmp_path / "exporter.yml"
    path.write_text(ENVIRONMENTS + text, encoding="utf-8")
    try:
        sources.read(path)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path}: ") for problem in error.problems]
    return []


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    """Each key of an objective reaches the record, `for` and `keep_firing_for` included."""
    path = tmp_path / "exporter.yml"
    path.write_text(ENVIRONMENTS + FULL, encoding="utf-8")
    (slo,) = sources.read(path).slos
    assert (slo.objective, slo.sides, slo.calendar) == (99.9, ("production", "pte"), "month")
    assert slo.tiers is not None
    assert [(tier.wait, tier.keep) for tier in slo.tiers] == [(None, None), (3600, 0)]
    assert slo.sla is not None
    assert [credit.below for credit in slo.sla.credits] == [99.5, 99]
    assert slo.labels == {"team": "shop"}


def test_an_empty_list_of_tiers_is_not_the_usual_ones(tmp_path: Path) -> None:
    """No tiers means no alerts, which is another thing than not having chosen."""
    path = tmp_path / "exporter.yml"
    path.write_text(ENVIRONMENTS + LEAST % "tiers: []" + LEAST.replace("a,", "c,", 1) % "shadow: true", "utf-8")
    assert [slo.tiers for slo in sources.read(path).slos] == [(), None]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("objective: 100", "objective: found 100, wanted percent: more than 0 and less than 100"),
        ("objective: 0", "objective: found 0, wanted percent: more than 0 and less than 100"),
        ("objective: 0.999", "objective: found 0.999, wanted percent; did you mean 99.9?"),
        ("objective: 100.000001", "objective: found 100.000001, wanted percent"),
        ("name: ' '", "name: is empty, wanted a name"),
        ("service: ''", "service: is empty, wanted a name"),
        ("sli: {}", "sli: found none, wanted exactly one of `errors: {}`, latency, events"),
        ("sli: {errors: {}, latency: {threshold: 1s}}", "sli: found errors and latency, wanted exactly one of"),
        ("sli: {latency: {threshold: 0s}}", "sli.latency.threshold: wanted more than 0s"),
        ("sli: {latency: {}}", "sli.latency.threshold: missing, wanted a duration"),
        ("sli: {events: {errors: '', total: x}}", "sli.events.errors: is empty, wanted PromQL"),
        (
            "sides: [production, pte], sli: {events: {errors: 'x{$selector}', total: x}}",
            "sli.events: counts the same on both sides, wanted `$selector` in both queries",
        ),
        ("sides: []", "sides: wanted production, pte or both, each once"),
        ("sides: [pte, pte]", "sides: wanted production, pte or both, each once"),
        ("sides: [prod]", 'sides[0]: found "prod", wanted one of production, pte'),
        ("timezone: Mars/Olympus", 'timezone: unknown time zone "Mars/Olympus", wanted an IANA name such as'),
        ("min_bad_events: -1", "min_bad_events: found -1, wanted at least 0"),
        ("labels: {application: x}", "labels.application: is what the key application says, wanted another label"),
        ("period: 28d, calendar: month", "period: stands beside calendar (month), wanted one of them"),
        ("period: 3y", "period: wanted full hours, at least 1h and at most 366d"),
        ("period: 28d1m", "period: wanted full hours, at least 1h and at most 366d"),
        ("calendar: quarter", 'calendar: found "quarter", wanted one of week, month'),
        ("sla: {objective: 99.5}", "sla.objective: found 99.5, wanted at most the SLO's objective (99), as the SLA"),
        (
            "sla: {objective: 98, credits: [{below: 99, credit: 10}]}",
            "sla.credits[0].below: found 99, wanted more than 0 and at most the SLA's objective (98)",
        ),
        (
            "sla: {objective: 98, credits: [{below: 98, credit: 10}, {below: 98, credit: 20}]}",
            "sla.credits[1].below: found 98, wanted less than the one before (98)",
        ),
        (
            "sla: {objective: 98, credits: [{below: 98, credit: 10}, {below: 97, credit: 5}]}",
            "sla.credits[1].credit: found 5, wanted more than the one before (10)",
        ),
        (
            "sla: {objective: 98, credits: [{below: 98, credit: 110}]}",
            "sla.credits[0].credit: found 110, wanted more than 0 and at most 100",
        ),
    ],
)
def test_one_fault_gives_its_line(tmp_path: Path, key: str, problem: str) -> None:
    """Each kind of fault has its words, and its path leads to it."""
    base = dict(pair.split(": ", 1) for pair in ("name: a", "application: b", "objective: 99", "sli: {errors: {}}"))
    given = dict(re.findall(r"(\w+): (\{.*\}|\[.*?\]|[^,]+)(?:, |$)", key))
    (line,) = told(tmp_path, f"  - {{{', '.join(f'{k}: {v}' for k, v in {**base, **given}.items())}}}\n")
    assert line.startswith(f"slos[0].{problem}")


@pytest.mark.parametrize(
    ("tier", "problem"),
    [
        ("long: 1h, short: 5m", ": found neither, wanted exactly one of budget_percent, burn_rate"),
        ("long: 1h, short: 5m, burn_rate: 1, budget_percent: 1", ": found budget_percent and burn_rate, wanted exact"),
        ("long: 1h, short: 5m, burn_rate: 0", ".burn_rate: found 0, wanted more than 0"),
        ("long: 1h, short: 5m, budget_percent: 101", ".budget_percent: found 101, wanted at most 100"),
        ("long: 5m, short: 5m, burn_rate: 1", ".short: wanted less than long"),
        ("long: 1h, short: 90s, burn_rate: 1", ".short: wanted full minutes, at least 1m"),
        ("long: 1441m, short: 1h, burn_rate: 1", ".long: wanted full quarters of an hour from 1d on"),
        ("long: 1h, short: 5m, burn_rate: 1, for: 1s1ms", ".for: wanted full seconds"),
        ("long: 1h, short: 5m, burn_rate: 1, wait: 1s", '.wait: unknown key "wait"; known: name, notify, long, short'),
    ],
)
def test_a_tier_that_cannot_be_is_refused(tmp_path: Path, tier: str, problem: str) -> None:
    """What is wrong with a tier is told with its place in the list."""
    (line,) = told(tmp_path, LEAST % f"tiers: [{{name: t, notify: page, {tier}}}]")
    assert line.startswith(f"slos[0].tiers[0]{problem}")


@pytest.mark.parametrize(
    ("maintenance", "problem"),
    [
        ("", ": found none, wanted start and end, or weekly and duration"),
        ("weekly: Sat 22:00", ": found weekly, wanted start and end, or weekly and duration"),
        ("start: 2026-11-20T22:00:00Z, duration: 1h", ": found start and duration, wanted start and end, or weekly"),
        ("start: 2026-11-20T22:00:00Z, end: 2026-11-20T22:00:00Z", ".end: wanted a time after start"),
        (
            "weekly: Caturday 22:00, duration: 1h",
            '.weekly: found "Caturday 22:00", wanted a day of the week and a time',
        ),
        ("weekly: Sat 22:00, duration: 7d", ".duration: wanted at least 1m and less than 7d, in full seconds"),
    ],
)
def test_maintenance_that_cannot_be_is_refused(tmp_path: Path, maintenance: str, problem: str) -> None:
    """Half a window, an end before its start and an unknown day are told with their place."""
    (line,) = told(tmp_path, LEAST % f"maintenance: [{{{maintenance}}}]")
    assert line.startswith(f"slos[0].maintenance[0]{problem}")


def test_faults_of_several_are_told_at_once(tmp_path: Path) -> None:
    """A fault of one objective hides none of another, and a name belongs to one objective of an application."""
    text = "  - {name: a, application: b, objectiv: 99, sli: {errors: {}}}\n"
    tiers = "{name: t, notify: page, long: 1h, short: 5m, burn_rate: 2}"
    text += LEAST % f"tiers: [{tiers}, {tiers}]" + LEAST % "alert: ''"
    assert [line.split(":")[0] for line in told(tmp_path, text)] == [
        "slos[0].objectiv",
        "slos[0].objective",
        "slos[1].tiers[1].name",
        "slos[2].alert",
        "slos[2].name",
    ]


def test_an_id_belongs_to_one_objective(tmp_path: Path) -> None:
    """Two applications may be one service, and the PTE's objective has a name of its own; no two have one id."""
    text = LEAST % "service: s" + LEAST.replace("application: b", "application: c") % "service: s"
    text += "  - {name: x, application: d, objective: 9, sli: {errors: {}}, sides: [production, pte]}\n"
    text += "  - {name: x-pte, application: d, objective: 9, sli: {errors: {}}}\n"
    assert told(tmp_path, text) == [
        'slos[1].name: slos[0] has the id "s-a" too, wanted another name',
        'slos[3].name: slos[2] has the id "d-x-pte" too, wanted another name',
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Mon 00:00", 0),
        ("sat  22:30", 5 * 86400 + 22 * 3600 + 1800),
        ("Sunday 24:00", 0),
        ("Tue 24:01", None),
        ("Tu 10:00", None),
        ("Tue 9:00", None),
        ("Sat", None),
    ],
)
def test_weekly_times(text: str, seconds: int | None) -> None:
    """A day in three letters or in full and a time of 24 hours; what is neither is none."""
    assert weekly_start(text) == seconds


@given(st.text())
def test_any_text_is_a_weekly_time_or_none(text: str) -> None:
    """Nothing that somebody writes there raises."""
    seconds = weekly_start(text)
    assert seconds is None or 0 <= seconds < 7 * 86400
