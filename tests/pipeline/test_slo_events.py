"""Counters of events: their values, and that failures and reloads neither lose nor double events."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from exporter import sources
from exporter.analysis.slo import EventTotals
from exporter.config import Config
from exporter.demo.histogram import bucket_rate
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import traffic
from exporter.errors import SourceError
from exporter.model.observation import Events, Window
from exporter.pipeline import Pipeline
from exporter.pipeline.slo_events import CATCH_UP, EventCounts, Key
from exporter.sources import demo, read

AT = 1_760_000_040.0
CONFIG = """
environments:
  - {role: production, name: live, source: %s}
  - {role: pte, source: {kind: demo}}
slos:
  - {name: availability, application: shop, objective: 99.9, sli: {errors: {}}, sides: [production, pte]}
  - {name: quick, application: shop, objective: 99, sli: {latency: {threshold: 300ms}}}
  - name: written
    application: shop
    objective: 99
    sli: {events: {errors: 'rate(a[{{.window}}])', total: 'rate(b[{{.window}}])'}}
"""
DEMO = "{kind: demo}"
LIVE, PTE, QUICK = ("shop", "live", "availability"), ("shop", "pte", "availability"), ("shop", "live", "quick")
NONE = EventTotals(0.0, 0.0)


def configured(directory: Path, source: str = DEMO, text: str = CONFIG) -> Config:
    path = directory / "exporter.yml"
    path.write_text(text % source, encoding="utf-8")
    return read(path)


def counting(config: Config, *sides: str) -> tuple[Pipeline, EventCounts]:
    """A pipeline whose counters of these sides are shown."""
    events = EventCounts()
    events.configure(config)
    events.show(sides)
    return Pipeline(config, events), events


def rows(events: EventCounts) -> dict[Key, EventTotals]:
    return dict(events.rows())


def truth(start: float, end: float) -> tuple[float, float, float]:
    """Requests, failures and requests slower than 300 ms that the shop's model makes in (start, end]."""
    shop = next(application for application in APPLICATIONS if application.name == "shop")
    minutes = traffic(1, "production", shop, np.arange(int(start // 60) + 1, int(end // 60) + 1))
    slow = minutes.requests - bucket_rate(minutes, 0.3)
    return float(minutes.requests.sum()) * 60, float(minutes.errors.sum()) * 60, float(slow.sum()) * 60


def test_a_counter_for_each_side_that_no_rule_can_read(tmp_path: Path) -> None:
    """Each SLO without its own queries counts on its sides, from 0, but not where a Prometheus has the data."""
    _, events = counting(configured(tmp_path), "live", "pte")
    assert rows(events) == dict.fromkeys((LIVE, PTE, QUICK), NONE)
    held = '{kind: prometheus, preset: prometheus, url: "http://127.0.0.1:9"}'
    _, events = counting(configured(tmp_path, held), "live", "pte")
    assert rows(events) == {PTE: NONE}


def test_an_hour_is_counted_whole(tmp_path: Path) -> None:
    """Polled at odd times, the counters only grow, and after an hour they hold exactly what the model made in it."""
    pipeline, events = counting(configured(tmp_path), "live")
    last, at = NONE, AT
    for step in (0, 7, 60, 61, 700, 719, 1500, 3559, 3600):
        at = AT + step
        pipeline.poll("live", at)
        now = rows(events)[LIVE]
        assert now.events >= last.events
        assert now.bad >= last.bad
        last = now
    requests, errors, slow = truth(AT, at)
    assert (last.events, last.bad) == pytest.approx((requests, errors), rel=1e-9)
    quick = rows(events)[QUICK]
    assert (quick.events, quick.bad) == pytest.approx((requests, slow), rel=1e-9)


def test_nothing_is_counted_before_it_can_be_seen(tmp_path: Path) -> None:
    """Counters start at 0, and return unchanged after a withdrawal; missed events are added a poll later."""
    pipeline, events = counting(configured(tmp_path))
    pipeline.poll("live", AT)
    assert rows(events) == {}
    events.show({"live"})
    assert rows(events) == {LIVE: NONE, QUICK: NONE}
    pipeline.poll("live", AT + 300)
    before = rows(events)[LIVE]
    assert before.events == pytest.approx(truth(AT, AT + 300)[0])
    events.show(())
    pipeline.poll("live", AT + 7200)
    assert rows(events) == {}
    events.show({"live"})
    assert rows(events)[LIVE] == before
    pipeline.poll("live", AT + 7260)
    assert rows(events)[LIVE].events == pytest.approx(truth(AT, AT + 7260)[0])


def test_a_reload_loses_nothing(tmp_path: Path) -> None:
    """Another pipeline continues where the previous one stopped; a new SLO starts at 0, a removed SLO is gone."""
    pipeline, events = counting(configured(tmp_path), "live", "pte")
    for at in (AT, AT + 300):
        pipeline.poll("live", at)
    before = rows(events)[LIVE]
    text = CONFIG.replace("objective: 99.9", "objective: 99.5").replace("quick", "quicker").replace(", pte]", "]")
    config = configured(tmp_path, text=text)
    events.configure(config)
    assert rows(events) == {LIVE: before, ("shop", "live", "quicker"): NONE}
    Pipeline(config, events).poll("live", AT + 600)
    assert rows(events)[LIVE].events == pytest.approx(truth(AT, AT + 600)[0])
    assert rows(events)["shop", "live", "quicker"].events == pytest.approx(truth(AT + 300, AT + 600)[0])


def test_a_poll_of_the_configuration_before_counts_once(tmp_path: Path) -> None:
    """Two polls of the same minutes add them once, whichever ends first."""
    _, events = counting(configured(tmp_path), "live")
    events.due("live", AT)
    slow, quick = events.due("live", AT + 120), events.due("live", AT + 180)
    assert slow == {"shop": Window(AT, AT + 120)}
    for windows in (quick, slow):
        events.add("live", windows, {"shop": Events(windows["shop"], 60.0, 1.0)})
    assert rows(events)[LIVE] == EventTotals(60.0, 1.0)
    assert events.due("live", AT + 240) == {"shop": Window(AT + 180, AT + 240)}


def test_no_more_than_two_days_at_once(tmp_path: Path) -> None:
    """After a long downtime a source is queried for the last two days only."""
    _, events = counting(configured(tmp_path), "live")
    events.due("live", AT)
    late = AT + 10 * 86400.0
    assert events.due("live", late) == {"shop": Window(late - CATCH_UP, late)}


def recording(path: Path, window: Window) -> None:
    """The shop's production over the window, as a report records it."""
    shop = demo.Source(demo.Options(), "live").observe(window)
    path.write_bytes(msgspec.json.encode({"observations": {"production": shop}}))


def test_recordings_count_once_each(tmp_path: Path) -> None:
    """A file counts from the start of counting on and not again; of the next one only what is new counts."""
    file = tmp_path / "round.json"
    recording(file, Window(AT - 3600, AT + 3600))
    pipeline, events = counting(configured(tmp_path, f"{{kind: recorded, file: {file}}}"), "live")
    half = truth(AT - 3600, AT + 3600)[0] / 2
    for at in (AT, AT + 4000, AT + 4060):
        pipeline.poll("live", at)
        assert rows(events)[LIVE].events == pytest.approx(half if at > AT else 0.0)
    recording(file, Window(AT, AT + 10800))
    pipeline.poll("live", AT + 11000)
    assert rows(events)[LIVE].events == pytest.approx(half + truth(AT, AT + 10800)[0] * 2 / 3)


def test_a_failed_poll_costs_nothing_but_time(tmp_path: Path) -> None:
    """While a file cannot be read nothing is counted, and the poll after that counts all that was missed."""
    file = tmp_path / "round.json"
    recording(file, Window(AT, AT + 3600))
    pipeline, events = counting(configured(tmp_path, f"{{kind: recorded, file: {file}}}"), "live")
    pipeline.poll("live", AT)
    content = file.read_bytes()
    file.write_bytes(b"")
    with pytest.raises(SourceError, match=r"round\.json"):
        pipeline.poll("live", AT + 3600)
    assert rows(events)[LIVE] == NONE
    file.write_bytes(content)
    pipeline.poll("live", AT + 3660)
    assert rows(events)[LIVE].events == pytest.approx(truth(AT, AT + 3600)[0])


FORGETFUL = """
from exporter.errors import SourceError
from exporter.model.observation import Events
from exporter.model.settings import Settings
from exporter.sources import demo
KIND = 'forgetful'
class Options(Settings, frozen=True): seed: int = 1
class Source(demo.Source):
    asked = 0
    def events(self, role, windows):
        self.asked += 1
        if self.asked == 1:
            raise SourceError('timeout', 'took too long')
        return {name: Events(window, window.duration, 0.0) for name, window in windows.items()}
"""


def test_a_source_that_only_cannot_count_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the events alone cannot be read the poll succeeds with a warning, and the next one counts them."""
    (tmp_path / "forgetful.py").write_text(FORGETFUL, encoding="utf-8")
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    try:
        pipeline, events = counting(configured(tmp_path, "{kind: forgetful}"), "live")
        assert pipeline.poll("live", AT).warnings == ()
        assert pipeline.poll("live", AT + 60).warnings == ("cannot count events: took too long",)
        assert rows(events)[LIVE] == NONE
        pipeline.poll("live", AT + 120)
        assert rows(events)[LIVE] == EventTotals(120.0, 0.0)
    finally:
        sys.modules.pop("exporter.sources.forgetful", None)


def test_what_the_source_cannot_tell_has_no_counter(tmp_path: Path) -> None:
    """Where no bucket ends at the threshold a warning says so, and the counter is absent, not idle."""
    config = configured(tmp_path, text=CONFIG.replace("300ms", "310ms"))
    pipeline, events = counting(config, "live")
    assert pipeline.poll("live", AT).warnings == ()
    assert rows(events).keys() == {LIVE, QUICK}
    (warning,) = pipeline.poll("live", AT + 60).warnings
    assert warning == (
        "cannot count events of shop for the SLO quick: the source's histogram has no bucket that ends at 0.31s"
    )
    assert rows(events).keys() == {LIVE}
