"""The reasons against a certification as an alert lists them: one line for each, in words and numbers.

The template asks once which reasons apply, then writes their lines with the most serious first. Numbers of a reason are
only queried when it applies; if one is missing, the line falls back to plain words.
"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.analysis.certification import LATENCIES, SERIOUS
from exporter.rules import templates
from exporter.rules.expressions import last
from exporter.rules.templates import LATENCY, PERCENTAGE, RATE, TIMES

GAP_LIMIT = "job_signal:pte_gap_alert_limit_ratio:min"
"""The smallest gap of a signal that alerts; recorded by exporter/rules/gap.py."""

_APPLICATION = "job=%q,application=%q"
_ERRORS = f'{_APPLICATION},signal="error_ratio"'
_SIGNAL = f"{_APPLICATION},signal=%q"
_LABELS = ("$labels.job", "$labels.application")
_SIGNAL_LABELS = (*_LABELS, "$signal")


def _number(query: str, show: str, arguments: tuple[str, ...] = _LABELS) -> str:
    return templates.lookup_by(query, arguments, show)


def _line(query: str, show: str, text: str, fallback: str) -> str:
    """A line around one value, with `VALUE` where it belongs; `fallback` when the value is missing."""
    value = f"{{{{ . | first | value | {show} }}}}"
    return (
        f"{{{{ with {templates.result(query, _LABELS)} }}}}{text.replace('VALUE', value)}"
        f"{{{{ else }}}}{fallback}{{{{ end }}}}"
    )


def _ratio(name: str, text: str, limit: str, fallback: str) -> str:
    return _line(f"max({last(name, _APPLICATION)})", PERCENTAGE, f"{text} (limit: {limit})", fallback)


def _gap_limit(signal: str) -> str:
    query = f"max({GAP_LIMIT}{{job=%q,signal=%q}})"
    return _number(query, PERCENTAGE, ("$labels.job", signal))


def value_limit(signal: str, show: str) -> str:
    """The limit of the PTE's own value, where one is configured: it can be broken whatever the gap."""
    query = f"min({last('pte_gap_value_limit', 'job=%q,signal=%q')})"
    value = "{{ . | first | value | " + show + " }}"
    return f"{{{{ with {templates.result(query, ('$labels.job', signal))} }}}}; PTE: at most {value}{{{{ end }}}}"


def _input(aggregation: str, matchers: str) -> str:
    return f"{aggregation}({last('pte_gap_input', matchers)})"


_TOO_OLD = _line(
    f"max({last('pte_test_run_age_seconds', _APPLICATION)})",
    templates.AGE,
    f"the latest test run is VALUE old (limit: {templates.at_most('certification_age_seconds', templates.AGE)})",
    "the latest test run is too old",
)

_LOAD = _line(
    f"min({last('pte_load_coverage_peak_ratio', _APPLICATION)})",
    PERCENTAGE,
    "the test reached VALUE of production's peak: "
    + templates.values_by("pte_gap_input", "side", RATE, 'signal="request_rate"')
    + f" (limit: {templates.at_least('load_coverage_ratio', PERCENTAGE)})",
    "the test did not reach production's peak",
)

_PEAK = _line(
    f"max({last('pte_growth_peak_ratio', _APPLICATION)}) - 1",
    PERCENTAGE,
    "production's peak grew by VALUE since the test, from "
    + templates.value_of("pte_growth_peak_then_requests_per_second", RATE)
    + " to "
    + templates.value_of("pte_growth_peak_now_requests_per_second", RATE)
    + f" (limit: {templates.at_most('peak_growth_ratio', PERCENTAGE)})",
    "production's peak outgrew the test",
)

# Sides have configured names, so the slower one is found by its value: production's where the gap is negative.
_SLOWER = _number(_input("max", _SIGNAL), LATENCY, _SIGNAL_LABELS)
_FASTER = _number(_input("min", _SIGNAL), LATENCY, _SIGNAL_LABELS)
_FACTOR = _number(f"{_input('max', _SIGNAL)} / {_input('min', _SIGNAL)}", TIMES, _SIGNAL_LABELS * 2)
_NEGATIVE = templates.result(f"min({last('pte_gap_ratio', _SIGNAL)}) < 0", _SIGNAL_LABELS)
_GAP = _number(f"max({last('pte_gap_ratio', _SIGNAL)})", PERCENTAGE, _SIGNAL_LABELS)

