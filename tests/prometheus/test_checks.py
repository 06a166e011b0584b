"""The check-up of a Prometheus on real servers: a golden transcript for each thing that can be wrong with its data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.checkup import checked
from exporter.model.checkup import Checked, Wanted
from exporter.model.observation import Window
from exporter.model.settings import Duration
from exporter.prometheus.checks import CHECKS
from exporter.prometheus.queries import Queries
from exporter.sources.prometheus import Options, checks
from tests import servers, small_shop
from tests.doctoring import assert_golden, transcript
from tests.remote_write import Histogram, write
from tests.small_shop import END

DAY = 86400.0
TEN_MINUTES = 10 / 1440
"""Days that the metrics with something wrong have."""
MOST_REQUESTS = 36
"""A few dozen: what a check-up may send."""


def extra() -> Iterator[str]:
    """Metrics with one thing wrong each, in the last ten minutes."""
    times = [END - 590 + second for second in range(0, 590, 30)]
    for name, labels, first, step in (
        ("renamed", 'job="scrape",exported_job="app0"', 0, 60),
        ("status", 'job="app0",status="500"', 0, 60),
        ("twice", 'job="app0",replica="a"', 0, 60),
        ("twice", 'job="app0",replica="b"', 0, 60),
    ):
        if labels != 'job="app0",replica="b"':
            yield f"# TYPE {name} counter"
        for number, at in enumerate(times):
            yield f"{name}_total{{{labels}}} {first + step * number} {at:.0f}"
    yield "# TYPE seldom counter"
    for number in range(10):
        yield f'seldom_total{{job="app0"}} {60 * number} {END - 590 + 60 * number:.0f}'
    yield "# TYPE odd gauge"
    for application, value in (("app0", "43.5"), ("app1", "-1"), ("app2", "NaN")):
        yield f'odd{{job="{application}"}} {value} {END - 10:.0f}'
    yield "# TYPE quiet gauge"
    yield f'quiet{{job="app0"}} 0.25 {END - 10:.0f}'
    yield "# TYPE slow_milliseconds histogram"
    for number, at in enumerate(times):
        for le, count in (("10", 0), ("1000", 30), ("+Inf", 30)):
            yield f'slow_milliseconds_bucket{{job="app0",le="{le}"}} {number * count} {at:.0f}'
        yield f'slow_milliseconds_count{{job="app0"}} {number * 30} {at:.0f}'
        yield f'slow_milliseconds_sum{{job="app0"}} {number * 30 * 240} {at:.0f}'
    yield "# TYPE side_signal:pte_observed:recorded gauge"
    yield f'side_signal:pte_observed:recorded{{side="foreign",signal="request_rate",query="0123"}} 1 {END - 10:.0f}'
    made = Options(url="http://127.0.0.1", **own(request_rate=RATE))
    fingerprint = Queries(made.templates, "recorded", made.rate_range).fingerprint("request_rate")
    for minute in range(10):
        labels = f'side="recorded",signal="request_rate",query="{fingerprint}"'
        yield f"side_signal:pte_observed:recorded{{{labels}}} 1 {END - 590 + 60 * minute:.0f}"


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop.blocks(tmp_path_factory.mktemp("small"), 3, 2, extra="\n".join(extra()))


@pytest.fixture(scope="module", params=["2.42", "3"])
def url(request: pytest.FixtureRequest, blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.prometheus(request.param, tmp_path_factory.mktemp("server"), blocks=blocks) as server:
        yield server.url


def wanted(role: str = "production", *applications: str, side: str = "", days: float = 0.0625) -> Wanted:
    """Windows that the small history fills, unless `days` says otherwise."""
    window = Window(END - days * DAY, END)
    pattern = window if role == "production" else None
    return Wanted(side or role, role, END + 20, window, pattern, 60.0, 1.0, applications)


def examined(url: str, want: Wanted | None = None, **options: Any) -> tuple[Checked, ...]:
    made = Options(**{"url": url, "preset": "prometheus", **options})
    done = tuple(checked(checks(made, want or wanted())))
    assert {each.check for each in done} <= set(CHECKS)
    assert [each.check for each in done] == sorted((each.check for each in done), key=CHECKS.index)
    assert all(each.causes for each in done if each.verdict in ("failed", "warning"))
    return done


def of(done: tuple[Checked, ...], check: str, subject: str = "") -> Checked:
    [one] = [each for each in done if (each.check, each.subject) == (check, subject)]
    return one


def troubles(name: str, done: tuple[Checked, ...]) -> None:
    """Compare the steps that are not well with the golden transcript."""
    assert_golden(f"prometheus-{name}", transcript(each for each in done if each.verdict != "ok"))


def own(**signals: str) -> dict[str, Any]:
    """Options of a site that writes its templates itself."""
    return {"preset": "custom", "labels": {"application": "job"}, "signals": signals}


RATE = "sum by ($application) (rate(http_requests_total{$selector}[$range]))"


@pytest.mark.parametrize("role", ["production", "pte"])
def test_well(url: str, role: str) -> None:
    """On a good server nothing is wrong, and no more than a few dozen requests are sent."""
    done = examined(url, wanted(role, "app0", "app2"))
    assert_golden(f"prometheus-well-{role}", transcript(done))
    assert {each.verdict for each in done} == {"ok"}
    [requests] = [int(part.split()[0]) for part in of(done, "cost").found.split("; ") if part.endswith("requests")]
    assert 15 < requests < MOST_REQUESTS


def test_no_such_metric(url: str) -> None:
    """Metrics of another convention are not there: the preset is named, and how to leave a signal out."""
    done = examined(url, preset="opentelemetry")
    assert of(done, "cost").verdict == "skipped"
    troubles("no-such-metric", done)


def test_selector(url: str) -> None:
    """A selector that fits nothing is told from metrics that are not there."""
    troubles("selector", examined(url, selector='job="ap0"'))


def test_selector_label(url: str) -> None:
    """A selector with a label that the series do not have names it: it may be an external one."""
    troubles("selector-label", examined(url, selector='cluster="eu"', preset="custom", signals={"request_rate": RATE}))


def test_application_label(url: str) -> None:
    """A label for applications that nothing has is told with those there are."""
    signals = {"route_requests": None, "route_successes": None, "throughput": None}
    done = examined(url, labels={"application": "service"}, signals=signals)
    assert "labels: {application: job}" in of(done, "signal", "request_rate").causes[0].remedy
    troubles("application-label", done)


def test_route_label(url: str) -> None:
    """Routes under another label than the preset's."""
    troubles("route-label", examined(url, labels={"route": "path"}))


