"""The exit codes of every command, and their meaning: for --help and for docs/reference/exit-codes.md."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

USAGE = {"2": "wrong usage"}

EVERYWHERE = {
    **USAGE,
    "130": "interrupted by SIGINT (Ctrl-C)",
    "143": "ended by SIGTERM",
}
"""The exit codes that every command has, unless it lists another meaning."""

_GENERATED = {
    "0": "the files were written; with --check: they are up to date",
    "1": "invalid configuration, or a file cannot be written; with --check: a file is missing or differs",
    **USAGE,
}

EXIT_CODES: Mapping[str, Mapping[str, str]] = {
    "serve": {
        "0": "stopped by SIGTERM or SIGINT",
        "1": "invalid configuration, or the address cannot be used",
        **USAGE,
    },
    "report": {
        "0": "the report was printed, whatever its verdicts",
        "1": "invalid configuration, or a source cannot be read",
        **USAGE,
    },
    "check": {
        "0": "the configuration is valid",
        "1": "the configuration is invalid",
        **USAGE,
    },
    "doctor": {
        "0": "no step failed; there may be warnings",
        "1": "a step failed, or the configuration is invalid",
        **USAGE,
    },
    "generate rules": {
        "0": "the files were written; with --check: they are up to date",
        "1": "invalid configuration or spec, or a file cannot be written; with --check: a file is missing, differs or "
        "belongs to none of the SLOs",
        **USAGE,
    },
    "generate dashboards": _GENERATED,
    "generate docs": _GENERATED,
    "generate backfill": {
        "0": "the files were written and the script was printed",
        "1": "invalid spec, or --output has the files of another backfill",
        **USAGE,
    },
    "run": {
        "N": "exit code N of the load generator; 128 + n if signal n ended it",
        "1": "the load generator succeeded, but its result cannot be read, saved or published",
        "2": "nothing was started: wrong usage, or invalid inputs",
        "126": "COMMAND cannot be executed",
        "127": "COMMAND does not exist",
    },
    "publish": {
        "0": "published; without --to: judged and printed",
        "1": "not published: an input or a destination failed",
        **USAGE,
    },
    "baseline save": {
        "0": "the run was saved",
        "1": "not saved: the result cannot be used, or the baseline exists already",
        **USAGE,
    },
    "baseline list": {
        "0": "the baselines were printed",
        "1": "a baseline cannot be read, or invalid configuration",
        **USAGE,
    },
    "baseline compare": {
        "0": "pass: the run is not worse",
        "1": "worse: a change has at least --severity, or the grade is below --min-grade",
        **USAGE,
        "3": "no evidence: a file cannot be read, or too few requests to rule out that the run is worse",
    },
    "slo list": {
        "0": "the SLOs were printed, whatever their state",
        "1": "invalid configuration, or Prometheus cannot be queried",
        **USAGE,
    },
    "slo show": {
        "0": "the SLO was printed, whatever its state",
        "1": "the SLO does not exist, or Prometheus cannot be queried",
        **USAGE,
    },
    "slo gate": {
        "0": "pass: enough of the error budget remains",
        "1": "too little of the error budget remains",
        **USAGE,
        "3": "no evidence: the SLO does not exist, its telemetry is missing, too little of its period is covered, or "
        "Prometheus cannot be queried",
    },
}
"""By command, in the order of --help."""

_WIDTH = 80


def epilog(program: str) -> str:
    """The end of a command's --help; `program`: its words, such as "pte-exporter slo gate"."""
    _, _, name = program.partition(" ")
    lines = ["exit codes:"]
    for code, meaning in EXIT_CODES[name].items():
        first = f"  {code:<5}"
        indent = " " * len(first)
        lines += textwrap.wrap(meaning, _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines)
