"""The command line as a whole: every option is explained, one name means one thing, and old names still work."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from exporter.commands import parser as command_parser
from exporter.commands.arguments import Command, read
from tests.commands.parsing import commands, options
from tests.running import command, run

COMMANDS = {name: parser for name, _, parser in commands() if parser.get_default("command")}
"""Those that do something, by name; not those that only have others below them."""

every_command = pytest.mark.parametrize("name", COMMANDS)

SPEC = """\
version: prometheus/v1
service: shop
slos:
- name: availability
  objective: 99.9
  sli: {raw: {error_ratio_query: "sum(rate(errors[{{.window}}])) / sum(rate(requests[{{.window}}]))"}}
  alerting: {name: ShopBurns}
"""

RENAMED = {
    ("generate rules", "--slo"): "--spec",
    ("generate backfill", "--slo"): "--spec",
    ("generate backfill", "--url"): "--prometheus.url",
    ("run", "--run"): "--run-id",
    ("publish", "--run"): "--run-id",
    ("baseline save", "--run"): "--run-id",
    ("baseline save", "--folder"): "--baselines",
    ("baseline list", "--folder"): "--baselines",
    ("baseline compare", "--folder"): "--baselines",
}
"""Command and old name of an option to its name."""

CALLS = {
    "generate rules": ["--spec", "shop.yml"],
    "generate backfill": ["--spec", "shop.yml", "--prometheus.url", "http://x", "--start", "2026-01-01"],
    "run": ["--application", "shop", "--run-id", "7"],
    "publish": ["result.json", "--application", "shop", "--run-id", "7"],
    "baseline save": ["main", "result.json", "--application", "shop", "--run-id", "7", "--baselines", "there"],
    "baseline list": ["--baselines", "there"],
    "baseline compare": ["main", "result.json", "--application", "shop", "--baselines", "there"],
}
"""Arguments of each command that has a renamed option."""


def test_every_command_has_a_line_of_help() -> None:
    """The list of commands says what each is for."""
    assert [name for name, line, _ in commands() if not line] == []


@every_command
def test_every_option_is_explained(name: str) -> None:
    """Only old names of options are hidden, and none is without a text."""
    hidden = {
        word for action in COMMANDS[name]._actions if action.help == argparse.SUPPRESS for word in action.option_strings
    }
    assert hidden == {old for where, old in RENAMED if where == name}
    assert [action.dest for action in COMMANDS[name]._actions if not action.help] == []


def test_one_thing_has_one_name_in_all_commands() -> None:
    """A stored name belongs to one option, and an option stores under one name."""
    names: dict[str, set[str]] = {}
    stored: dict[str, set[str]] = {}
    for parser in COMMANDS.values():
        for action in options(parser):
            names.setdefault(action.dest, set()).update(action.option_strings)
            for word in action.option_strings:
                stored.setdefault(word, set()).add(action.dest)
    assert {dest: words for dest, words in names.items() if len(words) > 1} == {"help": {"-h", "--help"}}
    assert {word: dests for word, dests in stored.items() if len(dests) > 1} == {}


def test_one_word_is_one_choice_in_all_commands() -> None:
    """--format takes the same words everywhere."""
    choices = [action.choices for parser in COMMANDS.values() for action in options(parser) if action.dest == "format"]
    assert len(choices) > 4
    assert {tuple(words or ()) for words in choices} == {("console", "json")}


@every_command
def test_every_argument_is_an_option_of_the_command(name: str) -> None:
    """Nothing that a person gives is ignored, and every field of the options is an argument."""
    parser = COMMANDS[name]
    arguments = {action.dest for action in parser._actions} - {"help", "log_level", "log_format"}
    if name in ("baseline save", "generate backfill"):
        arguments.remove("config_file")  # they have it as all commands have, and need nothing of it
    fields = {field.name for field in dataclasses.fields(parser.get_default("command").options)}
    # What argparse does not see: the command behind --, and the line as a whole.
    assert fields - {"wrapped", "arguments"} == arguments


@every_command
def test_the_options_are_frozen(name: str) -> None:
    """What a person asked for does not change on the way."""
    options_of_it = COMMANDS[name].get_default("command").options
    assert options_of_it.__dataclass_params__.frozen


def parsed(name: str, arguments: list[str]) -> object:
    """The typed options."""
    namespace = command_parser.create().parse_args([*name.split(), *arguments])
    namespace.wrapped = None
    namespace.arguments = []
    chosen: Command[Any] = namespace.command
    return read(chosen.options, namespace)


@pytest.mark.parametrize(("where", "new"), RENAMED.items(), ids=lambda part: " ".join(part) if part[0] != "-" else part)
def test_an_old_name_does_what_the_new_one_does(
    where: tuple[str, str], new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same options come out, and one line on stderr names the new one; of the new one nothing is said."""
    name, old = where
    arguments = CALLS[name]
    expected = parsed(name, arguments)
    assert capsys.readouterr().err == ""

    assert new in arguments
    assert parsed(name, [old if word == new else word for word in arguments]) == expected
    assert capsys.readouterr().err == f"pte-exporter: {old} is now {new}\n"
    for spelling in (f"{old}=x", f"{new}=x"):
        assert "x" in repr(parsed(name, [*arguments, spelling]))


