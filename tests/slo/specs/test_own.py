"""`slos:` of the configuration becomes one objective for each side, with exact numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from exporter import sources
from exporter.model.observation import Window
from exporter.model.slo import DAY, WINDOW, Credit, Period, Sla, Slo, Weekly
from exporter.slo import specs
from exporter.slo.specs import own
from exporter.sources.prometheus.presets import PRESETS

ENVIRONMENTS = """\
environments:
  - role: production
    name: live
    source: {kind: prometheus, url: "http://h", preset: prometheus, selector: env="live"}
  - {role: pte, source: {kind: demo}}
analysis: {timezone: Europe/Berlin}
slos:
"""
FULL = """\
  - name: availability
    application: shop
    objective: 99.9
    sides: [production, pte]
    sli: {errors: {}}
    calendar: month
    min_bad_events: 7
    sla: {objective: 99.5, credits: [{below: 99.5, credit: 10}, {below: 99.05, credit: 25.5}]}
    maintenance:
      - {start: 2026-11-20T22:00:00Z, end: 2026-11-21T02:00:00Z}
      - {weekly: Sat 22:00, duration: 2h}
    service: webshop
    alert: ShopBurns
    labels: {team: shop}
    annotations: {wiki: "https://wiki.example"}
"""
NAMED = "  - {name: %s, application: b, objective: 99, sli: {errors: {}}, %s}\n"
LEAST = NAMED.replace("%s", "a", 1)


def read(directory: Path, text: str) -> tuple[Sequence[Slo], list[str]]:
    """The objectives below the environments, and the problems without the file's name."""
    path = directory / "exporter.yml"
    path.write_text(ENVIRONMENTS + text, encoding="utf-8")
    slos, problems = own.slos(sources.read(path), str(path), specs.Options())
    return slos, [str(problem).removeprefix(f"{path}: ") for problem in problems]


def test_both_sides_of_an_objective(tmp_path: Path) -> None:
    """Production's has every part; the PTE's has another id, and no alerts, SLA or maintenance."""
    (production, pte), problems = read(tmp_path, FULL)
    assert not problems
    assert (production.id, production.side) == ("webshop-availability", "live")
    assert (pte.id, pte.side) == ("webshop-availability-pte", "pte")
    assert (pte.tiers, pte.sla, pte.maintenance) == ((), None, ())
    for slo in (production, pte):
        assert (slo.objective, slo.budget) == (Decimal("99.9"), Decimal("0.001"))
        assert slo.period == Period(30 * DAY, "month", "Europe/Berlin")
        assert (slo.application, slo.min_bad_events, slo.labels) == ("shop", 7, {"team": "shop"})
    assert production.alerting.name == "ShopBurns"
    assert production.alerting.common.annotations == {"wiki": "https://wiki.example"}
    assert production.sla == Sla(
        Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal("99.05"), Decimal("25.5")))
    )
    night = Weekly(5 * DAY + 22 * 3600, 7200, "Europe/Berlin")
    assert production.maintenance == (Window(1795212000.0, 1795226400.0), night)


def test_each_side_has_the_queries_of_its_source(tmp_path: Path) -> None:
    """Production's Prometheus uses its templates, the PTE's other source uses the exporter's counters."""
    (production, pte), _ = read(tmp_path, FULL)
    assert production.sli.total == f'sum by (job) (rate(http_requests_total{{env="live",job="shop"}}[{WINDOW}]))'
    labels = 'application="shop",side="pte",slo="availability"'
    assert pte.sli.errors == f"avg (rate(pte_slo_bad_events_total{{{labels}}}[{WINDOW}]))"


def test_the_usual_tiers(tmp_path: Path) -> None:
    """Without tiers, the tiers are those of the period; an empty list means none."""
    (usual, none, week), _ = read(tmp_path, LEAST % "" + NAMED % ("c", "tiers: []") + NAMED % ("d", "calendar: week"))
    assert [str(tier.factor) for tier in usual.tiers] == ["14.4", "6", "3", "1"]
    assert none.tiers == ()
    assert week.period == Period(7 * DAY, "week", "Europe/Berlin")
    assert [str(tier.factor) for tier in week.tiers] == ["13.44", "3.5", "1.4", "0.98"]


def test_configured_tiers(tmp_path: Path) -> None:
    """A share of the budget becomes a burn rate, exactly; `for` is as configured, or depends on the length."""
    tiers = "{name: a, notify: page, long: 1h, short: 5m, budget_percent: 0.7},"
    tiers += "{name: b, notify: ticket, long: 3d, short: 6h, burn_rate: 1.1, for: 10m, keep_firing_for: 0s}"
    (slo,), problems = read(tmp_path, LEAST % f"tiers: [{tiers}]")
    assert not problems
    assert [(tier.name, tier.factor, tier.wait, tier.keep) for tier in slo.tiers] == [
        ("a", Decimal("5.04"), 120, 300),
        ("b", Decimal("1.1"), 600, 0),
    ]


