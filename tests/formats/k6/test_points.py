"""k6's points as JSON and as CSV."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from exporter import formats
from exporter.analysis.loadrun import mapped
from exporter.errors import SourceError
from exporter.formats.k6 import csv as k6_csv
from exporter.formats.k6 import json as k6_json
from exporter.formats.tally import Tally
from exporter.formats.tally.urls import endpoint
from exporter.model.loadrun import LoadRun

FILES = Path(__file__).parent.parent / "files"
SHOP = "http://shop.test:8080"
HEADER = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,"
    "service,status,subproto,tls_version,url,extra_tags,metadata"
)


def run_of(module: ModuleType, content: bytes) -> LoadRun:
    tally = Tally()
    reader = module.Reader(tally)
    reader.feed(content)
    reader.end()
    return tally.run(module.FORMAT.tool, module.FORMAT.name)


def refusal(module: ModuleType, content: bytes) -> str:
    with pytest.raises(SourceError) as error:
        run_of(module, content)
    return str(error.value)


def point(
    metric: str = "http_req_duration", value: object = 100, time: str = "2026-09-14T09:30:02.5Z", **tags: str
) -> bytes:
    all_tags = {"name": f"{SHOP}/cart", "method": "GET", "status": "200", "expected_response": "true", **tags}
    data = {"time": time, "value": value, "tags": {key: value for key, value in all_tags.items() if value}}
    return json.dumps({"metric": metric, "type": "Point", "data": data}).encode() + b"\n"


def row(value: str = "100.000000", time: str = "1789378202", metric: str = "http_req_duration", **tags: str) -> bytes:
    all_tags = {"name": f"{SHOP}/cart", "method": "GET", "status": "200", "expected_response": "true", **tags}
    fields = [metric, time, value, *(all_tags.get(name, "") for name in HEADER.split(",")[3:])]
    return f"{HEADER}\n{','.join(fields)}\n".encode()


@pytest.fixture(params=["k6-json.json", "k6-csv.csv"])
def sample(request: pytest.FixtureRequest) -> LoadRun:
    return formats.read(FILES / request.param)


def test_a_run_has_its_requests_users_and_bytes(sample: LoadRun) -> None:
    """Counts, failures by kind, users and bytes are those that k6's own summary of this run has."""
    summary = formats.read(FILES / "k6-summary.json")
    assert sample.total.requests == summary.total.requests == 60
    assert sample.total.failures == summary.total.failures == 3
    assert sample.total.errors == {"dial: connection refused": 1, "HTTP 503": 1, "HTTP 404": 1}
    assert (sample.total.received, sample.total.sent) == (summary.total.received, summary.total.sent) == (43080, 6420)
    assert sample.users == summary.users == 10
    assert sample.complete
    assert sample.warnings == ()


def test_latencies_are_those_of_the_summary(sample: LoadRun) -> None:
    """Milliseconds became seconds; percentiles agree with k6's to what interpolation of 60 requests may differ."""
    ours, theirs = sample.total.latency, formats.read(FILES / "k6-summary.json").total.latency
    assert ours.mean == pytest.approx(theirs.mean)
    assert (ours.min, ours.max) == (theirs.min, theirs.max)
    assert ours.p50 == pytest.approx(theirs.p50, rel=0.02)
    assert ours.p95 == pytest.approx(theirs.p95, rel=0.02)


def test_bytes_are_of_the_run_and_of_no_endpoint(sample: LoadRun) -> None:
    """k6 reports bytes of iterations: minutes have them, endpoints do not."""
    assert {endpoint.figures.received for endpoint in sample.endpoints} == {None}
    assert sample.timeline is not None
    assert sample.timeline.received is not None
    assert sum(sample.timeline.received) == 43080


def test_endpoints_are_routes(sample: LoadRun) -> None:
    """A URL with its method is a route, and k6's ${} is a placeholder."""
    assert {(endpoint.method, endpoint.route) for endpoint in mapped(sample, {}).endpoints} == {
        ("GET", "/cart"),
        ("POST", "/orders"),
        ("GET", "/users/{}"),
    }


def test_a_point_has_the_time_of_its_requests_end() -> None:
    """The run begins as long before the first point as that request took."""
    run = run_of(k6_json, point(value=500) + point(time="2026-09-14T11:30:04+02:00"))
    assert run.start == 1789378202.0
    assert run.end == 1789378204.0


@pytest.mark.parametrize("time", ["1789378202", "1789378202000000000", "2026-09-14T11:30:02+02:00"])
def test_csv_times_are_read_in_every_format(time: str) -> None:
    """Seconds, nanoseconds and RFC 3339 are what K6_CSV_TIME_FORMAT may be."""
    assert run_of(k6_csv, row(time=time)).end == pytest.approx(1789378202, abs=1e-3)


@pytest.mark.parametrize(
    ("tags", "failed"),
    [
        ({}, False),
        ({"expected_response": "false"}, True),
        ({"status": "404"}, False),
        ({"expected_response": "", "status": "404"}, True),
        ({"expected_response": "", "status": "302"}, False),
        ({"expected_response": "", "status": "0"}, True),
        ({"expected_response": "", "error_code": "1050"}, True),
    ],
)
def test_failures_are_what_k6_did_not_expect(tags: dict[str, str], failed: bool) -> None:
    """expected_response decides, as for http_req_failed; where it is switched off, error and status do."""
    for run in (run_of(k6_json, point(**tags)), run_of(k6_csv, row(**tags))):
        assert run.total.failures == int(failed)


