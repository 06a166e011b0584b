"""The order of the layers, read from the imports themselves."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import exporter
from exporter import catalogue, sources
from exporter.catalogue.series import Series
from exporter.errors import ConfigError

TOP = Path(exporter.__file__).parent

ORDER = (
    "errors",
    "logs",
    "decoding",
    "humanize",
    "model",
    "config",
    "analysis",
    "checkup",
    "catalogue",
    "clients",
    "formats",
    "demo",
    "sources",
    "pipeline",
    "slo",
    "report",
    "publishing",
    "rules",
    "dashboards",
    "serve",
    "commands",
    "cli",
    "__main__",
)
"""A room may import those above it; never the reverse. docs/explanation/architecture.md has a line for each room."""

FILES = sorted(TOP.rglob("*.py"))

IMPURE = {
    "asyncio",
    "http",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "requests",
    "select",
    "socket",
    "ssl",
    "subprocess",
    "sys",
    "threading",
    "time",
    "urllib",
}
"""What pure functions have no use for: clocks, chance, files, threads and the network."""


def module(path: Path) -> tuple[str, ...]:
    parts = path.relative_to(TOP).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Every module that a file imports, also inside functions, as the parts of its name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            base = tuple((node.module or "").split("."))
            for alias in node.names:
                below = TOP.joinpath(*base[1:], alias.name)
                inside = base[0] == "exporter" and (below.is_dir() or below.with_suffix(".py").is_file())
                yield (*base, alias.name) if inside else base


@pytest.mark.parametrize("path", FILES, ids=lambda path: ".".join(module(path)) or "exporter")
def test_nothing_imports_what_lies_below_it(path: Path) -> None:
    """Each import leads upwards in the order of the layers, or stays in its own."""
    own = module(path)
    assert not own or own[0] in ORDER, f"give {own[0]} its place in ORDER"
    for parts in imported(path):
        if parts[0] == "exporter" and len(parts) > 1:
            assert own, "the package itself imports nothing from the project"
            assert ORDER.index(parts[1]) <= ORDER.index(own[0]), f"{'.'.join(own)} imports {'.'.join(parts)}"


def test_the_program_needs_nothing_beside_it() -> None:
    """The shipped code imports neither tests nor the stack, which are not shipped."""
    beside = {"deploy", "tests", "benchmarks"}
    assert not [path for path in FILES if beside & {parts[0] for parts in imported(path)}]


def test_the_order_names_what_there_is() -> None:
    """No name in the order is left over from a module that is gone."""
    there = {module(path)[0] for path in FILES if module(path)}
    assert set(ORDER) == there


def test_the_map_shows_the_rooms_in_their_order() -> None:
    """The map of docs/explanation/architecture.md has a row for each folder, in the order of imports."""
    page = TOP.parent.joinpath("docs", "explanation", "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE)
    assert rows == [room for room in ORDER if (TOP / room).is_dir()]


SOURCES = [source.name for source in pkgutil.iter_modules(sources.__path__)]


@pytest.mark.parametrize("name", SOURCES)
def test_no_source_imports_another(name: str) -> None:
    """A source depends on no other: it can be added or removed as one file or folder."""
    folder = TOP / "sources" / name
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    others = {("exporter", "sources", other) for other in SOURCES if other != name}
    for path in files:
        assert not others & {parts[:3] for parts in imported(path)}, path


@pytest.mark.parametrize("path", sorted((TOP / "analysis").glob("*.py")), ids=lambda path: path.stem)
def test_the_analysis_touches_no_clock_and_no_socket(path: Path) -> None:
    """Results depend on records and settings alone."""
    assert not IMPURE & {parts[0] for parts in imported(path)}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not {"now", "today", "utcnow", "random"} & attributes
    assert not {"open", "print", "input"} & names


YAML_READING = re.compile(r"\b(load|load_all|safe_load\w*|full_load\w*|compose\w*|parse|scan|\w*Loader)\b")
"""Names of PyYAML by which a text is read."""


def test_one_module_reads_yaml() -> None:
    """Only one module loads YAML, because it finds locations and duplicate keys; writing is free."""
    readers = set[tuple[str, ...]]()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
                if YAML_READING.fullmatch(node.attr):
                    readers.add(module(path))
            elif isinstance(node, ast.ImportFrom):
                assert node.module != "yaml", f"{path}: import yaml as a whole, for this test to see what is used"
    assert readers == {("config", "yaml")}


def test_rules_know_no_kind_of_source() -> None:
    """Recordings for a server come from the sources as data: another kind may bring its own."""
    for path in FILES:
        if module(path)[:1] == ("rules",):
            assert ("exporter", "sources") not in {parts[:2] for parts in imported(path)}, path


def test_one_module_reads_promql() -> None:
    """The parser's panics become errors in one module, which alone may call it."""
    users = {module(path) for path in FILES if ("promql_parser",) in {parts[:1] for parts in imported(path)}}
    assert users == {("clients", "promql")}


