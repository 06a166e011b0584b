"""JMeter's CSV against the csv module and a sorted list."""

from __future__ import annotations

import csv
import io
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import formats
from exporter.errors import SourceError
from exporter.formats.jmeter import csv as jmeter_csv
from exporter.formats.jmeter import samples
from exporter.formats.tally import Tally, names
from exporter.model.loadrun import QUANTILE_FIGURES, LoadRun

START = 1_760_000_000_000
COLUMNS = next(csv.reader([(Path(__file__).parent.parent / "files" / "jmeter-csv.csv").read_text().splitlines()[0]]))
ThreadRow = Mapping[str, object]


def row(start: int, elapsed: int, label: str = "GET /", **other: object) -> ThreadRow:
    """A row that succeeded, `start` milliseconds after the first."""
    plain = {
        **dict.fromkeys(COLUMNS, ""),
        "responseCode": "200",
        "responseMessage": "OK",
        "threadName": "Buyers 1-1",
        "dataType": "text",
        "success": "true",
        "bytes": 100,
        "sentBytes": 10,
        "grpThreads": 1,
        "allThreads": 1,
        "IdleTime": 0,
    }
    return {**plain, "timeStamp": START + start, "elapsed": elapsed, "label": label, **other}


def transaction(start: int, elapsed: int, samples: int = 2, label: str = "Buy", **other: object) -> ThreadRow:
    message = f"Number of samples in transaction : {samples}, number of failing samples : 0"
    return row(start, elapsed, label, responseMessage=message, dataType="", URL="null", **other)


def jtl(rows: Iterable[ThreadRow], columns: Sequence[str] = COLUMNS, delimiter: str = ",", end: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator=end, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read(content: bytes, step: int = formats.BLOCK) -> LoadRun:
    tally = Tally()
    reader = jmeter_csv.Reader(tally)
    for at in range(0, len(content), step):
        reader.feed(content[at : at + step])
    reader.end()
    return tally.run("jmeter", "jmeter-csv")


def labels(run: LoadRun) -> dict[str, int]:
    return {endpoint.name: endpoint.figures.requests for endpoint in run.endpoints}


def refused(content: bytes) -> str:
    with pytest.raises(SourceError) as error:
        read(content)
    return str(error.value)


TEXTS = st.sampled_from(
    ["GET /", "Log in", 'a "b"', "x,y;z|\tw", "two\nlines", "two\r\nlines", "größe", "", '"', "timeStamp"]
)
ROWS = st.lists(
    st.builds(
        lambda start, elapsed, label, success, text, size, users, thread: row(
            start,
            elapsed,
            label,
            success=str(success).lower(),
            responseCode="200" if success else "503",
            failureMessage=text,
            URL=text,
            bytes=size,
            allThreads=users,
            threadName=thread,
        ),
        st.integers(0, 3_600_000),
        st.integers(0, 90_000),
        TEXTS,
        st.booleans(),
        TEXTS,
        st.integers(0, 1 << 40),
        st.integers(1, 500),
        st.sampled_from(["a", "b,c", "d"]),
    ),
    min_size=1,
    max_size=40,
)


@given(
    rows=ROWS,
    columns=st.permutations([*COLUMNS, "my variable"]),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    step=st.sampled_from([1, 13, 500, 1 << 20]),
)
@settings(max_examples=150)
def test_any_order_delimiter_and_quoting_gives_what_the_csv_module_reads(
    rows: list[ThreadRow], columns: list[str], delimiter: str, end: str, step: int
) -> None:
    """Requests, failures, sizes, users and extremes are those of the rows, however they are written and cut."""
    content = jtl(rows, columns, delimiter, end)
    records = list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))
    run = read(content, step)
    assert labels(run) == Counter(" ".join(record["label"].split()) or "unnamed" for record in records)
    failed = [record for record in records if record["success"] == "false"]
    assert run.total.failures == len(failed)
    assert run.total.errors == ({"503": len(failed)} if failed else {})
    assert run.total.received == sum(int(record["bytes"]) for record in records)
    assert run.users == max(int(record["allThreads"]) for record in records)
    assert run.start == min(int(record["timeStamp"]) for record in records) / 1000
    elapsed = [int(record["elapsed"]) / 1000 for record in records]
    latency = run.total.latency
    assert (latency.min, latency.max) == (min(elapsed), max(elapsed))
    assert latency.mean == pytest.approx(sum(elapsed) / len(elapsed))


