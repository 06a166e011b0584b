"""Fragments of alert templates: values in units that people read, and what PromQL knows about the reason.

A looked-up label value goes into the query through %q, so that quotes in an application's name stay inside the string.
"""

from __future__ import annotations

from typing import Literal

from exporter.rules.expressions import joined, last, limit

Show = Literal["humanize", "humanizePercentage", "humanizeDuration", "humanizeTimestamp", 'printf "%.2f"']

PERCENT = "{{ $value | humanizePercentage }}"
DURATION = "{{ $value | humanizeDuration }}"
UNKNOWN = "unknown"

_OWN = ("job", "application")


def _printf(query: str, labels: tuple[str, ...]) -> str:
    arguments = "".join(f" $labels.{label}" for label in labels)
    return f"printf `{query}`{arguments} | query"


def _matchers(labels: tuple[str, ...], more: str = "") -> str:
    return joined(*(f"{label}=%q" for label in labels), more)


def lookup(query: str, labels: tuple[str, ...], show: Show) -> str:
    """The first value that a query gives, or the word unknown. `query` has one %q for each of the alert's labels."""
    value = "{{ . | first | value | " + show + " }}"
    return "{{ with " + _printf(query, labels) + " }}" + value + "{{ else }}" + UNKNOWN + "{{ end }}"


def _listed(query: str, labels: tuple[str, ...], label: str, item: str, none: str) -> str:
    loop = "{{ range $i, $e := " + _printf(query, labels) + ' | sortByLabel "' + label + '" }}'
    return loop + "{{ if $i }}, {{ end }}" + item + "{{ else }}" + none + "{{ end }}"


def at_most(name: str, show: Show) -> str:
    """A configured limit from above; of the job's exporters the strictest, as that one is broken first."""
    return "at most " + _limit("min", name, show)


def less_than(name: str, show: Show) -> str:
    """A configured limit that must not be reached; of the job's exporters the strictest."""
    return "less than " + _limit("min", name, show)


def at_least(name: str, show: Show) -> str:
    """A configured limit from below; of the job's exporters the strictest."""
    return "at least " + _limit("max", name, show)


def _limit(strictest: Literal["min", "max"], name: str, show: Show) -> str:
    return lookup(f"{strictest}({limit(name, _matchers(('job',)))})", ("job",), show)


def value_of(name: str, show: Show, more: str = "") -> str:
    """Another series of the alert's own application."""
    return lookup(f"max({last(name, _matchers(_OWN, more))})", _OWN, show)


def values_by(
    name: str, label: str, show: Show, more: str = "", *, labels: tuple[str, ...] = _OWN, above_zero: str = ""
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


def values(query: str, label: str, show: Show, labels: tuple[str, ...]) -> str:
    """Every value that a query gives, by one label of it: "latency_p95 of all requests 27%"."""
    return _listed(query, labels, label, "{{ $e.Labels." + label + " }} {{ $e | value | " + show + " }}", UNKNOWN)


def label_values(
    query: str, label: str, labels: tuple[str, ...] = _OWN, none: str = UNKNOWN, *, raw: bool = False
) -> str:
    """What one label says in a query's result, as words if not `raw`: "outgrown peak, mix"."""
    value = f"$e.Labels.{label}"
    if not raw:
        value += ' | reReplaceAll "_" " "'
    item = "{{ " + value + " }}"
    return _listed(query, labels, label, item, none)
