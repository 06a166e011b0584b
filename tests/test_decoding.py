"""Records are decoded by many threads in parallel, as polls do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import exporter
from exporter import decoding
from tests.running import PATIENCE

TOP = Path(exporter.__file__).parent

MANY_THREADS = """
import sys, threading
import msgspec
from exporter import decoding

sys.setswitchinterval(1e-6)
for _ in range(100):
    class Series(msgspec.Struct):
        metric: dict[str, str] = {}
        values: list[tuple[float, str]] | None = None

    class Answer(msgspec.Struct):
        data: list[Series] = []
        warnings: list[str] = []

    body = b'{"data": [{"metric": {"a": "b"}, "values": [[1.0, "2"]]}]}'
    start = threading.Barrier(6)

    def work():
        start.wait()
        assert decoding.decode(body, Answer).data[0].metric == {"a": "b"}
        assert decoding.convert({"data": []}, Answer).data == []

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("fine")
"""


def test_the_first_use_of_a_type_by_many_threads_ends_well() -> None:
    """msgspec alone ends the process with a segmentation fault here."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_THREADS], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


def test_what_does_not_fit_is_msgspecs_error() -> None:
    """Callers distinguish a wrong shape from invalid JSON."""
    with pytest.raises(msgspec.ValidationError):
        decoding.decode(b'["a"]', list[int])
    with pytest.raises(msgspec.ValidationError):
        decoding.convert(["a"], list[int])
    with pytest.raises(msgspec.DecodeError):
        decoding.decode(b"[1", list[int])


@pytest.mark.parametrize("path", sorted(TOP.rglob("*.py")), ids=lambda path: str(path.relative_to(TOP)))
def test_nothing_else_lets_msgspec_work_out_a_type(path: Path) -> None:
    """Except decoders that a module creates on import, which one thread does."""
    if path == Path(decoding.__file__):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        call for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for call in ast.walk(function)
    }
    calls = []
    for node in inside:
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            typed = any(keyword.arg == "type" for keyword in node.keywords)
            if name in {"msgspec.convert", "msgspec.json.Decoder"} or (name == "msgspec.json.decode" and typed):
                calls.append(node.lineno)
    assert calls == []
