"""Words and colours for numbers. No state relies on colour alone, and no evidence never looks bad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exporter.catalogue.pattern import WEEKDAYS
from exporter.model.verdict import SEVERITIES

GOOD = "green"
NOTE = "blue"
WARN = "yellow"
WORSE = "orange"
BAD = "red"
UNKNOWN = "#7b8087"
PLAIN = "text"

ValueMap = Mapping[str, tuple[str, str]]
"""Value, as text, to its word and colour; "1+" stands for 1 and more, and an empty word shows the number."""

VERDICT: ValueMap = {
    "1": ("holds", GOOD),
    "0": ("does not hold", BAD),
    "-1": ("no evidence", UNKNOWN),
    "-2": ("no evidence, none expected", UNKNOWN),
}
EVIDENCE: ValueMap = {"1": ("evidence", GOOD), "0": ("no evidence", UNKNOWN)}
_SEVERITY_COLOURS = (GOOD, NOTE, WARN, WORSE, BAD)
SEVERITY: ValueMap = {
    str(number): severity for number, severity in enumerate(zip(SEVERITIES, _SEVERITY_COLOURS, strict=True))
}
COMPARISON: ValueMap = {
    "0": ("no evidence", UNKNOWN),
    "1": ("equal", GOOD),
    "2": ("PTE better", NOTE),
    "3": ("PTE worse", WORSE),
}
RATING: ValueMap = {"1": ("poor", BAD), "2": ("fair", WARN), "3": ("good", GOOD), "4": ("excellent", GOOD)}
APPLIES: ValueMap = {"0": ("passed", GOOD), "1": ("failed", BAD), "-1": ("no evidence", UNKNOWN)}
MET: ValueMap = {"0": ("not met", BAD), "1": ("met", GOOD)}
WITHIN: ValueMap = {"0": ("no", BAD), "1": ("yes", GOOD), "-1": ("no evidence", UNKNOWN)}
UNTESTED: ValueMap = {"0": ("below the limit", NOTE), "1": ("must be tested", BAD)}
TESTED: ValueMap = {"0": ("not tested", WORSE), "1": ("tested", GOOD), "-1": ("no evidence", UNKNOWN)}
DATA: ValueMap = {"0": ("current", GOOD), "1": ("last poll failed", WORSE), "2": ("withdrawn", BAD)}
POLL: ValueMap = {"0": ("failed", BAD), "1": ("succeeded", GOOD)}
CHECK: ValueMap = {"0": ("failed", BAD), "1": ("passed", GOOD)}
RELOAD: ValueMap = {"0": ("last reload failed", BAD), "1": ("same as the file", GOOD)}
TLS: ValueMap = {"0": ("off", WARN), "1": ("on", GOOD)}
YES: ValueMap = {"0": ("no", GOOD), "1": ("yes", BAD)}
SCRAPED: ValueMap = {"0": ("not reached", BAD), "1": ("reached", GOOD)}
SPIKE: ValueMap = {"-1": ("no evidence", UNKNOWN), "0": ("no", GOOD), "1": ("spike", WARN)}
FAILS: ValueMap = {"0": ("passes", GOOD), "1": ("fails", BAD)}
COUNT_AGAINST: ValueMap = {"-1": ("no evidence", UNKNOWN), "0": ("none", GOOD), "1+": ("", BAD)}
OPEN: ValueMap = {"0": ("none", GOOD), "1+": ("", WARN)}
RESOLUTION: ValueMap = {"60": ("1 minute", GOOD), "61+": ("", WARN)}
"""Seconds that a value covers: more than a minute hides peaks."""
SPIKES: ValueMap = {"-1": ("no evidence", UNKNOWN), "0": ("none", GOOD), "1+": ("", WARN)}
RULES: ValueMap = {"1": ("evaluated", GOOD)}
EXPECTED: ValueMap = {"0": ("not expected", UNKNOWN), "1": ("expected", NOTE)}
ENOUGH: ValueMap = {"0": ("too few", UNKNOWN), "1": ("enough", GOOD)}
HOURS: ValueMap = {"-1": ("no evidence", UNKNOWN)} | {
    str(hour): (f"{hour:02d}:00–{(hour + 1) % 24:02d}:00", NOTE) for hour in range(24)
}
ALERT_SEVERITY: ValueMap = {"critical": ("critical", BAD), "warning": ("warning", WORSE), "info": ("info", NOTE)}

INSIDE: ValueMap = {
    "1": ("inside", GOOD),
    "0": ("budget exhausted", BAD),
    "-1": ("no evidence", UNKNOWN),
    "-2": ("no SLO", UNKNOWN),
}
OUT_OF_BUDGET: ValueMap = {"0": ("none", GOOD), "1+": ("", BAD)}
BURNING: ValueMap = {"0": ("none", GOOD), "1+": ("", WARN)}
DATA_STATE: ValueMap = {
    "0": ("ok", GOOD),
    "1": ("young", NOTE),
    "2": ("idle", UNKNOWN),
    "3": ("maintenance", NOTE),
    "4": ("broken", BAD),
}
MAINTENANCE: ValueMap = {"0": ("none", UNKNOWN), "1": ("in maintenance", NOTE)}

GRADE: ValueMap = {
    "5": ("A+", GOOD),
    "4": ("A", GOOD),
    "3": ("B", NOTE),
    "2": ("C", WARN),
    "1": ("D", WORSE),
    "0": ("F", BAD),
    "-1": ("no evidence", UNKNOWN),
}
THRESHOLDS: ValueMap = {"0": ("not met", BAD), "1": ("met", GOOD), "-1": ("no evidence", UNKNOWN)}
COMPLETE: ValueMap = {"0": ("ended early", BAD), "1": ("yes", GOOD)}
CURRENT: ValueMap = {"0": ("no", UNKNOWN), "1": ("this grade", NOTE)}
WORSE_THAN_BEFORE: ValueMap = {**SEVERITY, "-1": ("no evidence", UNKNOWN)}
COMPARED: ValueMap = {
    "0": ("no evidence", UNKNOWN),
    "1": ("equal", GOOD),
    "2": ("better", NOTE),
    "3": ("worse", WORSE),
}
TREND: ValueMap = {
    "0": ("no evidence", UNKNOWN),
    "1": ("stable", GOOD),
    "2": ("improving", NOTE),
    "3": ("volatile", WARN),
    "4": ("degrading", WORSE),
}

DAYS: Mapping[str, str] = {day: f"{position} {day.title()}" for position, day in enumerate(WEEKDAYS, start=1)}
"""Label value of a day to a word that sorts in the order of the week."""


def mappings(value_map: ValueMap) -> list[dict[str, Any]]:
    """Grafana's value mappings for these words."""
    values: dict[str, Any] = {}
    ranges: list[dict[str, Any]] = []
    for index, (value, (text, colour)) in enumerate(value_map.items()):
        result: dict[str, Any] = {"color": colour, "index": index}
        if text:
            result["text"] = text
        if value.endswith("+"):
            ranges.append({"type": "range", "options": {"from": float(value[:-1]), "to": None, "result": result}})
        else:
            values[value] = result

    if not values:
        return ranges
    return [{"type": "value", "options": values}, *ranges]


def plain(names: Mapping[str, str]) -> ValueMap:
    """Words for label values, in the colour of ordinary text."""
    return {value: (text, PLAIN) for value, text in names.items()}
