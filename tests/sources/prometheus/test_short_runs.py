"""A test that is too short to be a run is named with its length, on real servers: "no application" has a cause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.pipeline import Pipeline
from exporter.sources import read
from tests import servers

END = 1795176000
MINUTES = {"short": 8, "long": 12, "idle": 0}
"""Application to the minutes of its activity, an hour before the end."""

CONFIG = """\
environments:
  - {{role: production, source: {{kind: demo}}}}
  - role: pte
    source:
      kind: prometheus
      url: {url}
      preset: custom
      labels: {{application: job}}
      signals: {{request_rate: "load{{$selector}}"}}
"""


def history() -> Iterator[str]:
    yield "# TYPE load gauge"
    for name, minutes in MINUTES.items():
        start = END - 3600
        for time in range(END - 7200, END + 1, 60):
            yield f'load{{job="{name}"}} {10 if start < time <= start + minutes * 60 else 0} {time}'
    yield "# EOF"


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_activity_below_the_minimum_is_named(version: str, tmp_path: Path) -> None:
    """The warning has the length of the longest activity, when it ended, and the limit."""
    file = tmp_path / "load.om"
    file.write_text("\n".join(history()) + "\n", encoding="utf-8")
    blocks = servers.create_blocks("2.42", file, tmp_path / "blocks")
    configuration = tmp_path / "exporter.yml"
    with servers.prometheus(version, tmp_path, blocks=blocks) as server:
        configuration.write_text(CONFIG.format(url=server.url), encoding="utf-8")
        pipeline = Pipeline(read(configuration))
        observation = pipeline.poll("pte", END)
        pipeline.close()

    assert set(observation.applications) == {"long"}
    assert [warning for warning in observation.warnings if "no test run" in warning] == [
        "short: no test run: the longest activity lasted 8 minutes, until 2026-11-20 11:08 UTC; "
        "expected at least 10 minutes (min_duration)"
    ]
