"""Prometheus -> the state of objectives, in one query for all of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporter import humanize
from exporter.clients.prometheus import PrometheusClient, Sample, quote
from exporter.errors import PteError
from exporter.slo.rules import names
from exporter.slo.rules.fragments import duration
from exporter.slo.status import AlertStatus, Status, TierStatus, WindowStatus

_BRIEF = (
    names.INFO,
    names.OBJECTIVE,
    names.BUDGET,
    names.DAYS,
    names.PERIOD_BURN,
    names.REMAINING,
    names.REMAINING_EVENTS,
    names.COVERAGE,
    names.EXHAUSTION,
    names.SLA_OBJECTIVE,
    names.SLA_CREDIT,
    names.SLA_CREDIT_FORECAST,
    names.FORECAST_EVIDENCE,
    names.BREACH,
    names.FORECAST,
    names.STATE,
    f"{names.RATIO}1h",
    f"{names.RATIO}6h",
    f"{names.RATIO}week",
    f"{names.RATIO}month",
)
_MORE = (
    names.BURN_FACTOR,
    *(names.count(kind) for kind in names.KINDS),
    f"{names.RATIO}.+",
    "ALERTS",
)

_IDENTITY = ("sloth_id", "sloth_service", "sloth_slo", "application", "side")
_OTHERS = {"__name__", "sloth_window", "state", names.TIER, "long", "short", "credit", *_IDENTITY}
"""Labels that tell no budgets apart."""

_DIGITS = 12
"""Decimal places of differences, beyond which floats hold noise."""

_SIZES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_SHOWN = 10
"""Names that a message lists."""

_PTE = "-pte"
"""What the id of the PTE's side of an objective ends with."""


def read(client: PrometheusClient, at: float, side: str | None = None) -> list[Status]:
    """All objectives, or those of one side, worst first, without windows, tiers and alerts.

    Raises PteError where there is none, SourceError where the server fails.
    """
    statuses = _statuses(client.query(f'{{__name__=~"{"|".join(_BRIEF)}",sloth_id!=""}}', at))
    if not statuses:
        raise PteError("no SLO is recorded there: load the rules that `pte-exporter generate rules --spec` makes")
    return sorted(_of_side(statuses, side, "no SLO is"), key=lambda status: status.trouble)


def _of_side(statuses: list[Status], side: str | None, none: str) -> list[Status]:
    sides = sorted({status.side for status in statuses})
    if side and side not in sides:
        raise PteError(f"{none} of {side}, only of {humanize.join_words(sides)}")
    return [status for status in statuses if side in (None, status.side)]


def read_one(client: PrometheusClient, at: float, id: str, side: str | None) -> list[Status]:
    """Every budget of one objective with all that is known, worst first; raises PteError where there is none.

    With a side, `id` may also be that of production's objective: the PTE's has an id of its own.
    """
    every = "|".join((*_BRIEF, *_MORE))
    ids = [id, f"{id}{_PTE}"] if side else [id]
    query = " or ".join(f'{{__name__=~"{every}",sloth_id={quote(sloth_id)}}}' for sloth_id in ids)
    statuses = _statuses(client.query(query, at))
    if not statuses:
        raise PteError(_unknown(id, client.query(f"group by (sloth_id) ({names.INFO})", at)))
    return sorted(_of_side(statuses, side, f"{id} is no SLO"), key=lambda status: status.trouble)


def _unknown(id: str, recorded: Sequence[Sample]) -> str:
    ids = sorted(sample.labels["sloth_id"] for sample in recorded)
    if not ids:
        return f"no SLO {id}, and no other is recorded there: load the rules that `generate rules --spec` makes"

    near = difflib.get_close_matches(id, ids, n=3)
    if near:
        return f"no SLO {id}; did you mean {' or '.join(near)}?"
    more = f" and {len(ids) - _SHOWN} more: see `slo list`" if len(ids) > _SHOWN else ""
    return f"no SLO {id}; known: {', '.join(ids[:_SHOWN])}{more}"


@dataclass(frozen=True, slots=True)
class _Series:
    """One objective's samples that hold for one of its budgets."""

    samples: Sequence[Sample]

    def value(self, name: str) -> float | None:
        return next((sample.value for sample in self.samples if sample.labels["__name__"] == name), None)

    def named(self, name: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.labels["__name__"] == name]

    def label(self, name: str, label: str) -> str | None:
        return next((sample.labels[label] for sample in self.named(name) if label in sample.labels), None)

    def count(self, kind: str, window: str) -> float | None:
        counts = self.named(names.count(kind))
        return next((sample.value for sample in counts if sample.labels.get("sloth_window") == window), None)


_BudgetLabels = tuple[tuple[str, str], ...]
"""The labels that an objective's budgets differ in, with their values."""


def _statuses(samples: Iterable[Sample]) -> list[Status]:
    by_id = dict[str, list[Sample]]()
    for sample in samples:
        by_id.setdefault(sample.labels["sloth_id"], []).append(sample)

    statuses = list[Status]()
    for own in by_id.values():
        alerts = [sample for sample in own if _name(sample) == "ALERTS"]
        for labels, series in _by_budget(own):
            statuses.append(_status(series, labels, _alerts(alerts, labels)))
    return statuses


def _name(sample: Sample) -> str:
    return sample.labels["__name__"]


