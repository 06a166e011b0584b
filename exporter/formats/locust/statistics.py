"""Locust's statistics: PREFIX_stats.csv, with what lies beside it. docs/reference/formats.md, section "Locust".

The file has figures of every name, latencies in milliseconds, and no times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.locust import companions
from exporter.formats.locust.companions import STATISTICS, Companions, Key
from exporter.formats.locust.history import TOTAL
from exporter.formats.tally.limits import LONGEST_LATENCY, LONGEST_RUN
from exporter.formats.tally.table import TableRow, capped, capped_errors, header, percents, quantiles, rows
from exporter.model.loadrun import OTHER, Figures, Latencies, LoadRun, RunEndpoint

_REQUIRED = ("Type", "Name", "Request Count", "Failure Count", "Average Response Time", "Requests/s")


def recognise(head: bytes) -> bool:
    """A companion too: its message can then say more than that the file is unknown."""
    columns = header(head)
    statistics = columns[:2] in (["Type", "Name"], ["Method", "Name"]) and "Requests/s" in columns
    return statistics or companions.recognise(head)


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError, also for a companion, which is not a run itself."""
    _refuse_companion(content)
    figures, rate = _statistics(content)
    total = _total(figures)

    beside = companions.beside(file.path)
    duration = total.requests / rate if rate else None
    start, end = _times(beside, duration, total.requests, file.modified)
    named = {key: _with_errors(counted, key, beside) for key, counted in figures.items()}
    _check_sum(figures, total, beside)

    timeline = users = None
    if beside.history is not None:
        timeline = beside.history.timeline(start)
        users = beside.history.users
    return LoadRun(
        tool=FORMAT.tool,
        format=FORMAT.name,
        start=start,
        end=end,
        total=replace(total, errors=_summed(named, total)),
        endpoints=_endpoints(named),
        timeline=timeline,
        users=users,
        run=_name(file),
        dated=beside.history is not None,
        warnings=tuple(beside.warnings),
    )


def _name(file: File) -> str:
    """The prefix that Locust was given."""
    name = file.path.name
    return name.removesuffix(STATISTICS) if name.endswith(STATISTICS) else ""


def _refuse_companion(content: bytes) -> None:
    kind = companions.kind(content)
    if kind is not None:
        text = f"is Locust's {kind} file, expected the one that ends in {STATISTICS}, which may lie beside it"
        raise SourceError("bad_data", text)


def _statistics(content: bytes) -> tuple[dict[Key, Figures], float | None]:
    """Figures by type and name, and requests per second overall."""
    figures: dict[Key, Figures] = {}
    rate = None
    for row in rows(content, _REQUIRED):
        key = row.values["Type"], row.values["Name"]
        if key in figures:
            row.fail(f"duplicate row {' '.join(key).strip()[:80]}")

        figures[key] = _figures(row)
        if key == ("", TOTAL):
            rate = row.number("Requests/s", 1e9)
    return figures, rate


def _total(figures: dict[Key, Figures]) -> Figures:
    """Taken out of the figures; raises SourceError."""
    total = figures.pop(("", TOTAL), None)
    if total is None:
        raise SourceError("bad_data", f"has no row {TOTAL}, which Locust writes last; was its end cut off?")
    if not total.requests:
        raise SourceError("bad_data", "has no requests")
    return total


def _check_sum(figures: Mapping[Key, Figures], total: Figures, beside: Companions) -> None:
    requests = sum(named.requests for named in figures.values())
    if requests != total.requests:
        beside.warnings.append(f"has {total.requests} requests in its row {TOTAL} and {requests} in the others")


def _figures(row: TableRow) -> Figures:
    requests = row.whole("Request Count")
    failures = row.whole("Failure Count")
    if failures > requests:
        row.fail(f"Failure Count is {failures}, more than the {requests} of Request Count")

    size = row.number("Average Content Size", 2.0**40)
    received = None if size is None else requests * size
    return Figures(requests, failures, {}, _latency(row), received)


def _latency(row: TableRow) -> Latencies:
    """Seconds. Where every figure is 0 nothing was timed: Locust writes 0 for unknown values."""
    least = _seconds(row, "Min Response Time")
    mean = _seconds(row, "Average Response Time")
    most = _seconds(row, "Max Response Time")
    if not most and not mean:
        return Latencies()

    latencies = quantiles(row, percents(list(row.values), "", "%"), 1000.0, LONGEST_LATENCY)
    if latencies.p50 is None:
        latencies = replace(latencies, p50=_seconds(row, "Median Response Time"))
    return replace(latencies, min=least, mean=mean, max=most)


def _seconds(row: TableRow, column: str) -> float | None:
    milliseconds = row.number(column, LONGEST_LATENCY * 1000)
    return None if milliseconds is None else milliseconds / 1000


def _endpoints(named: Mapping[Key, Figures]) -> tuple[RunEndpoint, ...]:
    uses = Counter(name for (_, name), figures in named.items() if figures.requests)
    endpoints: list[RunEndpoint] = []
    for (method, name), figures in named.items():
        if figures.requests:
            short = replace(figures, errors=capped_errors(figures.errors))
            endpoints.append(_endpoint(method, name, short, alone=uses[name] == 1))
    return capped(endpoints)


def _endpoint(method: str, name: str, figures: Figures, *, alone: bool) -> RunEndpoint:
    """The type is a method, the name a route where it is one: /cart, or a whole address."""
    if method and name.startswith(("/", "http://", "https://")):
        return RunEndpoint(f"{method} {name}", figures, method, name)
    if alone:
        return RunEndpoint(name, figures)
    return RunEndpoint(f"{method} {name}", figures)


def _times(beside: Companions, duration: float | None, requests: int, modified: float) -> tuple[float, float]:
    """Start and end, Unix seconds. Requests per second are of the time from the start to the last response."""
    if duration is not None and duration > LONGEST_RUN:
        raise SourceError("bad_data", f"covers {duration / 86400:.1f} days, expected at most {LONGEST_RUN / 86400:g}")

    history = beside.history
    if history is None:
        beside.warnings.append("has no times: the end is the time when the file was last written")
        if duration is None:
            beside.warnings.append("has no duration: Requests/s of its last row is 0")
        return modified - (duration or 0.0), modified

    if history.requests != requests:
        beside.warnings.append(f"has {requests} requests and its history {history.requests}: one of them was cut")
    start = history.start if duration is None else history.end - duration
    return start, history.end


def _with_errors(figures: Figures, key: Key, beside: Companions) -> Figures:
    """Kinds that are more than the failures are of another run; missing ones count as `other`."""
    kinds = beside.errors.get(key)
    if not kinds or not figures.failures:
        return figures

    missing = figures.failures - sum(kinds.values())
    if missing < 0:
        name = " ".join(key).strip()
        beside.warnings.append(f"{name} has fewer failures than errors by kind; its kinds of errors were omitted")
        return figures
    if missing:
        kinds = {**kinds, OTHER: missing + kinds.get(OTHER, 0)}
    return replace(figures, errors=kinds)


def _summed(named: Mapping[Key, Figures], total: Figures) -> Mapping[str, int]:
    """The most frequent kinds of all names; empty where they are not known of each."""
    errors: dict[str, int] = {}
    for figures in named.values():
        for kind, count in figures.errors.items():
            errors[kind] = errors.get(kind, 0) + count
    if sum(errors.values()) != total.failures:
        return {}
    return capped_errors(errors)


FORMAT = Format("locust", "locust", recognise, read=read, companions=(companions.recognise,))
