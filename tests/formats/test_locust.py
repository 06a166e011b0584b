"""Locust's statistics, and what lies beside them. The samples are of a real run of 75 seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exporter import formats
from exporter.errors import SourceError
from exporter.formats.locust.statistics import recognise
from exporter.formats.tally import MAX_KINDS
from exporter.model.loadrun import OTHER, LoadRun

FILES = Path(__file__).parent / "files"
COLUMNS = (
    "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,"
    "Max Response Time,Average Content Size,Requests/s,Failures/s,50%,90%,95%,99%,99.9%,100%"
)
CART = "POST,/cart,100,2,20,25.5,3,80,500,10,0.2,20,40,50,70,80,80"
TOTAL = CART.replace("POST,/cart", ",Aggregated")
HISTORY = (
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,Total Request Count,Total Failure Count,"
    "Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,"
    "Total Average Content Size"
)
AT = 1795176000


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """The sample files, as Locust leaves them."""
    for path in FILES.glob("locust_*.csv"):
        shutil.copy(path, tmp_path / path.name.replace("locust", "shop"))
    return tmp_path / "shop_stats.csv"


def write(folder: Path, **files: str) -> Path:
    for suffix, content in files.items():
        (folder / f"shop_{suffix}.csv").write_text(content)
    return folder / "shop_stats.csv"


def statistics(*rows: str) -> str:
    return "".join(f"{row}\r\n" for row in (COLUMNS, *rows))


def history(*rows: tuple[int, int, int, int]) -> str:
    """Of (second, users, requests, failures) so far, 20 ms and 100 bytes each."""
    lines = [f"{AT + at},{users},,Aggregated,0,0,N/A,{n},{bad},20,20.0,3,80,100" for at, users, n, bad in rows]
    return "".join(f"{line}\r\n" for line in (HISTORY, *lines))


def refused(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        formats.read(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_real_run_is_read_whole(real: Path) -> None:
    """Figures come from the statistics, times and minutes from the history, errors from the failures."""
    run = formats.read(real)
    assert (run.total.requests, run.total.failures) == (6218, 1013)
    assert sum(run.total.errors.values()) == 1013
    latency = run.total.latency
    assert (latency.p50, latency.p90, latency.p99, latency.p995, latency.p999) == (0.029, 0.048, 0.060, None, 0.084)
    assert latency.mean == pytest.approx(0.028958918745)
    assert latency.max == pytest.approx(0.108390972)
    assert run.total.received == pytest.approx(6218 * 276.38324220006433)
    assert run.requests_per_second == pytest.approx(83.76418035119069)
    assert (run.end, run.dated, run.users, run.run) == (1795385633.0, True, 12, "shop")
    names = {
        endpoint.name: (endpoint.method, endpoint.route, endpoint.figures.requests, endpoint.figures.failures)
        for endpoint in run.endpoints
    }
    assert names == {
        "GET /": ("GET", "/", 3430, 111),
        "POST /cart": ("POST", "/cart", 1429, 53),
        "GET /missing/[id]": ("GET", "/missing/[id]", 681, 681),
        "Log in, please": ("", "", 678, 168),
    }
    login = next(endpoint for endpoint in run.endpoints if endpoint.name == "Log in, please")
    assert login.figures.errors["CatchResponseError('too short: \"200\"')"] == 151
    assert run.warnings == ("the test's own code failed 36 times, most often with: nothing here",)


def test_minutes_add_up_to_the_run(real: Path) -> None:
    """The figures of all minutes add up to those of the whole run."""
    run = formats.read(real)
    assert run.timeline is not None
    assert sum(run.timeline.requests) == run.total.requests
    assert run.timeline.failures is not None
    assert sum(run.timeline.failures) == run.total.failures
    assert run.timeline.received is not None
    assert sum(run.timeline.received) == pytest.approx(run.total.received)
    assert run.timeline.seconds is not None
    assert run.total.latency.mean is not None
    assert sum(run.timeline.seconds) == pytest.approx(run.total.latency.mean * run.total.requests)
    assert run.timeline.ends == (1795385580.0, 1795385640.0)


def test_companions_are_no_runs() -> None:
    """A history, failures or exceptions file belongs to the statistics, and says so when it is read by itself."""
    for name in ("stats_history", "failures", "exceptions"):
        path = FILES / f"locust_{name}.csv"
        assert formats.accompanies(path.read_bytes()[: formats.HEAD])
        assert "expected the one that ends in _stats.csv" in refused(path)
    assert not formats.accompanies((FILES / "locust_stats.csv").read_bytes())


def test_without_history_the_end_is_when_the_file_was_written(tmp_path: Path) -> None:
    """The duration is requests by requests per second; nothing is known minute by minute."""
    path = write(tmp_path, stats=statistics(CART, TOTAL))
    run = formats.read(path)
    assert not run.dated
    assert run.end == path.stat().st_mtime
    assert run.duration == pytest.approx(10)
    assert (run.timeline, run.users) == (None, None)
    assert run.warnings == ("has no times: the end is the time when the file was last written",)


def test_without_any_rate_no_duration_is_made_up(tmp_path: Path) -> None:
    """A rate of 0 gives no duration."""
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL.replace(",10,0.2,", ",0,0,"))))
    assert run.requests_per_second is None
    assert "has no duration: Requests/s of its last row is 0" in run.warnings


def test_minutes_begin_with_the_run_and_end_with_its_last_response(tmp_path: Path) -> None:
    """Locust may wait for its start, and stay on when all is done; a reset drops what was before."""
    rows = [
        (-7200, 0, 0, 0),
        (-10, 4, 50, 0),
        (0, 5, 0, 0),
        (5, 5, 10, 0),
        (10, 5, 60, 1),
        (10, 9, 100, 2),
        (300, 0, 100, 2),
    ]
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL), stats_history=history(*rows)))
    assert (run.start, run.end) == (AT, AT + 10)
    assert run.timeline is not None
    assert (run.timeline.requests, run.timeline.failures, run.timeline.users) == ((100,), (2,), (9,))
    assert run.warnings == ("statistics were reset while the test ran; earlier requests do not count",)


def test_rows_far_apart_give_no_minutes(tmp_path: Path) -> None:
    """The minutes of requests between two rows are unknown."""
    rows = [(0, 5, 0, 0), (30, 5, 100, 2)]
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL), stats_history=history(*rows)))
    assert run.timeline is None
    assert run.dated
    assert "the history's rows lie too far apart for minutes" in run.warnings


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (history((0, 5, 0, 0), (-5, 5, 100, 2)), "line 3: the clock goes back, from 1795176000 to 1795175995"),
        (history((0, 5, 0, 0)), "has no requests"),
        (history((0, 5, 0, 0)).replace("Total Request Count", "Requests"), "line 1: has no column Total Request Count"),
        (history((0, -5, 7, 0)), "line 2: User Count is '-5', expected a whole number from 0 on"),
    ],
)
def test_an_invalid_history_is_omitted_and_reported(tmp_path: Path, content: str, text: str) -> None:
    """The figures are valid without it; the times are then those of the file."""
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL), stats_history=content))
    assert not run.dated
    assert any(warning.startswith(f"shop_stats_history.csv: was omitted: {text}") for warning in run.warnings)


def test_a_history_that_breaks_off_is_used_up_to_there(tmp_path: Path) -> None:
    """An incomplete row is omitted, and the difference is reported."""
    content = history((0, 5, 0, 0), (5, 5, 90, 1), (10, 5, 100, 2))[:-20]
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL), stats_history=content))
    assert run.end == AT + 5
    assert run.warnings == (
        "the history is incomplete; its last row was omitted",
        "has 100 requests and its history 90: one of them was cut",
    )


def test_errors_that_are_not_all_reported_leave_a_rest(tmp_path: Path) -> None:
    """Kinds add up to the failures; more kinds than failures are of another run."""
    few = "Method,Name,Error,Occurrences\r\nPOST,/cart,timeout,1\r\n"
    many = few.replace(",1\r\n", ",7\r\n")
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL), failures=few))
    assert run.total.errors == {"timeout": 1, OTHER: 1}
    run = formats.read(write(tmp_path, stats=statistics(CART, TOTAL), failures=many))
    assert run.total.errors == {}
    assert "POST /cart has fewer failures than errors by kind; its kinds of errors were omitted" in run.warnings


def test_very_many_kinds_of_errors_are_capped(tmp_path: Path) -> None:
    """Errors with IDs in them would be endless."""
    kinds = "".join(f"POST,/cart,no order {number},1\r\n" for number in range(500))
    stats = statistics(CART, TOTAL).replace(",100,2,", ",1000,500,")
    run = formats.read(write(tmp_path, stats=stats, failures=f"Method,Name,Error,Occurrences\r\n{kinds}"))
    assert len(run.total.errors) == MAX_KINDS + 1
    assert run.total.errors[OTHER] == 400
    assert all(len(endpoint.figures.errors) <= MAX_KINDS + 1 for endpoint in run.endpoints)


def test_what_was_not_timed_has_no_latencies(tmp_path: Path) -> None:
    """Locust writes 0 for unknown values, and N/A for names without requests."""
    untimed = "WS,listen,10,0,0,0,0,0,0,1,0,0,0,0,0,0,0"
    never = "GET,/never,0,0,0,0,0,0,0,0,0,N/A,N/A,N/A,N/A,N/A,N/A"
    run = formats.read(write(tmp_path, stats=statistics(CART, untimed, never, TOTAL.replace(",100,", ",110,"))))
    latencies = {endpoint.name: endpoint.figures.latency.mean for endpoint in run.endpoints}
    assert latencies == {"POST /cart": 0.0255, "listen": None}


def test_one_name_of_several_types_is_distinguished(tmp_path: Path) -> None:
    """A name that is not a route keeps its type if another type has the name too."""
    rows = [
        CART.replace("/cart", "search"),
        CART.replace("POST,/cart", "GET,search"),
        TOTAL.replace(",100,2", ",200,4"),
    ]
    run: LoadRun = formats.read(write(tmp_path, stats=statistics(*rows)))
    assert [endpoint.name for endpoint in run.endpoints] == ["GET search", "POST search"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (statistics(), "has no row Aggregated, which Locust writes last; was its end cut off?"),
        (statistics(CART), "has no row Aggregated, which Locust writes last; was its end cut off?"),
        (statistics(TOTAL.replace(",100,2,", ",0,0,")), "has no requests"),
        (statistics(CART, CART, TOTAL), "line 3: duplicate row POST /cart"),
        (statistics(CART.replace(",100,", ",-1,"), TOTAL), "line 2: Request Count is '-1', expected a whole number"),
        (statistics(CART.replace(",100,2,", ",1,2,"), TOTAL), "line 2: Failure Count is 2, more than the 1 of Request"),
        (
            statistics(CART.replace(",25.5,", ",quick,"), TOTAL),
            "line 2: Average Response Time is 'quick', expected a number",
        ),
        (
            statistics(CART.replace(",25.5,", ",NaN,"), TOTAL),
            "line 2: Average Response Time is 'NaN', expected a number",
        ),
        (
            statistics(CART.replace(",40,50,", ",50,40,"), TOTAL),
            "line 2: 95% is 40, which is less than a lower percentile",
        ),
        (statistics("POST,/cart,100", TOTAL), "line 2: has 3 columns, expected 17"),
        (statistics(TOTAL.replace(",10,0.2", ",0.0000001,0")), "covers 11574.1 days, expected at most 7"),
        (
            statistics().replace("Request Count", "# requests"),
            "line 1: has no column Request Count, expected Type, Name",
        ),
    ],
)
def test_a_problem_is_reported_with_its_line(tmp_path: Path, content: str, text: str) -> None:
    """Bad input is refused with its location and the expected value."""
    assert text in refused(write(tmp_path, stats=content))


def test_old_headers_are_recognised() -> None:
    """Locust before 1.0 named its columns otherwise; it is Locust anyway, and refused by column."""
    assert recognise(b'"Method","Name","# requests","# failures","Median response time","Requests/s"\n')
    assert not recognise(b"timeStamp,elapsed,label\n")
