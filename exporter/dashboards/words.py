"""Words and colours for numbers. A state is never told by colour alone, and no evidence never looks like bad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exporter.catalogue.pattern import WEEKDAYS
from exporter.model.settings import SEVERITIES

GOOD, NOTE, WARN, WORSE, BAD, UNKNOWN = "green", "blue", "yellow", "orange", "red", "#7b8087"
PLAIN = "text"

Words = Mapping[str, tuple[str, str]]
"""Value, as text, to what is shown and its colour; "1+" stands for 1 and more, and an empty text shows the number."""

VERDICT: Words = {
    "1": ("holds", GOOD),
    "0": ("does not hold", BAD),
    "-1": ("no evidence", UNKNOWN),
    "-2": ("no evidence, none expected", UNKNOWN),
}
EVIDENCE: Words = {"1": ("evidence", GOOD), "0": ("no evidence", UNKNOWN)}
SEVERITY: Words = dict(
    zip(map(str, range(5)), zip(SEVERITIES, (GOOD, NOTE, WARN, WORSE, BAD), strict=True), strict=True)
)
COMPARISON: Words = {
    "0": ("no evidence", UNKNOWN),
    "1": ("equal", GOOD),
    "2": ("PTE better", NOTE),
    "3": ("PTE worse", WORSE),
}
RATING: Words = {"1": ("poor", BAD), "2": ("fair", WARN), "3": ("good", GOOD), "4": ("excellent", GOOD)}
APPLIES: Words = {"0": ("no", GOOD), "1": ("speaks against it", BAD), "-1": ("no evidence", UNKNOWN)}
MET: Words = {"0": ("not met", BAD), "1": ("met", GOOD)}
WITHIN: Words = {"0": ("no", BAD), "1": ("yes", GOOD), "-1": ("no evidence", UNKNOWN)}
NAMED: Words = {"0": ("below the limit", NOTE), "1": ("must be tested", BAD)}
TESTED: Words = {"0": ("not tested", WORSE), "1": ("tested", GOOD), "-1": ("no evidence", UNKNOWN)}
DATA: Words = {"0": ("current", GOOD), "1": ("last poll failed", WORSE), "2": ("withdrawn", BAD)}
POLL: Words = {"0": ("failed", BAD), "1": ("succeeded", GOOD)}
CHECK: Words = {"0": ("failed", BAD), "1": ("passed", GOOD)}
RELOAD: Words = {"0": ("last reload failed", BAD), "1": ("as in the file", GOOD)}
TLS: Words = {"0": ("off", WARN), "1": ("on", GOOD)}
YES: Words = {"0": ("no", GOOD), "1": ("yes", BAD)}
SCRAPED: Words = {"0": ("not reached", BAD), "1": ("reached", GOOD)}
SPIKE: Words = {"-1": ("no evidence", UNKNOWN), "0": ("no", GOOD), "1": ("spike", WARN)}
FAILS: Words = {"0": ("passes", GOOD), "1": ("fails", BAD)}
COUNT_AGAINST: Words = {"-1": ("no evidence", UNKNOWN), "0": ("none", GOOD), "1+": ("", BAD)}
OPEN: Words = {"0": ("none", GOOD), "1+": ("", WARN)}
RESOLUTION: Words = {"60": ("1 minute", GOOD), "61+": ("", WARN)}
"""Seconds that a value covers: what is coarser than a minute hides peaks."""
SPIKES: Words = {"-1": ("no evidence", UNKNOWN), "0": ("none", GOOD), "1+": ("", WARN)}
RULES: Words = {"1": ("evaluated", GOOD)}
EXPECTED: Words = {"0": ("not expected", UNKNOWN), "1": ("expected", NOTE)}
ENOUGH: Words = {"0": ("too few", UNKNOWN), "1": ("enough", GOOD)}
HOURS: Words = {"-1": ("no evidence", UNKNOWN)} | {
    str(hour): (f"{hour:02d}:00–{(hour + 1) % 24:02d}:00", NOTE) for hour in range(24)
}
ALERT_SEVERITY: Words = {"critical": ("critical", BAD), "warning": ("warning", WORSE), "info": ("info", NOTE)}

INSIDE: Words = {
    "1": ("inside", GOOD),
    "0": ("budget used up", BAD),
    "-1": ("no evidence", UNKNOWN),
    "-2": ("no SLO", UNKNOWN),
}
OUT_OF_BUDGET: Words = {"0": ("none", GOOD), "1+": ("", BAD)}
BURNING: Words = {"0": ("none", GOOD), "1+": ("", WARN)}
DATA_STATE: Words = {
    "0": ("ok", GOOD),
    "1": ("young", NOTE),
    "2": ("idle", UNKNOWN),
    "3": ("maintenance", NOTE),
    "4": ("broken", BAD),
}
MAINTENANCE: Words = {"0": ("none", UNKNOWN), "1": ("in maintenance", NOTE)}

GRADE: Words = {
    "5": ("A+", GOOD),
    "4": ("A", GOOD),
    "3": ("B", NOTE),
    "2": ("C", WARN),
    "1": ("D", WORSE),
    "0": ("F", BAD),
    "-1": ("no evidence", UNKNOWN),
}
THRESHOLDS: Words = {"0": ("not met", BAD), "1": ("met", GOOD), "-1": ("no evidence", UNKNOWN)}
COMPLETE: Words = {"0": ("ended early", BAD), "1": ("yes", GOOD)}
HAS: Words = {"0": ("no", UNKNOWN), "1": ("this one", NOTE)}
WORSE_THAN_BEFORE: Words = {**SEVERITY, "-1": ("no evidence", UNKNOWN)}
COMPARED: Words = {
    "0": ("no evidence", UNKNOWN),
    "1": ("equal", GOOD),
    "2": ("better", NOTE),
    "3": ("worse", WORSE),
}
TREND: Words = {
    "0": ("no evidence", UNKNOWN),
    "1": ("stable", GOOD),
    "2": ("improving", NOTE),
    "3": ("volatile", WARN),
    "4": ("degrading", WORSE),
}

DAYS: Mapping[str, str] = {day: f"{position} {day.title()}" for position, day in enumerate(WEEKDAYS, start=1)}
"""Label value of a day to a word that sorts as the week runs."""


def mappings(words: Words) -> list[dict[str, Any]]:
    """Grafana's value mappings for these words."""
    values: dict[str, Any] = {}
    ranges: list[dict[str, Any]] = []
    for index, (value, (text, colour)) in enumerate(words.items()):
        result = {"color": colour, "index": index} | ({"text": text} if text else {})
        if value.endswith("+"):
            ranges.append({"type": "range", "options": {"from": float(value[:-1]), "to": None, "result": result}})
        else:
            values[value] = result
    return ([{"type": "value", "options": values}] if values else []) + ranges


def plain(names: Mapping[str, str]) -> Words:
    """Words for label values, in the colour of ordinary text."""
    return {value: (text, PLAIN) for value, text in names.items()}
