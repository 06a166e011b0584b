"""OpenSLO: openslo/v1, and the openslo/v1alpha that Sloth reads.

Fields are those of the specification (README.md of github.com/OpenSLO/OpenSLO). Objects refer to each other by name,
across files. Rules need nothing from services, data sources and notification targets, except a source's type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from exporter.model.slo import DAY, WEEK, Alerting, Calendar, Period, Slo
from exporter.slo.rules.alerts import BURN
from exporter.slo.specs import openslo_alerts, openslo_sli
from exporter.slo.specs.documents import below
from exporter.slo.specs.node import Node, as_text
from exporter.slo.specs.openslo_alerts import Objects
from exporter.slo.specs.tiers import Pairs
from exporter.slo.specs.validation import UNNAMED, UNREAD_OBJECTIVE, Options, problems

V1 = "openslo/v1"
ALPHA = "openslo/v1alpha"
VERSIONS = (V1, ALPHA)

KINDS = ("SLO", "SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")

_UNITS = {"m": 60, "h": 3600, "d": DAY, "w": WEEK, "M": 30 * DAY, "Q": 90 * DAY, "Y": 365 * DAY}
_SHORTHAND = re.compile(r"([1-9][0-9]{0,8})([mhdwMQY])")
_CALENDARS: dict[str, tuple[int, Calendar]] = {"1M": (30 * DAY, "month"), "1w": (WEEK, "week")}

_SPEC = (
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "timeWindow",
    "timeWindows",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
)
_OBJECTIVE = (
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "ratioMetrics",
)


def objects(documents: Iterable[Node]) -> Objects:
    """Every named object by kind and name; reports duplicate names."""
    by_name = dict[tuple[str, str], Node]()
    for document in documents:
        kind = str(document.get("kind"))
        name = document.mapping("metadata").get("name")
        before = by_name.setdefault((kind, str(name)), document)

        # Nothing refers to an SLO or a service, so two with the same name are not confused.
        if before is document or kind in ("SLO", "Service"):
            continue
        path = below(before.path, "metadata.name")
        document.wrong("metadata.name", f'duplicate name "{name}", also in {before.file}: {path}')
    return by_name


def read(document: Node, others: Objects, options: Options, pairs: Pairs) -> Iterator[Slo]:
    """The objectives of a document of kind SLO; other kinds have none."""
    kind = document.get("kind")
    if kind not in KINDS:
        document.wrong("kind", f'expected one of: {", ".join(KINDS)}; got "{kind}"')
    if kind != "SLO":
        return

    document.check_keys(("apiVersion", "kind", "metadata", "spec"))
    spec = document.mapping("spec")
    spec.check_keys(_SPEC)
    objectives = spec.items("objectives")
    if not objectives and not spec.get("objectives"):
        spec.wrong("objectives", "missing, expected a list of at least one objective")

    reader = _Slo(document, spec, others, options, pairs)
    numbered = document.get("apiVersion") == ALPHA or len(objectives) > 1
    for position, objective in enumerate(objectives):
        suffix = f"-{position}" if numbered else ""
        if isinstance(objective.raw, dict):
            yield reader.slo(objective, suffix)
        else:
            objective.expected("a mapping")


class _Slo:
    """One SLO, which has one or more objectives."""

    def __init__(self, document: Node, spec: Node, others: Objects, options: Options, pairs: Pairs) -> None:
        self.spec = spec
        self.metadata = document.mapping("metadata")
        self.others = others
        self.options = options
        self.pairs = pairs
        self.version = str(document.get("apiVersion"))

        self.name = self.metadata.text("name")
        self.service = spec.text("service")
        self.labels = _labels(self.metadata)
        self.period = _period(spec, options)

    def slo(self, objective: Node, suffix: str) -> Slo:
        objective.check_keys(_OBJECTIVE)
        percent, key = _percent(objective)
        sli, metric = openslo_sli.read(self.spec, objective, self.others, self.options)
        name = f"{self.name}{suffix}" if self.name else UNNAMED

        slo = Slo(
            service=self.service or UNNAMED,
            name=name,
            objective=percent,
            sli=sli,
            period=self.period,
            tiers=openslo_alerts.tiers_of(self.spec, self.period, self.others, self.pairs),
            alerting=Alerting(BURN),
            application=self.labels.get("application", ""),
            labels=self.labels,
            spec=self.version,
            origin=f"{objective.file}: {objective.path}",
        )
        for path, text in problems(slo, self.options):
            self.wrong(objective, key, metric, path, text)
        return slo

    def wrong(self, objective: Node, key: str, metric: Node, path: str, text: str) -> None:
        """Report a problem of the record at its location in the file."""
        part, _, rest = path.partition(".")
        if part == "name":
            self.metadata.wrong("name", text)
        elif part == "labels":
            self.metadata.wrong(path, text)
        elif part == "service":
            self.spec.wrong("service", text)
        elif part == "objective":
            objective.wrong(key, text)
        elif part == "sli":
            query = "total" if rest == "total" and metric.has("total") else ""
            metric.wrong(query, text)
        elif part == "tiers":
            self.spec.wrong("alertPolicies", text)
        else:
            self.spec.wrong("timeWindow", text)


def _labels(metadata: Node) -> dict[str, str]:
    """metadata.labels as Prometheus allows them: names with _ for other characters, lists joined with commas."""
    labels = dict[str, str]()
    for name, value in metadata.mapping("labels").raw.items():
        values = value if isinstance(value, list) else [value]
        texts = [as_text(item) for item in values]
        if None in texts:
            metadata.below(f"labels.{name}", value).expected("a string or a list of strings")

        label = re.sub(r"[^a-zA-Z0-9_]", "_", str(name))
        labels[label] = ",".join(text for text in texts if text is not None)
    return labels


def _percent(objective: Node) -> tuple[Decimal, str]:
    """The objective in percent and its key; after a problem, a percentage that causes no further problem."""
    keys = [key for key in ("target", "targetPercent") if objective.has(key)]
    if len(keys) != 1:
        expected = "expected either target (0..1) or targetPercent"
        text = f"{expected}, got both" if keys else f"missing, {expected}"
        objective.wrong("target", text)
        return UNREAD_OBJECTIVE, "target"

    (key,) = keys
    number = _target(objective) if key == "target" else objective.percent(key)
    percent = UNREAD_OBJECTIVE if number is None else number.normalize()
    return percent, key


def _target(objective: Node) -> Decimal | None:
    """A ratio, in percent."""
    ratio = objective.number("target")
    if ratio is None:
        return None

    if not 0 < ratio < 1:
        objective.wrong("target", f"must be a ratio above 0 and below 1, got {ratio:f}; or use targetPercent")
        return None
    return ratio * 100


def seconds(raw: Any) -> int | None:
    """Seconds of OpenSLO's shorthand such as 30d, 4w, 1M (30 days), 1Q (90) or 1Y (365); None for anything else."""
    match = _SHORTHAND.fullmatch(raw) if isinstance(raw, str) else None
    if match:
        return int(match[1]) * _UNITS[match[2]]
    return None


