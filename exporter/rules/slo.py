"""Alerts over all objectives: an exhausted budget, a forecast breach, an SLA credit that is due.

Burn and missing telemetry have rules in each objective (exporter/slo/rules/alerts.py). These rules read the series of
all objectives by their labels: one alert for each budget, also where an objective has a budget for each label value.

* Only objectives whose own alerts page or make tickets count; shadows and objectives without alerts stay silent.
* Thin data never alerts: the period must be covered and have as many bad events as the objective's burn alerts require.
* No condition requires `ok`: while telemetry is missing the alerts continue, and Alertmanager mutes them. Ending them
  would say that the budget is back.
"""

from __future__ import annotations

from exporter.rules import templates
from exporter.rules.rule import AlertDefinition, Definition
from exporter.slo.rules import names
from exporter.slo.rules.alerts import PERCENT
from exporter.slo.rules.budget import ENOUGH

_SLO = "on (sloth_id, side)"

FORECAST_DAYS = 3
"""How near a forecast breach has to be to alert."""

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

_SERVICE = "{{ $labels.sloth_service }}: "
_BUDGET_LABELS = (
    '{{ range $name, $value := $labels }}{{ if not (match "^(sloth_(id|service|slo)|application|side)$" $name) }}'
    ", {{ $name }} {{ $value }}{{ end }}{{ end }}"
)
"""The labels beyond the objective's own; they distinguish its budgets."""

# All labels of the alert as matchers, because objectives have different labels.
_OWN = '{{ $own := "" }}{{ range $name, $value := $labels }}{{ $own = printf "%s%s=%q," $own $name $value }}{{ end }}'
_BOTH = "$own $labels.sloth_id"


def _lookup(query: str, show: str, none: str = "unknown", arguments: str = "$own") -> str:
    """The result of a query that has %s for the alert's labels as matchers, and %q for one label's value."""
    value = f"{{{{ . | first | value | {show} }}}}"
    return f"{{{{ with printf `{query}` {arguments} | query }}}}{value}{{{{ else }}}}{none}{{{{ end }}}}"


def _own(name: str, show: str, none: str = "unknown") -> str:
    """Another series of the alert's own budget."""
    return _lookup(f"max({name}{{%s}})", show, none)


_REMAINING = _lookup(f"100 * max({names.REMAINING}{{%s}})", PERCENT)

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteSloBudgetExhausted",
        expr=_EXHAUSTED,
        severity="warning",
        board="pte-slo-detail",
        summary=_SERVICE + "the error budget of {{ $labels.sloth_slo }} is exhausted" + _BUDGET_LABELS,
        measure="used share of the error budget",
        value=_OWN + _lookup(f"1 - max({names.REMAINING}{{%s}})", "humanizePercentage"),
        limit="less than 100%",
        reason="Bad events above the allowed number: "
        + _lookup(f"ceil(-max({names.REMAINING_EVENTS}{{%s}}))", "humanize")
        + ". The current burn rate is "
        + _own(names.CURRENT_BURN, "humanize")
        + "; 1 is sustainable.",
        action="fix the cause of the bad events; postpone risky releases until the budget recovers.",
    ),
    AlertDefinition(
        name="PteSloBreachForecast",
        expr=_FORECAST,
        severity="warning",
        board="pte-slo-detail",
        summary=_SERVICE + "the error budget of {{ $labels.sloth_slo }} will soon be exhausted" + _BUDGET_LABELS,
        measure="time until the error budget is exhausted, at the rate of the last three days",
        value=templates.DURATION,
        limit=f"more than {FORECAST_DAYS} days",
        reason=_OWN
        + "Remaining error budget: "
        + _REMAINING
        + ". It will be exhausted at "
        + _own(names.BREACH, "humanizeTimestamp")
        + ".",
        action="compare with the burn rate of the last hour: fix an ongoing fault now; a past incident needs nothing.",
        wait="1h",
    ),
    AlertDefinition(
        name="PteSlaCreditDue",
        expr=_CREDIT,
        severity="warning",
        board="pte-slo-detail",
        summary=_SERVICE + "the SLA of {{ $labels.sloth_slo }} is missed and a credit is due" + _BUDGET_LABELS,
        measure="credit as a share of the fee, if the period ended now",
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
        + ". Credit at the rate of the last three days: "
        + _own(names.SLA_CREDIT_FORECAST, "humanizePercentage", "no evidence for a forecast")
        + ".",
        action="inform the owner of the contract, then proceed as for an exhausted budget.",
    ),
)
