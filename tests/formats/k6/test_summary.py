"""k6's summaries: of handleSummary, of --summary-export, and the machine-readable one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter import formats
from exporter.errors import SourceError
from exporter.formats import File
from exporter.formats.k6 import machine_summary, summary
from exporter.model.loadrun import LoadRun

FILES = Path(__file__).parent.parent / "files"
HERE = File(Path("k6.json"), 1789378300.0)
NEW, EXPORT, MACHINE = "k6-summary.json", "k6-summary-export.json", "k6-machine-summary.json"


def changed(name: str, change: Callable[[Any], object]) -> LoadRun:
    """The run of a sample in which something was changed."""
    content = json.loads((FILES / name).read_bytes())
    change(content)
    return read(name, json.dumps(content).encode())


def read(name: str, content: bytes) -> LoadRun:
    return machine_summary.read(content, HERE) if name == MACHINE else summary.read(content, HERE)


def refusal(name: str, change: Callable[[Any], object]) -> str:
    with pytest.raises(SourceError) as error:
        changed(name, change)
    return str(error.value)


@pytest.mark.parametrize("name", [NEW, EXPORT, MACHINE])
def test_the_three_have_the_same_figures(name: str) -> None:
    """One run, written three ways: passes of http_req_failed, and matches, are failures."""
    run = formats.read(FILES / name)
    assert (run.total.requests, run.total.failures, run.users) == (60, 3, 10)
    assert (run.total.received, run.total.sent) == (43080, 6420)
    assert run.duration == pytest.approx(91.250331)
    assert run.total.latency.mean == pytest.approx(0.0405915804)
    assert run.total.latency.p95 == pytest.approx(0.08782084635)


@pytest.mark.parametrize("name", [NEW, EXPORT, MACHINE])
def test_figures_that_are_not_reported_are_missing(name: str) -> None:
    """No P99 unless summaryTrendStats asked for it, no kinds of errors, nothing minute by minute."""
    run = formats.read(FILES / name)
    assert (run.total.latency.p99, run.total.latency.p999, run.total.latency.histogram) == (None, None, None)
    assert run.total.errors == {}
    assert run.timeline is None


@pytest.mark.parametrize(
    ("name", "first"),
    [(MACHINE, "results"), (MACHINE, "config"), (NEW, "metrics"), (NEW, "options"), (EXPORT, "root_group")],
)
def test_keys_stand_in_any_order(name: str, first: str) -> None:
    """Go's maps have no order: version and state may lie beyond the bytes from which the format is detected."""
    content = json.loads((FILES / name).read_bytes())
    text = json.dumps({first: content[first], **content}).encode()
    head = text[: text.index(b"http_req") + 20]
    names = [name for name, format in formats.formats().items() if format.recognise(head)]
    assert names == ["k6-machine-summary" if name == MACHINE else "k6-summary"]


def test_thresholds_of_the_export_are_inverted() -> None:
    """true means crossed there, and {"ok": true} means met in handleSummary: both give the same checks."""
    checks = formats.read(FILES / NEW).checks
    assert checks == formats.read(FILES / EXPORT).checks
    assert checks["http_req_duration p(95)<150"] is True
    assert checks["http_req_failed rate<0.02"] is False
    assert len(checks) == 4


def test_warnings_say_where_times_come_from() -> None:
    """A summary without times ends when its file was written; the machine-readable one has its time."""
    run = changed(NEW, lambda _: None)
    assert (run.end, run.dated) == (HERE.modified, False)
    assert "last written" in run.warnings[0]
    machine = formats.read(FILES / MACHINE)
    assert machine.end == pytest.approx(1789378294.10484)
    assert machine.dated


def test_endpoints_are_those_with_thresholds_and_the_rest() -> None:
    """Requests that a summary does not distinguish have one name, and no request is dropped."""
    run = formats.read(FILES / NEW)
    assert [
        (endpoint.name, endpoint.method, endpoint.route, endpoint.figures.requests) for endpoint in run.endpoints
    ] == [
        ("http://shop.test:8080/cart", "GET", "/cart", 20),
        ("other requests", "", "", 40),
    ]
    assert run.endpoints[0].figures.latency.p95 is not None
    assert run.endpoints[0].figures.failures is None
    assert [endpoint.name for endpoint in formats.read(FILES / MACHINE).endpoints] == ["k6"]