@pytest.mark.parametrize("shape", ["lognormal", "two humps", "constant", "long tail"])
def test_percentiles_are_within_one_percent_of_the_exact_ones(shape: str) -> None:
    """P50 to P99.9 beside the nearest-rank ones of a sorted list, of the total and of every label."""
    chance = np.random.default_rng(7)
    drawn = {
        "lognormal": chance.lognormal(4.5, 1.2, 60_000),
        "two humps": np.where(chance.random(60_000) < 0.8, chance.normal(20, 3, 60_000), 5000),
        "constant": np.full(60_000, 37.0),
        "long tail": np.minimum(chance.pareto(0.9, 60_000) * 10, 80_000_000),
    }[shape]
    milliseconds = np.maximum(drawn, 0).astype(np.int64).tolist()
    names = ["GET /a", "GET /b", "GET /c"]
    run = read(jtl(row(n, value, names[n % 3]) for n, value in enumerate(milliseconds)), 1 << 20)
    parts = {endpoint.name: endpoint.figures for endpoint in run.endpoints}
    for name, figures in {"": run.total, **parts}.items():
        exact = sorted(milliseconds if not name else milliseconds[names.index(name) :: 3])
        for field, q in QUANTILE_FIGURES.items():
            value = exact[max(1, math.ceil(q * len(exact))) - 1] / 1000
            assert getattr(figures.latency, field) == pytest.approx(value, rel=0.01), (name, field)


def test_large_blocks_give_what_small_ones_give() -> None:
    """Blocks parsed ahead in threads are added up in their order."""
    chance = random.Random(3)
    rows = [
        row(n, chance.randrange(900), f"GET /{n % 7}", threadName=f"t {n % 50}", failureMessage='"x"\n,' * (n % 3 == 0))
        for n in range(60_000)
    ]
    content = jtl(rows)
    assert len(content) > 3 << 20
    large, small = read(content, 1 << 21), read(content, 100_000)
    assert large.total.latency.histogram == small.total.latency.histogram
    assert labels(large) == labels(small)
    assert large.timeline is not None
    assert small.timeline is not None
    assert large.timeline.requests == small.timeline.requests


def test_a_row_counts_as_soon_as_it_is_whole() -> None:
    """A file that grows can be followed."""
    tally = Tally()
    reader = jmeter_csv.Reader(tally)
    head, first, second = jtl([row(0, 5), row(9, 5)]).splitlines(keepends=True)
    reader.feed(head + first + second[:20])
    assert tally.run("jmeter", "jmeter-csv").total.requests == 1
    reader.feed(second[20:])
    assert tally.run("jmeter", "jmeter-csv").total.requests == 2


BESIDE = [row(0, 100, "A"), row(120, 80, "B"), transaction(0, 190, IdleTime=10), row(200, 50, "A")]
PARENTS = [transaction(0, 190), transaction(200, 90), transaction(300, 90)]
INSIDE = [
    transaction(0, 190, IdleTime=10),
    row(0, 100, "A"),
    row(120, 80, "B"),
    transaction(210, 50, 1),
    row(215, 40, "A"),
]
NESTED = [row(0, 50, "A"), transaction(0, 50, 1, "Inner"), row(50, 50, "B"), transaction(0, 100, 2, "Outer")]
REDIRECTED = [
    row(0, 100, "A"),
    row(0, 60, "A-0", allThreads=0),
    row(60, 40, "A-1", allThreads=0),
    row(100, 30, "B-1"),
    row(140, 50, "C"),
    row(140, 50, "https://shop.example.org/c"),
    transaction(0, 190),
]


