"""The check-up of sites that are well and unusual: quiet at night, native histograms, dotted names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from exporter.model.checkup import CheckResult
from exporter.model.observation import Window
from tests import servers
from tests.remote_write import Histogram, write
from tests.small_shop import END
from tests.sources.prometheus.checking import DAY, RATE, TEN_MINUTES, check_context, examined, of, own


def test_native(tmp_path: Path) -> None:
    """With native histograms, missing classic ones are ok."""
    name = "http_request_duration_seconds"
    counts = "sum by ($application) (histogram_count(rate(http_request_duration_seconds{$selector}[$range])))"
    args = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with servers.prometheus("3", tmp_path, args=args) as server:
        samples = [Histogram(END - 600 + at, {-3: at, -1: at}, 0.5 * at, 0) for at in range(10, 600, 30)]
        write(server.url, [({"__name__": name, "job": "app0"}, iter(samples))])
        signals = {"request_rate": counts, **dict.fromkeys(("error_rate", "throughput"))}
        signals |= dict.fromkeys(("route_requests", "route_successes"))
        done = examined(server.url, check_context(days=TEN_MINUTES), signals=signals)
    assert {step.verdict for step in done} == {"ok"}
    assert of(done, "signal", "latency_native").result.startswith("1 application: app0")
    assert of(done, "signal", "latency_bucket").result == "no data; native histograms are used"


def test_counts_inside_native_histograms(tmp_path: Path) -> None:
    """Where counts are inside native histograms that is the first cause, and its remedy makes them well."""
    name = "http_server_request_duration_seconds"
    labels = {
        "service_name": "app0",
        "http_request_method": "GET",
        "http_route": "/",
        "http_response_status_code": "200",
    }
    args = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    options = {"preset": "opentelemetry", "signals": {"throughput": None}}
    with servers.prometheus("3", tmp_path, args=args) as server:
        samples = [Histogram(END - 600 + at, {-3: at, -1: at}, 0.5 * at, 0) for at in range(10, 600, 30)]
        write(server.url, [({"__name__": name, **labels}, iter(samples))])
        ill = [
            step for step in examined(server.url, check_context(days=TEN_MINUTES), **options) if step.verdict != "ok"
        ]
        failures = [step for step in ill if step.check == "signal"]
        assert [step.subject for step in failures] == [
            "request_rate",
            "error_rate",
            "route_requests",
            "route_successes",
        ]
        assert all("native histogram" in step.causes[0].text for step in failures)
        mended = [yaml.safe_load(step.causes[0].remedy)["signals"] for step in failures]
        options["signals"] = {"throughput": None, **dict(pair for signals in mended for pair in signals.items())}
        done = examined(server.url, check_context(days=TEN_MINUTES), **options)
    assert {step.verdict for step in done} == {"ok"}


def test_many_applications_below_the_threshold(url: str) -> None:
    """The server sends only active minutes: all minutes of hundreds of applications would exceed max_bytes."""
    idle = "label_replace(vector(0), 'job', 'idle', '', '')"
    want = replace(check_context("pte", days=20.0), threshold=0.5)
    [done] = [
        step
        for step in examined(url, want, **own(request_rate=f"{RATE} or {idle}"), max_bytes=8_000)
        if step.check == "activity"
    ]
    assert done.verdict == "ok"


def test_without_requests(url: str) -> None:
    """A source that observes only CPU is checked too; a source that observes nothing fails."""
    cpu = own(cpu="sum by ($application) (quiet{$selector})")
    for role in ("production", "pte"):
        done = examined(url, check_context(role, "app0", days=TEN_MINUTES), **cpu)
        assert {step.verdict for step in done} == {"ok"}
    nothing = of(examined(url, preset="custom"), "signal")
    assert (nothing.verdict, nothing.result) == ("failed", "nothing is observed")


def test_the_newest_minute_with_values_is_looked_at(url: str) -> None:
    """A scrape or two that are missing are none of a signal's; a quarter of an hour may be the night, and warns."""

    def checked_late(late: float) -> CheckResult:
        want = replace(check_context(), window=Window(END - 3600, END + late), at=END + late + 20)
        return of(examined(url, want), "signal", "request_rate")

    assert [checked_late(late).verdict for late in (0.0, 120.0, 900.0)] == ["ok", "ok", "warning"]


@pytest.mark.parametrize("role", ["production", "pte"])
def test_what_stands_still_at_night(url: str, role: str) -> None:
    """Production that was idle for hours is not a failure: polls look back over a day, and find it."""
    night = replace(check_context(role, "app0", days=1.0), window=Window(END - 0.8 * DAY, END + 0.2 * DAY))
    done = examined(url, night)
    assert [step for step in done if step.verdict in ("failed", "skipped")] == []
    assert of(done, "applications", "app0").verdict == "ok"
    if role == "production":
        rate = of(done, "signal", "request_rate")
        assert rate.verdict == "warning"
        assert "there were some in the last 1d" in rate.result
        assert "nothing that exports them runs now" in rate.causes[0].text


def test_a_series_without_samples_in_range_is_there(url: str) -> None:
    """A series that exists now without a rate is a failure; a series that does not exist now is a warning."""
    done = examined(url, **own(request_rate="sum by ($application) (rate(quiet{$selector}[$range]))"))
    assert of(done, "signal", "request_rate").verdict == "failed"
    assert of(done, "signal", "request_rate").result.startswith("the series exist")


def test_dotted_names(url: str) -> None:
    """A metric name that needs quotes is queried in a form that every server understands."""
    dotted = f'sum by (job) (rate({{__name__="http.requests",$selector}}[$range])) or {RATE}'
    done = examined(url, **own(request_rate=dotted))
    assert [step for step in done if "refused a query" in step.result] == []
    assert of(done, "signal", "request_rate").verdict == "ok"


def test_nothing_to_ask_for(url: str) -> None:
    """Where no template is left but the presets' own for native histograms nothing is a fault."""
    others = ("request_rate", "error_rate", "latency_bucket", "latency_sum", "latency_count", "throughput")
    done = examined(url, signals=dict.fromkeys((*others, "route_requests", "route_successes")))
    assert [step for step in done if step.verdict == "failed"] == []