_LATENCY_MATCHERS = f'{_APPLICATION},signal=~"{"|".join(LATENCIES)}"'
# The most severe latency; of several the one with the largest gap.
_WORST_LATENCY = (
    f"topk(1, max by (signal) ({last('pte_gap_severity', _LATENCY_MATCHERS)})"
    f" + max by (signal) (abs({last('pte_gap_ratio', _LATENCY_MATCHERS)})) / 1e6)"
)
_LATENCY_LINE = (
    f"{{{{ range {templates.result(_WORST_LATENCY, _LABELS * 2)} }}}}"
    f"{{{{ $signal := .Labels.signal }}}}{templates.latency_name('$signal')} in "
    f"{{{{ if {_NEGATIVE} }}}}production ({_SLOWER}) is {_FACTOR} times what the test showed ({_FASTER})"
    f"{{{{ else }}}}the test ({_SLOWER}) is {_FACTOR} times production's ({_FASTER}){{{{ end }}}}"
    f"; gap: {_GAP} (limit: {_gap_limit('$signal')} either way"
    f"{value_limit('$signal', LATENCY)})"
    "{{ else }}latencies of test and production differ too much{{ end }}"
)

_ERROR_LINE = _line(
    f"1 + (max({last('pte_gap_ratio', _ERRORS)}) > 0)",
    TIMES,
    "the test's error ratio is VALUE times production's: ",
    "the test's error ratio is too high: ",
) + (
    templates.values_by("pte_gap_input", "side", PERCENTAGE, 'signal="error_ratio"')
    + " in the worst minute (limit: "
    + _gap_limit('"error_ratio"')
    + " above production's"
    + value_limit('"error_ratio"', PERCENTAGE)
    + ")"
)

_UNMET = f"max by (slo) ({last('pte_slo_run_met', _APPLICATION)}) == 0"
_SLO = f"{_APPLICATION},slo=%q"
_SLO_LABELS = (*_LABELS, "$slo")
_OBJECTIVE_LINE = (
    f'{{{{ range $i, $e := {templates.result(_UNMET, _LABELS)} | sortByLabel "slo" }}}}{{{{ $slo := $e.Labels.slo }}}}'
    "{{ if $i }}\n- {{ end }}the run would not have met the objective {{ $slo }}: "
    + _number(f"max({last('pte_slo_run_error_ratio', _SLO)})", PERCENTAGE, _SLO_LABELS)
    + " of its requests were bad (limit: at most "
    + _number(f"1 - max({last('pte_slo_objective_ratio', _SLO)})", PERCENTAGE, _SLO_LABELS)
    + "){{ else }}the run would not have met an objective of production{{ end }}"
)

LINES: Mapping[str, str] = {
    "no_test_run": "no test run was found within the look-back",
    "load_coverage": _LOAD,
    "outgrown_peak": _PEAK,
    "objective": _OBJECTIVE_LINE,
    "errors": _ERROR_LINE,
    "latency": _LATENCY_LINE,
    "weighted_coverage": _ratio(
        "pte_coverage_weighted_ratio",
        "VALUE of production's requests go to tested endpoints",
        templates.at_least("weighted_coverage_ratio", PERCENTAGE),
        "too much of production's traffic goes to untested endpoints",
    ),
    "outgrown_mix": _ratio(
        "pte_growth_mix_total_variation_ratio",
        "production's traffic mix moved by VALUE since the test",
        templates.at_most("mix_moved_ratio", PERCENTAGE),
        "production's traffic mix moved since the test",
    ),
    "mix": _ratio(
        "pte_mix_total_variation_ratio",
        "the test's traffic mix differs from production's by VALUE",
        templates.at_most("mix_total_variation_ratio", PERCENTAGE),
        "the test's traffic mix differs from production's",
    ),
    "too_old": _TOO_OLD,
    "efficacy": _ratio(
        "pte_efficacy_ratio",
        "the test's efficacy is VALUE",
        templates.at_least("efficacy_ratio", PERCENTAGE),
        "the test's efficacy is too low",
    ),
}
"""Reason to its line in an alert about one application; the same words as on the exporter's page."""

_APPLIES = f"max by (reason) ({last('pte_certification_reason', _APPLICATION)}) == 1"


def lines() -> str:
    """Every reason that applies, a line each, the most serious first; an unknown one by its name."""
    parts = [
        f"{{{{ $reasons := {templates.result(_APPLIES, _LABELS)} }}}}{{{{ if not $reasons }}}} unknown{{{{ end }}}}"
    ]
    for reason in SERIOUS:
        parts.append(f'{{{{ range $reasons }}}}{{{{ if eq .Labels.reason "{reason}" }}}}\n- {LINES[reason]}')
        parts.append("{{ end }}{{ end }}")

    # The exporter may be newer than these rules.
    names = "|".join(SERIOUS)
    parts.append(f'{{{{ range $reasons }}}}{{{{ if not (match "^({names})$" .Labels.reason) }}}}\n- ')
    parts.append('{{ .Labels.reason | reReplaceAll "_" " " }}{{ end }}{{ end }}')
    return "".join(parts)
