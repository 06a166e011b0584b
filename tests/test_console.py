"""What pages show of a terminal is what the commands print: each `console` block is run, in order, page by page.

A block holds lines such as `$ pte-exporter check ...`, each followed by what it prints. `...` stands for what differs
from run to run. A block that begins with the comment `# NAME.yml` or `# NAME.sh` is that file. With REWRITE_GOLDEN=1 in
the environment, outputs that differ are written into the page: read them, and put `...` where it belongs.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import TOP, free_port

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (?P<name>[\w/.-]+\.(?:yml|sh))\n")
ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")

LIVE = {"first-error-budget.md"}
"""Pages that start servers and measure them. They are slow, and figures differ from run to run: words are compared, not
numbers, nor how far alerts have come."""

PATH = f"{TOP / '.venv' / 'bin'}:{os.environ['PATH']}"
SECONDS = 1200
END = "\0"


def pages() -> Iterator[Path]:
    """Every page that shows a terminal."""
    for page in (TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))):
        if "```console\n" in page.read_text(encoding="utf-8"):
            yield page


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Commands of a block with their outputs. A backslash at the end continues a command."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", step)
        assert command
        yield command[0], step[command.end() :]


def shown_outputs(text: str) -> list[str]:
    """The outputs that a page shows, in order."""
    blocks = [block for block in BLOCK.finditer(text) if block["language"] == "console"]
    return [output for block in blocks for _, output in steps(block["text"])]


def script(text: str, folder: Path) -> str:
    """A page as a shell script that ends each output with a NUL byte. Its files are written into the folder first."""
    lines = []

    for number, block in enumerate(BLOCK.finditer(text)):
        file = FILE_NAME.match(block["text"])
        if file:
            content = folder / ".files" / str(number)
            content.parent.mkdir(exist_ok=True)
            content.write_text(block["text"], encoding="utf-8")
            lines.append(f"mkdir -p \"$(dirname '{file['name']}')\" && cp '{content}' '{file['name']}'\n")

        elif block["language"] == "console":
            lines.extend(f"{command}printf '\\0'\n" for command, _ in steps(block["text"]))

    return "".join(lines)


def run(text: str, folder: Path) -> list[str]:
    """What the commands print, on ports that are free, in a process group that is ended afterwards."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec 2>&1\n{text}"],
        cwd=folder,
        env={**os.environ, "PATH": PATH, "COLUMNS": "80", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return output.split(END)[:-1]


def alike(expected: str, output: str, live: bool) -> bool:
    """Whether an output is the one that a page shows."""
    if live:
        expected, output = words(expected), words(output)
    return doctest.OutputChecker().check_output(expected, output, doctest.ELLIPSIS)


def words(output: str) -> str:
    """An output without its numbers, widths of columns and states of alerts."""
    without_numbers = re.sub(r"-?\d+(\.\d+)?", "N", output)
    return re.sub(r"[ -]+", " ", re.sub(r"pending|firing", "STATE", without_numbers))


def with_outputs(text: str, outputs: list[str], matches: list[bool]) -> str:
    """The page with the outputs that do not match its own."""
    remaining = iter(zip(outputs, matches, strict=True))

    def replace(block: re.Match[str]) -> str:
        if block["language"] != "console":
            return block[0]

        body = ""
        for command, expected in steps(block["text"]):
            output, match = next(remaining)
            body += f"$ {command}{expected if match else output}"
        return f"```console\n{body}```"

    return BLOCK.sub(replace, text)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=str(page.relative_to(TOP)), marks=[pytest.mark.slow] if page.name in LIVE else [])
        for page in pages()
    ],
)
def test_a_terminal_shows_what_the_commands_print(page: Path, tmp_path: Path) -> None:
    """Each command of a page prints the lines below it."""
    text = page.read_text(encoding="utf-8")
    ports = {port: str(free_port()) for port in ADDRESS.findall(text)}
    shutil.copytree(TOP / "examples", tmp_path / "examples")

    local_text = ADDRESS.sub(lambda address: f"127.0.0.1:{ports[address[1]]}", text)
    expected_outputs = shown_outputs(text)

    outputs = run(script(local_text, tmp_path), tmp_path)
    assert len(outputs) == len(expected_outputs)
    for port, free in ports.items():
        outputs = [re.sub(rf"\b{free}\b", port, output) for output in outputs]

    pairs = list(zip(expected_outputs, outputs, strict=True))
    matches = [alike(expected, output, live=page.name in LIVE) for expected, output in pairs]
    if os.environ.get("REWRITE_GOLDEN"):
        page.write_text(with_outputs(text, outputs, matches), encoding="utf-8")

    for (expected, output), match in zip(pairs, matches, strict=True):
        assert match, f"{output}\nis not what the page shows:\n{expected}"


def test_pages_show_terminals() -> None:
    """The test above has pages to run."""
    assert len(list(pages())) > 2
