"""Reads a page with prometheus_client's parsers, which are the oracle for our own writer."""

from __future__ import annotations

import subprocess
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.servers import PROMTOOL, program

Sample = tuple[str, frozenset[tuple[str, str]]]


def samples(page: bytes, *, openmetrics: bool = False) -> dict[Sample, float]:
    """(name, labels) to value; a duplicate series is an error."""
    values: dict[Sample, float] = {}
    for family in families(page, openmetrics=openmetrics):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in values, f"duplicate series {key}"
            values[key] = float(sample.value)
    return values


def families(page: bytes, *, openmetrics: bool = False) -> list[Any]:
    parse = parse_openmetrics if openmetrics else parse_text
    return list(parse(page.decode()))


def lint(page: bytes, version: str) -> str:
    """What `promtool check metrics` says; empty when it has nothing to say."""
    command = [program(PROMTOOL[version]), "check", "metrics"]
    done = subprocess.run(command, input=page, capture_output=True, check=False, timeout=60)
    return (done.stdout + done.stderr).decode()
