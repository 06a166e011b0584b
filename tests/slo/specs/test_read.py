"""Files of every shape that Sloth's and OpenSLO's examples have become objectives."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.model.slo import DAY, WINDOW, Alerting, Period, Sli, Slo, Text
from exporter.slo import rules as slo_rules
from exporter.slo import specs
from exporter.slo.specs import query_facts
from exporter.slo.specs.tiers import tiers
from tests.servers import PROMTOOL, program
from tests.slo.rules.firing.promtool import counter, holds

FILES = Path(__file__).parent / "files"
W = WINDOW


def read(*names: str, options: specs.Options | None = None) -> dict[str, Slo]:
    """The objectives of some of the files, by id."""
    return {slo.id: slo for slo in specs.read([FILES / name for name in names], options)}


def test_sloth_file() -> None:
    """Labels of both levels, texts of alerts and queries come from the file, and the window has one spelling."""
    slo = read("shop.yml")["shop-requests-availability"]
    assert slo == Slo(
        service="shop",
        name="requests-availability",
        objective=Decimal("99.9"),
        sli=Sli(
            f'sum(rate(http_requests_total{{job="shop",code=~"(5..|429)"}}[{W}]))',
            f'sum(rate(http_requests_total{{job="shop"}}[{W}]))',
        ),
        period=Period(30 * DAY),
        tiers=tiers(Period(30 * DAY)),
        alerting=Alerting(
            "ShopErrors",
            Text({"category": "availability"}, {"summary": "Many errors of 'shop'"}),
            Text({"severity": "pageteam", "routing_key": "retail"}, {}),
            Text({"severity": "slack"}, {"channel": "#retail"}),
        ),
        labels={"owner": "retail", "tier": "1", "category": "availability"},
        spec="prometheus/v1",
        origin=f"{FILES / 'shop.yml'}: slos[0]",
    )
    assert slo.budget == Decimal("0.001")


def test_for(tmp_path: Path) -> None:
    """Sloth's `for` of an alert, which its getting-started file has, applies to all tiers of its kind."""
    path = tmp_path / "for.yml"
    text = (FILES / "shop.yml").read_text(encoding="utf-8")
    path.write_text(text.replace("page_alert:\n", "page_alert:\n        for: 7m\n", 1), encoding="utf-8")
    assert [tier.wait for tier in specs.read([path])[0].tiers] == [420, 420, 3600, 10800]


def test_disabled_alerts_have_no_tier() -> None:
    """`disable` removes the tiers of its kind; burn alerts without a name get ours."""
    slos = read("shop.yml")
    assert [tier.name for tier in slos["shop-requests-latency"].tiers] == ["ticket_quick", "ticket_slow"]
    assert slos["shop-quiet"].tiers == ()
    assert slos["shop-quiet"].alerting == Alerting("PteSloBurn")


def test_info_labels_are_of_the_info_series_alone() -> None:
    """`infoLabels` are added only to `sloth_slo_info`, as in Sloth."""
    rules = slo_rules.rules(read("shop.yml")["shop-quiet"], "", "")
    assert [rule.name for rule in rules if "grade" in rule.labels] == ["sloth_slo_info"]
    (content,) = slo_rules.files([read("shop.yml")["shop-quiet"]], "", "").values()
    assert content.count(b"\n          grade: A\n") == 1


def test_ratio_is_split() -> None:
    """A raw quotient of two rates becomes bad and all events, so its sums are exact."""
    assert read("shop.yml")["shop-quiet"].sli == Sli(
        f'sum(rate(http_requests_total{{job="shop",code=~"5.."}}[{W}]))',
        f'sum(rate(http_requests_total{{job="shop"}}[{W}]))',
    )


