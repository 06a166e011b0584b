"""Files that are found by globs."""

from __future__ import annotations

from pathlib import Path

from exporter.formats import result_files


def touched(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_links_that_lead_back_end(tmp_path: Path) -> None:
    """Two links to a folder around them give 2 ** 40 paths; each file is found, and once."""
    touched(tmp_path / "a.xml", tmp_path / "below" / "b.xml")
    (tmp_path / "below" / "up").symlink_to(tmp_path)
    (tmp_path / "below" / "here").symlink_to(tmp_path / "below")
    files = result_files.newest([tmp_path / "**" / "*.xml"], 100)
    assert sorted(path.name for path in files) == ["a.xml", "b.xml"]


def test_a_folder_that_is_a_link_is_looked_into(tmp_path: Path) -> None:
    """Jenkins's lastBuild is one."""
    touched(tmp_path / "builds" / "7" / "a.xml")
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "last").symlink_to(tmp_path / "builds" / "7")
    assert result_files.newest([tmp_path / "watched" / "**" / "*.xml"], 100) == [
        tmp_path / "watched" / "last" / "a.xml"
    ]


def test_stars_may_stand_anywhere(tmp_path: Path) -> None:
    """As in a shell with globstar: any number of folders, none of them hidden."""
    touched(*(tmp_path / name for name in ("x/1.xml", "x/a/r/2.xml", "x/a/b/r/c/3.xml", "x/.git/r/4.xml", "x/.5.xml")))

    def names(pattern: str) -> list[str]:
        return sorted(path.name for path in result_files.newest([tmp_path / pattern], 100))

    assert names("**/*.xml") == ["1.xml", "2.xml", "3.xml"]
    assert names("*/**/r/**/*.xml") == ["2.xml", "3.xml"]
    assert names("x/**") == ["1.xml", "2.xml", "3.xml"]
    assert names("x/[0-9].xml") == ["1.xml"]
    assert names("gone/**/*.xml") == []
