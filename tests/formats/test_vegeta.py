"""vegeta's results and its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter import formats
from exporter.analysis.loadrun import mapped
from exporter.errors import SourceError
from exporter.formats import File
from exporter.formats.tally import Tally
from exporter.formats.vegeta import json as vegeta_json
from exporter.formats.vegeta import report as vegeta_report
from exporter.model.loadrun import LoadRun

FILES = Path(__file__).parent / "files"
HERE = File(Path("report.json"), 1789378300.0)


def run_of(content: bytes) -> LoadRun:
    tally = Tally()
    reader = vegeta_json.Reader(tally)
    reader.feed(content)
    reader.end()
    return tally.run(vegeta_json.FORMAT.tool, vegeta_json.FORMAT.name)


def result(**changes: object) -> bytes:
    fields = {
        "attack": "",
        "seq": 1,
        "code": 200,
        "timestamp": "2026-09-14T09:30:02.123456789Z",
        "latency": 250_000_000,
        "bytes_out": 10,
        "bytes_in": 512,
        "error": "",
        "body": "eA==",
        **changes,
    }
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode() + b"\n"


def report(change: Callable[[Any], object]) -> LoadRun:
    content = json.loads((FILES / "vegeta-report.json").read_bytes())
    change(content)
    return vegeta_report.read(json.dumps(content).encode(), HERE)


def test_results_and_report_have_the_same_figures() -> None:
    """One attack, written both ways."""
    results, report_run = (formats.read(FILES / name) for name in ("vegeta-json.json", "vegeta-report.json"))
    for run in (results, report_run):
        assert (run.total.requests, run.total.failures) == (40, 2)
        assert (run.total.received, run.total.sent) == (19477, 1824)
        assert (run.users, run.dated, run.complete) == (None, True, True)
    assert report_run.start == pytest.approx(results.start, abs=1e-6)
    assert report_run.end == pytest.approx(results.end, abs=1e-6)
    assert report_run.total.latency.mean == pytest.approx(results.total.latency.mean)
    assert report_run.total.latency.p95 == pytest.approx(results.total.latency.p95, rel=0.02)
    assert report_run.total.errors == {"no response": 1, "HTTP 500": 1}
    assert "500 Internal Server Error" in results.total.errors


def test_results_are_routes_where_they_have_the_url() -> None:
    """Since vegeta 12.9 a result has method and URL; before, the attack's name is all there is."""
    routes = {
        (endpoint.method, endpoint.route): endpoint.figures.requests
        for endpoint in formats.read(FILES / "vegeta-json.json").endpoints
    }
    assert routes == {("GET", "/cart"): 20, ("POST", "/orders"): 20}
    run = run_of(result() + result(attack="GET /cart"))
    assert [(endpoint.name, endpoint.route) for endpoint in mapped(run, {}).endpoints] == [
        ("GET /cart", "/cart"),
        ("vegeta", ""),
    ]


def test_a_result_has_the_time_of_its_start() -> None:
    """Nanoseconds became seconds; the run ends when the last response came."""
    run = run_of(result())
    assert run.start == pytest.approx(1789378202.123457, abs=1e-6)
    assert run.duration == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("code", "error", "failed"), [(200, "", 0), (399, "", 0), (400, "", 1), (0, "EOF", 1), (200, "x", 1)]
)
def test_success_is_200_to_399_without_an_error(code: int, error: str, failed: int) -> None:
    """As vegeta counts it."""
    assert run_of(result(code=code, error=error)).total.failures == failed


def test_a_cut_last_result_is_omitted_and_reported() -> None:
    """An attack that broke off does not count as complete."""
    run = run_of(result() + result()[:40])
    assert (run.total.requests, run.complete) == (1, False)
    assert run.warnings == ("line 2: is incomplete and was omitted: vegeta was stopped, or the file cut",)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (result() + b"nonsense\n", "line 2: is not a vegeta result: JSON is malformed"),
        (result(latency=-1), "line 1: a latency of -1e-09 seconds, expected 0 to 86400"),
        (result(latency=1e30), "line 1: is not a vegeta result: "),
        (result(latency=9 * 10**18), "line 1: a latency of 9000000000 seconds"),
        (result(latency="5ms"), "Expected `int`, got `str` - at `$.latency`"),
        (result(latency=None), "missing required field `latency`"),
        (result(timestamp="0001-01-01T00:00:00Z"), "line 1: a time of -62135596800 Unix seconds"),
        (result(code=-5), "Expected `int` >= 0 - at `$.code`"),
        (result(bytes_in=-5), "Expected `int` >= 0 - at `$.bytes_in`"),
        (result() + result(timestamp="2026-10-14T09:30:02Z"), "has requests 30.0 days apart"),
        (b"\n", "has no requests"),
    ],
)
def test_bad_results_are_refused_with_their_line(content: bytes, text: str) -> None:
    """Problem, location and expected value, in one line."""
    with pytest.raises(SourceError) as error:
        run_of(content)
    assert text in str(error.value)


def test_a_report_of_metrics_that_were_not_closed_has_no_percentiles() -> None:
    """Programs that use vegeta as a library write 0 for figures that were not computed; the mean is computed."""
    run = report(lambda content: content["latencies"].update({"mean": 0, "50th": 0, "90th": 0, "95th": 0, "99th": 0}))
    assert (run.total.latency.p50, run.total.latency.p99) == (None, None)
    assert run.total.latency.mean == pytest.approx(0.003359817, rel=1e-6)


def test_a_report_of_old_versions_has_no_p90() -> None:
    """A missing figure is None."""
    run = report(lambda content: content["latencies"].pop("90th"))
    assert run.total.latency.p90 is None
    assert run.total.latency.p95 is not None


def test_a_report_without_status_codes_has_no_failures() -> None:
    """Absent is not zero."""
    assert report(lambda content: content.pop("status_codes")).total.failures is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda content: content.update(requests=0), "has no requests"),
        (lambda content: content.update(requests=-1), "requests is -1, expected a whole number from 0 on"),
        (lambda content: content.update(requests=41), "status_codes: 40 in all, expected as many as requests, 41"),
        (lambda content: content["status_codes"].update({"abc": 0}), "status_codes: 'abc' is not a status code"),
        (lambda content: content["latencies"].update({"95th": 1e20}), "latencies: p95 is 100000000000 seconds"),
        (lambda content: content["latencies"].update({"50th": 10**9}), "latencies: p50 is 1 seconds, more than p90"),
        (lambda content: content.update(earliest="0001-01-01T00:00:00Z"), "earliest is -62135596800 Unix seconds"),
        (lambda content: content.update(end="2026-09-14T09:00:00Z"), "end - earliest is -1802"),
        (lambda content: content.pop("end"), "missing required field `end`"),
        (lambda content: content["bytes_in"].update(total=-1), "bytes_in is -1 bytes"),
    ],
)
def test_a_bad_report_is_refused(change: Callable[[Any], object], text: str) -> None:
    """With the problem and the allowed values."""
    with pytest.raises(SourceError) as error:
        report(change)
    assert text in str(error.value)


def test_a_result_may_hold_a_whole_response() -> None:
    """vegeta writes bodies by default: a line of several MiB is a result, wherever it is cut."""
    result = b'{"code":200,"timestamp":"2026-11-20T10:00:00Z","latency":1000000,"body":"' + b"A" * 6_000_000 + b'"}\n'
    tally = Tally()
    reader = vegeta_json.Reader(tally)
    for at in range(0, len(result), 1 << 20):
        reader.feed(result[at : at + (1 << 20)])
    reader.end()
    assert tally.run("a", "b").total.requests == 1
