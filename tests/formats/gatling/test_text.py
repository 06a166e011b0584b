"""Gatling's text log, of every version that wrote one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exporter import formats
from exporter.errors import SourceError
from exporter.formats.gatling import text
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun
from tests.formats.gatling import logs
from tests.formats.gatling.logs import START, Failure, Request, User

SHOP = logs.shop()
REQUESTS = [record for record in SHOP if isinstance(record, Request)]


def run_of(content: bytes) -> LoadRun:
    tally = Tally()
    reader = text.Reader(tally)
    reader.feed(content)
    reader.end()
    return tally.run("gatling", "gatling")


def refused(content: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        run_of(content)
    return str(caught.value)


@pytest.mark.parametrize("version", logs.VERSIONS)
def test_every_version_has_the_same_run(version: str) -> None:
    """Whichever way the records were written, requests, failures, times and users are those that happened."""
    run = run_of(logs.text(version, SHOP))
    assert run.total.requests == len(REQUESTS) == 144
    failed = [request for request in REQUESTS if request.message]
    assert run.total.failures == len(failed) == 13
    assert run.total.errors == {"status.find.in(200,201,304), found 500": 13}
    assert run.start == min(request.start for request in REQUESTS) / 1000
    assert run.end == pytest.approx(max(request.end for request in REQUESTS) / 1000, abs=1e-6)
    assert run.total.latency.max == pytest.approx(max(request.end - request.start for request in REQUESTS) / 1000)
    mean = sum(request.end - request.start for request in REQUESTS) / len(REQUESTS) / 1000
    assert run.total.latency.mean == pytest.approx(mean)
    names = {endpoint.name: (endpoint.method, endpoint.route, endpoint.figures.requests) for endpoint in run.endpoints}
    assert names == {
        "GET /": ("GET", "/", 36),
        "checkout / pay / POST /cart": ("POST", "/cart", 36),
        "Prüfung": ("", "", 36),
        "Проверка": ("", "", 36),
    }
    assert run.complete
    assert run.warnings == ()
    assert run.users == 3


@pytest.mark.parametrize("name", ["2.0", "2.2", "3.0", "3.4", "binary"])
def test_sample_files_have_the_same_run(name: str) -> None:
    """The committed logs of all versions, text and binary, are of one run and read as one."""
    path = Path(__file__).parent.parent / "files" / f"gatling-{name}.log"
    run, expected = formats.read(path), run_of(logs.text("3.11.5", SHOP))
    assert replace(run, run="", warnings=(), format="gatling") == expected


def test_users_stay_while_nothing_happens() -> None:
    """Users who neither start nor end in a minute are still there."""
    minute = 60_000
    records: list[logs.Record] = [User(user, START, START, start=True) for user in range(3)]
    records.append(User(0, START, START + 4 * minute, start=False))
    records += [Request(1, (), "GET /", START + at * minute, START + at * minute + 20) for at in range(6)]
    ordered = sorted(
        records, key=lambda record: record.end if isinstance(record, Request) else getattr(record, "at", 0)
    )
    timeline = run_of(logs.text("3.11.5", ordered)).timeline
    assert timeline is not None
    assert timeline.users == (3, 3, 3, 3, 3, 2)


def test_groups_are_not_requests_and_errors_are_reported() -> None:
    """A GROUP counts nothing, and an ERROR, even over several lines, is a warning."""
    crash = Failure("GET /broken: No attribute named 'id'\nis\tdefined", START + 5)
    run = run_of(logs.text("3.11.5", [crash, *SHOP]))
    assert run.total.requests == 144
    assert run.warnings == ("errors beside the requests: 1, the first: GET /broken: No attribute named 'id'",)


def test_a_last_line_that_breaks_off_is_left_out() -> None:
    """Cut within a time, a line would still look whole; so what has no end does not count."""
    content = logs.text("3.11.5", REQUESTS[:10])
    whole = run_of(content)
    cut = run_of(content[:-1])
    assert whole.complete
    assert not cut.complete
    assert cut.total.requests == 9
    assert cut.warnings == ("line 12: is incomplete and was omitted: Gatling was stopped, or the file cut",)


def test_messages_may_have_been_trimmed() -> None:
    """Editors remove the blank of an empty message; a failure without a message is a KO."""
    content = (
        logs.text("3.11.5", REQUESTS).replace(b"\t \n", b"\n").replace(b"\tstatus.find.in(200,201,304), found 500", b"")
    )
    run = run_of(content)
    assert run.total.requests == 144
    assert run.total.errors == {"KO": 13}


HEAD = f"RUN\tshop.Shop\tshop\t{START}\t \t3.11.5\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (HEAD, "has no requests"),
        (f"REQUEST\t\tGET /\t{START}\t{START}\tOK\t \n", "line 1: a REQUEST before the RUN record"),
        (HEAD.replace("3.11.5", "next"), "line 1: a RUN of version 'next', expected one such as 3.11.5"),
        (f"{HEAD}REQUEST\t\tGET /\t{START}\t{START}\tMAYBE\t \n", "line 2: a REQUEST without OK or KO in field 6"),
        (f"{HEAD}REQUEST\t1\t\tGET /\t{START}\t{START}\tOK\t \n", "line 2: a REQUEST without OK or KO in field 6"),
        (f"{HEAD}REQUEST\t\tGET /\tnow\t{START}\tOK\t \n", "line 2: a time of 'now', expected milliseconds"),
        (f"{HEAD}REQUEST\t\tGET /\t{START}\t-5\tOK\t \n", "line 2: a time of '-5', expected milliseconds"),
        (
            f"{HEAD}REQUEST\t\tGET /\t{START}\t{START - 500}\tOK\t \n",
            "line 2: a latency of -0.5 seconds, expected 0 to",
        ),
        (f"{HEAD}REQUEST\t\tGET /\t17951760\t17951761\tOK\t \n", "line 2: a time of 17951.76 Unix seconds"),
        (f"{HEAD}USER\tShop\tRUNS\t{START}\n", "line 2: a USER without START or END in field 3"),
        (f"{HEAD}USER\tShop\tSTART\t0\nUSER\tShop\tEND\t{START}\n", "line 3: a time 1795176000000 ms more than 7 days"),
        (f"{HEAD}WHAT\t1\t2\n", "line 2: a record 'WHAT', expected one of RUN, REQUEST, USER, GROUP, ERROR, ASSERTION"),
    ],
)
def test_a_problem_is_reported_with_its_line(content: str, text: str) -> None:
    """Bad input is refused with its location and the expected value."""
    assert text in refused(content.encode())
