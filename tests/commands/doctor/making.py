"""Configurations with one source to examine, as a person would write them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import yaml

from exporter import sources
from exporter.config import Config
from exporter.model.checkup import CheckResult, Checkup
from exporter.pipeline.checkup import examine


def written(directory: Path, **changed: dict[str, Any]) -> Path:
    """A configuration whose environments are the demo's but for those given by role."""
    demo: dict[str, dict[str, Any]] = {role: {"source": {"kind": "demo"}} for role in ("production", "pte")}
    environments = [{"role": role, **environment} for role, environment in {**demo, **changed}.items()]
    path = directory / "exporter.yml"
    path.write_text(yaml.safe_dump({"environments": environments}), encoding="utf-8")
    return path


def configured(directory: Path, **changed: dict[str, Any]) -> Config:
    return sources.read(written(directory, **changed), checked=False)


def examined(directory: Path, role: str, **source: Any) -> Checkup:
    """Every step of the command for one source; paths are made strings."""
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in source.items()}
    config = configured(directory, **{role: {"source": plain}})
    environment = config.environment(role)
    return Checkup(environment.name, sources.kind(environment), tuple(examine(config, environment, time.time())))


def step(checkup: Checkup, check: str, subject: str = "") -> CheckResult:
    return next(result for result in checkup.steps if (result.check, result.subject) == (check, subject))
