"""OpenSLO: openslo/v1, and the openslo/v1alpha that Sloth reads.

Fields are those of the specification (README.md of github.com/OpenSLO/OpenSLO). Objects refer to each other by name,
across files. Services, data sources and notification targets say nothing that rules need, beyond a source's type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from exporter.model.slo import DAY, WEEK, Alerting, Calendar, Period, Slo
from exporter.slo.rules.alerts import BURN
from exporter.slo.specs import openslo_alerts, openslo_sli
from exporter.slo.specs.documents import below
from exporter.slo.specs.openslo_alerts import Objects
from exporter.slo.specs.place import Place, as_text
from exporter.slo.specs.tiers import Pair
from exporter.slo.specs.validation import UNNAMED, Options, problems

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


def objects(places: Iterable[Place]) -> Objects:
    """Every named object by kind and name; a second one of a name is told."""
    found: dict[tuple[str, str], Place] = {}
    for place in places:
        kind, name = str(place.get("kind")), place.mapping("metadata").get("name")
        before = found.setdefault((kind, str(name)), place)
        if before is not place and kind not in ("SLO", "Service"):
            where = below(before.path, "metadata.name")
            place.wrong("metadata.name", f'{before.file}: {where} has the name "{name}" too, wanted another')
    return found


def read(document: Place, others: Objects, options: Options, pairs: Mapping[int, tuple[Pair, ...]]) -> Iterator[Slo]:
    """The objectives of a document: none but where it is of kind SLO."""
    kind = document.get("kind")
    if kind not in KINDS:
        document.wrong("kind", f'found "{kind}", wanted one of {", ".join(KINDS)}')
    if kind != "SLO":
        return
    document.known(("apiVersion", "kind", "metadata", "spec"))
    spec = document.mapping("spec")
    spec.known(_SPEC)
    objectives = spec.items("objectives")
    if not objectives and not spec.get("objectives"):
        spec.wrong("objectives", "missing, wanted a list of at least one objective")
    reader = _Slo(document, spec, others, options, pairs)
    alpha = document.get("apiVersion") == ALPHA
    for position, objective in enumerate(objectives):
        if isinstance(objective.raw, dict):
            yield reader.slo(objective, f"-{position}" if alpha or len(objectives) > 1 else "")
        else:
            objective.wanted("a mapping")


class _Slo:
    """One SLO, which has an objective or several."""

    def __init__(
        self,
        document: Place,
        spec: Place,
        others: Objects,
        options: Options,
        pairs: Mapping[int, tuple[Pair, ...]],
    ) -> None:
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

    def slo(self, objective: Place, suffix: str) -> Slo:
        objective.known(_OBJECTIVE)
        percent, key = _percent(objective)
        sli, path = openslo_sli.read(self.spec, objective, self.others, self.options)
        slo = Slo(
            service=self.service or UNNAMED,
            name=f"{self.name}{suffix}" if self.name else UNNAMED,
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
        for found, text in problems(slo, self.options):
            self.wrong(objective, key, path, found, text)
        return slo

    def wrong(self, objective: Place, key: str, sli: Place, path: str, text: str) -> None:
        """Tells a problem of the record where it stands in the file."""
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
            sli.wrong("total" if rest == "total" and sli.has("total") else "", text)
        else:
            self.spec.wrong({"tiers": "alertPolicies"}.get(part, "timeWindow"), text)


def _labels(metadata: Place) -> dict[str, str]:
    """metadata.labels as Prometheus can have them: names with _ for what it does not allow, lists with commas."""
    found = {}
    for name, value in metadata.mapping("labels").raw.items():
        texts = [as_text(each) for each in (value if isinstance(value, list) else [value])]
        if None in texts:
            Place(value, metadata.file, below(metadata.path, f"labels.{name}"), metadata.problems).wanted(
                "a string or a list of strings"
            )
        label = re.sub(r"[^a-zA-Z0-9_]", "_", str(name))
        found[label] = ",".join(text for text in texts if text is not None)
    return found


def _percent(objective: Place) -> tuple[Decimal, str]:
    """The objective in percent, and the key that has it."""
    keys = [key for key in ("target", "targetPercent") if objective.has(key)]
    if len(keys) != 1:
        found = "found target and targetPercent" if keys else "missing"
        objective.wrong("target", f"{found}, wanted either target (0..1) or targetPercent")
        return Decimal("99.9999"), "target"
    number = objective.number(keys[0]) if keys == ["target"] else objective.percent(keys[0])
    if number is not None and keys == ["target"] and not 0 < number < 1:
        objective.wrong(
            "target", f"found {number:f}, wanted a ratio above 0 and below 1, or targetPercent in its place"
        )
        number = None
    if number is None:
        return Decimal("99.9999"), keys[0]
    return (number * 100 if keys[0] == "target" else number).normalize(), keys[0]


def seconds(raw: Any) -> int | None:
    """Seconds of OpenSLO's shorthand such as 30d, 4w, 1M (30 days), 1Q (90) or 1Y (365); None for anything else."""
    match = _SHORTHAND.fullmatch(raw) if isinstance(raw, str) else None
    return int(match[1]) * _UNITS[match[2]] if match else None


def _period(spec: Place, options: Options) -> Period:
    usual = Period(options.period)
    if spec.has("timeWindows"):
        return _alpha_period(spec, usual)
    windows = spec.items("timeWindow")
    if not windows:
        return usual
    window = windows[0]
    if len(windows) > 1 or not isinstance(window.raw, dict):
        spec.wrong("timeWindow", "wanted a list of exactly one window")
        return usual
    window.known(("duration", "isRolling", "calendar"))
    text = window.text("duration")
    if window.get("calendar") is not None or (window.has("isRolling") and not window.flag("isRolling")):
        return _calendar(window, text, usual)
    length = seconds(text)
    if length is None:
        if text:
            window.wrong("duration", f'found "{text}", wanted a number with one of m h d w M Q Y, such as 30d or 4w')
        return usual
    return Period(length)


def _calendar(window: Place, text: str, usual: Period) -> Period:
    """A calendar period; it begins on the first of the month or on Monday, whatever day startTime names."""
    calendar = window.mapping("calendar")
    calendar.known(("startTime", "timeZone"))
    zone = calendar.text("timeZone", required=False) or "UTC"
    if text in _CALENDARS:
        length, kind = _CALENDARS[text]
        return Period(length, kind, zone)
    if text:
        window.wrong("duration", f'found "{text}", wanted 1M or 1w for a calendar window, or isRolling: true')
    return usual


def _alpha_period(spec: Place, usual: Period) -> Period:
    """v1alpha has a count and a unit; only rolling days, as in Sloth."""
    windows = spec.items("timeWindows")
    count = windows[0].get("count") if windows else None
    if len(windows) != 1 or not isinstance(count, int) or count < 1 or str(windows[0].get("unit")).lower() != "day":
        spec.wrong("timeWindows", "wanted a list of exactly one window with count (of days) and unit: Day")
        return usual
    return Period(count * DAY)
