"""`make stack` with its own directory and ports: its programs, and files that it must not touch."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from deploy.stack import __main__ as stack
from deploy.stack import addresses, configuration, folder
from deploy.stack.errors import StackError
from tests import servers
from tests.running import PATIENCE, run

GRAFANA = "127.0.0.1:3000"
"""Only docker-compose.yml has it."""


def command(data: Path) -> list[str]:
    return [sys.executable, "-m", "deploy.stack", "--days", "1", "--free-ports", "--data", str(data)]


@contextlib.contextmanager
def started(data: Path, until: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The stack as a program and its lines up to the one that has these words; ended as Ctrl-C does it."""
    process = subprocess.Popen(command(data), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    with process.stderr:
        lines: list[str] = []
        try:
            for line in process.stderr:
                lines.append(line)
                if until in line:
                    break
            assert until in lines[-1], lines
            yield process, lines
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            code = process.wait(timeout=PATIENCE)
        assert code == 0, rest


def test_stack_runs_and_ends(tmp_path: Path) -> None:
    """With little history, all of the stack becomes ready, every target is up, and Ctrl-C ends everything."""
    with started(tmp_path / "stack", "printed below") as (_, lines):
        urls = {name: url for line in lines for url, name in re.findall(r"(http://\S+) +([\w-]+):", line)}
        assert len(urls) == 7, lines
        targets = f"{urls['prometheus']}/api/v1/targets"
        all_up = "every target is up"
        servers.eventually(lambda: _all_up(requests.get(targets, timeout=PATIENCE).json()), PATIENCE, all_up)
        page = requests.get(f"{urls['exporter']}/metrics", timeout=PATIENCE).text
        assert "pte_certification_expected" in page
        page = requests.get(f"{urls['exporter-appdynamics']}/metrics", timeout=PATIENCE).text
        assert 'pte_observation_evidence{application="billing",side="production",signal="request_rate"} 1' in page
    for url in urls.values():
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=PATIENCE)


def _all_up(answer: dict[str, Any]) -> bool:
    return {target["health"] for target in answer["data"]["activeTargets"]} == {"up"}


def test_a_folder_has_one_stack(tmp_path: Path) -> None:
    """A second start in the folder of a stack that runs is refused in one line, and the first keeps its files."""
    data = tmp_path / "stack"
    with started(data, "filling Prometheus") as (process, _):
        written = {path for path in data.rglob("*") if "history" not in path.name}
        second = run(command(data))
        assert (second.returncode, second.stderr) == (1, f"stack: {data} is in use by another stack\n")
        assert data / "prometheus.yml" in written
        assert all(path.exists() for path in written)
        assert process.poll() is None


def test_addresses_are_held_while_the_history_is_filled_in(tmp_path: Path) -> None:
    """No other stack that starts in the meantime finds an address free."""
    data = tmp_path / "stack"
    with started(data, "filling Prometheus"):
        for address in set(_addresses(data / "prometheus.yml")):
            host, _, port = address.rpartition(":")
            with pytest.raises(OSError, match="in use"):
                socket.create_server((host, int(port))).close()


def test_an_address_in_use_costs_no_data(tmp_path: Path) -> None:
    """Where a program cannot listen, the data of the last time stays."""
    (tmp_path / "start").write_text("then\n")
    where = addresses.free()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StackError, match=f"{address}, the controller's address, is in use"):
            stack.run(tmp_path, replace(where, controller=address), 1)
    assert (tmp_path / "start").read_text() == "then\n"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """A stack empties its folder, so it takes only one that is empty or a stack's."""
    (tmp_path / "diary").write_text("dear\n")
    done = run(command(tmp_path))
    problem = f"stack: {tmp_path} contains files that are not a stack's: use an empty directory\n"
    assert (done.returncode, done.stderr) == (1, problem)
    assert [path.name for path in tmp_path.iterdir()] == ["diary"]


def test_a_folder_is_emptied_but_for_its_lock(tmp_path: Path) -> None:
    """The next stack finds nothing of the last one, whose folder it is allowed to take."""
    with folder.reserved(tmp_path):
        (tmp_path / "prometheus-data").mkdir()
        (tmp_path / "prometheus-data" / "block").touch()
        (tmp_path / "start").touch()
    with folder.reserved(tmp_path):
        folder.clear(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [folder.LOCK]


def test_configurations_have_the_stacks_own_addresses(tmp_path: Path) -> None:
    """Each address in the shipped files is one that we know, and the copies have the stack's own and existing rules."""
    where = addresses.free()
    configuration.write(tmp_path, where)
    for path in ("prometheus.yml", "exporter.yml", "appdynamics/appdynamics.yml"):
        shipped = set(_addresses(servers.TOP / "deploy" / "stack" / Path(path).name))
        assert shipped - {GRAFANA} <= set(astuple(addresses.AS_SHIPPED))
        ours = _addresses(tmp_path / path)
        assert ours
        assert set(ours) - {GRAFANA} <= set(astuple(where))
    assert where.receiver in _addresses(tmp_path / "alertmanager" / "alertmanager.yml")
    [pattern] = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["rule_files"]
    assert len(list(Path(pattern).parent.glob(Path(pattern).name))) > 5


def _addresses(path: Path) -> list[str]:
    return re.findall(r"127\.0\.0\.1:\d+", re.sub(r"(?m)#.*$", "", path.read_text(encoding="utf-8")))


def test_make_run_may_run_beside_the_stack() -> None:
    """None of the usual addresses is that of `pte-exporter serve` or of `pte-exporter run`."""
    assert not {"127.0.0.1:9826", "127.0.0.1:9827"} & set(astuple(addresses.USUAL))