def test_lines_of_old_versions_are_read() -> None:
    """In older ones the metric was last in a line."""
    data = b'{"time":"2026-09-14T09:30:02Z","value":5,"tags":{"status":"200"}}'
    old = b'{"type":"Point","data":' + data + b',"metric":"http_req_duration"}\n'
    assert k6_json.recognise(old)
    assert run_of(k6_json, old).total.requests == 1


def test_urls_with_ids_are_one_endpoint() -> None:
    """A test that does not group its requests does not fill the memory with names."""
    content = b"".join(point(name=f"{SHOP}/users/{number}?page={number}") for number in range(3000))
    run = run_of(k6_json, content)
    assert [(endpoint.name, endpoint.route, endpoint.figures.requests) for endpoint in run.endpoints] == [
        (f"{SHOP}/users/{{}}", "/users/{}", 3000)
    ]
    assert run.warnings == ()


def test_a_name_that_is_not_a_url_is_unchanged() -> None:
    """It is mapped by the configuration, or reported as unmapped."""
    assert endpoint("Log in", "POST") == ("Log in", "", "")
    run = run_of(k6_json, point(name="Log in", method="POST"))
    assert mapped(run, {"Log in": "POST /login"}).endpoints[0].route == "/login"
    assert "Log in" in mapped(run, {}).warnings[0]


def test_grpc_is_reported_and_not_counted() -> None:
    """Requests other than HTTP are not silently dropped."""
    run = run_of(k6_json, point() + point("grpc_req_duration"))
    assert run.total.requests == 1
    assert "grpc_req_duration" in run.warnings[0]


def test_a_cut_last_line_is_omitted_and_reported() -> None:
    """A run that broke off does not count as complete."""
    run = run_of(k6_json, point() * 3 + point()[:-20])
    assert run.total.requests == 3
    assert not run.complete
    assert run.warnings[0].startswith("line 4: is incomplete")
    rows = row() + row().split(b"\n")[1]
    assert run_of(k6_csv, rows).total.requests == 1
    assert not run_of(k6_csv, rows).complete


def test_a_last_line_without_its_end_counts_where_it_is_whole() -> None:
    """JSON shows that it is whole; CSV does not."""
    run = run_of(k6_json, point() + point().rstrip())
    assert (run.total.requests, run.complete) == (2, True)


def test_quoted_fields_may_hold_commas_and_new_lines() -> None:
    """An error's text is one line of it."""
    content = row(error='"dial: lookup shop.test,\nno such host"', expected_response="false", status="0")
    assert run_of(k6_csv, content).total.errors == {"dial: lookup shop.test, no such host": 1}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (point() + b"{broken\n", "line 2: is not a k6 point"),
        (point(value="100"), "line 1: is not a k6 point: Expected `float`, got `str`"),
        (point(time="2026-09-14T09:30:02"), "Expected `datetime` with a timezone component"),
        (point(value=-1), "line 1: a latency of -0.001 seconds, expected 0 to 86400"),
        (point(value=1e12), "line 1: a latency of 1000000000 seconds"),
        (point(time="1970-01-01T00:00:01Z"), "line 1: a time of 0.9 Unix seconds"),
        (point("vus", -3), "line 1: vus of -3, expected 0 or more"),
        (point(status="", expected_response=""), "line 1: a request with neither expected_response nor status"),
        (point(expected_response="maybe"), "line 1: expected_response is 'maybe', expected true or false"),
        (b'{"metric":"a","type":"Sample","data":{}}\n', "line 1: type is 'Sample', expected Metric or Point"),
        (point("vus", 3), "has no requests"),
        (point() + b"\xff\n", "line 2: is not UTF-8"),
    ],
)
def test_bad_json_is_refused_with_its_line(content: bytes, text: str) -> None:
    """Problem, location and expected value, in one line."""
    assert text in refusal(k6_json, content)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (row(value="abc"), "line 2: metric_value is 'abc', expected a number"),
        (row(value="NaN"), "line 2: metric_value is 'NaN', expected a finite number"),
        (row(time="yesterday"), "line 2: timestamp is 'yesterday', expected Unix time, or RFC 3339 with an offset"),
        (row(time="2026-09-14T09:30:02"), "line 2: timestamp is"),
        (row(value="-5.0"), "line 2: a latency of -0.005 seconds"),
        (row() + b"http_req_duration,1\n", "line 3: has 2 fields, expected 19 as in the header"),
        (row() + b'http_reqs,"1\n' + b"x" * 40_000_000, "longer than"),
        (b"a,b\n", "line 1: expected a header"),
        (row(value="1e999", metric="data_received"), "expected a finite number"),
    ],
)
def test_bad_csv_is_refused_with_its_line(content: bytes, text: str) -> None:
    """Problem, location and expected value, in one line."""
    assert text in refusal(k6_csv, content)


def test_clocks_that_go_back_are_no_error() -> None:
    """Points of several users need not ascend."""
    run = run_of(k6_json, point(time="2026-09-14T09:31:02Z") + point(time="2026-09-14T09:30:02Z"))
    assert run.duration == pytest.approx(60.1)