def test_status_label(url: str) -> None:
    """A counter that calls the code otherwise would never show a failure: this is no quiet zero."""
    templates = own(
        request_rate="sum by ($application) (rate(status_total{$selector}[$range]))",
        error_rate='sum by ($application) (rate(status_total{code=~"5..",$selector}[$range]))',
    )
    done = examined(url, wanted(days=TEN_MINUTES), **templates)
    assert of(done, "signal", "error_rate").verdict == "failed"
    troubles("status-label", done)


def test_not_aggregated(url: str) -> None:
    """A template that leaves an application several series fails with what to write."""
    troubles("not-aggregated", examined(url, **own(request_rate="rate(http_requests_total{$selector}[$range])")))


def test_refused(url: str) -> None:
    """A query that the server refuses fails with the server's words; other signals are still looked at."""
    query = "sum by ($application, handler) (rate(http_requests_total[$range])) * on ($application) http_requests_total"
    done = examined(url, **own(request_rate=RATE, concurrent_users=query))
    assert of(done, "signal", "request_rate").verdict == "ok"
    users = of(done, "signal", "concurrent_users")
    assert (users.verdict, "mend signals.concurrent_users" in users.causes[0].remedy) == ("failed", True)
    assert "found duplicate series" in users.found or "many-to-many" in users.found


def test_odd_values(url: str) -> None:
    """Percentages, negative values and NaN are told with the signal and the remedy."""
    done = examined(url, **own(request_rate=RATE, cpu="sum by ($application) (odd{$selector})"))
    assert "/ 100" in " ".join(cause.remedy for cause in of(done, "values").causes)
    troubles("odd-values", done)


def test_milliseconds(url: str) -> None:
    """A histogram in milliseconds that is read as seconds is told by its name and its mean."""
    templates = {
        f"latency_{part}": f"sum by ({by}) (rate(slow_milliseconds_{part}{{$selector}}[$range]))"
        for part, by in (("bucket", "$application, le"), ("sum", "$application"), ("count", "$application"))
    }
    done = examined(url, wanted(days=TEN_MINUTES), **own(**templates, request_rate=templates["latency_count"]))
    assert of(done, "values").causes[0].remedy == "latency_scale: 0.001"
    troubles("milliseconds", done)
    scaled = examined(
        url, wanted(days=TEN_MINUTES), **own(**templates, request_rate=templates["latency_count"]), latency_scale=0.001
    )
    assert of(scaled, "values").verdict == "ok"