def test_overlapping_parts_are_not_added_up() -> None:
    """Endpoints with more requests than the run are omitted, with a warning."""

    def overlap(content: Any) -> None:
        content["metrics"]["http_reqs{name:/cart}"] = {"values": {"count": 50, "rate": 1}}

    run = changed(NEW, overlap)
    assert [endpoint.name for endpoint in run.endpoints] == ["k6"]
    assert "overlap" in run.warnings[1]


def test_an_export_without_rates_has_no_duration() -> None:
    """There is a warning, and no rate is made up."""

    def without(content: Any) -> None:
        for metric in content["metrics"].values():
            metric.pop("rate", None)

    run = changed(EXPORT, without)
    assert run.requests_per_second is None
    assert "has no duration" in run.warnings


def test_nulls_are_missing_values() -> None:
    """JavaScript writes NaN as null."""
    run = changed(NEW, lambda content: content["metrics"]["http_req_duration"]["values"].update(avg=None))
    assert run.total.latency.mean is None


def test_a_summary_without_requests_is_not_a_run() -> None:
    """A test that sent nothing over HTTP proves nothing."""

    def without(content: Any) -> None:
        for metric in [name for name in content["metrics"] if name.startswith("http_req")]:
            del content["metrics"][metric]

    assert "has no requests" in refusal(NEW, without)


def test_without_http_req_failed_failures_are_unknown() -> None:
    """Absent is not zero."""
    run = changed(NEW, lambda content: content["metrics"].pop("http_req_failed"))
    assert run.total.failures is None
    assert run.total.success_ratio is None


@pytest.mark.parametrize(
    ("name", "metric", "values", "text"),
    [
        (NEW, "http_reqs", {"count": -1}, "http_reqs: count is -1, expected a whole number from 0 on"),
        (NEW, "http_reqs", {"count": 1.5}, "http_reqs: count is 1.5"),
        (NEW, "http_reqs", {"count": "60"}, "is not a k6 summary: Expected `float | null`, got `str`"),
        (NEW, "http_reqs", {"count": 0}, "http_req_failed: 3 failures of 0 requests"),
        (NEW, "http_req_duration", {"p(95)": -3}, "http_req_duration: p95 is -0.003 seconds, expected 0 to 86400"),
        (NEW, "http_req_duration", {"p(95)": 1e300}, "http_req_duration: p95 is 1e+297 seconds"),
        (NEW, "http_req_duration", {"med": 100}, "http_req_duration: p50 is 0.1 seconds, more than p90"),
        (NEW, "http_req_failed", {"passes": 61}, "http_req_failed: 61 failures of 60 requests"),
        (EXPORT, "http_req_failed", {"passes": 61}, "http_req_failed: 61 failures of 60 requests"),
        (NEW, "vus", {"max": -1}, "vus: max is -1"),
        (NEW, "data_received", {"count": -1}, "data_received: count is -1 bytes, expected 0 or more"),
    ],
)
def test_absurd_values_are_refused(name: str, metric: str, values: dict[str, Any], text: str) -> None:
    """With the metric and the allowed values."""

    def absurd(content: Any) -> None:
        metric_content = content["metrics"][metric]
        metric_content.get("values", metric_content).update(values)

    assert text in refusal(name, absurd)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda content: content["config"].update(duration=-1), "config.duration is -1 seconds"),
        (lambda content: content["config"].pop("duration"), "Object missing required field `duration` - at `$.config`"),
        (lambda content: content["metadata"].update(generatedAt="1970-01-01T00:00:00Z"), "metadata.generatedAt is 0"),
        (lambda content: content["metadata"].update(generatedAt="soon"), "Invalid RFC3339"),
        (lambda content: content["results"].update(metrics=[]), "results.metrics: has no requests"),
    ],
)
def test_a_bad_machine_summary_is_refused(change: Callable[[Any], object], text: str) -> None:
    """With the path of the problem."""
    assert text in refusal(MACHINE, change)


@pytest.mark.parametrize("name", [NEW, EXPORT, MACHINE])
@pytest.mark.parametrize("cut", [1, 2, 500])
def test_a_cut_summary_is_refused(name: str, cut: int) -> None:
    """Half a summary is none."""
    with pytest.raises(SourceError, match="k6 summary"):
        read(name, (FILES / name).read_bytes().rstrip()[:-cut])
