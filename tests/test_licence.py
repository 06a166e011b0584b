"""The licence has one name, wherever it is given."""

from __future__ import annotations

import re
import tomllib

from tests.servers import TOP


def test_the_package_names_the_licence_of_the_file() -> None:
    """pyproject.toml and LICENSE have the same SPDX identifier."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    licence = (TOP / "LICENSE").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^SPDX-License-Identifier: (\S+)$", licence) == [project["license"]]
    assert "LICENSE" in project["license-files"]