@pytest.mark.parametrize(
    ("keys", "path", "words"),
    [
        ("period: 6d", "slos[0].period", "use at least 7d, or set tiers"),
        ("objective: 90", "slos[0].objective", "93.06"),
        ("labels: {sloth_id: x}", "slos[0].labels.sloth_id", "sloth_id"),
        ("labels: {a-b: x}", "slos[0].labels.a-b", "a-b"),
        ("annotations: {a-b: x}", "slos[0].annotations.a-b", "is not an annotation name"),
        ("name: a b", "slos[0].name", "expected letters"),
        (
            "tiers: [{name: x, notify: page, long: 1h, short: 1m, burn_rate: 2}]",
            "slos[0].tiers",
            "4 scrape intervals",
        ),
        ("calendar: month, timezone: Africa/Casablanca", "slos[0].timezone", "PromQL cannot follow"),
        ("sli: {events: {errors: 'sum(', total: 'sum(rate(x[{{.window}}]))'}}", "slos[0].sli.events.errors", "PromQL"),
        (
            "sli: {events: {errors: 'x', total: 'sum(rate(x[{{.window}}]))'}}",
            "slos[0].sli.events.errors",
            "{{.window}}",
        ),
        (
            "sli: {events: {errors: 'rate(x[{{.window}}])', total: 'rate(x[{{.window}}])'}}",
            "slos[0].sli.events.err",
            "same",
        ),
    ],
)
def test_invalid_objectives(tmp_path: Path, keys: str, path: str, words: str) -> None:
    """Problems that only show in queries, tiers and names of rules are reported with their path."""
    text = LEAST % keys
    for key in ("name: a", "objective: 99", "sli: {errors: {}}"):
        if keys.startswith(key.partition(":")[0]):
            text = text.replace(f"{key}, ", "", 1)
    _, problems = read(tmp_path, text)
    assert any(line.startswith(path) and words in line for line in problems), problems


def test_a_source_polled_too_rarely_for_alerts_is_refused(tmp_path: Path) -> None:
    """Between two polls nothing is counted, and a short window would look quiet; without alerts that is harmless."""
    path = tmp_path / "exporter.yml"
    text = "environments:\n  - {role: production, interval: 10m, source: {kind: demo}}\n"
    text += "  - {role: pte, interval: 10m, source: {kind: demo}}\nslos:\n"
    path.write_text(text + LEAST % "" + NAMED % ("c", "tiers: []") + NAMED % ("d", "sides: [pte]"), encoding="utf-8")
    _, (problem,) = own.slos(sources.read(path), str(path), specs.Options())
    assert problem.path == "slos[0].sli.errors"
    assert problem.text == (
        "the source of production is polled every 10m, but alerts use windows of 5m; set its interval to at most that"
    )


@pytest.mark.parametrize("preset", [name for name, preset in PRESETS.items() if preset.templates])
@pytest.mark.parametrize("options", ["", "signals: {latency_bucket: null}, labels: {application: svc}"])
def test_objectives_on_every_preset(tmp_path: Path, preset: str, options: str) -> None:
    """Errors and latency, from buckets or native histograms, need only the preset."""
    path = tmp_path / "exporter.yml"
    environment = f'  - {{role: SIDE, source: {{kind: prometheus, url: "http://SIDE", preset: {preset}, {options}}}}}\n'
    sides = "".join(environment.replace("SIDE", side) for side in ("production", "pte"))
    text = f"environments:\n{sides}slos:\n"
    text += LEAST % "sides: [production, pte]"
    text += NAMED.replace("errors: {}", "latency: {threshold: 1s}") % ("c", "sides: [production, pte]")
    path.write_text(text, encoding="utf-8")
    slos, problems = own.slos(sources.read(path), str(path), specs.Options())
    assert not problems
    assert [slo.id for slo in slos] == ["b-a", "b-a-pte", "b-c", "b-c-pte"]
    assert all(("histogram_fraction" in slo.sli.errors) == bool(options) for slo in slos[2:])


def test_a_problem_of_both_sides_is_reported_once(tmp_path: Path) -> None:
    """One setting defines both objectives, so its problem is reported once."""
    _, problems = read(tmp_path, LEAST % "labels: {sloth_id: x}, sides: [production, pte]")
    assert len(problems) == 1


def test_the_demo_has_objectives() -> None:
    """The configuration that runs without a file has objectives on both sides, and no problem."""
    demo = Path(own.__file__).parents[2] / "demo.yml"
    slos, problems = own.slos(sources.read(demo), str(demo), specs.Options())
    assert not problems
    assert {slo.side for slo in slos} == {"production", "pte"}


def test_a_source_that_cannot_count_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without queries and the exporter's counters, an objective would use series that do not exist."""
    (tmp_path / "speechless.py").write_text(
        "from exporter.model.settings import Settings\n"
        "KIND = 'speechless'\n"
        "class Options(Settings, frozen=True): ...\n"
        "class Source:\n"
        "    def __init__(self, options, side): ...\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    text = "  - {name: a, application: b, objective: 99, sli: {errors: {}}, sides: [pte]}\n"
    path = tmp_path / "exporter.yml"
    path.write_text(ENVIRONMENTS.replace("kind: demo", "kind: speechless") + text, encoding="utf-8")
    try:
        _, problems = own.slos(sources.read(path), str(path), specs.Options())
        assert [str(problem).removeprefix(f"{path}: ") for problem in problems] == [
            "slos[0].sli: the source of pte reports no events to count, set `events` here"
        ]
    finally:
        sys.modules.pop("exporter.sources.speechless", None)
