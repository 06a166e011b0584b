"""The check-up of a Prometheus on real servers: a golden transcript for each problem with its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.model.settings import Duration
from tests import servers
from tests.doctoring import assert_golden, transcript
from tests.sources.prometheus.checking import (
    MOST_REQUESTS,
    RATE,
    TEN_MINUTES,
    check_context,
    examined,
    of,
    own,
    troubles,
)


@pytest.mark.parametrize("role", ["production", "pte"])
def test_well(url: str, role: str) -> None:
    """A good server has no problems, and gets no more than a few dozen requests."""
    done = examined(url, check_context(role, "app0", "app2"))
    assert_golden(f"prometheus-well-{role}", transcript(done))
    assert {step.verdict for step in done} == {"ok"}
    [requests] = [int(part.split()[0]) for part in of(done, "cost").result.split("; ") if part.endswith("requests")]
    assert 15 < requests < MOST_REQUESTS


def test_no_such_metric(url: str) -> None:
    """Metrics of another convention are not there: the preset is named, and how to leave a signal out."""
    done = examined(url, preset="opentelemetry")
    assert of(done, "cost").verdict == "skipped"
    troubles("no-such-metric", done)


def test_selector(url: str) -> None:
    """A selector without a match is distinguished from missing metrics."""
    troubles("selector", examined(url, selector='job="ap0"'))


def test_selector_label(url: str) -> None:
    """A selector with a label that the series do not have names it: it may be an external one."""
    troubles("selector-label", examined(url, selector='cluster="eu"', preset="custom", signals={"request_rate": RATE}))


def test_application_label(url: str) -> None:
    """A missing application label is reported with the labels of the series."""
    signals = {"route_requests": None, "route_successes": None, "throughput": None}
    done = examined(url, labels={"application": "service"}, signals=signals)
    assert "labels: {application: job}" in of(done, "signal", "request_rate").causes[0].remedy
    troubles("application-label", done)


def test_route_label(url: str) -> None:
    """Routes under another label than the preset's."""
    troubles("route-label", examined(url, labels={"route": "path"}))


def test_status_label(url: str) -> None:
    """A counter with another name for the code would never show a failure: this is not a valid zero."""
    templates = own(
        request_rate="sum by ($application) (rate(status_total{$selector}[$range]))",
        error_rate='sum by ($application) (rate(status_total{code=~"5..",$selector}[$range]))',
    )
    done = examined(url, check_context(days=TEN_MINUTES), **templates)
    assert of(done, "signal", "error_rate").verdict == "failed"
    troubles("status-label", done)


def test_not_aggregated(url: str) -> None:
    """A template that returns several series of an application fails with a suggestion."""
    troubles("not-aggregated", examined(url, **own(request_rate="rate(http_requests_total{$selector}[$range])")))


def test_refused(url: str) -> None:
    """A query that the server refuses fails with the server's words; other signals are still checked."""
    query = "sum by ($application, handler) (rate(http_requests_total[$range])) * on ($application) http_requests_total"
    done = examined(url, **own(request_rate=RATE, concurrent_users=query))
    assert of(done, "signal", "request_rate").verdict == "ok"
    users = of(done, "signal", "concurrent_users")
    assert (users.verdict, "fix signals.concurrent_users" in users.causes[0].remedy) == ("failed", True)
    assert "found duplicate series" in users.result or "many-to-many" in users.result


def test_odd_values(url: str) -> None:
    """Percentages, negative values and NaN are reported with the signal and the remedy."""
    done = examined(url, **own(request_rate=RATE, cpu="sum by ($application) (odd{$selector})"))
    assert "/ 100" in " ".join(cause.remedy for cause in of(done, "values").causes)
    troubles("odd-values", done)


def test_milliseconds(url: str) -> None:
    """A histogram in milliseconds that is read as seconds is recognised by its name and its mean."""
    templates = {
        f"latency_{part}": f"sum by ({by}) (rate(slow_milliseconds_{part}{{$selector}}[$range]))"
        for part, by in (("bucket", "$application, le"), ("sum", "$application"), ("count", "$application"))
    }
    done = examined(url, check_context(days=TEN_MINUTES), **own(**templates, request_rate=templates["latency_count"]))
    assert of(done, "values").causes[0].remedy == "latency_scale: 0.001"
    troubles("milliseconds", done)
    scaled = examined(
        url,
        check_context(days=TEN_MINUTES),
        **own(**templates, request_rate=templates["latency_count"]),
        latency_scale=0.001,
    )
    assert of(scaled, "values").verdict == "ok"


