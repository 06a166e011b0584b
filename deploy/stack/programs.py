"""The programs of the stack: their commands, and how to check that they are ready."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.addresses import Addresses
from deploy.stack.appdynamics import CLIENT_FILE

TOP = Path(__file__).resolve().parents[2]
HERE = TOP / "deploy" / "stack"
TOOLS = TOP / ".tools"

PROMETHEUS = (TOOLS / "prometheus3/usr/bin/prometheus", Path("/usr/bin/prometheus"))
PROMTOOL = (TOOLS / "prometheus3/usr/bin/promtool", Path("/usr/bin/promtool"))
ALERTMANAGER = (TOOLS / "alertmanager/usr/bin/prometheus-alertmanager", Path("/usr/bin/prometheus-alertmanager"))


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the stack."""

    name: str
    address: str
    ready: str
    """Path that answers 200 when it is ready."""
    command: tuple[str, ...]
    about: str
    on_terminal: bool = False
    """Its output goes to the terminal, not to its log."""


def executable(paths: tuple[Path, ...]) -> str:
    """The first path that is executable."""
    for path in paths:
        if os.access(path, os.X_OK):
            return str(path)
    raise FileNotFoundError(f"{paths[0]} is missing: run `make tools`")


def programs(data: Path, addresses: Addresses, start: str) -> tuple[Program, ...]:
    """In start order: a program's servers start before it."""
    python = (sys.executable, "-m")
    demo = addresses.demo
    receiver = addresses.receiver
    controller = addresses.controller
    appdynamics = data / "appdynamics"
    return (
        Program(
            "demo",
            demo,
            "/metrics",
            (*python, "exporter.demo.server", "--listen", demo, "--start", start),
            "the made-up shop's own metrics, production and PTE",
        ),
        Program(
            "receiver",
            receiver,
            "/",
            (*python, "deploy.stack.receiver", receiver),
            "prints the notifications for Slack and PagerDuty here",
            on_terminal=True,
        ),
        Program(
            "controller",
            controller,
            "/controller/",
            (
                *python,
                "deploy.stack.controller",
                f"--listen={controller}",
                f"--secret.file={appdynamics / CLIENT_FILE}",
            ),
            "an AppDynamics stub with the made-up shop",
        ),
        _alertmanager(addresses.alertmanager, data),
        _prometheus(addresses.prometheus, data),
        _exporter("exporter", addresses.exporter, data / "exporter.yml", "verdicts; metrics at /metrics"),
        _exporter(
            "exporter-appdynamics",
            addresses.exporter_appdynamics,
            appdynamics / "appdynamics.yml",
            "the same for the application in AppDynamics: billing",
        ),
    )


def _exporter(name: str, address: str, config: Path, about: str) -> Program:
    serve = ("exporter.cli", "serve", f"--config.file={config}", f"--web.listen-address={address}")
    return Program(name, address, "/-/ready", (sys.executable, "-m", *serve), about)


def _alertmanager(address: str, data: Path) -> Program:
    return Program(
        "alertmanager",
        address,
        "/-/ready",
        (
            executable(ALERTMANAGER),
            f"--config.file={data / 'alertmanager' / 'alertmanager.yml'}",
            f"--storage.path={data / 'alertmanager-data'}",
            f"--web.listen-address={address}",
            f"--web.external-url=http://{address}",
            "--cluster.listen-address=",
        ),
        "alerts and silences",
    )


def _prometheus(address: str, data: Path) -> Program:
    return Program(
        "prometheus",
        address,
        "/-/ready",
        (
            executable(PROMETHEUS),
            f"--config.file={data / 'prometheus.yml'}",
            f"--storage.tsdb.path={data / 'prometheus-data'}",
            "--storage.tsdb.retention.time=60d",
            f"--web.listen-address={address}",
            f"--web.external-url=http://{address}",
        ),
        "series, rules and alerts",
    )
