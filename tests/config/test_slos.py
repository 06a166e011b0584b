"""`slos:` is read whole, and every problem in it is reported with its path."""

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


def problems_of(tmp_path: Path, text: str) -> list[str]:
    """Each problem of the file, without the file's name."""
    path = tmp_path / "exporter.yml"
    path.write_text(ENVIRONMENTS + text, encoding="utf-8")
    try:
        sources.read(path)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path}: ") for problem in error.problems]
    return []


def test_every_key_is_read(tmp_path: Path) -> None:
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
    """An empty list means no alerts; a missing key means the usual tiers."""
    path = tmp_path / "exporter.yml"
    path.write_text(ENVIRONMENTS + LEAST % "tiers: []" + LEAST.replace("a,", "c,", 1) % "shadow: true", "utf-8")
    assert [slo.tiers for slo in sources.read(path).slos] == [(), None]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("objective: 100", "objective: must be a percentage above 0 and below 100, got 100"),
        ("objective: 0", "objective: must be a percentage above 0 and below 100, got 0"),
        ("objective: 0.999", "objective: must be a percentage, got 0.999; did you mean 99.9?"),
        ("objective: 100.000001", "objective: must be a percentage above 0 and below 100, got 100.000001"),
        ("name: ' '", "name: is empty, expected a name"),
        ("service: ''", "service: is empty, expected a name"),
        ("sli: {}", "sli: expected exactly one of: `errors: {}`, latency, events, got none"),
        (
            "sli: {errors: {}, latency: {threshold: 1s}}",
            "sli: expected exactly one of: `errors: {}`, latency, events, got errors and latency",
        ),
        ("sli: {latency: {threshold: 0s}}", "sli.latency.threshold: must be above 0s"),
        ("sli: {latency: {}}", "sli.latency.threshold: missing, expected a duration"),
        ("sli: {events: {errors: '', total: x}}", "sli.events.errors: is empty, expected PromQL"),
        (
            "sides: [production, pte], sli: {events: {errors: 'x{$selector}', total: x}}",
            "sli.events: counts the same on both sides, expected `$selector` in both queries",
        ),
        ("sides: []", "sides: expected production, pte or both, without duplicates"),
        ("sides: [pte, pte]", "sides: expected production, pte or both, without duplicates"),
        ("sides: [prod]", 'sides[0]: expected one of: production, pte, got "prod"'),
        ("timezone: Mars/Olympus", 'timezone: unknown time zone "Mars/Olympus", expected an IANA name such as'),
        ("min_bad_events: -1", "min_bad_events: must be at least 0, got -1"),
        ("labels: {application: x}", "labels.application: is set by the key application, expected another label"),
        ("period: 28d, calendar: month", "period: cannot be set together with calendar (month), expected one of them"),
        ("period: 3y", "period: must be full hours, at least 1h and at most 366d"),
        ("period: 28d1m", "period: must be full hours, at least 1h and at most 366d"),
        ("calendar: quarter", 'calendar: expected one of: week, month, got "quarter"'),
        ("sla: {objective: 99.5}", "sla.objective: must be at most the SLO's objective (99), got 99.5: the SLA"),
        (
            "sla: {objective: 98, credits: [{below: 99, credit: 10}]}",
            "sla.credits[0].below: must be above 0 and at most the SLA's objective (98), got 99",
        ),
        (
            "sla: {objective: 98, credits: [{below: 98, credit: 10}, {below: 98, credit: 20}]}",
            "sla.credits[1].below: must be below the previous value (98), got 98",
        ),
        (
            "sla: {objective: 98, credits: [{below: 98, credit: 10}, {below: 97, credit: 5}]}",
            "sla.credits[1].credit: must be above the previous value (10), got 5",
        ),
        (
            "sla: {objective: 98, credits: [{below: 98, credit: 110}]}",
            "sla.credits[0].credit: must be above 0 and at most 100, got 110",
        ),
    ],
)
def test_each_problem_has_its_message(tmp_path: Path, key: str, problem: str) -> None:
    """Each kind of problem has its message, and its path points to it."""
    base = dict(pair.split(": ", 1) for pair in ("name: a", "application: b", "objective: 99", "sli: {errors: {}}"))
    keys = dict(re.findall(r"(\w+): (\{.*\}|\[.*?\]|[^,]+)(?:, |$)", key))
    (line,) = problems_of(tmp_path, f"  - {{{', '.join(f'{k}: {v}' for k, v in {**base, **keys}.items())}}}\n")
    assert line.startswith(f"slos[0].{problem}")