PROGRAMS = {("demo", "openmetrics"), ("demo", "server")}
"""They have a command line of their own: `python -m exporter.demo.server`."""


def test_arguments_stay_in_the_commands() -> None:
    """Below the command line everything takes typed values and knows nothing of argparse."""
    importing = {module(path) for path in FILES if ("argparse",) in set(imported(path))}
    assert {parts for parts in importing if parts[0] not in ("cli", "commands")} == PROGRAMS


def test_only_the_pipeline_calls_sources_and_analysis() -> None:
    """No other module below both layers brings them together."""
    both = {
        module(path)
        for path in FILES
        if module(path)[:1] and ORDER.index(module(path)[0]) > ORDER.index("sources")
        for parts in imported(path)
        if parts[:3] == ("exporter", "analysis", "assessment")
    }
    assert both == {("pipeline",)}


def test_every_series_of_a_subject_is_published() -> None:
    """Recipe of a new series: an entry in SERIES of any module of the catalogue is on the page by itself."""
    declared: list[Series] = []
    for info in pkgutil.iter_modules(catalogue.__path__):
        declared += getattr(importlib.import_module(f"exporter.catalogue.{info.name}"), "SERIES", ())
    assert sorted(series.name for series in declared) == sorted(series.name for series in catalogue.ALL)


def test_a_new_source_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipe of a new source: a file with KIND, Options and Source is found, checked and built by itself."""
    (tmp_path / "brandnew.py").write_text(
        "from exporter.model.rule import Record\n"
        "from exporter.model.settings import Settings\n"
        "KIND = 'brandnew'\n"
        "class Options(Settings, frozen=True):\n"
        "    shelf: int\n"
        "class Source:\n"
        "    def __init__(self, options, side): self.made = (options.shelf, side)\n"
        "def problems(options): return [('shelf', 'wanted a low one')] if options.shelf > 5 else []\n"
        "def recordings(options, side): return [Record('side:shelf:sum', f'vector({options.shelf})')]\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    path = tmp_path / "exporter.yml"
    text = (
        "environments:\n- {role: production, source: {kind: brandnew, shelf: %s}}\n- {role: pte, source: {kind: demo}}"
    )
    try:
        path.write_text(text % "3", encoding="utf-8")
        production = sources.read(path).environment("production")
        assert sources.build(production).made == (3, "production")  # type: ignore[attr-defined]
        assert [record.expr for record in sources.recordings(production)] == ["vector(3)"]
        for value, problem in (("9", "wanted a low one"), ("top", "expected a whole number, got a string")):
            path.write_text(text % value, encoding="utf-8")
            with pytest.raises(ConfigError) as caught:
                sources.read(path)
            assert str(caught.value) == f"{path}: environments[0].source.shelf: {problem}"
    finally:
        sys.modules.pop("exporter.sources.brandnew", None)
