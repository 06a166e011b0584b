"""Fragments of alert templates: values in readable units, and results of queries about the reason.

A looked-up label value goes into the query through %q, which keeps quotes in an application's name inside the string.
"""

from __future__ import annotations

from typing import Literal

from exporter.rules.expressions import joined, last, limit

PERCENTAGE = 'printf "%.3g" | humanizePercentage'
"""A ratio as 62.3%."""
LATENCY = 'printf "%.3g" | humanizeDuration | reReplaceAll "^([0-9.]+)(m?s)$" "$1 $2"'
"""Seconds as 607 ms or 1.58 s."""
AGE = 'humanizeDuration | reReplaceAll "(h [0-9]+m) [0-9]+s$" "$1" | reReplaceAll "( 0[hms])+$" ""'
"""Seconds as 30d, 8d 0h 16m or 2m 30s: no seconds beside hours, no zeros at the end."""
RATE = 'printf "%.3g" | humanize | printf "%s req/s"'
"""Requests per second as 540 req/s or 8.54k req/s."""
TIMES = 'printf "%.3g" | humanize'
"""A factor as 2.63 or 120, with as many digits as on the exporter's page."""

PERCENT = "{{ $value | humanizePercentage }}"
DURATION = "{{ $value | " + AGE + " }}"
UNKNOWN = "unknown"

_OWN = ("job", "application")


def latency_name(variable: str) -> str:
    """A latency signal as people call it: P95 latency, mean latency."""
    percentile = 'reReplaceAll "^latency_p(.+)$" "P$1 latency"'
    return "{{ " + variable + " | " + percentile + ' | reReplaceAll "^latency_(.+)$" "$1 latency" }}'


def result(query: str, arguments: tuple[str, ...]) -> str:
    """The pipeline that runs a query, which has one %q for each argument."""
    return f"printf `{query}` {' '.join(arguments)} | query"


def _result(query: str, labels: tuple[str, ...]) -> str:
    return result(query, tuple(f"$labels.{label}" for label in labels))


def _matchers(labels: tuple[str, ...], more: str = "") -> str:
    return joined(*(f"{label}=%q" for label in labels), more)


def lookup(query: str, labels: tuple[str, ...], show: str) -> str:
    """The first value of a query's result, or the word unknown. `query` has one %q for each of the alert's labels."""
    return lookup_by(query, tuple(f"$labels.{label}" for label in labels), show)


def lookup_by(query: str, arguments: tuple[str, ...], show: str) -> str:
    """The same for a query whose arguments are any variables of the template."""
    value = "{{ . | first | value | " + show + " }}"
    return "{{ with " + result(query, arguments) + " }}" + value + "{{ else }}" + UNKNOWN + "{{ end }}"


def _listed(query: str, labels: tuple[str, ...], label: str, item: str, none: str) -> str:
    loop = "{{ range $i, $e := " + _result(query, labels) + ' | sortByLabel "' + label + '" }}'
    return loop + "{{ if $i }}, {{ end }}" + item + "{{ else }}" + none + "{{ end }}"


def at_most(name: str, show: str) -> str:
    """A configured upper limit; of the job's exporters the strictest, because that one is broken first."""
    return "at most " + _limit("min", name, show)


def less_than(name: str, show: str) -> str:
    """A configured limit that must not be reached; of the job's exporters the strictest."""
    return "less than " + _limit("min", name, show)


def at_least(name: str, show: str) -> str:
    """A configured lower limit; of the job's exporters the strictest."""
    return "at least " + _limit("max", name, show)


def _limit(strictest: Literal["min", "max"], name: str, show: str) -> str:
    return lookup(f"{strictest}({limit(name, _matchers(('job',)))})", ("job",), show)


def value_of(name: str, show: str, more: str = "") -> str:
    """Another series of the alert's own application."""
    return lookup(f"max({last(name, _matchers(_OWN, more))})", _OWN, show)


def values_by(
    name: str, label: str, show: str, more: str = "", *, labels: tuple[str, ...] = _OWN, above_zero: str = ""
) -> str:
    """Every value of another series of the alert's own application, by one label: "production 8.5k, pte 6.2k".

    `above_zero` names another series with that label; only where it is above zero the value is shown.
    """
    matchers = _matchers(labels, more)
    query = f"max by ({label}) ({last(name, matchers)})"
    if above_zero:
        query += f" and on ({label}) max by ({label}) ({last(above_zero, matchers)}) > 0"
        labels = (*labels, *labels)  # the query has a %q for each of them twice
    return values(query, label, show, labels)


def values(query: str, label: str, show: str, labels: tuple[str, ...]) -> str:
    """Every value of a query's result, by one of its labels: "latency_p95 of all requests 27%"."""
    return _listed(query, labels, label, "{{ $e.Labels." + label + " }} {{ $e | value | " + show + " }}", UNKNOWN)


def changes(query: str, label: str, labels: tuple[str, ...]) -> str:
    """Signed changes of metrics, which the label names: "P95 latency of all requests +27%"."""
    name = "{{ $e.Labels." + label + ' | reReplaceAll "^latency_p([0-9]+)" "P$1 latency"'
    name += ' | reReplaceAll "^latency_([a-z]+)" "$1 latency" | reReplaceAll "^([a-z]+)_(ratio|rate)" "$1 $2" }}'
    sign = "{{ if gt ($e | value) 0.0 }}+{{ end }}"
    size = (
        "{{ if gt ($e | value) 1e9 }}up from zero{{ else }}" + sign + "{{ $e | value | humanizePercentage }}{{ end }}"
    )
    return _listed(query, labels, label, f"{name} {size}", UNKNOWN)


def label_values(
    query: str, label: str, labels: tuple[str, ...] = _OWN, none: str = UNKNOWN, *, raw: bool = False
) -> str:
    """The values of one label in a query's result, as words if not `raw`: "outgrown peak, mix"."""
    value = f"$e.Labels.{label}"
    if not raw:
        value += ' | reReplaceAll "_" " "'
    item = "{{ " + value + " }}"
    return _listed(query, labels, label, item, none)
