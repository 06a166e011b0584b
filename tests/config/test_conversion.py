"""YAML values become records, and every problem is reported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.conversion import convert, duration
from exporter.errors import Problem
from exporter.model.settings import Duration, Settings


class Inner(Settings, frozen=True):
    """A record inside a record."""

    number: float
    word: Literal["left", "right"] = "left"

    def __post_init__(self) -> None:
        if self.number == 13:
            raise ValueError("expected a luckier number")


class Outer(Settings, frozen=True):
    """One field of each type that a configuration may have."""

    name: str
    inner: Inner
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    flag: bool = False
    age: Duration = Duration(60)
    file: Path | None = None
    at: datetime | None = None
    words: tuple[str, ...] = ()
    signals: Mapping[str, str | None] = {}
    either: int | str = 0
    rest: Any = None


def problems_of(raw: object) -> list[str]:
    problems = list[Problem]()
    assert convert(raw, Outer, "f.yml", "", problems) is None
    return [str(problem) for problem in problems]


def test_a_whole_record_is_converted() -> None:
    """Each type takes its value, and a missing key keeps its default."""
    raw = {
        "name": "a",
        "inner": {"number": 3},
        "age": "1h30m",
        "file": "x/y",
        "at": datetime(2026, 11, 20, tzinfo=UTC),
        "words": ["a", "b"],
        "signals": {"cpu": None, "memory": "up"},
        "either": "three",
        "rest": [1, {"a": None}],
    }
    problems = list[Problem]()
    record = convert(raw, Outer, "etc/f.yml", "", problems)
    assert not problems
    assert record == Outer(
        name="a",
        inner=Inner(number=3.0),
        age=Duration(5400),
        file=Path("etc/x/y"),
        at=datetime(2026, 11, 20, tzinfo=UTC),
        words=("a", "b"),
        signals={"cpu": None, "memory": "up"},
        either="three",
        rest=[1, {"a": None}],
    )
    assert isinstance(record.age, Duration)
    assert isinstance(record.inner.number, float)


def test_every_problem_is_reported_with_its_path() -> None:
    """Problems at several depths are reported together, each with file, path, expected and actual value."""
    raw = {
        "inner": {"number": True, "word": "up", "wrod": "left"},
        "count": 0,
        "flag": "yes",
        "age": 300,
        "file": 3,
        "at": "2026-11-20T10:00:00",
        "words": ["a", 1],
        "signals": {"cpu": 3},
        "either": [],
    }
    assert problems_of(raw) == [
        "f.yml: name: missing, expected a string",
        'f.yml: inner.wrod: unknown key "wrod", did you mean "word"? expected one of: number, word',
        "f.yml: inner.number: expected a finite number, got true",
        'f.yml: inner.word: expected one of: left, right, got "up"',
        "f.yml: count: expected `int` >= 1",
        "f.yml: flag: expected true or false, got a string",
        "f.yml: age: expected a duration such as 90s, 5m, 1h30m or 7d, got a number",
        "f.yml: file: expected a file name, got a number",
        "f.yml: at: expected a time with its zone such as 2026-11-20T10:00:00Z, got a time",
        "f.yml: words[1]: expected a string, got a number",
        "f.yml: signals.cpu: expected a string, got a number",
        "f.yml: either: expected a whole number or a string, got a list",
    ]


@pytest.mark.parametrize("raw", [None, 3, "text", ["list"], True])
def test_a_record_must_be_a_mapping(raw: object) -> None:
    """Anything but a mapping is one problem and no crash."""
    assert len(problems_of(raw)) == 1


@pytest.mark.parametrize("number", [math.nan, math.inf, 10**400, "3", None])
def test_numbers_are_finite_numbers(number: object) -> None:
    """Any other number is rejected by name."""
    (line,) = problems_of({"name": "a", "inner": {"number": number}})
    assert line.startswith("f.yml: inner.number: expected a finite number, got ")


def test_a_records_own_check_is_a_problem_of_the_file() -> None:
    """A ValueError from __post_init__ is reported at the record's path."""
    assert problems_of({"name": "a", "inner": {"number": 13}}) == ["f.yml: inner: expected a luckier number"]


@pytest.mark.parametrize("secret", ["hunter2", 8675309, 86753.09])
def test_a_value_in_the_wrong_place_is_not_repeated(secret: object) -> None:
    """A wrong value may be a secret, a number too, so only its type is reported."""
    raw = {
        "name": [secret],
        "inner": secret,
        "flag": secret,
        "age": secret,
        "words": secret,
        "signals": {"cpu": [secret]},
    }
    assert str(secret) not in "".join(problems_of(raw))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("7d", 604800), ("1w", 604800), ("250ms", 0.25), ("0", 0), ("0s", 0)],
)
def test_durations_are_those_of_prometheus(text: str, seconds: float) -> None:
    """Each unit has Prometheus's length."""
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "-5m", "1.5h", "30m1h", "5min"])
def test_other_texts_are_not_durations(text: str) -> None:
    """Texts that Prometheus would reject are rejected."""
    assert duration(text) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Outer.__struct_fields__, "else"]), _JSON))
def test_any_value_gives_a_record_or_problems(raw: dict[str, Any]) -> None:
    """No value of any shape ends in anything but a record without problems or problems without a record."""
    problems = list[Problem]()
    assert (convert(raw, Outer, "f.yml", "", problems) is None) == bool(problems)
