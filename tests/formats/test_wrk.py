"""What wrk prints. The sample was made by wrk 4.1 against a small server."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter import formats
from exporter.errors import SourceError
from exporter.formats import File, wrk
from exporter.model.loadrun import LoadRun

FILES = Path(__file__).parent / "files"
HERE = File(Path("wrk.txt"), 1789378300.0)

PLAIN = """Running 2m test @ http://shop.test/cart
  12 threads and 400 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   635.91us    0.89ms   1.29s    93.69%
    Req/Sec    56.20k     8.07k   62.00k    86.54%
  22464657 requests in 2.00m, 17.76GB read
Requests/sec: 187205.47
Transfer/sec:    151.58MB
"""

WRK2 = """Running 30s test @ http://127.0.0.1:80/index.html
  2 threads and 100 connections
  Thread calibration: mean lat.: 9.747ms, rate sampling interval: 21ms
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     6.06ms    3.77ms  25.23ms   70.00%
    Req/Sec     1.05k     1.10k    2.50k    77.65%
  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%    5.30ms
 75.000%    8.18ms
 90.000%   11.75ms
 99.000%   18.25ms
 99.900%   23.10ms
 99.990%   24.77ms
 99.999%   25.25ms
100.000%   25.25ms

  Detailed Percentile spectrum:
       Value   Percentile   TotalCount 1/(1-Percentile)

       0.921     0.000000            1         1.00
      25.247     1.000000        60018          inf
#[Mean    =        6.063, StdDeviation   =        3.768]
#[Max     =       25.232, Total count    =        60018]
----------------------------------------------------------
  60018 requests in 30.00s, 19.81MB read
Requests/sec:   2000.28
Transfer/sec:    676.18KB
"""

ERRORS = PLAIN.replace(
    "GB read\n",
    "GB read\n  Socket errors: connect 1, read 20, write 300, timeout 4\n  Non-2xx or 3xx responses: 5000\n",
)


def read(text: str) -> LoadRun:
    return wrk.read(text.encode(), HERE)


def test_the_real_sample_is_read() -> None:
    """Each figure as it was printed."""
    run = formats.read(FILES / "wrk.txt")
    assert (run.total.requests, run.total.failures, run.total.errors) == (560, 29, {"non-2xx or 3xx": 29})
    latency = run.total.latency
    assert (latency.mean, latency.p50, latency.p90, latency.p99, latency.max) == pytest.approx(
        (0.04433, 0.04401, 0.04799, 0.05196, 0.05387)
    )
    assert (latency.min, latency.p95, latency.p999) == (None, None, None)
    assert run.users == 10
    assert run.total.received == pytest.approx(343.44 * 1024)


def test_every_figure_has_its_own_unit() -> None:
    """Microseconds, seconds, minutes and binary sizes; without --latency percentiles are missing."""
    run = read(PLAIN)
    assert run.total.latency.mean == pytest.approx(635.91e-6)
    assert run.total.latency.max == pytest.approx(1.29)
    assert run.total.latency.p50 is None
    assert run.total.received == pytest.approx(17.76 * 1024**3)


def test_the_duration_is_as_exact_as_the_rate() -> None:
    """2.00m may be half a second off; requests by rate is not."""
    assert read(PLAIN).duration == pytest.approx(22464657 / 187205.47, abs=1e-6)


def test_the_run_ends_when_the_file_was_written() -> None:
    """wrk reports no times, and a warning says so."""
    run = read(PLAIN)
    assert (run.end, run.dated) == (HERE.modified, False)
    assert "last written" in run.warnings[0]


def test_lost_requests_fail_beside_the_answered_ones() -> None:
    """wrk counts only what was answered; errors of sockets and late responses are failures by kind."""
    total = read(ERRORS).total
    assert total.requests == 22464657 + 321
    assert total.errors == {"connect": 1, "read": 20, "write": 300, "non-2xx or 3xx": 5000, "timeout": 4}
    assert total.failures == 5325
    assert "321 socket errors" in read(ERRORS).warnings[1]


def test_a_server_that_is_down_is_a_run_of_failures() -> None:
    """No latency is made up of nothing."""
    text = (
        PLAIN.replace("635.91us    0.89ms   1.29s    93.69%", "0.00us    0.00us   0.00us    -nan%")
        .replace("22464657 requests in 2.00m, 17.76GB", "0 requests in 2.00m, 0.00B")
        .replace("187205.47", "0.00")
        .replace("read\n", "read\n  Socket errors: connect 400, read 0, write 0, timeout 0\n")
    )
    run = read(text)
    assert (run.total.requests, run.total.failures) == (400, 400)
    assert (run.total.latency.mean, run.total.latency.max) == (None, None)


def test_wrk2_is_read_too() -> None:
    """Its distribution goes to 99.9 %."""
    run = read(WRK2)
    assert run.total.requests == 60018
    assert run.total.latency.p99 == pytest.approx(0.01825)
    assert run.total.latency.p999 == pytest.approx(0.0231)
    assert read(WRK2.replace("23.10ms", "25.25ms")).total.latency.max == pytest.approx(0.02525)


def test_a_scripts_output_before_and_after_is_ignored() -> None:
    """Lua scripts may print what they like."""
    text = f"thread 1 created\nthread 2 created\n{PLAIN}made 3 requests\n"
    assert wrk.recognise(text.encode())
    assert read(text).total == read(PLAIN).total


def test_the_url_is_the_name() -> None:
    """wrk does not report the method, a Lua script may have set any: the configuration says which route it is."""
    assert [(endpoint.name, endpoint.method) for endpoint in read(PLAIN).endpoints] == [("http://shop.test/cart", "")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN.partition("22464657")[0], "was wrk stopped, or the file cut?"),
        (PLAIN + PLAIN, "has 2 runs, expected one file per run"),
        (PLAIN.partition("Transfer")[0], "was wrk stopped, or the file cut?"),
        (PLAIN.replace("22464657", "0").replace("187205.47", "0.00"), "has no requests"),
        (PLAIN.replace("22464657", "9" * 30), "requests is 1e+30, expected a whole number"),
        (PLAIN.replace("in 2.00m", "in 9999.00h"), "duration is 35996400 seconds, expected 0 to 604800"),
        (PLAIN.replace("635.91us", "9999.00h"), "Latency: mean is 35996400 seconds"),
        (WRK2.replace(" 5.30ms", "15.30ms"), "Latency: p50 is 0.0153 seconds, more than p90, 0.01175"),
        (ERRORS.replace("5000", "22464658"), "Non-2xx or 3xx responses: 22464658, expected at most"),
        (PLAIN.replace("in 2.00m", "in -2.00m"), "was wrk stopped"),
    ],
)
def test_bad_output_is_refused(text: str, message: str) -> None:
    """In one line, with the expected value."""
    with pytest.raises(SourceError) as error:
        read(text)
    assert message in str(error.value)
