"""What `run` keeps in memory beside a load generator: its page, not the service of `serve` and not the doctor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands.run.conftest import GENERATOR, Start
from tests.running import until

LISTING = """
import pathlib, sys, threading, time
from exporter import cli

def list_modules():
    while not pathlib.Path("asked").exists():
        time.sleep(0.01)
    pathlib.Path("modules.new").write_text("\\n".join(sys.modules))
    pathlib.Path("modules.new").replace("modules")

threading.Thread(target=list_modules, daemon=True).start()
sys.exit(cli.main())
"""
"""The command itself, which writes down what it has loaded when the file `asked` is there."""

ELSEWHERE = {
    "exporter.serve.service",
    "exporter.serve.polling",
    "exporter.serve.checkups",
    "exporter.serve.web.landing",
    "exporter.pipeline",
    "exporter.checkup",
    "requests",
}
"""What only `serve` and `doctor` have a use for, and the HTTP client."""

CONFIGURATION = "environments: [{role: production, source: {kind: demo}}, {role: pte, source: {kind: demo}}]\n"


@pytest.mark.parametrize(
    ("options", "loaded_all_the_same"),
    [
        ([], set()),
        (["--result", "k6.json", "--save", "saved.json"], set()),
        # A place may be a Pushgateway.
        (["--result", "k6.json", "--to", "textfile", "."], {"requests"}),
        # Reading a configuration needs the kinds of sources, and each of them knows what the doctor tries.
        (["--result", "k6.json", "--config.file", "exporter.yml"], {"exporter.checkup", "requests"}),
    ],
    ids=["alone", "with a result", "published", "with a configuration"],
)
def test_the_service_is_not_loaded(
    options: list[str], loaded_all_the_same: set[str], shop: str, start: Start, tmp_path: Path
) -> None:
    """While the generator goes and the page is scraped, nothing is loaded that only `serve` and `doctor` need."""
    (tmp_path / "exporter.yml").write_text(CONFIGURATION, encoding="utf-8")
    command = [sys.executable, GENERATOR, shop, "k6.json", "20", "0", "end"]
    with start(options, command, program=("-c", LISTING)) as wrapped:
        until(lambda: wrapped.value("pte_load_run_live_running") == 1, "the generator")
        (tmp_path / "asked").touch()
        until((tmp_path / "modules").exists, "the list of modules")
        (tmp_path / "end").touch()
        assert wrapped.ends() == 0
    modules = set((tmp_path / "modules").read_text(encoding="utf-8").splitlines())
    assert {"exporter.commands.run.page", "exporter.serve.web.asgi"} < modules
    assert modules & ELSEWHERE == loaded_all_the_same
