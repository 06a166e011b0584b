"""The fields of errors survive whatever is put before their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.errors import SourceError
from exporter.formats import UnknownFormatError

FIELDS = {
    "retry_after": 3.0,
    "status": 403,
    "location": "a.example:9090",
    "destination": "https://b.example",
    "path": Path("/run/secrets/token"),
    "variable": "TOKEN",
    "user": "pte",
    "detail": "forbidden",
}


def fields(error: SourceError) -> dict[str, object]:
    return {name: getattr(error, name) for name in FIELDS}


def test_other_words_keep_the_fields() -> None:
    """All of them, the reason, and the kind of error."""
    error = UnknownFormatError("auth", "refused", **FIELDS)  # type: ignore[arg-type]
    reworded = error.reworded("refused us")
    assert type(reworded) is UnknownFormatError
    assert (reworded.reason, str(reworded)) == ("auth", "refused us")
    assert fields(reworded) == FIELDS


def test_a_file_is_named_once_and_kept() -> None:
    """The text begins with it, the field `path` has it, and the message stays without."""
    error = SourceError("bad_data", "is empty").at(Path("runs/a.jtl"))
    assert str(error) == "runs/a.jtl: is empty"
    assert (error.path, error.message) == (Path("runs/a.jtl"), "is empty")


def test_the_name_of_a_source_is_no_file() -> None:
    """It is put before the text, and the file that is in question stays the one that it was."""
    error = SourceError("bad_data", "is empty").at(Path("a.jtl")).at("pte")
    assert str(error) == "pte: a.jtl: is empty"
    assert error.path == Path("a.jtl")


def test_a_server_is_named_once() -> None:
    """An error that names its server is left as it is."""
    error = SourceError("bad_data", "an application has two series").at_server("a.example:9090")
    assert str(error) == "a.example:9090: an application has two series"
    assert error.at_server("a.example:9090") is error


@pytest.mark.parametrize(("name", "detail"), [("nothing", "missing"), ("folder", "directory")])
def test_what_the_system_says_is_a_field_too(name: str, detail: str, tmp_path: Path) -> None:
    """Its number, and not its words, which are in the language of the machine."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=name) as caught:
        (tmp_path / name).read_bytes()
    error = SourceError.cannot_read(caught.value).at(tmp_path / name)
    assert str(error) == f"{tmp_path / name}: cannot be read: {caught.value.strerror}"
    assert (error.reason, error.detail) == ("unreadable", detail)