def test_different_counts(url: str) -> None:
    """A histogram of other requests than the counter's, and more errors than requests, are reported."""
    templates = own(
        request_rate="sum by ($application) (rate(status_total{$selector}[$range]))",
        error_rate="sum by ($application) (rate(http_requests_total{$selector}[$range]))",
        latency_count="sum by ($application) (rate(http_request_duration_seconds_count{$selector}[$range]))",
    )
    troubles("different-counts", examined(url, check_context(days=TEN_MINUTES), **templates))


def test_exported_labels(url: str) -> None:
    """A label that the scrape renamed is reported with both remedies; with exported_job all is well."""
    template = "sum by ($application) (rate(renamed_total{$selector}[$range]))"
    troubles("exported-labels", examined(url, check_context(days=TEN_MINUTES), **own(request_rate=template)))
    done = examined(
        url,
        check_context(days=TEN_MINUTES),
        preset="custom",
        labels={"application": "exported_job"},
        signals={"request_rate": template},
    )
    assert (of(done, "collisions").verdict, of(done, "signal", "request_rate").result[:19]) == (
        "ok",
        "1 application: app0",
    )


def test_replicas(url: str) -> None:
    """Two replicas of one scrape count everything twice."""
    troubles(
        "replicas",
        examined(
            url,
            check_context(days=TEN_MINUTES),
            **own(request_rate="sum by ($application) (rate(twice_total{$selector}[$range]))"),
        ),
    )


def test_scraped_too_seldom(url: str) -> None:
    """One sample per minute gives no rates over a minute: both remedies are named."""
    template = "sum by ($application) (rate(seldom_total{$selector}[$range]))"
    done = examined(url, check_context(days=TEN_MINUTES), **own(request_rate=template))
    assert of(done, "signal", "request_rate").verdict == "failed"
    troubles("scraped-too-seldom", done)
    wider = examined(url, check_context(days=TEN_MINUTES), **own(request_rate=template), rate_range=Duration(120))
    assert of(wider, "interval", "request_rate").verdict == "ok"


def test_missing_application(url: str) -> None:
    """A missing expected application fails, with a similar name; others are checked."""
    troubles("missing-application", examined(url, check_context("production", "ap1", "checkout"), selector='job!=""'))


def test_retention(url: str) -> None:
    """A look-back beyond what the server keeps fails with the flag to set."""
    done = examined(url, check_context("pte", days=4000))
    assert "--storage.tsdb.retention.time=4000d" in of(done, "flags", "retention").causes[0].remedy
    troubles("retention", done)


def test_young(url: str) -> None:
    """Data that begins after the pattern's start is reported with the time of its first sample."""
    troubles("young", examined(url, check_context(days=7)))


def test_recorded_otherwise(url: str) -> None:
    """Recordings of another query are ignored."""
    want = check_context(side="foreign")
    assert of(examined(url, want, **own(request_rate=RATE), recorded="never"), "recorded").verdict == "ok"
    troubles("recorded-otherwise", examined(url, want, **own(request_rate=RATE)))


def test_recorded(url: str) -> None:
    """Recordings of our query are used where they fill the window, and counted where they do not."""
    whole = examined(url, check_context(side="recorded", days=TEN_MINUTES), **own(request_rate=RATE))
    assert of(whole, "recorded").result == "polls read request_rate from recordings"
    young = examined(url, check_context(side="recorded"), **own(request_rate=RATE))
    assert "recordings cover 11% of the window" in of(young, "recorded").result
    cpu = own(request_rate=RATE, cpu="sum by ($application) (quiet{$selector})")
    more = of(examined(url, check_context(side="recorded"), **cpu), "recorded")
    assert (more.verdict, more.result) == ("warning", "not recorded: cpu")


def test_no_activity(url: str) -> None:
    """A PTE without activity is a warning, and gets no further queries."""
    done = examined(url, check_context("pte"), **own(request_rate="sum by ($application) (rate(none_total[$range]))"))
    troubles("no-activity", done)


def test_below_threshold(url: str) -> None:
    """A load below the threshold is reported with the load and the option."""
    done = examined(url, check_context("pte"), **own(request_rate="sum by ($application) (quiet{$selector})"))
    troubles("below-threshold", done)


def test_cost(blocks: Path, tmp_path: Path) -> None:
    """Series that come near the server's limit over a day are a warning: record them."""
    with servers.prometheus("3", tmp_path, blocks=blocks, args=["--query.max-samples=20000"]) as server:
        troubles("cost", examined(server.url))
