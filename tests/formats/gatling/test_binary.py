"""Gatling's binary log, of 3.13 and later."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import formats
from exporter.errors import SourceError
from exporter.formats.gatling import binary, text
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun
from tests.formats.gatling import logs
from tests.formats.gatling.logs import START, Binary, Request, User

SHOP = logs.shop()
REQUEST = Request(1, (), "GET /", START, START + 20)

REAL = bytes.fromhex(
    "00 00000006 332e31352e31 00 00000008 42696e50726f6265 00 000001a072d531da 00000000"
    "00000001 00000008 62696e70726f6265 00 00000000 02 00000000 01"
)
"""How a log of Gatling 3.15.1 began that was published: one scenario, no assertions, and most of a user's start."""


def run_of(content: bytes, step: int = 1 << 20) -> LoadRun:
    tally = Tally()
    reader = binary.Reader(tally)
    for at in range(0, len(content), step):
        reader.feed(content[at : at + step])
    reader.end()
    return tally.run("gatling", "gatling-binary")


def refused(content: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        run_of(content)
    return str(caught.value)


def as_text(records: list[logs.Record]) -> LoadRun:
    tally = Tally()
    reader = text.Reader(tally)
    reader.feed(logs.text("3.11.5", records))
    reader.end()
    return tally.run("gatling", "gatling-binary")


REQUESTS = st.lists(
    st.builds(
        lambda name, groups, start, took, message: Request(
            1, groups, name, START + start, START + start + took, message
        ),
        st.sampled_from(["GET /", "Prüfung", "Проверка", "漢字 /x"]),
        st.sampled_from([(), ("a",), ("a", "b"), ("Ночь",)]),
        st.integers(0, 300_000),
        st.integers(0, 5000),
        st.sampled_from(["", "", "found 500", "тайм-аут"]),
    ),
    min_size=1,
    max_size=30,
)


@given(REQUESTS, st.integers(1, 50))
def test_bytes_and_text_of_one_run_are_one(requests: list[Request], step: int) -> None:
    """Whatever is recorded, and wherever blocks are cut, the binary log reads as the text log does."""
    records: list[logs.Record] = [User(1, START, START, start=True), *requests]
    assert run_of(Binary().log(records), step) == as_text(records)


def test_a_real_head_is_read() -> None:
    """The first bytes of a real log are a RUN record and a USER's."""
    start = 1788632969690
    request = Binary().record(replace(REQUEST, start=START + 1000, end=START + 1250))
    run = run_of(REAL + struct.pack(">i", 400) + request)
    assert binary.recognise(REAL)
    assert run.start == pytest.approx((start + 1000) / 1000)
    assert run.duration == pytest.approx(0.25)
    assert run.users == 1


def test_texts_of_the_head_are_not_numbered() -> None:
    """The first text of a request is number 1, whatever the RUN record holds."""
    run = run_of(Binary(assertions=(b"one", b"two")).log([REQUEST, REQUEST]))
    assert [(endpoint.name, endpoint.figures.requests) for endpoint in run.endpoints] == [("GET /", 2)]


def test_what_is_cut_is_left_out() -> None:
    """An incomplete record gives a warning, and the run counts as ended early."""
    content = Binary().log(SHOP)
    cut = run_of(content[:-5])
    assert run_of(content).complete
    assert not cut.complete
    assert cut.warnings == ("record 205: is incomplete and was omitted: Gatling was stopped, or the file cut",)
    assert refused(Binary().head[:20]) == "record 1: is cut off, expected the RUN record of Gatling's binary log"
    assert refused(Binary().head) == "has no requests"


def test_an_older_binary_log_is_refused_by_name_and_version(tmp_path: Path) -> None:
    """Builds between 3.12 and 3.13 wrote other bytes, which are not guessed at."""
    path = tmp_path / "simulation.log"
    path.write_bytes(Binary("3.12.0.1").log([REQUEST]))
    with pytest.raises(SourceError) as caught:
        formats.read(path)
    assert str(caught.value) == (
        f"{path}: record 1: Gatling 3.12.0.1 binary simulation.log, "
        "expected version 3.13 or later, or the text that 3.12 writes"
    )


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (b"\x07", "record 2: a record of kind 7, expected 0 to 4, in a binary log of Gatling 3.14.9"),
        (b"\x02\0\0\0\0\x05\0\0\0\0", "record 2: 5 as whether a user starts, expected 0 or 1"),
        (b"\x04\xff\xff\xff\xf7\0\0\0\0", "record 2: text 9, which was not written before"),
        (b"\x01\xff\xff\xff\xff", "record 2: -1 as the number of groups, expected 0 to 1000"),
        (b"\x04\0\0\0\x01\x7f\xff\xff\xff", "record 2: 2147483647 as the length of a text, expected 0 to 1048576"),
        (b"\x04\0\0\0\x01\0\0\0\x01a\x03", "record 2: 3 as how a text is written, expected 0 or 1"),
        (b"\x04\0\0\0\x01\0\0\0\x01a\x01", "record 2: a text that is not UTF-16"),
    ],
)
def test_records_that_no_gatling_writes_are_refused_with_their_number(record: bytes, text: str) -> None:
    """Bad bytes are refused with the number of their record."""
    assert text in refused(Binary().head + record)


def test_times_that_cannot_be_are_refused() -> None:
    """An end before its start, and a run of weeks, are refused."""
    assert "record 2: a latency of -0.5 seconds" in refused(Binary().log([replace(REQUEST, end=START - 500)]))
    late = [User(1, START, START, start=True), User(1, START, START + 8 * 86_400_000, start=False)]
    assert "record 3: a time 691200000 ms from the start, more than 7 days" in refused(Binary().log(late))
