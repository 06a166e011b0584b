"""The specs on docs/reference/slo-specs.md are valid."""

from __future__ import annotations

import re
from pathlib import Path

from exporter.slo import specs
from tests.servers import TOP

PAGE = (TOP / "docs" / "reference" / "slo-specs.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def test_the_specs_of_the_page_can_be_read(tmp_path: Path) -> None:
    """Each is saved under the name in its first line, and all are read together."""
    for name, text in EXAMPLES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    slos = specs.read([tmp_path / "specs", tmp_path / "exporter.yml"], specs.Options(period=28 * 86400))
    names = [f"{slo.service}-{slo.name}" for slo in slos]
    assert names == ["checkout-availability", "shop-availability", "shop-requests", "shop-requests-pte"]