def test_an_old_name_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is given, the line is one; and old and new add up."""
    options_of_it = parsed("generate rules", ["--slo", "a", "b", "--spec", "c", "--slo", "d"])
    assert options_of_it.spec == [Path(name) for name in "abcd"]  # type: ignore[attr-defined]
    assert capsys.readouterr().err == "pte-exporter: --slo is now --spec\n"


def test_an_option_that_is_missing_is_told_by_its_new_name(capsys: pytest.CaptureFixture[str]) -> None:
    """No message names an old name."""
    with pytest.raises(SystemExit):
        command_parser.create().parse_args(["generate", "backfill", "--start", "2026-01-01"])
    assert capsys.readouterr().err.endswith("the following arguments are required: --spec, --prometheus.url\n")


def test_an_old_word_does_what_the_new_one_does(capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor --format text` is the console's, with one line; json and console say nothing."""
    assert parsed("doctor", ["--format", "text"]) == parsed("doctor", ["--format", "console"])
    assert capsys.readouterr().err == "pte-exporter: --format text is now --format console\n"
    parsed("doctor", ["--format", "json"])
    assert capsys.readouterr().err == ""


def test_old_and_new_names_give_the_same_files(tmp_path: Path) -> None:
    """By the command itself: the same rules and the same script, standard output and exit code."""
    (tmp_path / "shop.yml").write_text(SPEC, encoding="utf-8")
    new = command("generate", "rules", "--spec", "shop.yml", "--output", "new", directory=tmp_path)
    old = command("generate", "rules", "--slo", "shop.yml", "--output", "old", directory=tmp_path)
    assert (new.returncode, new.stdout, new.stderr) == (0, "", "1 SLO: 2 files below new\n")
    message = "pte-exporter: --slo is now --spec\n1 SLO: 2 files below old\n"
    assert (old.returncode, old.stdout, old.stderr) == (0, "", message)
    for path in (tmp_path / "new").rglob("*.yml"):
        assert (tmp_path / "old" / path.relative_to(tmp_path / "new")).read_bytes() == path.read_bytes()

    past = ("generate", "backfill", "--start", "2026-01-01", "--end", "2026-01-02", "--output", "past")
    new = command(*past, "--spec", "shop.yml", "--prometheus.url", "http://x", directory=tmp_path)
    old = command(*past, "--slo", "shop.yml", "--url", "http://x", directory=tmp_path)
    assert (new.returncode, new.stderr) == (0, "")
    message = "pte-exporter: --slo is now --spec\npte-exporter: --url is now --prometheus.url\n"
    assert (old.returncode, old.stderr, old.stdout) == (0, message, new.stdout)


def test_the_package_is_the_command_too() -> None:
    """`python -m exporter` does what `pte-exporter` does."""
    done = run([sys.executable, "-m", "exporter", "--version"])
    assert (done.returncode, done.stdout) == (0, command("--version").stdout)
