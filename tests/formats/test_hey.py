"""What hey prints, and its CSV. The samples were made by hey 0.1.4 against a small server."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter import formats
from exporter.errors import SourceError
from exporter.formats import File
from exporter.formats.hey import csv
from exporter.formats.hey import text as printed
from exporter.model.loadrun import LoadRun

FILES = Path(__file__).parent / "files"
HERE = File(Path("hey"), 1789378300.0)
TEXT, CSV = (FILES / "hey.txt").read_text(encoding="utf-8"), (FILES / "hey-csv.csv").read_text(encoding="utf-8")
HEADER = CSV.partition("\n")[0]

DOWN = """
Summary:
  Total:\t0.0017 secs
  Slowest:\t0.0000 secs
  Fastest:\t0.0000 secs
  Average:\t NaN secs
  Requests/sec:\t11654.6517
  \n
Response time histogram:


Latency distribution:

Details (average, fastest, slowest):
  DNS+dialup:\t NaN secs, 0.0000 secs, 0.0000 secs

Status code distribution:

Error distribution:
  [20]\tGet "http://shop.test/cart": dial tcp 10.0.0.1:80: connect: connection refused

"""


def read(text: str) -> LoadRun:
    return printed.read(text.encode(), HERE)


def rows(*lines: str) -> LoadRun:
    return csv.read("\n".join([HEADER, *lines, ""]).encode(), HERE)


def test_the_real_text_is_read() -> None:
    """Each figure as it was printed."""
    run = formats.read(FILES / "hey.txt")
    assert (run.total.requests, run.total.failures, run.total.errors) == (400, 17, {"HTTP 500": 17})
    latency = run.total.latency
    assert (latency.min, latency.mean, latency.p50, latency.p90, latency.p95, latency.p99, latency.max) == (
        0.0077,
        0.0448,
        0.0440,
        0.0480,
        0.0481,
        0.0519,
        0.0559,
    )
    assert (latency.p995, latency.p999, run.users) == (None, None, None)
    assert run.total.received == 204800
    assert run.duration == pytest.approx(3.6041)


def test_a_server_that_is_down_is_a_run_of_failures() -> None:
    """hey prints NaN and zeros there: neither is a latency."""
    run = read(DOWN)
    assert (run.total.requests, run.total.failures) == (20, 20)
    assert (run.total.latency.mean, run.total.latency.min, run.total.latency.max) == (None, None, None)
    assert list(run.total.errors) == ['Get "http://shop.test/cart": dial tcp 10.0.0.1:80: connect: connection refused']


def test_the_text_of_old_versions_is_read() -> None:
    """Percent signs were doubled once."""
    assert read(TEXT.replace("% in", "%% in")).total.latency == read(TEXT).total.latency


def test_beyond_a_million_the_mean_is_missing() -> None:
    """hey divides the sum of all latencies by the million that it remembers."""
    text = TEXT.replace("383 responses", "1999983 responses").replace("110.9855", "x").replace("3.6041", "20.0000")
    text = text.replace(text.split("Requests/sec:")[1].split("\n")[0], "\t100000.0000")
    run = read(text)
    assert run.total.requests == 2_000_000
    assert run.total.latency.mean is None
    assert "first 1000000" in run.warnings[1]


def test_the_run_ends_when_the_file_was_written() -> None:
    """hey reports no times, and a warning says so."""
    for run in (read(TEXT), csv.read(CSV.encode(), HERE)):
        assert run.end == pytest.approx(HERE.modified, abs=1e-3)
        assert not run.dated
        assert any("last written" in text for text in run.warnings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.partition("Status code")[0], "was hey stopped, or the file cut?"),
        (TEXT.partition("  [500]")[0], "status codes and errors are 383 requests, expected 400 by rate and time"),
        (TEXT.replace("17 responses", "18 responses"), "are 401 requests, expected 400"),
        (TEXT.replace("3.6041 secs", "abc secs"), "total is 'abc', expected seconds"),
        (TEXT.replace("3.6041 secs", "-3.6041 secs"), "Total is -3.6041 seconds, expected 0 to 604800"),
        (TEXT.replace("3.6041 secs", "Inf secs"), "Total is inf seconds"),
        (TEXT.replace("0.0448 secs", "NaN secs"), "latency: mean is nan seconds"),
        (TEXT.replace("95% in 0.0481", "95% in 0.0981"), "latency: p95 is 0.0981 seconds, more than p99, 0.0519"),
        (DOWN.replace("[20]", "[0]").replace("11654.6517", "0.0000"), "has no requests"),
    ],
)
def test_bad_text_is_refused(text: str, message: str) -> None:
    """In one line, with the expected value."""
    with pytest.raises(SourceError) as error:
        read(text)
    assert message in str(error.value)


def test_the_real_csv_is_read() -> None:
    """Every row is a request, which began at its offset."""
    run = formats.read(FILES / "hey-csv.csv")
    assert (run.total.requests, run.total.failures, run.total.errors) == (229, 16, {"HTTP 500": 16})
    assert run.total.latency.max == 0.055
    assert run.timeline is not None
    assert sum(run.timeline.requests) == 229


def test_offsets_place_requests_in_time() -> None:
    """The run ends when the file was written; its start follows from the offsets."""
    run = rows("0.5000,0,0,0,0,0,200,0.0033", "1.0000,0,0,0,0,0,404,61.0000")
    assert run.duration == pytest.approx(62 - 0.0033)
    assert run.total.errors == {"HTTP 404": 1}
    assert run.timeline is not None
    assert sorted(run.timeline.requests)[-2:] == [1, 1]


def test_a_cut_last_row_is_omitted_and_reported() -> None:
    """Even where it looks whole: its offset may have lost a digit."""
    run = csv.read(f"{HEADER}\n0.5,0,0,0,0,0,200,1.0\n0.5,0,0,0,0,0,200,1.".encode(), HERE)
    assert (run.total.requests, run.complete) == (1, False)
    assert "line 3: is incomplete and was omitted: hey was stopped, or the file cut" in run.warnings


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("abc,0,0,0,0,0,200,1", "line 2: response-time is 'abc', expected seconds from 0 to 86400"),
        ("NaN,0,0,0,0,0,200,1", "line 2: response-time is 'NaN'"),
        ("-1,0,0,0,0,0,200,1", "line 2: response-time is '-1'"),
        ("1,0,0,0,0,0,2e2,1", "line 2: status-code is '2e2', expected a number"),
        ("1,0,0,0,0,0,200,1e9", "line 2: offset is '1e9', expected seconds from 0 to 604800"),
        ("1,0,0,0,0,0,200", "line 2: has 7 fields, expected 8 as in the header"),
    ],
)
def test_bad_rows_are_refused_with_their_line(row: str, message: str) -> None:
    """Problem, location and expected value."""
    with pytest.raises(SourceError) as error:
        rows(row)
    assert message in str(error.value)


def test_the_csv_of_old_versions_is_refused() -> None:
    """Without status and offset, failures and times are unknown."""
    old = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read\n0.1,0,0,0,0,0\n"
    with pytest.raises(SourceError, match="line 1: has no column status-code"):
        csv.read(old.encode(), HERE)
    with pytest.raises(SourceError, match="has no requests"):
        rows()
