"""The report at a terminal, for the demo at a fixed time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.model.results import Snapshot
from exporter.report import console


@pytest.fixture(scope="session")
def text(snapshot: Snapshot) -> str:
    return console.render(snapshot).decode()


def test_head(text: str) -> None:
    """The question, the time and the number of each verdict come first."""
    assert text.startswith(
        "Does the certification still hold?   2026-11-20 12:00 UTC\n\n"
        "1 of 4 certifications holds, 1 has failed, 2 cannot be judged.\n\n"
        "archive: no evidence\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "archive: no evidence",
        "checkout: does not hold",
        "search: no evidence",
        "shop: holds",
        "  The certification cannot be judged: production had no traffic.",
        "  The certification cannot be judged: no test run was found.",
        "  The certification holds: the test is 1.3 days old, reached 144 % of",
        "  production's peak and covered 94.3 % of its requests (the nearest limit: at",
        "  least 80 % of requests covered).",
        "  request rate      122.9 req/s  68.15 req/s  -44.5 %  critical  worse",
        "  request rate      861.3 req/s  1244 req/s  +44.4 %  none      better",
        "  test run   2026-11-14 01:00 UTC for 1 hour, 6.4 days ago (detected)",
        "  coverage   5 of 6 endpoints (83.3 %); 92.7 % of production's requests",
        "  capacity   a request in the PTE uses 1.65 times production's CPU",
        "    request rate          at least  184.3 req/s  not met",
        "    error ratio           at most       0.457 %  met",
        "    uptime ratio          at least       99.9 %  not observed",
        "    database connections  at least          478  assumed",
        "    - Request rate, critical: the test did not reach production's rate: raise",
        "      68.1523 to at least 122.891 req/s.",
    ],
)
def test_lines(text: str, line: str) -> None:
    """Verdicts, values, objectives and advice are on lines of their own."""
    assert line in text.splitlines()


def test_lines_are_short_and_numbers_keep_their_units(text: str) -> None:
    """No line passes the width or ends in blanks, and no unit begins one."""
    for line in text.splitlines():
        assert len(line) <= console.WIDTH
        assert line == line.rstrip()
        assert not line.strip().startswith(("%", "req/s", "ms ", "MB/s"))
    assert "\u00a0" not in text


def test_colour_only_when_asked_for(snapshot: Snapshot, text: str) -> None:
    """Without escape codes the coloured report is the plain one."""
    coloured = console.render(snapshot, colour=True).decode()
    assert "\x1b" not in text
    assert "\x1b[1mcheckout\x1b[0m: \x1b[31mdoes not hold\x1b[0m" in coloured
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"):
        coloured = coloured.replace(code, "")
    assert coloured == text


def test_without_applications(snapshot: Snapshot) -> None:
    """A report without applications says so, and warnings are wrapped."""
    assert snapshot.production is not None
    warned = replace(snapshot.production, warnings=("the answer is partial, " * 8 + "done",))
    lines = console.render(replace(snapshot, applications={}, production=warned)).decode().splitlines()
    assert lines[2] == "No application was observed in production or the PTE: no evidence."
    assert lines[3].startswith("warning from production: the answer is partial")
    assert len(lines) > 4
    assert max(map(len, lines)) <= console.WIDTH