@pytest.mark.parametrize(
    ("rows", "counted", "warning"),
    [
        (BESIDE, {"A": 2, "B": 1}, samples.LEFT_OUT),
        (PARENTS, {"Buy": 3}, samples.HIDDEN),
        (INSIDE, {"A": 2, "B": 1}, samples.LEFT_OUT),
        (NESTED, {"A": 1, "B": 1}, samples.LEFT_OUT),
        ([transaction(0, 40, 1, "Inner"), transaction(0, 100, 2, "Outer")], {"Inner": 1}, samples.HIDDEN),
        ([row(0, 10, "A"), transaction(30, 0, 0)], {"A": 1}, samples.LEFT_OUT),
        (REDIRECTED, {"A": 1, "B-1": 1, "C": 1}, samples.SUB_RESULTS),
    ],
)
@pytest.mark.parametrize("step", [1, 100, 1 << 20])
def test_nothing_counts_twice(rows: list[ThreadRow], counted: dict[str, int], warning: str, step: int) -> None:
    """Transactions and sub-results, before and behind their requests, in one block or cut anywhere."""
    run = read(jtl(rows), step)
    assert labels(run) == counted
    assert warning in run.warnings


def test_threads_between_do_not_hide_what_belongs_together() -> None:
    """Rows of other threads come between a transaction and its requests."""
    both = [{**sample, "threadName": f"Buyers 1-{thread}"} for sample in (*BESIDE, *REDIRECTED) for thread in (1, 2)]
    late = [{**sample, "timeStamp": int(str(sample["timeStamp"])) + 1000} for sample in both[2 * len(BESIDE) :]]
    run = read(jtl([*both[: 2 * len(BESIDE)], *late]))
    assert labels(run) == {"A": 6, "B": 2, "B-1": 2, "C": 2}


def test_without_thread_names_transactions_are_left_out() -> None:
    """Whether their requests are in the file is unknown, and nothing may count twice."""
    columns = [name for name in COLUMNS if name != "threadName"]
    run = read(jtl(BESIDE, columns))
    assert labels(run) == {"A": 2, "B": 1}
    assert any("threadName" in warning for warning in run.warnings)


def test_kinds_of_errors_are_codes_or_what_assertions_said() -> None:
    """A failure under a successful code has its assertion's message, on one line and not too long."""
    bad = {"success": "false"}
    rows = [
        row(0, 1, **bad, responseCode="404"),
        row(1, 1, **bad, failureMessage="no price\nin it"),
        row(2, 1, **bad, failureMessage="x" * 500),
        row(3, 1, **bad, responseCode="", responseMessage="", failureMessage=""),
        row(4, 1, **bad, responseCode="Non HTTP response code: java.net.ConnectException"),
    ]
    kinds = read(jtl(rows)).total.errors
    assert set(kinds.values()) == {1}
    assert {"404", "no price", "failed", "Non HTTP response code: java.net.ConnectException"} < set(kinds)
    assert max(map(len, kinds)) == names.LONGEST_KIND