def _period(spec: Node, options: Options) -> Period:
    usual = Period(options.period)
    if spec.has("timeWindows"):
        return _alpha_period(spec, usual)

    windows = spec.items("timeWindow")
    if not windows:
        return usual
    window = windows[0]
    if len(windows) > 1 or not isinstance(window.raw, dict):
        spec.wrong("timeWindow", "expected a list of exactly one window")
        return usual

    window.check_keys(("duration", "isRolling", "calendar"))
    text = window.text("duration")
    is_calendar = window.get("calendar") is not None or (window.has("isRolling") and not window.flag("isRolling"))
    if is_calendar:
        return _calendar(window, text, usual)

    length = seconds(text)
    if length is not None:
        return Period(length)
    if text:
        window.wrong("duration", f'expected a number with one of m h d w M Q Y, such as 30d or 4w, got "{text}"')
    return usual


def _calendar(window: Node, text: str, usual: Period) -> Period:
    """A calendar period; it begins on the first of the month or on Monday, whatever the day in startTime."""
    calendar = window.mapping("calendar")
    calendar.check_keys(("startTime", "timeZone"))
    zone = calendar.text("timeZone", required=False) or "UTC"

    if text in _CALENDARS:
        length, kind = _CALENDARS[text]
        return Period(length, kind, zone)
    if text:
        window.wrong("duration", f'expected 1M or 1w for a calendar window, or isRolling: true, got "{text}"')
    return usual


def _alpha_period(spec: Node, usual: Period) -> Period:
    """v1alpha has a count and a unit; only rolling days are supported, as in Sloth."""
    windows = spec.items("timeWindows")
    if len(windows) == 1:
        count = windows[0].get("count")
        unit = str(windows[0].get("unit")).lower()
        if isinstance(count, int) and count >= 1 and unit == "day":
            return Period(count * DAY)

    spec.wrong("timeWindows", "expected a list of exactly one window with count (of days) and unit: Day")
    return usual