def test_levels() -> None:
    """Samples over the window are counted per window, and a share that cannot be split per minute."""
    slos = read("wifi.yml")
    assert slos["home-wifi-good-clients"].sli.per == "window"
    part, whole = (f"sum({name}_over_time(client_satisfaction_ratio[{W}]))" for name in ("sum", "count"))
    assert slos["home-wifi-satisfaction"].sli == Sli(f"{whole} - ({part} or {whole} * 0)", whole, "window")
    average = f"avg(avg_over_time(bad_ratio[{W}]))"
    assert slos["home-wifi-average"].sli == Sli(average, f"({average}) > bool -Inf", "minute")


def test_kubernetes_form() -> None:
    """camelCase fields, labels that YAML reads as numbers, Sloth's own plugins, and labels that queries keep."""
    slos = read("kubernetes.yml")
    slo = slos["payments-availability"]
    assert slo.labels == {"owner": "money", "generated": "true", "grade": "2"}
    assert slo.sli.by == ("region",)
    assert slo.spec == "sloth.slok.dev/v1"
    assert slo.origin == f"{FILES / 'kubernetes.yml'}: document 1: spec.slos[0]"
    assert [tier.name for tier in slo.tiers] == ["page_quick", "page_slow"]
    assert slos["refunds-availability"].sli == Sli(
        f'sum(increase(refunds_total{{result="failed"}}[{W}]))', f"sum(increase(refunds_total[{W}]))", "window"
    )


def test_alert_windows() -> None:
    """An AlertWindows document defines the tiers of all objectives of its period."""
    slos = read("shop.yml", "windows", "alpha.yml")
    actual = [(tier.name, tier.short, tier.long, tier.factor) for tier in slos["shop-requests-availability"].tiers]
    assert actual == [
        ("page_quick", 120, 1800, Decimal("14.4")),
        ("page_slow", 900, 3 * 3600, Decimal("4.8")),
        ("ticket_quick", 3600, 12 * 3600, Decimal(3)),
        ("ticket_slow", 3 * 3600, 36 * 3600, Decimal(1)),
    ]
    assert slos["gateway-latency-0"].tiers == tiers(Period(28 * DAY))


def test_period_of_the_options() -> None:
    """Sloth's files have no period; its percentages for a week apply to a period of seven days."""
    slo = read("shop.yml", options=specs.Options(period=7 * DAY))["shop-requests-availability"]
    assert slo.period == Period(7 * DAY)
    assert [tier.factor for tier in slo.tiers] == [Decimal("13.44"), Decimal("3.5"), Decimal("1.4"), Decimal("0.98")]


def test_openslo_occurrences() -> None:
    """A counter without a range gets a rate, queries that keep all labels are summed, objectives are separate."""
    slos = read("openslo.yaml")
    part, whole = (f'rate(http_requests_total{{job="search"{more}}}[{W}])' for more in (',code!~"5.."', ""))
    sli = Sli(f"sum ({whole}) - (sum ({part}) or sum ({whole}) * 0)", whole)
    for name, objective in (("search-availability-0", "99.9"), ("search-availability-1", "99.5")):
        assert slos[name].sli == sli
        assert slos[name].objective == Decimal(objective)
        assert slos[name].period == Period(28 * DAY)
        assert slos[name].labels == {"env": "prod,eu", "cost_centre": "17"}


def test_openslo_calendar_and_conditions() -> None:
    """A calendar month in its zone, ranges that become the window, and burn rate conditions as tiers."""
    slo = read("openslo.yaml")["search-month"]
    assert slo.period == Period(30 * DAY, "month", "Europe/Berlin")
    assert slo.sli == Sli(
        f'sum by (region) (rate(http_requests_total{{job="search",code=~"5.."}}[{W}]))',
        f'sum by (region) (rate(http_requests_total{{job="search"}}[{W}]))',
        by=("region",),
    )
    actual = [(tier.name, tier.notify, tier.long, tier.short, tier.factor, tier.wait) for tier in slo.tiers]
    assert actual == [
        ("fast", "page", 3600, 300, Decimal("14.4"), 300),
        ("slow", "ticket", DAY, 7200, Decimal(2), 3600),
    ]


