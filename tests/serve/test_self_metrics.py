"""The exporter's own series: they count polls, and come and go with their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.catalogue.exporter import OWN
from exporter.config import Config, Environment
from exporter.errors import REASONS
from exporter.model.observation import Events, Observation, Window
from exporter.model.slo_settings import ErrorSli, SliSettings, SloSettings
from exporter.serve.self_metrics import SelfMetrics
from exporter.sources import demo, read
from tests.exposition import Sample, families, lint, samples

OBSERVATION = Observation("production", Window(0, 60), {}, warnings=("partial",), queries=7, clock_skew=-2.5)


def environment(name: str, source: object = None) -> Environment:
    return Environment("production", source, name)


def values(own: SelfMetrics) -> dict[Sample, float]:
    page = own.render(openmetrics=False)
    assert samples(own.render(openmetrics=True), openmetrics=True).keys() == samples(page).keys()
    return samples(page)


def of(own: SelfMetrics, name: str, **labels: str) -> float | None:
    return values(own).get((name, frozenset(labels.items())))


SLO = SloSettings("availability", "shop", 99.9, SliSettings(errors=ErrorSli()))
COUNTED = {"application": "shop", "side": "live", "slo": "availability"}


def counted(own: SelfMetrics) -> None:
    """A minute of the shop's events is counted."""
    sides = (environment("live", demo.Options()), Environment("pte", demo.Options()))
    own.events.configure(Config(environments=sides, slos=(SLO,)))
    own.events.due("live", 0.0)
    own.events.show({"live"})
    own.events.add("live", own.events.due("live", 60.0), {"shop": Events(Window(0.0, 60.0), 600.0, 7.0)})


def test_events_are_counters_in_both_formats() -> None:
    """Good and bad events have the type counter and the suffix _total, and go when their side is withdrawn."""
    own = SelfMetrics()
    counted(own)
    assert of(own, "pte_slo_events_total", **COUNTED) == 600.0
    assert of(own, "pte_slo_bad_events_total", **COUNTED) == 7.0
    assert b"# TYPE pte_slo_events_total counter" in own.render(openmetrics=False)
    assert b"# TYPE pte_slo_events counter" in own.render(openmetrics=True)
    own.events.show(())
    assert b"pte_slo" not in own.render(openmetrics=True)


def test_every_declared_series_is_kept() -> None:
    """Once everything has happened, each declared name is on the page with its type and its labels."""
    own = SelfMetrics()
    own.configure([environment("a", source=read_tls())])
    own.succeeded("a", 100.0, 0.2, OBSERVATION)
    own.failed("a", 160.0, 0.2, "refused")
    own.skipped("a", 2)
    own.checked("a", 165.0, {"found": True}, 1)
    own.withdrawn("a", withdrawn=True)
    own.published(170.0, 5, 0.1)
    own.mark_demo(made_up=True)
    own.loaded(50.0)
    counted(own)
    published = {family.name: family for family in families(own.render(openmetrics=True), openmetrics=True)}
    for declared in OWN:
        family = published[declared.name]
        assert family.type == declared.kind
        assert family.documentation == declared.help
        assert family.samples
        assert set(family.samples[0].labels) - {"le"} == set(declared.labels)
    assert any(name.startswith("process_") for name in published)


class Tls:
    """What a source that speaks TLS has among its options."""

    insecure_skip_verify = True


class Options:
    """Options with TLS."""

    url = "https://a.example"
    tls = Tls()


def read_tls() -> Options:
    return Options()


def test_counters_start_at_zero() -> None:
    """Every reason exists from the start: the first failure is an increase."""
    own = SelfMetrics()
    own.configure([environment("a")])
    for reason in REASONS:
        assert of(own, "pte_source_poll_failures_total", source="a", reason=reason) == 0
    assert of(own, "pte_source_polls_total", source="a") == 0
    assert of(own, "pte_source_skipped_polls_total", source="a") == 0


def test_what_was_not_seen_yet_is_absent() -> None:
    """Before the first poll a source is neither up nor down, and no time is 1970."""
    own = SelfMetrics()
    own.configure([environment("a")])
    names = {name for name, _ in values(own)}
    assert not names & {
        "pte_source_up",
        "pte_source_last_success_timestamp_seconds",
        "pte_snapshot_timestamp_seconds",
        "pte_config_last_reload_success_timestamp_seconds",
        "pte_source_tls_verification",
    }


