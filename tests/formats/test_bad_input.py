"""What every format promises about input that is not as it should be, tried on a real-shaped file of each.

A file is either read, and then every number in it is one that can be, or refused with one line that says what
and where.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter import formats
from exporter.errors import SourceError
from exporter.formats.tally import Tally
from exporter.model.loadrun import LoadRun, Timeline

FILES = Path(__file__).parent / "files"
SAMPLES = {path.name: path for path in sorted(FILES.iterdir()) if not path.name.startswith("junit") and path.is_file()}
"""Named <format>.<ext>, or <format>-<what is special>.<ext>."""

RUNS = {name: path for name, path in SAMPLES.items() if not formats.accompanies(path.read_bytes()[: formats.HEAD])}


def numbers(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from numbers(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from numbers(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for item in value:
            yield from numbers(item, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def sound(run: LoadRun) -> None:
    """Nothing in the run is what no measurement can be, and its parts agree."""
    for path, number in numbers(run):
        assert math.isfinite(number), path
        assert number >= 0, path
    assert run.start <= run.end
    for figures in (run.total, *(endpoint.figures for endpoint in run.endpoints)):
        assert figures.failures is None or figures.failures <= figures.requests
        latency = figures.latency
        percentiles = [
            value for value in (latency.p50, latency.p90, latency.p95, latency.p99, latency.p999) if value is not None
        ]
        assert percentiles == sorted(percentiles)
        if latency.histogram is not None:
            assert sum(latency.histogram.counts) == figures.requests
    if run.timeline is not None:
        check(run.timeline)


def check(timeline: Timeline) -> None:
    for field in fields(timeline):
        values = getattr(timeline, field.name)
        assert values is None or len(values) == len(timeline.ends), field.name


def read(path: Path, content: bytes) -> LoadRun | str:
    """The run, or the one line that says why not; anything else is a bug."""
    path.write_bytes(content)
    try:
        run = formats.read(path)
    except SourceError as error:
        text = str(error)
        assert text.startswith(f"{path}: "), text
        assert "\n" not in text
        assert len(text) < 600, text
        return text.removeprefix(f"{path}: ")
    sound(run)
    return run


def test_every_format_has_a_sample() -> None:
    """A new format comes with a file as its tool writes it."""
    recognised = {
        name: next((f for f in sorted(formats.formats(), key=len, reverse=True) if name.startswith(f)), None)
        for name in RUNS
    }
    assert set(recognised.values()) >= set(formats.formats()) - {"pte-exporter"}
    assert None not in recognised.values()


@pytest.mark.parametrize("name", sorted(RUNS))
def test_samples_are_distinguished_by_content(name: str, tmp_path: Path) -> None:
    """Whatever a file is called, its format is found; and the run is sound."""
    path = tmp_path / "result"
    run = read(path, RUNS[name].read_bytes())
    assert isinstance(run, LoadRun), run
    assert name.startswith((run.format, "pte-exporter"))
    assert run.total.requests > 0
    assert run.endpoints or run.total


MENDED: Mapping[str, Callable[[bytes], bytes]] = {
    "bom": lambda content: b"\xef\xbb\xbf" + content,
    "crlf": lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("change", sorted(MENDED))
@pytest.mark.parametrize("name", sorted(RUNS))
def test_what_editors_and_windows_do_changes_nothing(name: str, change: str, tmp_path: Path) -> None:
    """A byte order mark and CRLF give the same run."""
    content = RUNS[name].read_bytes()
    if b"\0" in content:
        assert isinstance(read(tmp_path / "result", content), LoadRun)  # binary: neither happens to it
        return
    plain, changed = read(tmp_path / "result", content), read(tmp_path / "result", MENDED[change](content))
    assert isinstance(plain, LoadRun), plain
    assert isinstance(changed, LoadRun), changed
    assert changed.total.requests == plain.total.requests
    assert changed.total.failures == plain.total.failures
    assert changed.total.latency == plain.total.latency
    assert [endpoint.name for endpoint in changed.endpoints] == [endpoint.name for endpoint in plain.endpoints]


BROKEN: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "blanks": lambda _: b"\n \r\n\t\n",
    "utf-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    "first line only": lambda content: content.split(b"\n", 1)[0][: len(content) // 2] + b"\n",
    "nul bytes": lambda content: b"\0" * len(content),
    "another file": lambda _: b"PK\x03\x04 this is a zip",
}


@pytest.mark.parametrize("change", sorted(BROKEN))
@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_file_that_is_not_a_result_is_refused(name: str, change: str, tmp_path: Path) -> None:
    """One clear line, whatever it is."""
    if change == "first line only" and (b"\n" not in RUNS[name].read_bytes().strip() or _lines(name)):
        return  # one line is the whole file, or every line is a request
    result = read(tmp_path / "result", BROKEN[change](RUNS[name].read_bytes()))
    assert isinstance(result, str), result


def _lines(name: str) -> bool:
    return name.startswith(("k6-json", "vegeta")) and not name.startswith("vegeta-report")


HEADED = [name for name in sorted(RUNS) if name.endswith((".csv", ".log")) and "binary" not in name]


@pytest.mark.parametrize("name", HEADED)
def test_only_a_header_is_refused(name: str, tmp_path: Path) -> None:
    """A test that made no request is refused, and not a run of zero requests."""
    result = read(tmp_path / "result", RUNS[name].read_bytes().split(b"\n", 1)[0] + b"\n")
    assert isinstance(result, str), result


@pytest.mark.parametrize("name", sorted(RUNS))
def test_nul_bytes_within_are_refused(name: str, tmp_path: Path) -> None:
    """A file with a hole, as crashed machines leave them, is refused."""
    content = RUNS[name].read_bytes()
    if b"\0" not in content:
        middle = len(content) // 2
        result = read(tmp_path / "result", content[:middle] + b"\0" * 64 + content[middle:])
        assert isinstance(result, str)
        assert "NUL" in result


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_cut_file_is_less_or_nothing(name: str, tmp_path: Path) -> None:
    """Cut anywhere, a file gives no more requests than it had, or a line that says what is wrong."""
    content, chance = RUNS[name].read_bytes(), random.Random(11)
    whole = read(tmp_path / "result", content)
    assert isinstance(whole, LoadRun)
    for _ in range(40):
        result = read(tmp_path / "result", content[: chance.randrange(len(content))])
        assert isinstance(result, str) or result.total.requests <= whole.total.requests


@pytest.mark.parametrize("name", sorted(RUNS))
def test_blocks_may_be_cut_anywhere(name: str) -> None:
    """Fed byte by byte or at once, an event format gives the same run."""
    content = RUNS[name].read_bytes().removeprefix(b"\xef\xbb\xbf")
    format = formats.detect(content[: formats.HEAD])
    if format.reader is None:
        return
    runs = []
    for step in (1, 7, 4096, len(content)):
        tally = Tally()
        reader = format.reader(tally)
        for at in range(0, len(content), step):
            reader.feed(content[at : at + step])
        reader.end()
        runs.append(tally.run(format.tool, format.name))
    first, *others = runs
    for other in others:
        assert other.total.requests == first.total.requests
        assert other.total.errors == first.total.errors
        assert other.total.latency.histogram == first.total.latency.histogram
        assert [endpoint.name for endpoint in other.endpoints] == [endpoint.name for endpoint in first.endpoints]


ODD = (
    b"-1",
    b"NaN",
    b"1e309",
    b"99999999999999999999999",
    b"",
    b"null",
    b"\xff\xfe",
    b'"',
    b"true",
    b"<x>",
    b"{",
    b"0",
    b"1795176000",
    b"'",
    b"\n",
    b",",
    b"\t",
)

NO_FAULTS = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
"""Each example rewrites its file, and a busy machine takes its time."""


@pytest.mark.parametrize("name", sorted(RUNS))
@given(data=st.data())
@settings(max_examples=120, suppress_health_check=NO_FAULTS)
def test_mutated_files_are_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    """Bytes changed, taken out, doubled or replaced by odd values: sound numbers or one line, never a traceback."""
    content = bytearray(RUNS[name].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        length = data.draw(st.integers(0, 40))
        what = data.draw(st.sampled_from(["flip", "cut", "double", "odd"]))
        piece = bytes(content[at : at + length])
        flipped = bytes(byte ^ (1 << data.draw(st.integers(0, 7))) for byte in piece[:3]) if what == "flip" else b""
        odd = data.draw(st.sampled_from(ODD)) if what == "odd" else b""
        content[at : at + len(piece)] = {"flip": flipped, "cut": b"", "double": piece + piece, "odd": odd}[what]
    read(tmp_path / "result", bytes(content))


@given(content=st.binary(max_size=400))
@settings(max_examples=200, suppress_health_check=NO_FAULTS)
def test_noise_is_refused(content: bytes, tmp_path: Path) -> None:
    """Random bytes are refused."""
    assert isinstance(read(tmp_path / "result", content), str)
