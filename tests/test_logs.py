"""One event, one line, whatever is in it."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.logs import LogFormatter, fields


def record(message: str, **values: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelname": "WARNING", "created": 0.0, **fields(**values)})


def test_logfmt_quotes_what_needs_it() -> None:
    """Plain words stay plain, and the rest is a JSON string."""
    line = LogFormatter("logfmt").format(record("source failing", source="pte", error='say "no"', empty=""))
    assert line == (
        'ts=1970-01-01T00:00:00.000+00:00 level=warn msg="source failing" source=pte error="say \\"no\\"" empty=""'
    )


def test_json_holds_the_same() -> None:
    """Fields stand beside time, level and message."""
    line = LogFormatter("json").format(record("a", source="pte", count=3))
    assert json.loads(line) == {
        "ts": "1970-01-01T00:00:00.000+00:00",
        "level": "warn",
        "msg": "a",
        "source": "pte",
        "count": 3,
    }


@pytest.mark.parametrize("format", ["logfmt", "json"])
@given(text=st.text())
def test_no_text_breaks_a_line(format: str, text: str) -> None:
    """Whatever a source answered, it cannot start a line of its own or move the cursor."""
    line = LogFormatter(format).format(record(text, field=text))  # type: ignore[arg-type]
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_a_traceback_stays_in_its_line() -> None:
    """A fault of ours is still one line."""
    try:
        raise RuntimeError("fault")
    except RuntimeError as error:
        error_record = record("a fault")
        error_record.exc_info = (RuntimeError, error, error.__traceback__)
    assert len(LogFormatter("logfmt").format(error_record).splitlines()) == 1
