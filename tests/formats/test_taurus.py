"""Taurus's final statistics. The samples are of one real run, three users over twelve seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.errors import SourceError
from exporter.formats import File, taurus

FILES = Path(__file__).parent / "files"
CSV, XML = (FILES / "taurus.csv").read_bytes(), (FILES / "taurus.xml").read_bytes()
FILE = File(Path("taurus"), 1795176000.0)


def refused(content: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        taurus.read(content, FILE)
    return str(caught.value)


@pytest.mark.parametrize("content", [CSV, XML], ids=["csv", "xml"])
def test_a_real_run_is_read(content: bytes) -> None:
    """CSV and XML have the same figures of every label."""
    run = taurus.read(content, FILE)
    assert (run.total.requests, run.total.failures, run.total.received, run.users) == (984, 349, 355589, 3)
    assert run.total.errors == {"404": 328, "500": 21}
    latency = run.total.latency
    assert (latency.min, latency.mean, latency.p50, latency.p90) == (0.002, 0.03049, 0.031, 0.05)
    assert (latency.p95, latency.p99, latency.p995, latency.p999, latency.max) == (0.052, 0.069, None, 0.099, 0.099)
    assert {endpoint.name: (endpoint.figures.requests, endpoint.figures.failures) for endpoint in run.endpoints} == {
        "http://127.0.0.1:18931/": (328, 13),
        "http://127.0.0.1:18931/cart": (328, 8),
        "http://127.0.0.1:18931/missing": (328, 328),
    }
    assert (run.end, run.dated, run.timeline) == (FILE.modified, False, None)


def test_xml_has_a_duration() -> None:
    """TestDuration is whole seconds before the end; CSV has none, and no rate is made up."""
    assert taurus.read(XML, FILE).duration == 12
    run = taurus.read(CSV, FILE)
    assert run.requests_per_second is None
    assert "has no duration, so the rate is unknown: dump-xml has it" in run.warnings
    assert taurus.read(XML.replace(b"<TestDuration>12.0</TestDuration>", b""), FILE).requests_per_second is None


def test_codes_are_errors_only_where_they_are_all_of_them() -> None:
    """An assertion that fails has a code of success: then the kinds are not known."""
    assert taurus.read(CSV.replace(b",349,0.01577,635,", b",350,0.01577,634,"), FILE).total.errors == {}


def test_sizes_that_no_tool_reported_are_not_zero() -> None:
    """Taurus writes 0 bytes for tools that report none."""
    run = taurus.read(CSV.replace(b",355589,", b",0,"), FILE)
    assert run.total.received is None


def test_labels_that_are_fewer_than_the_total_are_reported() -> None:
    """Parts that do not add up are shown, not hidden."""
    lines = CSV.splitlines(keepends=True)
    run = taurus.read(b"".join([lines[0], *lines[2:]]), FILE)
    assert "has 984 requests in total and 656 of its labels" in run.warnings


HEAD = CSV.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (HEAD, "has no total, the figures of the empty label; was its end cut off?"),
        (CSV[: CSV.rindex(b"\r\n,")], "has no total, the figures of the empty label"),
        (
            HEAD.replace(b",fail,", b",failed,"),
            "line 1: has no column fail, expected label, throughput, succ, fail, avg_rt",
        ),
        (CSV.replace(b",635,984,", b",600,984,"), "line 5: succ and fail are not the 984 of throughput"),
        (CSV.replace(b",635,984,", b",635,many,"), "line 5: throughput is 'many', expected a whole number from 0 on"),
        (CSV.replace(b",0.03049,", b",-0.03,"), "line 5: avg_rt is '-0.03', expected a number from 0 to 86400"),
        (CSV.replace(b",0.05000,0.05200,0.06900,0.09900", b",0.5,0.052,0.069,0.099"), "line 5: perc_95.0 is 0.052"),
        (CSV + CSV.splitlines()[-1], "line 6: duplicate label ''"),
        (CSV[:-30], "line 5: has 15 columns, expected 20"),
        (XML[:-40], "is not valid XML at column"),
        (b"<FinalStatus></FinalStatus>", "has no total"),
        (
            b'<FinalStatus><Group label=""><fail value="0"/></Group></FinalStatus>',
            "Group 1: has no throughput, succ, avg_rt",
        ),
        (
            XML.replace(b">12.0</T", b">-12</T"),
            "TestDuration: TestDuration is '-12', expected a number from 0 to 604800",
        ),
    ],
)
def test_a_problem_is_reported_with_its_location(content: bytes, text: str) -> None:
    """Bad input is refused with its location and the expected value."""
    assert text in refused(content)


def test_very_many_labels_are_capped() -> None:
    """Labels with IDs in them would be endless; all requests still count."""
    lines = [HEAD, *(b"/order/%d" % number + CSV.splitlines(keepends=True)[1][22:] for number in range(1500))]
    run = taurus.read(b"".join([*lines, CSV.splitlines()[-1]]), FILE)
    assert len(run.endpoints) == 1001
    assert sum(endpoint.figures.requests for endpoint in run.endpoints) == 1500 * 328
