"""What the prose names is there: alerts, series, flags, commands and files."""

from __future__ import annotations

import argparse
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter import rules
from exporter.catalogue.exporter import OWN
from exporter.catalogue.live import LIVE
from exporter.commands import parser
from exporter.dashboards.kit.validation import OBJECTIVES, PUBLISHED
from tests.commands.parsing import commands, options
from tests.servers import TOP

README = TOP / "README.md"
PROSE = [
    README,
    TOP / "CHANGELOG.md",
    TOP / "rules" / "RUNBOOK.md",
    *sorted((TOP / "docs").rglob("*.md")),
    *sorted((TOP / "examples").rglob("*.md")),
]

NAMES = PUBLISHED | {series.published for series in (*OWN, *LIVE)}
"""A histogram's stem too, which the page of all series shows."""

every_page = pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(TOP)))


def matches(page: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, page.read_text(encoding="utf-8")))


def flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every option of a command and of the commands below it."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from flags(below)


def test_the_readme_names_some_of_each() -> None:
    """The patterns of the tests below match something: no test passes because names are missing."""
    for pattern in (r"`Pte\w+", r"`pte_[a-z_*]+`", r"--[a-z]+", r"`make \w+`", r"\]\([A-Za-z/-]+"):
        assert len(matches(README, pattern)) > 2, pattern


@every_page
def test_every_alert_that_is_named_exists(page: Path) -> None:
    """Whoever searches for the name of an alert finds its rule."""
    assert matches(page, r"\bPte[A-Z]\w+") - {"PteError"} <= {*rules.ALERTS, *rules.OF_EACH_SLO}


@every_page
def test_every_series_that_is_named_exists(page: Path) -> None:
    """Each name, and each pattern of names, is that of a series that we publish."""
    for name in matches(page, r"`(pte_[a-z0-9_*]+|…[a-z_]+)[`{]"):
        pattern = name.replace("…", "pte_*")
        assert fnmatch.filter(NAMES, pattern), f"{page.name} names {name}"


@every_page
def test_every_series_of_objectives_that_is_named_is_recorded(page: Path) -> None:
    """Nobody looks for a series that no rule of an objective makes."""
    assert matches(page, r"`(slo:[a-z_]+:[a-z0-9_]+)[`{]") - {"slo:sli_error:ratio_rate30d"} <= OBJECTIVES


def test_the_page_of_specs_names_every_series_of_objectives() -> None:
    """What a rule records is explained."""
    page = (TOP / "docs" / "reference" / "slo-specs.md").read_text(encoding="utf-8")
    windows = {name for name in OBJECTIVES if name.startswith("slo:sli_error:ratio_rate")}
    assert [name for name in sorted(OBJECTIVES - windows) if f"`{name}`" not in page] == []


def test_every_flag_that_the_readme_names_exists() -> None:
    """The program knows each option."""
    assert matches(README, r"(?<![\w-])--[a-z][a-z.-]*[a-z]") <= set(flags(parser.create()))


DOCS = [README, *sorted((TOP / "docs").rglob("*.md"))]


@pytest.mark.parametrize(("name", "parser"), [(name, parser) for name, _, parser in commands()])
def test_every_flag_is_documented(name: str, parser: argparse.ArgumentParser) -> None:
    """Each option of a command that --help shows is named by README.md or a page of docs/."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in DOCS)
    flags_of_command = [flag for action in options(parser) for flag in action.option_strings]
    missing = [flag for flag in flags_of_command if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-]|\.\w)", text)]
    assert missing == [], f"name them in the page of pte-exporter {name}"


CALLING = [*PROSE, *sorted((TOP / "deploy").rglob("*.*ml")), TOP / "deploy/ci/Jenkinsfile", TOP / "docker-compose.yml"]
"""Pages with whole commands."""


@pytest.mark.parametrize("page", CALLING, ids=lambda page: str(page.relative_to(TOP)))
def test_every_command_that_is_written_has_options_of_today(page: Path) -> None:
    """A copied command works, and no flag in it was renamed."""
    written = {
        name: {word for action in options(parser) for word in action.option_strings} for name, _, parser in commands()
    }
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for call in re.findall(r"pte-exporter ([a-z][^`#\n]*)", text):
        words = call.split(" -- ")[0].split()
        name = max((name for name in written if words[: len(name.split())] == name.split()), key=len, default=None)
        if name is not None:
            flags_of_call = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
            assert flags_of_call <= written[name], f"{page.name}: {call}"


def test_commands_are_found_in_the_prose() -> None:
    """The pattern of the test above finds commands with options: it does not pass because they are missing."""
    calls = re.findall(
        r"pte-exporter [a-z][^`#\n]* --[a-z]", "".join(page.read_text(encoding="utf-8") for page in CALLING)
    )
    assert len(calls) > 20


@every_page
def test_every_make_command_that_is_named_exists(page: Path) -> None:
    """Each is a target of the Makefile, with the line that `make help` shows."""
    targets = matches(TOP / "Makefile", r"(?m)^([a-z-]+):.*## ")
    assert matches(page, r"\bmake ([a-z-]+)`") <= targets


@every_page
def test_every_link_leads_to_a_file(page: Path) -> None:
    """A link inside the repository points to an existing file."""
    for link in matches(page, r"\]\(([^)\s#]+)[^)]*\)"):
        assert "://" in link or (page.parent / link).exists(), f"{page.name} links to {link}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_anchor_is_a_heading(page: Path) -> None:
    """A link into a page points to a heading that the page has."""
    for link, anchor in re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert anchor in anchors(page.parent / link if link else page), f"{page.name} points to {link}#{anchor}"
