"""Prometheus -> the state of objectives, in one query for all of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exporter import humanize
from exporter.clients.prometheus import Client, Sample, quote
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


def read(client: Client, at: float, side: str | None = None) -> list[Status]:
    """All objectives, or those of one side, worst first, without windows, tiers and alerts.

    Raises PteError where there is none, SourceError where the server fails.
    """
    found = _statuses(client.query(f'{{__name__=~"{"|".join(_BRIEF)}",sloth_id!=""}}', at))
    if not found:
        raise PteError("no SLO is recorded there: load the rules that `pte-exporter generate rules --spec` makes")
    return sorted(_of_side(found, side, "no SLO is"), key=lambda status: status.trouble)


def _of_side(found: list[Status], side: str | None, none: str) -> list[Status]:
    sides = sorted({status.side for status in found})
    if side and side not in sides:
        raise PteError(f"{none} of {side}, only of {humanize.join_words(sides)}")
    return [status for status in found if side in (None, status.side)]


def read_one(client: Client, at: float, id: str, side: str | None) -> list[Status]:
    """Every budget of one objective with all that is known, worst first; raises PteError where there is none.

    With a side, `id` may also be that of production's objective: the PTE's has an id of its own.
    """
    every = "|".join((*_BRIEF, *_MORE))
    ids = (id, f"{id}{_PTE}") if side else (id,)
    query = " or ".join(f'{{__name__=~"{every}",sloth_id={quote(one)}}}' for one in ids)
    found = _statuses(client.query(query, at))
    if not found:
        raise PteError(_unknown(id, client.query(f"group by (sloth_id) ({names.INFO})", at)))
    return sorted(_of_side(found, side, f"{id} is no SLO"), key=lambda status: status.trouble)


def _unknown(id: str, known: Sequence[Sample]) -> str:
    ids = sorted(sample.labels["sloth_id"] for sample in known)
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
        found = self.named(names.count(kind))
        return next((sample.value for sample in found if sample.labels.get("sloth_window") == window), None)


def _statuses(samples: Iterable[Sample]) -> list[Status]:
    by_id: dict[str, list[Sample]] = {}
    for sample in samples:
        by_id.setdefault(sample.labels["sloth_id"], []).append(sample)
    found = list[Status]()
    for own in by_id.values():
        constant = next((s.labels for s in own if s.labels["__name__"] in (names.INFO, names.OBJECTIVE)), {})
        alerts = [sample for sample in own if sample.labels["__name__"] == "ALERTS"]
        budgets: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
        for sample in own:
            if sample.labels["__name__"] not in ("ALERTS", names.INFO):
                budgets.setdefault(_budget(sample.labels, constant), []).append(sample)
        shared = [*budgets.pop((), []), *(sample for sample in own if sample.labels["__name__"] == names.INFO)]
        for key, of_it in (budgets or {(): []}).items():
            found.append(_status(_Series([*of_it, *shared]), dict(key), _alerts(alerts, dict(key))))
    return found


def _budget(labels: Mapping[str, str], constant: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The labels that an objective's budgets differ in; none where a series holds for all of them."""
    return tuple(sorted((n, v) for n, v in labels.items() if n not in _OTHERS and constant.get(n) != v))


def _alerts(alerts: Sequence[Sample], own: Mapping[str, str]) -> tuple[AlertStatus, ...]:
    mine = (s.labels for s in alerts if all(s.labels.get(label, value) == value for label, value in own.items()))
    found = (
        AlertStatus(of["alertname"], of.get("alertstate", ""), of.get("severity", ""), of.get(names.TIER, ""))
        for of in mine
    )
    return tuple(sorted(found, key=lambda alert: (alert.state, alert.name, alert.tier)))


def _status(series: _Series, labels: Mapping[str, str], alerts: tuple[AlertStatus, ...]) -> Status:
    identity = series.samples[0].labels
    id, service, slo, application, side = (identity.get(label, "") for label in _IDENTITY)
    budget, burn = series.value(names.BUDGET), series.value(names.PERIOD_BURN)
    ratio = round(burn * budget, _DIGITS) if burn is not None and budget is not None else None
    evidence = series.value(names.FORECAST_EVIDENCE)
    states = [s.labels["state"] for s in series.named(names.STATE) if s.value == 1 and "state" in s.labels]
    return Status(
        id=id,
        service=service,
        slo=slo,
        application=application,
        side=side,
        labels=labels,
        state=next((state for state in reversed(names.STATES) if state in states), None),
        objective=series.value(names.OBJECTIVE),
        period=_period(series),
        alerting=series.label(names.INFO, "alerting"),
        error_ratio=ratio,
        sli=round(1 - ratio, _DIGITS) if ratio is not None else None,
        budget_remaining=_rounded(series.value(names.REMAINING)),
        budget_remaining_events=series.value(names.REMAINING_EVENTS),
        coverage=series.value(names.COVERAGE),
        burn_rate_1h=_burn(series, "1h", budget),
        burn_rate_6h=_burn(series, "6h", budget),
        exhaustion_seconds=series.value(names.EXHAUSTION),
        sla_objective=series.value(names.SLA_OBJECTIVE),
        sla_credit=series.value(names.SLA_CREDIT),
        sla_credit_forecast=series.value(names.SLA_CREDIT_FORECAST),
        forecast_evidence=None if evidence is None else evidence == 1,
        breach_timestamp=series.value(names.BREACH),
        forecast_error_ratio=series.value(names.FORECAST),
        windows=_windows(series, budget),
        tiers=_tiers(series),
        alerts=alerts,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _burn(series: _Series, window: str, budget: float | None) -> float | None:
    ratio = series.value(f"{names.RATIO}{window}")
    return round(ratio / budget, _DIGITS) if ratio is not None and budget else None


def _windows(series: _Series, budget: float | None) -> tuple[WindowStatus, ...]:
    recorded = {s.labels["__name__"].removeprefix(names.RATIO): s.value for s in series.samples if _is_ratio(s)}
    counted = {s.labels.get("sloth_window", "") for kind in names.KINDS for s in series.named(names.count(kind))}
    errors, events = names.KINDS[1], names.KINDS[0]
    return tuple(
        WindowStatus(
            window,
            recorded.get(window),
            _burn(series, window, budget),
            series.count(errors, window),
            series.count(events, window),
        )
        for window in sorted({*recorded, *counted} - {""}, key=_length)
    )


def _is_ratio(sample: Sample) -> bool:
    return sample.labels["__name__"].startswith(names.RATIO)


def _length(window: str) -> float:
    """Seconds; calendar periods come last."""
    match = re.fullmatch(r"(\d+)([smhdw])", window)
    return int(match[1]) * _SIZES[match[2]] if match else float("inf")


def _tiers(series: _Series) -> tuple[TierStatus, ...]:
    found = [
        TierStatus(s.labels[names.TIER], s.labels["long"], s.labels["short"], s.value)
        for s in series.named(names.BURN_FACTOR)
    ]
    return tuple(sorted(found, key=lambda tier: _length(tier.long)))


def _period(series: _Series) -> str | None:
    """Calendar periods have windows of these names; of others the length is recorded."""
    calendar = next((word for word in ("month", "week") if series.named(f"{names.RATIO}{word}")), None)
    days = series.value(names.DAYS)
    return calendar or (duration(round(days * _SIZES["d"])) if days else None)
