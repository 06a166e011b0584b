"""docs/reference/cli.md and exit-codes.md: every command, flag and exit code, on any machine the same."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pytest

from exporter.commands.baseline import gate
from exporter.commands.exit_codes import EVERYWHERE, EXIT_CODES, epilog
from exporter.commands.generate import cli_page, exit_codes_page
from exporter.commands.run import child
from exporter.commands.slo import verdict
from tests.commands.parsing import commands, options
from tests.running import command, run
from tests.servers import TOP

CLI = cli_page.files()[cli_page.PATH].decode()
EXIT_CODES_PAGE = exit_codes_page.files()[exit_codes_page.PATH].decode()

PARSERS = {name: parser for name, _, parser in commands() if parser.get_default("command")}
"""The commands that do something, by name."""

every_command = pytest.mark.parametrize("name", PARSERS)


def section(name: str) -> str:
    """The part of cli.md about a command."""
    return CLI.partition(f"\n## pte-exporter {name}\n")[2].partition("\n## ")[0]


def test_the_pages_in_docs_are_current() -> None:
    """`generate docs --check` compares both pages, and they are in the repository."""
    assert (TOP / cli_page.PATH).read_text(encoding="utf-8") == CLI
    assert (TOP / exit_codes_page.PATH).read_text(encoding="utf-8") == EXIT_CODES_PAGE


def test_check_covers_the_pages(tmp_path: Path) -> None:
    """A page that differs is named, with exit code 1."""
    assert command("generate", "docs", "--output", str(tmp_path)).returncode == 0
    page = tmp_path / cli_page.PATH
    page.write_text("old", encoding="utf-8")
    (tmp_path / exit_codes_page.PATH).write_text("old", encoding="utf-8")

    result = command("generate", "docs", "--check", "--output", str(tmp_path))
    assert result.returncode == 1
    assert [path for path in (cli_page.PATH, exit_codes_page.PATH) if path not in result.stderr] == []


@every_command
def test_every_visible_flag_is_listed(name: str) -> None:
    """Each command's section has its flags with their help, and no hidden one."""
    parser = PARSERS[name]
    shared = CLI.partition("## Options of every command")[2].partition("\n## ")[0]
    listed = re.findall(r"(?m)^\* `(?:-h, )?(--[a-z.-]+)", shared + section(name))
    visible = {action.option_strings[-1] for action in options(parser)}
    assert set(listed) == visible
    assert len(listed) == len(visible)

    hidden = {word for action in parser._actions if action.help == argparse.SUPPRESS for word in action.option_strings}
    assert [word for word in hidden if f"`{word} " in section(name)] == []


@every_command
def test_every_argument_has_its_choices_and_default(name: str) -> None:
    """An item names the values that the parser allows, and the value without the flag."""
    for action in options(PARSERS[name]):
        if action.dest in ("help", "log_level", "log_format"):
            continue
        (line,) = re.findall(rf"(?m)^\* `{re.escape(action.option_strings[-1])}[ `].*$", section(name))
        assert [choice for choice in action.choices or () if str(choice) not in line] == []
        if isinstance(action.default, str | float | Path) and not isinstance(action.default, bool):
            assert str(action.default) in line or "current directory" in line
        assert ("(required" in line) == action.required


@every_command
def test_positional_arguments_are_listed(name: str) -> None:
    """The arguments without a flag are in the usage and have an item."""
    for action in PARSERS[name]._actions:
        if not action.option_strings:
            assert action.metavar is not None
            assert f"* `{action.metavar}" in section(name)
            assert str(action.metavar) in section(name).partition("```")[2].partition("```")[0]


def test_it_is_the_same_on_every_terminal(tmp_path: Path) -> None:
    """Neither the width of the terminal nor the current directory changes a byte, and no path is absolute."""
    for number, columns in enumerate(("20", "400")):
        folder = tmp_path / str(number)
        folder.mkdir()
        program = ["env", f"COLUMNS={columns}", f"PYTHONPATH={TOP}", sys.executable, "-m", "exporter"]
        result = run([*program, "generate", "docs", "--output", str(folder)], folder)
        assert result.returncode == 0, result.stderr
        assert (folder / cli_page.PATH).read_text(encoding="utf-8") == CLI
    assert str(Path.home()) not in CLI
    assert str(TOP) not in CLI


def test_every_command_has_exit_codes() -> None:
    """The table has the commands of the parser in their order, and both pages have every code."""
    assert list(EXIT_CODES) == list(PARSERS)
    for name, codes in EXIT_CODES.items():
        for code, meaning in codes.items():
            assert f"| `{name}` | {code} | {meaning} |\n" in EXIT_CODES_PAGE
            assert f"* {code}: {meaning}\n" in section(name)
            assert f"  {code:<5}{meaning.split()[0]}" in epilog(f"pte-exporter {name}")


def test_the_exit_codes_are_those_of_the_commands() -> None:
    """The table has the constants of the gates and of `run`, the code of each failure, and argparse's 2."""
    assert EXIT_CODES["baseline compare"].keys() == {str(code) for code in (gate.PASS, gate.WORSE, 2, gate.UNKNOWN)}
    assert EXIT_CODES["slo gate"].keys() == {str(code) for code in (verdict.PASS, verdict.BELOW, 2, verdict.UNKNOWN)}
    assert {str(child.NOT_EXECUTABLE), str(child.NOT_FOUND)} < EXIT_CODES["run"].keys()

    for name, parser in PARSERS.items():
        assert {"2", str(parser.get_default("command").failure_code)} <= EXIT_CODES[name].keys()
    others = EXIT_CODES.keys() - {"baseline compare", "slo gate", "run"}
    assert {tuple(EXIT_CODES[name]) for name in others} == {("0", "1", "2")}


def test_the_signals_have_the_exit_codes_of_shells() -> None:
    """128 and the number of the signal."""
    assert list(EVERYWHERE) == ["2", "130", "143"]
    assert command("report", "--unknown").returncode == 2