def _by_budget(own: Sequence[Sample]) -> Iterator[tuple[Mapping[str, str], _Series]]:
    """Each budget of one objective: the labels that tell it apart, and the series that hold for it."""
    # Of these series an objective has one, so that their labels are those of the objective itself.
    constant = next((sample.labels for sample in own if _name(sample) in (names.INFO, names.OBJECTIVE)), {})

    budgets = dict[_BudgetLabels, list[Sample]]()
    for sample in own:
        if _name(sample) not in ("ALERTS", names.INFO):
            budgets.setdefault(_budget(sample.labels, constant), []).append(sample)

    # What has none of those labels, such as the objective's percentage, holds for all of its budgets.
    shared = budgets.pop((), [])
    shared += [sample for sample in own if _name(sample) == names.INFO]
    if not budgets:
        budgets[()] = []
    for labels, samples in budgets.items():
        yield dict(labels), _Series([*samples, *shared])


def _budget(labels: Mapping[str, str], constant: Mapping[str, str]) -> _BudgetLabels:
    """The labels that an objective's budgets differ in; none where a series holds for all of them."""
    differing = [(name, value) for name, value in labels.items() if constant.get(name) != value]
    return tuple(sorted((name, value) for name, value in differing if name not in _OTHERS))


def _alerts(alerts: Sequence[Sample], own: Mapping[str, str]) -> tuple[AlertStatus, ...]:
    """The alerts of one budget; one without its labels, as that of lost telemetry, is of all of them."""
    statuses = list[AlertStatus]()
    for alert in alerts:
        labels = alert.labels
        if all(labels.get(label, value) == value for label, value in own.items()):
            state = labels.get("alertstate", "")
            severity = labels.get("severity", "")
            statuses.append(AlertStatus(labels["alertname"], state, severity, labels.get(names.TIER, "")))

    return tuple(sorted(statuses, key=lambda alert: (alert.state, alert.name, alert.tier)))


def _status(series: _Series, labels: Mapping[str, str], alerts: tuple[AlertStatus, ...]) -> Status:
    identity = series.samples[0].labels
    id, service, slo, application, side = (identity.get(label, "") for label in _IDENTITY)
    budget = series.value(names.BUDGET)
    ratio = _error_ratio(series, budget)
    sli = None if ratio is None else round(1 - ratio, _DIGITS)
    evidence = series.value(names.FORECAST_EVIDENCE)
    has_evidence = None if evidence is None else evidence == 1

    return Status(
        id=id,
        service=service,
        slo=slo,
        application=application,
        side=side,
        labels=labels,
        state=_state(series),
        objective=series.value(names.OBJECTIVE),
        period=_period(series),
        alerting=series.label(names.INFO, "alerting"),
        error_ratio=ratio,
        sli=sli,
        budget_remaining=_rounded(series.value(names.REMAINING)),
        budget_remaining_events=series.value(names.REMAINING_EVENTS),
        coverage=series.value(names.COVERAGE),
        burn_rate_1h=_burn(series, "1h", budget),
        burn_rate_6h=_burn(series, "6h", budget),
        exhaustion_seconds=series.value(names.EXHAUSTION),
        sla_objective=series.value(names.SLA_OBJECTIVE),
        sla_credit=series.value(names.SLA_CREDIT),
        sla_credit_forecast=series.value(names.SLA_CREDIT_FORECAST),
        forecast_evidence=has_evidence,
        breach_timestamp=series.value(names.BREACH),
        forecast_error_ratio=series.value(names.FORECAST),
        windows=_windows(series, budget),
        tiers=_tiers(series),
        alerts=alerts,
    )


def _error_ratio(series: _Series, budget: float | None) -> float | None:
    """Of the period: what burn and budget were made of, whatever the period's window is called."""
    burn = series.value(names.PERIOD_BURN)
    if burn is None or budget is None:
        return None
    return round(burn * budget, _DIGITS)


def _state(series: _Series) -> str | None:
    """The last of the states that hold: just after a change there may be two."""
    states = [sample.labels.get("state") for sample in series.named(names.STATE) if sample.value == 1]
    return next((state for state in reversed(names.STATES) if state in states), None)


def _rounded(value: float | None) -> float | None:
    if value is None:
        return None
    return round(value, _DIGITS)


def _burn(series: _Series, window: str, budget: float | None) -> float | None:
    ratio = series.value(f"{names.RATIO}{window}")
    if ratio is not None and budget:
        return round(ratio / budget, _DIGITS)
    return None


def _windows(series: _Series, budget: float | None) -> tuple[WindowStatus, ...]:
    ratios = dict[str, float]()
    for sample in series.samples:
        if _name(sample).startswith(names.RATIO):
            ratios[_name(sample).removeprefix(names.RATIO)] = sample.value

    windows = set(ratios)
    for kind in names.KINDS:
        windows.update(sample.labels.get("sloth_window", "") for sample in series.named(names.count(kind)))
    windows.discard("")

    events, errors = names.KINDS
    return tuple(
        WindowStatus(
            window,
            ratios.get(window),
            _burn(series, window, budget),
            series.count(errors, window),
            series.count(events, window),
        )
        for window in sorted(windows, key=_length)
    )


def _length(window: str) -> float:
    """Seconds; calendar periods come last."""
    match = re.fullmatch(r"(\d+)([smhdw])", window)
    if match:
        return int(match[1]) * _SIZES[match[2]]
    return float("inf")


def _tiers(series: _Series) -> tuple[TierStatus, ...]:
    tiers = list[TierStatus]()
    for sample in series.named(names.BURN_FACTOR):
        labels = sample.labels
        tiers.append(TierStatus(labels[names.TIER], labels["long"], labels["short"], sample.value))
    return tuple(sorted(tiers, key=lambda tier: _length(tier.long)))


def _period(series: _Series) -> str | None:
    """Calendar periods have windows of these names; of others the length is recorded."""
    for calendar in ("month", "week"):
        if series.named(f"{names.RATIO}{calendar}"):
            return calendar
    days = series.value(names.DAYS)
    if days:
        return duration(round(days * _SIZES["d"]))
    return None