@pytest.mark.parametrize(
    ("tier", "problem"),
    [
        ("long: 1h, short: 5m", ": expected exactly one of: budget_percent, burn_rate, got neither"),
        (
            "long: 1h, short: 5m, burn_rate: 1, budget_percent: 1",
            ": expected exactly one of: budget_percent, burn_rate, got budget_percent and burn_rate",
        ),
        ("long: 1h, short: 5m, burn_rate: 0", ".burn_rate: must be above 0, got 0"),
        ("long: 1h, short: 5m, budget_percent: 101", ".budget_percent: must be at most 100, got 101"),
        ("long: 5m, short: 5m, burn_rate: 1", ".short: must be below long"),
        ("long: 1h, short: 90s, burn_rate: 1", ".short: must be full minutes, at least 1m"),
        ("long: 1441m, short: 1h, burn_rate: 1", ".long: must be full quarters of an hour from 1d on"),
        ("long: 1h, short: 5m, burn_rate: 1, for: 1s1ms", ".for: must be full seconds"),
        (
            "long: 1h, short: 5m, burn_rate: 1, wait: 1s",
            '.wait: unknown key "wait", expected one of: name, notify, long, short',
        ),
    ],
)
def test_an_invalid_tier_is_rejected(tmp_path: Path, tier: str, problem: str) -> None:
    """A problem of a tier is reported with its position in the list."""
    (line,) = problems_of(tmp_path, LEAST % f"tiers: [{{name: t, notify: page, {tier}}}]")
    assert line.startswith(f"slos[0].tiers[0]{problem}")


@pytest.mark.parametrize(
    ("maintenance", "problem"),
    [
        ("", ": expected start and end, or weekly and duration, got none"),
        ("weekly: Sat 22:00", ": expected start and end, or weekly and duration, got weekly"),
        (
            "start: 2026-11-20T22:00:00Z, duration: 1h",
            ": expected start and end, or weekly and duration, got start and duration",
        ),
        ("start: 2026-11-20T22:00:00Z, end: 2026-11-20T22:00:00Z", ".end: must be after start"),
        (
            "weekly: Caturday 22:00, duration: 1h",
            '.weekly: expected a day of the week and a time such as Sat 22:00, got "Caturday 22:00"',
        ),
        ("weekly: Sat 22:00, duration: 7d", ".duration: must be at least 1m and below 7d, in full seconds"),
    ],
)
def test_invalid_maintenance_is_rejected(tmp_path: Path, maintenance: str, problem: str) -> None:
    """Half a window, an end before its start and an unknown day are reported with their position."""
    (line,) = problems_of(tmp_path, LEAST % f"maintenance: [{{{maintenance}}}]")
    assert line.startswith(f"slos[0].maintenance[0]{problem}")


def test_problems_of_several_are_reported_together(tmp_path: Path) -> None:
    """A problem of one objective hides none of another, and a name belongs to one objective of an application."""
    text = "  - {name: a, application: b, objectiv: 99, sli: {errors: {}}}\n"
    tiers = "{name: t, notify: page, long: 1h, short: 5m, burn_rate: 2}"
    text += LEAST % f"tiers: [{tiers}, {tiers}]" + LEAST % "alert: ''"
    assert [line.split(":")[0] for line in problems_of(tmp_path, text)] == [
        "slos[0].objectiv",
        "slos[0].objective",
        "slos[1].tiers[1].name",
        "slos[2].alert",
        "slos[2].name",
    ]


def test_an_id_belongs_to_one_objective(tmp_path: Path) -> None:
    """Two applications may be one service, and the PTE's objective has its own name; no two share an id."""
    text = LEAST % "service: s" + LEAST.replace("application: b", "application: c") % "service: s"
    text += "  - {name: x, application: d, objective: 9, sli: {errors: {}}, sides: [production, pte]}\n"
    text += "  - {name: x-pte, application: d, objective: 9, sli: {errors: {}}}\n"
    assert problems_of(tmp_path, text) == [
        'slos[1].name: duplicate id "s-a" (also slos[0]), expected another name',
        'slos[3].name: duplicate id "d-x-pte" (also slos[2]), expected another name',
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
    """A day in three letters or in full and a 24-hour time; any other text is invalid."""
    assert weekly_start(text) == seconds


@given(st.text())
def test_any_text_is_a_weekly_time_or_none(text: str) -> None:
    """No text raises."""
    seconds = weekly_start(text)
    assert seconds is None or 0 <= seconds < 7 * 86400
