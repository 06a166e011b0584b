"""The registry finds formats by itself, and asks their records alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from exporter import formats
from exporter.formats import Format
from tests.servers import TOP

BRANDNEW = """
from exporter.formats import Format
from exporter.model.loadrun import Figures, LoadRun

def recognise(head):
    return head.startswith(b"brandnew ")

def read(content, file):
    return LoadRun("loader", "brandnew", file.modified - 10, file.modified, Figures(int(content.split()[1])))

def is_log(head):
    return head.startswith(b"log of brandnew")

FORMATS = (Format("brandnew", "loader", recognise, read=read, companions=(is_log,)),)
"""


def test_a_new_format_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipe of a new format: a file with FORMATS is found, detected and read by itself."""
    (tmp_path / "brandnew.py").write_text(BRANDNEW, encoding="utf-8")
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    result = tmp_path / "checkout.txt"
    result.write_text("brandnew 42", encoding="utf-8")
    try:
        assert formats.detect(result.read_bytes()).tool == "loader"
        assert formats.accompanies(b"log of brandnew, second 1")
        run = formats.read(result)
        assert (run.format, run.total.requests, run.run) == ("brandnew", 42, "checkout")
    finally:
        sys.modules.pop("exporter.formats.brandnew", None)


def test_names_of_formats_are_their_keys() -> None:
    """Each format is registered once, under its own name."""
    assert [format.name for format in formats.formats().values()] == list(formats.formats())


def test_a_format_has_a_reader_or_reads() -> None:
    """A record that could not be read is refused where it is made."""
    with pytest.raises(AssertionError, match="brandnew: give it a reader, or read"):
        Format("brandnew", "loader", lambda head: False)


def test_every_format_is_in_the_table_of_its_page() -> None:
    """docs/reference/formats.md lists each format that is read, and no other."""
    page = (TOP / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    table = page.partition("| format | tool |")[2].partition("\n\n")[0]
    first_cells = "".join(row.split("|")[1] for row in table.splitlines()[1:])
    assert set(re.findall(r"`([\w-]+)`", first_cells)) == set(formats.formats())
