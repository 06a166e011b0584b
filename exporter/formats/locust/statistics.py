"""Locust's statistics: PREFIX_stats.csv, with what lies beside it. docs/results.md, section "Locust".

The file tells figures of every name, latencies in milliseconds, and no times. PREFIX_stats_history.csv tells those,
PREFIX_failures.csv the kinds of errors; PREFIX_exceptions.csv is about the test's own code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from exporter.errors import SourceError
from exporter.formats import LARGEST_SUMMARY, File, Format
from exporter.formats.locust import history
from exporter.formats.locust.history import TOTAL, History
from exporter.formats.tally.limits import LONGEST_LATENCY, LONGEST_RUN
from exporter.formats.tally.table import Row, capped, capped_errors, header, percents, quantiles, rows
from exporter.model.loadrun import OTHER, Endpoint, Figures, Latencies, LoadRun

_REQUIRED = ("Type", "Name", "Request Count", "Failure Count", "Average Response Time", "Requests/s")
_HISTORY = history.COLUMNS[:4]
_FAILURES = ("Method", "Name", "Error", "Occurrences")
_EXCEPTIONS = ("Count", "Message", "Traceback", "Nodes")
_COMPANIONS = {_HISTORY: "history", _FAILURES: "failures", _EXCEPTIONS: "exceptions"}
_STATS = "_stats.csv"
_BOM = b"\xef\xbb\xbf"

Key = tuple[str, str]
"""Type and name."""


def recognise(head: bytes) -> bool:
    columns = header(head)
    statistics = columns[:2] in (["Type", "Name"], ["Method", "Name"]) and "Requests/s" in columns
    return statistics or is_companion(head)


def is_companion(head: bytes) -> bool:
    return _companion(header(head)) is not None


def _companion(columns: list[str]) -> str | None:
    return next((name for names, name in _COMPANIONS.items() if tuple(columns[: len(names)]) == names), None)


@dataclass(slots=True)
class _Beside:
    """What the files beside the statistics tell."""

    history: History | None = None
    errors: dict[Key, dict[str, int]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read(content: bytes, file: File) -> LoadRun:
    """The run; raises SourceError, also for a companion, which is no run by itself."""
    companion = _companion(header(content))
    if companion is not None:
        text = f"is Locust's {companion} file, wanted the one that ends in {_STATS}, which may lie beside it"
        raise SourceError("bad_data", text)
    figures, rate = _statistics(content)
    total = figures.pop(("", TOTAL), None)
    if total is None:
        raise SourceError("bad_data", f"has no row {TOTAL}, which Locust writes last; was its end cut off?")
    if not total.requests:
        raise SourceError("bad_data", "holds no requests")
    beside = _beside(file.path)
    start, end = _times(beside, total.requests / rate if rate else None, total.requests, file.modified)
    named = {key: _with_errors(one, beside.errors.get(key), key, beside) for key, one in figures.items()}
    errors = _summed(named, total)
    named = {key: replace(one, errors=capped_errors(one.errors)) for key, one in named.items() if one.requests}
    told = sum(one.requests for one in figures.values())
    if told != total.requests:
        beside.warnings.append(f"has {total.requests} requests in its row {TOTAL} and {told} in the others")
    return LoadRun(
        tool=FORMAT.tool,
        format=FORMAT.name,
        start=start,
        end=end,
        total=replace(total, errors=errors),
        endpoints=_endpoints(named),
        timeline=beside.history.timeline(start) if beside.history else None,
        users=beside.history.users if beside.history else None,
        run=file.path.name.removesuffix(_STATS) if file.path.name.endswith(_STATS) else "",
        dated=beside.history is not None,
        warnings=tuple(beside.warnings),
    )


def _statistics(content: bytes) -> tuple[dict[Key, Figures], float | None]:
    """Figures by type and name, and requests per second overall."""
    found: dict[Key, Figures] = {}
    rate = None
    for row in rows(content, _REQUIRED):
        key = row.values["Type"], row.values["Name"]
        if key in found:
            row.fail(f"{' '.join(key).strip()[:80]} stands here again")
        found[key] = _figures(row)
        if key == ("", TOTAL):
            rate = row.number("Requests/s", 1e9)
    return found, rate


def _figures(row: Row) -> Figures:
    requests, failures = row.whole("Request Count"), row.whole("Failure Count")
    if failures > requests:
        row.fail(f"Failure Count is {failures}, more than the {requests} of Request Count")
    size = row.number("Average Content Size", 2.0**40)
    return Figures(requests, failures, {}, _latency(row), None if size is None else requests * size)


def _latency(row: Row) -> Latencies:
    """Seconds. Where every figure is 0 nothing was timed: Locust writes 0 for what it does not know."""
    names = ("Min Response Time", "Average Response Time", "Max Response Time")
    least, mean, most = (row.number(name, LONGEST_LATENCY * 1000) for name in names)
    if not most and not mean:
        return Latencies()
    found = quantiles(row, percents(list(row.values), "", "%"), 1000.0, LONGEST_LATENCY)
    if found.p50 is None:
        found = replace(found, p50=_seconds(row.number("Median Response Time", LONGEST_LATENCY * 1000)))
    return replace(found, min=_seconds(least), mean=_seconds(mean), max=_seconds(most))


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _endpoints(figures: Mapping[Key, Figures]) -> tuple[Endpoint, ...]:
    """The type is a method, the name a route where it is one: /cart, or a whole address."""
    uses = Counter(name for _, name in figures)

    def endpoint(method: str, name: str) -> Endpoint:
        if method and name.startswith(("/", "http://", "https://")):
            return Endpoint(f"{method} {name}", figures[method, name], method, name)
        return Endpoint(f"{method} {name}" if uses[name] > 1 else name, figures[method, name])

    return capped([endpoint(*key) for key in figures])


def _times(beside: _Beside, duration: float | None, requests: int, modified: float) -> tuple[float, float]:
    """Start and end, Unix seconds. Requests per second are of the time from the start to the last response."""
    if duration is not None and duration > LONGEST_RUN:
        raise SourceError("bad_data", f"goes over {duration / 86400:.1f} days, wanted at most {LONGEST_RUN / 86400:g}")
    history = beside.history
    if history is None:
        beside.warnings.append("tells no times: the end was taken from when the file was last written")
        if duration is None:
            beside.warnings.append("tells no duration: Requests/s of its last row is 0")
        return modified - (duration or 0.0), modified
    if history.requests != requests:
        beside.warnings.append(f"has {requests} requests and its history {history.requests}: one of them was cut")
    return history.end - duration if duration is not None else history.start, history.end


def _beside(path: Path) -> _Beside:
    """A companion that is wrong is left out, and told."""
    found = _Beside()
    if path.name.endswith(_STATS):
        prefix = path.name.removesuffix(_STATS)
        readers: Mapping[str, Callable[[bytes, _Beside], None]] = {
            "_stats_history.csv": _history,
            "_failures.csv": _failures,
            "_exceptions.csv": _exceptions,
        }
        for suffix, reader in readers.items():
            try:
                reader(_content(path.with_name(prefix + suffix)), found)
            except FileNotFoundError:
                continue
            except OSError as error:
                found.warnings.append(f"{prefix}{suffix}: cannot be read and was left out: {error.strerror}")
            except SourceError as error:
                found.warnings.append(f"{prefix}{suffix}: was left out: {error}")
    return found


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST_SUMMARY + 1)
    if len(content) > LARGEST_SUMMARY:
        raise SourceError("too_large", f"is larger than {LARGEST_SUMMARY} bytes")
    return content.removeprefix(_BOM)


def _history(content: bytes, found: _Beside) -> None:
    found.history = history.read(content, found.warnings.append)
    if found.history.timeline(found.history.start) is None:
        found.warnings.append("the history's rows lie too far apart for minutes")


def _failures(content: bytes, found: _Beside) -> None:
    errors: dict[Key, dict[str, int]] = {}
    for row in rows(content, _FAILURES):
        kinds = errors.setdefault((row.values["Method"], row.values["Name"]), {})
        error = row.values["Error"]
        kinds[error] = kinds.get(error, 0) + row.whole("Occurrences")
    found.errors = errors


def _exceptions(content: bytes, found: _Beside) -> None:
    seen = [(row.whole("Count"), row.values["Message"]) for row in rows(content, _EXCEPTIONS)]
    if seen:
        count = sum(number for number, _ in seen)
        found.warnings.append(
            f"the test's own code failed {count} times, most often with: {' '.join(max(seen)[1].split())[:200]}"
        )


def _with_errors(figures: Figures, kinds: Mapping[str, int] | None, key: Key, beside: _Beside) -> Figures:
    """Kinds that are more than the failures are of another run; what is missing of them is `other`."""
    if not kinds or not figures.failures:
        return figures
    missing = figures.failures - sum(kinds.values())
    if missing < 0:
        beside.warnings.append(
            f"{' '.join(key).strip()} has fewer failures than kinds of errors tell; they were left out"
        )
        return figures
    return replace(figures, errors={**kinds, OTHER: missing + kinds.get(OTHER, 0)} if missing else kinds)


def _summed(named: Mapping[Key, Figures], total: Figures) -> Mapping[str, int]:
    """The most frequent kinds of all names; empty where they are not known of each."""
    found: dict[str, int] = {}
    for one in named.values():
        for kind, count in one.errors.items():
            found[kind] = found.get(kind, 0) + count
    if sum(found.values()) != total.failures:
        return {}
    return capped_errors(found)


FORMAT = Format("locust", "locust", recognise, read=read, companions=(is_companion,))
