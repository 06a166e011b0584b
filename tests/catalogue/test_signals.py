"""How much time each value behind a signal covers is published beside its figures."""

from __future__ import annotations

from exporter import catalogue
from exporter.analysis.assessment import analyse
from exporter.catalogue.exposition import render
from exporter.model.observation import LATENCY_MEAN, Summary
from exporter.model.settings import AnalysisSettings
from tests.analysis import making
from tests.analysis.making import AT, SIDES
from tests.exposition import samples


def test_every_signal_has_its_resolution() -> None:
    """Each summary of each side, also that of mean latencies; a side without a signal has none."""
    signals = {
        "request_rate": Summary(5.0, 7.0, samples=144, resolution=600.0),
        LATENCY_MEAN: Summary(0.1, samples=1440),
    }
    sides = (making.side("production", shop=making.production(signals)), making.side("pte", shop=making.run()))
    snapshot = analyse(*sides, {}, AnalysisSettings(), AT, SIDES)
    series = [item for item in catalogue.ALL if item.name == "pte_observed_resolution_seconds"]
    result = {
        (dict(labels)["side"], dict(labels)["signal"]): value
        for (_, labels), value in samples(render(snapshot, series).body).items()
    }
    assert result == {("production", "request_rate"): 600.0, ("production", LATENCY_MEAN): 60.0}