def test_different_counts(url: str) -> None:
    """A histogram of other requests than the counter's, and more errors than requests, are told."""
    templates = own(
        request_rate="sum by ($application) (rate(status_total{$selector}[$range]))",
        error_rate="sum by ($application) (rate(http_requests_total{$selector}[$range]))",
        latency_count="sum by ($application) (rate(http_request_duration_seconds_count{$selector}[$range]))",
    )
    troubles("different-counts", examined(url, wanted(days=TEN_MINUTES), **templates))


def test_exported_labels(url: str) -> None:
    """A label that the scrape renamed is told with both remedies; taken from exported_job it is well."""
    template = "sum by ($application) (rate(renamed_total{$selector}[$range]))"
    troubles("exported-labels", examined(url, wanted(days=TEN_MINUTES), **own(request_rate=template)))
    done = examined(
        url,
        wanted(days=TEN_MINUTES),
        preset="custom",
        labels={"application": "exported_job"},
        signals={"request_rate": template},
    )
    assert (of(done, "collisions").verdict, of(done, "signal", "request_rate").found[:19]) == (
        "ok",
        "1 application: app0",
    )


def test_replicas(url: str) -> None:
    """Two replicas of one scrape count everything twice."""
    troubles(
        "replicas",
        examined(
            url,
            wanted(days=TEN_MINUTES),
            **own(request_rate="sum by ($application) (rate(twice_total{$selector}[$range]))"),
        ),
    )


def test_scraped_too_seldom(url: str) -> None:
    """A sample a minute gives no rates over a minute: both ends at which to mend it are told."""
    template = "sum by ($application) (rate(seldom_total{$selector}[$range]))"
    done = examined(url, wanted(days=TEN_MINUTES), **own(request_rate=template))
    assert of(done, "signal", "request_rate").verdict == "failed"
    troubles("scraped-too-seldom", done)
    wider = examined(url, wanted(days=TEN_MINUTES), **own(request_rate=template), rate_range=Duration(120))
    assert of(wider, "interval", "request_rate").verdict == "ok"


def test_missing_application(url: str) -> None:
    """An expected application that is not there fails, with a name that is near; others are looked at."""
    troubles("missing-application", examined(url, wanted("production", "ap1", "checkout"), selector='job!=""'))


def test_retention(url: str) -> None:
    """A look-back beyond what the server keeps fails with the flag to set."""
    done = examined(url, wanted("pte", days=4000))
    assert "--storage.tsdb.retention.time=4000d" in of(done, "flags", "retention").causes[0].remedy
    troubles("retention", done)


def test_young(url: str) -> None:
    """Data that does not reach back to the pattern's beginning is told with the time from which on there is some."""
    troubles("young", examined(url, wanted(days=7)))


def test_recorded_otherwise(url: str) -> None:
    """Recordings of another query are none of ours."""
    want = wanted(side="foreign")
    assert of(examined(url, want, **own(request_rate=RATE), recorded="never"), "recorded").verdict == "ok"
    troubles("recorded-otherwise", examined(url, want, **own(request_rate=RATE)))


def test_recorded(url: str) -> None:
    """Recordings of our query are used where they fill the window, and counted where they do not."""
    whole = examined(url, wanted(side="recorded", days=TEN_MINUTES), **own(request_rate=RATE))
    assert of(whole, "recorded").found == "request_rate are read from recordings"
    young = examined(url, wanted(side="recorded"), **own(request_rate=RATE))
    assert "since 11% of the window" in of(young, "recorded").found
    cpu = own(request_rate=RATE, cpu="sum by ($application) (quiet{$selector})")
    more = of(examined(url, wanted(side="recorded"), **cpu), "recorded")
    assert (more.verdict, more.found) == ("warning", "not recorded: cpu")


def test_no_activity(url: str) -> None:
    """A PTE in which nothing ran is a warning, and nothing else is asked of it."""
    done = examined(url, wanted("pte"), **own(request_rate="sum by ($application) (rate(none_total[$range]))"))
    troubles("no-activity", done)


