"""What all objectives share: a budget that is gone, one that will be, a credit that is due to customers.

Burn and lost telemetry are told by rules of each objective (exporter/slo/rules/alerts.py). These go over the series
of all, by their labels: one alert for each budget, also where an objective has one for each value of some label.

* Only objectives whose own alerts page or make tickets are asked; shadows and those without alerts stay silent.
* Thin data never alerts: the period must be covered and have as many bad events as the objective's burn alerts want.
* No condition asks for `ok`: while telemetry is lost the alerts go on, and Alertmanager mutes them. Ending them would
  tell that the budget is back.
"""

from __future__ import annotations

from exporter.rules.rule import AlertDefinition, Definition
from exporter.slo.rules import names
from exporter.slo.rules.alerts import PERCENT
from exporter.slo.rules.budget import ENOUGH

_SLO = "on (sloth_id, side)"

FORECAST_DAYS = 3
"""How near a forecast breach has to be."""

_EARLY = "0.1"
"""Share of a calendar period before whose end its ratio says little about a credit."""

_ALERTING = f'and {_SLO}\n{names.INFO}{{alerting=~"page|ticket"}}'


def _with_evidence(condition: str) -> str:
    """Where a condition of a period's series rests on enough of the period and on enough bad events in it."""
    return f"""\
max without (sloth_window) (
  {condition}
  and
  {names.count("errors")} >= {_SLO} group_left () max by (sloth_id, side) ({names.LEAST_BAD})
)
and
{names.COVERAGE} >= {ENOUGH}"""


_EXHAUSTED = f"{_with_evidence(f'{names.REMAINING} <= 0')}\n{_ALERTING}"

_FORECAST = f"""\
{names.BREACH} - time() <= {FORECAST_DAYS} * 86400
and
{names.FORECAST_EVIDENCE} == 1
{_ALERTING}"""

_CREDIT = f"""\
{_with_evidence(f"{names.SLA_CREDIT} > 0")}
unless {_SLO}
{names.ELAPSED} < {_EARLY}
{_ALERTING}"""

_WHO = "{{ $labels.sloth_service }}: "
_WHOSE = (
    '{{ range $name, $value := $labels }}{{ if not (match "^(sloth_(id|service|slo)|application|side)$" $name) }}'
    ", {{ $name }} {{ $value }}{{ end }}{{ end }}"
)
"""The labels beyond the objective's own, among them those that tell its budgets apart."""

# All labels of the alert as matchers: which of them an objective has is not known here.
_OWN = '{{ $own := "" }}{{ range $name, $value := $labels }}{{ $own = printf "%s%s=%q," $own $name $value }}{{ end }}'
_BOTH = "$own $labels.sloth_id"


def _lookup(query: str, show: str, none: str = "unknown", arguments: str = "$own") -> str:
    """What a query gives that has %s for the alert's labels as matchers, and %q for one label's value."""
    value = f"{{{{ . | first | value | {show} }}}}"
    return f"{{{{ with printf `{query}` {arguments} | query }}}}{value}{{{{ else }}}}{none}{{{{ end }}}}"


def _own(name: str, show: str, none: str = "unknown") -> str:
    """Another series of the alert's own budget."""
    return _lookup(f"max({name}{{%s}})", show, none)


_LEFT = _lookup(f"100 * max({names.REMAINING}{{%s}})", PERCENT)

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteSloBudgetExhausted",
        expr=_EXHAUSTED,
        severity="warning",
        board="pte-slo-detail",
        summary=_WHO + "the error budget of {{ $labels.sloth_slo }} is gone" + _WHOSE,
        measure="what is left of the error budget",
        value=_OWN + _LEFT,
        limit="more than 0%",
        reason="Bad events more than the period allows: "
        + _lookup(f"-max({names.REMAINING_EVENTS}{{%s}})", "humanize")
        + ". Burns now at "
        + _own(names.CURRENT_BURN, "humanize")
        + " times the rate that lasts.",
    ),
    AlertDefinition(
        name="PteSloBreachForecast",
        expr=_FORECAST,
        severity="warning",
        board="pte-slo-detail",
        summary=_WHO + "the error budget of {{ $labels.sloth_slo }} will soon be gone" + _WHOSE,
        measure="until the error budget is gone, if the last three days go on",
        value="{{ $value | humanizeDuration }}",
        limit=f"more than {FORECAST_DAYS} days",
        reason=_OWN
        + "Left of the error budget: "
        + _LEFT
        + ". It is gone at "
        + _own(names.BREACH, "humanizeTimestamp")
        + ".",
        wait="1h",
    ),
    AlertDefinition(
        name="PteSlaCreditDue",
        expr=_CREDIT,
        severity="warning",
        board="pte-slo-detail",
        summary=_WHO + "the SLA of {{ $labels.sloth_slo }} is missed, and a credit is due" + _WHOSE,
        measure="share of the fee that is due as credit, if the period ended now",
        value="{{ $value | humanizePercentage }}",
        limit="0%",
        reason=_OWN
        + "Bad events in the period: "
        + _lookup(
            f"max({names.PERIOD_BURN}{{%s}}) * max({names.BUDGET}{{sloth_id=%q}})",
            "humanizePercentage",
            arguments=_BOTH,
        )
        + "; the SLA allows "
        + _lookup(f"1 - max({names.SLA_OBJECTIVE}{{sloth_id=%q}})", "humanizePercentage", arguments="$labels.sloth_id")
        + ". Credit if the last three days go on: "
        + _own(names.SLA_CREDIT_FORECAST, "humanizePercentage", "no evidence for a forecast")
        + ".",
    ),
)