GOOD = jtl([row(0, 5), row(9, 5, failureMessage="two\nlines"), row(20, 5)])
HEAD = GOOD.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            b"timeStamp,label,Latency\n1,a,2\n",
            "line 1: the header has no elapsed, success; required are the columns timeStamp,",
        ),
        (
            b"1760000000000,12,GET /,200,OK,t,true\n",
            "line 1: is not a header: set jmeter.save.saveservice.print_field_names=true",
        ),
        (HEAD.replace(b"Latency", b"label"), "line 1: duplicate column label"),
        (
            jtl([row(0, 5), row(0, 5, timeStamp="2025/10/09 08:53:20.000")]),
            "line 3: timeStamp is 2025/10/09 08:53:20.000, expected milliseconds since 1970: "
            "set jmeter.save.saveservice.timestamp_format=ms",
        ),
        (jtl([row(0, 5, timeStamp=1_760_000_000)]), "line 2: a time of 1760000 Unix seconds"),
        (GOOD + jtl([row(30, -7)]).split(b"\n")[1] + b"\n", "line 6: a latency of -0.007 seconds"),
        (GOOD + jtl([row(30, 10**9)]).split(b"\n")[1] + b"\n", "line 6: a latency of 1000000 seconds"),
        (jtl([row(0, 5), row(0, "12.5")]), "line 3: elapsed is 12.5, expected milliseconds"),  # type: ignore[arg-type]
        (jtl([row(0, 5), row(0, "")]), "line 3: elapsed is empty"),  # type: ignore[arg-type]
        (jtl([row(0, 5, success="yes")]), "line 2: success is yes, expected true or false"),
        (jtl([row(0, 5, bytes="1e3")]), "line 2: bytes is 1e3, expected a whole number"),
        (GOOD + b"1760000000000,12,GET /\n", "line 6: has 3 fields, expected 17"),
        (GOOD + b"1760000000000,12," + GOOD.splitlines()[-1] + b"\n", "line 6: has 19 fields, expected 17"),
        (
            jtl([row(0, 5)]) + b'1760000000000,5,the 5" screen,200,,,,true' + b"," * 9 + b"\n",
            "line 3: has a quote inside a field",
        ),
        (
            GOOD + b'1760000000000,5,"a' + b"x" * (3 << 20),
            "line 6: has a row of more than 1048576 bytes, is a quote missing?",
        ),
        (jtl([row(0, 5, SampleCount=12)], [*COLUMNS, "SampleCount"]), "line 2: SampleCount is 12, expected 1"),
        (GOOD.replace(b"two", b"tw\xff"), "line 3: is not UTF-8"),
        (GOOD + GOOD, "line 6: the header begins the same rows once more"),
        (GOOD + jtl([row(7_200_000, 5)]), "line 6: the header begins another run, 7200 s apart; expected one run"),
        (HEAD, "has no requests"),
    ],
)
def test_bad_input_is_refused_with_its_place(content: bytes, text: str) -> None:
    """Problem, location and expected value, in one line, whole or cut into blocks."""
    assert text in refused(content)
    with pytest.raises(SourceError, match=r"^(line \d+: |has no requests)"):
        read(content, max(50, len(content) // 50))


@pytest.mark.parametrize("content", [HEAD, b"timeStamp;elapsed\n", b"1760000000000\t12\tGET /\t200\tOK\ttrue\t1\n"])
def test_jmeters_files_are_known_even_without_what_is_needed(content: bytes) -> None:
    """The line that says what is missing is ours, not `has an unknown format`."""
    assert (
        formats.detect(content + b"1,2,3\n" if content != b"timeStamp;elapsed\n" else b"timeStamp;elapsed;label\n")
        is jmeter_csv.FORMAT
    )


def test_parts_that_meet_in_time_are_one_run() -> None:
    """Files of injectors that ran together, one after the other, each with its header."""
    run = read(GOOD + jtl([row(5, 8), row(40, 2)]))
    assert run.total.requests == 5
    assert run.complete
    assert any("2 parts" in warning for warning in run.warnings)


def test_a_clock_that_was_set_back_is_reported() -> None:
    """The run's length may be wrong then."""
    run = read(jtl([row(900_000, 5), row(0, 5)]))
    assert any("goes back by 900 s on line 3" in warning for warning in run.warnings)


def test_rows_alike_count_each() -> None:
    """Two threads may well do the same in the same millisecond."""
    assert read(jtl([row(0, 0, threadName="a"), row(0, 0, threadName="a")])).total.requests == 2


def test_a_last_row_that_breaks_off_is_left_out() -> None:
    """Rows before it count, a warning says which is missing, and the run is not complete."""
    run = read(GOOD[:-40])
    assert (run.total.requests, run.complete) == (2, False)
    assert any("is incomplete: the row on line 5 was cut and omitted" in warning for warning in run.warnings)
    open_quote = read(GOOD[: GOOD.index(b"lines")])
    assert (open_quote.total.requests, open_quote.complete) == (1, False)


def test_a_last_row_without_a_line_end_counts_when_nothing_can_be_missing() -> None:
    """Some editors remove the last line end; where a number ends the row, a digit may be missing."""
    assert read(GOOD[:-1]).total.requests == 3
    short = jtl([row(0, 5), row(9, 512)], ["timeStamp", "label", "success", "elapsed"])
    assert read(short[:-1]).total.requests == 1


def test_sizes_and_users_that_are_missing_are_not_zero() -> None:
    """The required columns suffice for a run; figures that were not measured are None."""
    run = read(jtl([row(0, 5), row(9, 5)], ["timeStamp", "elapsed", "label", "success"]))
    assert (run.total.received, run.total.sent, run.users) == (None, None, None)
    assert any("responseMessage" in warning for warning in run.warnings)
