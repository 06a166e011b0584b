"""Reading a result file while it is written gives what reading it at once gives, whatever happens to the file."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from exporter import formats
from exporter.commands.run.file_follower import FileFollower
from exporter.errors import SourceError
from exporter.formats import saved
from tests import servers
from tests.commands.run.conftest import GENERATOR


@pytest.fixture(scope="session")
def result(shop: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the generator wrote of 60 requests."""
    file = tmp_path_factory.mktemp("result") / "k6.json"
    subprocess.run([sys.executable, GENERATOR, shop, file, "60"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    return file.read_bytes()


@pytest.mark.parametrize("size", [1, 97, 4096, 10**6])
def test_what_is_followed_is_what_is_read(size: int, result: bytes, tmp_path: Path) -> None:
    """Wherever the generator's writes are cut."""
    path = tmp_path / "k6.json"
    follower = FileFollower(path)
    start = len(result) - 40 * size if size == 1 else 0
    cuts = [0, *range(start, len(result), size), len(result)]
    requests = []
    with path.open("ab", buffering=0) as file:
        for start, end in itertools.pairwise(cuts):
            file.write(result[start:end])
            follower.step(1)
            run = follower.run()
            requests.append(run.total.requests if run is not None else 0)
    assert requests == sorted(requests)
    assert follower.finish() == formats.read(path)
    assert requests[-1] == 60
    follower.close()


def test_a_file_that_begins_anew_is_read_anew(result: bytes, tmp_path: Path) -> None:
    """Emptied and written again, or replaced by another: the old content does not count twice."""
    path = tmp_path / "k6.json"
    follower = FileFollower(path)
    for replaced in (False, True):
        path.write_bytes(result)
        follower.step(1)
        assert follower.run() is not None
        if replaced:
            (tmp_path / "new").write_bytes(result[: len(result) // 2])
            (tmp_path / "new").replace(path)
        else:
            path.write_bytes(b"")
            follower.step(1)
            assert follower.run() is None
    assert follower.finish() == formats.read(path)
    follower.close()


def test_a_replaced_file_of_before_counts(result: bytes, tmp_path: Path) -> None:
    """Another file in the place of an earlier run's is this one's, though it holds the same."""
    path = tmp_path / "k6.json"
    path.write_bytes(result)
    follower = FileFollower(path)
    assert follower.is_stale
    follower.step(1)
    assert follower.run() is None
    (tmp_path / "new").write_bytes(result)
    (tmp_path / "new").replace(path)
    follower.step(1)
    assert follower.run() is not None
    assert follower.finish() == formats.read(path)
    follower.close()


def test_a_moved_file_of_before_does_not(result: bytes, tmp_path: Path) -> None:
    """An unchanged file is not a result, whether it was read meanwhile or not."""
    path = tmp_path / "k6.json"
    path.write_bytes(result)
    for looked in (False, True):
        follower = FileFollower(path)
        if looked:
            follower.step(1)
        with pytest.raises(SourceError, match="was not written: it still has the result of an earlier run"):
            follower.finish()


def test_a_broken_file_is_told_with_its_place(result: bytes, tmp_path: Path) -> None:
    """Once, at the end, with the line, as for a whole file."""
    path = tmp_path / "k6.json"
    follower = FileFollower(path)
    lines = result.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:9]) + b"nonsense\n" + b"".join(lines[9:]))
    follower.step(1)
    assert follower.run() is None
    with pytest.raises(SourceError) as followed:
        follower.finish()
    with pytest.raises(SourceError) as read:
        formats.read(path)
    assert str(followed.value) == str(read.value)
    assert str(read.value).startswith(f"{path}: line 10: ")
    follower.close()


def test_a_last_line_that_breaks_off_is_a_warning(result: bytes, tmp_path: Path) -> None:
    """As where the file is read at once."""
    path = tmp_path / "k6.json"
    follower = FileFollower(path)
    path.write_bytes(result[:-20])
    follower.step(1)
    run = follower.finish()
    assert run == formats.read(path)
    assert (run.complete, len(run.warnings)) == (False, 1)
    follower.close()


def test_a_summary_is_read_at_the_end(result: bytes, tmp_path: Path) -> None:
    """While it is written there is nothing to show."""
    (tmp_path / "k6.json").write_bytes(result)
    path, run = tmp_path / "saved.json", replace(formats.read(tmp_path / "k6.json"), run="a")
    follower = FileFollower(path)
    path.write_bytes(saved.write(run))
    follower.step(1)
    assert follower.run() is None
    assert follower.finish() == run
    follower.close()


def test_a_name_that_cannot_be_read_is_told_before_the_start(tmp_path: Path) -> None:
    """A directory is not a result file."""
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        FileFollower(tmp_path)


def test_wrk_prints_its_result(shop: str, tmp_path: Path) -> None:
    """The real one: its standard output is passed through and published."""
    wrk = servers.program("wrk")
    own = [sys.executable, "-m", "exporter.cli", "run", "--application", "shop", "--result", "-", "--save", "run.json"]
    own += ["--web.listen-address", "127.0.0.1:0", "--", wrk, "-t1", "-c2", "-d1s", "--latency", shop]
    done = subprocess.run(own, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert (done.returncode, "Requests/sec" in done.stdout) == (0, True), done.stderr
    run = formats.read(tmp_path / "run.json")
    assert run.tool == "wrk"
    assert run.total.requests > 20
    assert run.usage["generator"].samples > 5


@pytest.mark.parametrize("before", [True, False])
def test_a_pipe_is_refused_and_not_waited_for(before: bool, tmp_path: Path) -> None:
    """Who would write to it may never come."""
    path = tmp_path / "pipe"
    if before:
        os.mkfifo(path)
        with pytest.raises(SourceError, match="pipe: cannot be read: is not a regular file"):
            FileFollower(path)
        return
    follower = FileFollower(path)
    os.mkfifo(path)
    follower.step(1)
    with pytest.raises(SourceError, match="pipe: cannot be read: is not a regular file"):
        follower.finish()