def test_a_failure_keeps_the_last_success() -> None:
    """A failed poll sets up to 0, counts its reason, and leaves the time of the last success."""
    own = SelfMetrics()
    own.configure([environment("a")])
    own.succeeded("a", 100.0, 0.2, OBSERVATION)
    own.failed("a", 160.0, 30.0, "timeout")
    assert of(own, "pte_source_up", source="a") == 0
    assert of(own, "pte_source_last_success_timestamp_seconds", source="a") == 100.0
    assert of(own, "pte_source_last_poll_timestamp_seconds", source="a") == 160.0
    assert of(own, "pte_source_poll_failures_total", source="a", reason="timeout") == 1
    assert of(own, "pte_source_polls_total", source="a") == 2
    assert of(own, "pte_source_poll_duration_seconds_sum", source="a") == pytest.approx(30.2)
    assert of(own, "pte_source_queries", source="a") == 7
    assert of(own, "pte_source_clock_skew_seconds", source="a") == -2.5
    assert of(own, "pte_source_warnings", source="a") == 1


def test_what_ends_after_its_source_is_gone_counts_for_nothing() -> None:
    """A poll that was under way when its source was configured away brings none of its series back."""
    own = SelfMetrics()
    own.configure([environment("a"), environment("b")])
    own.configure([environment("b")])
    own.succeeded("a", 100.0, 0.2, OBSERVATION)
    own.failed("a", 160.0, 30.0, "timeout")
    own.skipped("a", 1)
    own.withdrawn("a", withdrawn=True)
    assert {dict(labels).get("source", "b") for _, labels in values(own)} == {"b"}


def test_a_check_that_was_skipped_is_absent() -> None:
    """What passed or failed is published, until a check-up skips it or the source is another."""
    own = SelfMetrics()
    own.configure([environment("a")])
    own.checked("a", 100.0, {"found": True, "format": False}, 2)
    assert (of(own, "pte_source_check", source="a", check="found")) == 1
    assert (of(own, "pte_source_check", source="a", check="format")) == 0
    assert of(own, "pte_source_check_warnings", source="a") == 2
    own.checked("a", 200.0, {"found": False}, 0)
    assert of(own, "pte_source_check_timestamp_seconds", source="a") == 200
    names = [(name, labels) for name, labels in values(own) if name == "pte_source_check"]
    assert names == [("pte_source_check", frozenset({("source", "a"), ("check", "found")}))]
    own.unchecked("a")
    assert not {name for name, _ in values(own)} & {"pte_source_check", "pte_source_check_timestamp_seconds"}


def test_the_series_of_a_source_go_with_it() -> None:
    """After a reload without a source nothing speaks of it any more, and the others keep their counts."""
    own = SelfMetrics()
    own.configure([environment("a"), environment("b")])
    for name in ("a", "b"):
        own.succeeded(name, 100.0, 0.2, OBSERVATION)
    own.configure([environment("b"), environment("c")])
    named = {dict(labels).get("source") for _, labels in values(own)}
    assert named == {None, "b", "c"}
    assert of(own, "pte_source_polls_total", source="b") == 1


def test_a_switched_off_verification_is_told(tmp_path: Path) -> None:
    """The gauge follows the options of each source, and is absent without a certificate."""
    text = """\
environments:
  - {role: production, source: {kind: prometheus, preset: prometheus, url: "https://a.example", tls: {%s}}}
  - {role: pte, source: {kind: demo}}
"""
    off = text % "insecure_skip_verify: true"
    for content, value in ((text % "", 1.0), (off, 0.0), (off.replace("https:", "http:"), None)):
        path = tmp_path / "c.yml"
        path.write_text(content, encoding="utf-8")
        config: Config = read(path)
        own = SelfMetrics()
        own.configure(config.environments)
        assert of(own, "pte_source_tls_verification", source="production") == value
        assert of(own, "pte_source_tls_verification", source="pte") is None


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_promtool_has_nothing_to_say(version: str) -> None:
    """`promtool check metrics` accepts the exporter's own series without a remark."""
    own = SelfMetrics()
    own.configure([environment("a")])
    own.succeeded("a", 100.0, 0.2, OBSERVATION)
    counted(own)
    assert lint(own.render(openmetrics=False), version) == ""


def test_the_demo_is_marked_while_it_is_there() -> None:
    """`pte_demo` is 1 with the demo, absent without it, and comes back."""
    own = SelfMetrics()
    own.mark_demo(made_up=False)
    assert of(own, "pte_demo") is None
    own.mark_demo(made_up=True)
    assert of(own, "pte_demo") == 1
    own.mark_demo(made_up=False)
    assert of(own, "pte_demo") is None
    own.mark_demo(made_up=True)
    assert of(own, "pte_demo") == 1