def test_openslo_slices() -> None:
    """Slices of time are minutes, and each minute describes the slice that ended at it."""
    slos = read("openslo.yaml")
    slices, shares = slos["search-slices"], slos["search-share-of-slices"]
    assert slices.period == Period(7 * DAY, "week", "America/New_York")
    assert slices.sli.per == shares.sli.per == "minute"
    assert slices.sli.errors.endswith("> bool 0.05")
    assert query_facts.parse(slices.sli.errors).ranges == (300,) * 4
    assert query_facts.parse(shares.sli.errors).ranges == (60,) * 4
    assert slices.sli.total == 'sum (rate(http_requests_total{job="search"}[5m])) > bool 0'


def test_openslo_threshold_and_raw() -> None:
    """A minute is bad when its value breaks the comparison; a share of good events is split too."""
    slos = read("openslo.yaml")
    lag = 'max(min_over_time(consumer_lag{topic="index"}[2m]))'
    assert slos["search-lag"].sli == Sli(f"({lag}) > bool 500", f"({lag}) > bool -Inf", "minute")
    assert slos["search-lag"].tiers == ()
    part, whole = (f"sum(rate({name}_total[{W}]))" for name in ("good", "all"))
    assert slos["search-computed"].sli == Sli(f"{whole} - ({part} or {whole} * 0)", whole)


def test_openslo_of_lists_and_gauges() -> None:
    """A list of objects in one document is read, and numbers that are not counters are summed."""
    slo = read("list.yaml")["web-listed"]
    assert slo.origin == f"{FILES / 'list.yaml'}: [0].spec.objectives[0]"
    assert slo.sli.total == f"sum(sum_over_time(requests_per_scrape[{W}]))"
    assert slo.sli.per == "window"


def test_openslo_as_sloth_reads_it() -> None:
    """openslo/v1alpha has the ids that Sloth gives it."""
    slos = read("alpha.yml")
    assert {name: slo.objective for name, slo in slos.items()} == {
        "gateway-latency-0": Decimal(99),
        "gateway-latency-1": Decimal("99.9"),
    }


@pytest.mark.parametrize("version", sorted(PROMTOOL))
def test_rules_of_all_files_load(version: str, tmp_path: Path) -> None:
    """promtool accepts the rules generated from all files here."""
    files = slo_rules.files(specs.read([FILES]), "https://r.test", "https://g.test")
    (tmp_path / "rules").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = [program(PROMTOOL[version]), "check", "rules", *(str(tmp_path / name) for name in files)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def test_nothing_good_is_all_bad(tmp_path: Path) -> None:
    """Where no good event was ever counted, their series does not exist, and all events are bad."""
    slo = read("openslo.yaml")["search-availability-0"]
    ratio = 'slo:sli_error:ratio_rate5m{sloth_id="search-availability-0"}'
    bad = {'http_requests_total{job="search",code="500"}': counter((20, 60))}
    half = bad | {'http_requests_total{job="search",code="200"}': counter((20, 60))}
    holds(tmp_path, [slo], bad, [(f"{ratio} == 1", 15, True)])
    holds(tmp_path, [slo], half, [(f"abs({ratio} - 0.5) < 1e-9", 15, True)])


def test_slices_are_counted_in_minutes(tmp_path: Path) -> None:
    """A minute at which the last slice was bad counts as one bad minute; a minute without traffic does not count."""
    slo = read("openslo.yaml")["search-slices"]
    errors, events = (f'slo:sli_{kind}:rate5m{{sloth_id="search-slices"}}' for kind in ("errors", "events"))
    series = {
        'http_requests_total{job="search",code="200"}': counter((20, 60), (20, 0)),
        'http_requests_total{job="search",code="500"}': counter((10, 0), (10, 6), (20, 0)),
    }
    holds(
        tmp_path,
        [slo],
        series,
        [
            (f"{errors} == 0 and {events} == 1 / 60", 9, True),
            (f"{errors} == 1 / 60 and {events} == 1 / 60", 18, True),
            (f"{errors} == 0 and {events} == 0", 35, True),
        ],
    )