def test_below_threshold(url: str) -> None:
    """A load below the threshold is told with the load and the option."""
    done = examined(url, wanted("pte"), **own(request_rate="sum by ($application) (quiet{$selector})"))
    troubles("below-threshold", done)


def test_native(tmp_path: Path) -> None:
    """Where histograms are native, it is well that there are no classic ones."""
    name = "http_request_duration_seconds"
    counts = "sum by ($application) (histogram_count(rate(http_request_duration_seconds{$selector}[$range])))"
    args = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with servers.prometheus("3", tmp_path, args=args) as server:
        samples = [Histogram(END - 600 + at, {-3: at, -1: at}, 0.5 * at, 0) for at in range(10, 600, 30)]
        write(server.url, [({"__name__": name, "job": "app0"}, iter(samples))])
        signals = {"request_rate": counts, **dict.fromkeys(("error_rate", "throughput"))}
        signals |= dict.fromkeys(("route_requests", "route_successes"))
        done = examined(server.url, wanted(days=TEN_MINUTES), signals=signals)
    assert {each.verdict for each in done} == {"ok"}
    assert of(done, "signal", "latency_native").found.startswith("1 application: app0")
    assert of(done, "signal", "latency_bucket").found == "none; native histograms are there"


def test_without_requests(url: str) -> None:
    """A source that observes only CPU is looked at all the same; one that observes nothing fails."""
    cpu = own(cpu="sum by ($application) (quiet{$selector})")
    for role in ("production", "pte"):
        done = examined(url, wanted(role, "app0", days=TEN_MINUTES), **cpu)
        assert {each.verdict for each in done} == {"ok"}
    nothing = of(examined(url, preset="custom"), "signal")
    assert (nothing.verdict, nothing.found) == ("failed", "nothing is observed")


def test_cost(blocks: Path, tmp_path: Path) -> None:
    """Series that come near the server's limit over a day are a warning: record them."""
    with servers.prometheus("3", tmp_path, blocks=blocks, args=["--query.max-samples=20000"]) as server:
        troubles("cost", examined(server.url))


def test_the_newest_minute_with_values_is_looked_at(url: str) -> None:
    """A scrape or two that are missing are none of a signal's; a quarter of an hour may be the night, and warns."""

    def seen(late: float) -> Checked:
        want = replace(wanted(), window=Window(END - 3600, END + late), at=END + late + 20)
        return of(examined(url, want), "signal", "request_rate")

    assert [seen(late).verdict for late in (0.0, 120.0, 900.0)] == ["ok", "ok", "warning"]


@pytest.mark.parametrize("role", ["production", "pte"])
def test_what_stands_still_at_night(url: str, role: str) -> None:
    """Where nothing of production has run for hours nothing failed: polls look back over a day, and find it."""
    night = replace(wanted(role, "app0", days=1.0), window=Window(END - 0.8 * DAY, END + 0.2 * DAY))
    done = examined(url, night)
    assert [each for each in done if each.verdict in ("failed", "skipped")] == []
    assert of(done, "applications", "app0").verdict == "ok"
    if role == "production":
        rate = of(done, "signal", "request_rate")
        assert rate.verdict == "warning"
        assert "there were some in the last 1d" in rate.found
        assert "nothing runs now" in rate.causes[0].text


def test_a_series_without_samples_in_range_is_there(url: str) -> None:
    """What is there now and gives no rate has failed, other than what is not there now."""
    done = examined(url, **own(request_rate="sum by ($application) (rate(quiet{$selector}[$range]))"))
    assert of(done, "signal", "request_rate").verdict == "failed"
    assert of(done, "signal", "request_rate").found.startswith("series are there")


def test_dotted_names(url: str) -> None:
    """A metric whose name needs quotes is asked for in a way that every server understands."""
    dotted = f'sum by (job) (rate({{__name__="http.requests",$selector}}[$range])) or {RATE}'
    done = examined(url, **own(request_rate=dotted))
    assert [each for each in done if "refused a query" in each.found] == []
    assert of(done, "signal", "request_rate").verdict == "ok"


def test_nothing_to_ask_for(url: str) -> None:
    """Where no template is left but the presets' own for native histograms nothing is a fault."""
    others = ("request_rate", "error_rate", "latency_bucket", "latency_sum", "latency_count", "throughput")
    done = examined(url, signals=dict.fromkeys((*others, "route_requests", "route_successes")))
    assert [each for each in done if each.verdict == "failed"] == []
