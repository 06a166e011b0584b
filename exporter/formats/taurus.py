"""Taurus's final statistics, as its reporter final-stats writes them with dump-csv or dump-xml.

docs/reference/formats.md, section "Taurus". Both hold the same figures of every label, latencies in seconds; XML has
the test's duration as well. Neither says when it ran.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.tally.limits import LONGEST_LATENCY, LONGEST_RUN, MOST
from exporter.formats.tally.table import TableRow, capped, header, percents, quantiles, rows
from exporter.model.loadrun import Figures, Latencies, LoadRun, RunEndpoint

_REQUIRED = ("label", "throughput", "succ", "fail", "avg_rt")
_XML = re.compile(rb"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<FinalStatus[\s>/]", re.DOTALL)
_SUCCESS = re.compile("[123][0-9]{2}")
_MOST_TAGS = 2_000_000
"""Of the smallest ones a file would take twenty times its size in memory."""


def recognise(head: bytes) -> bool:
    columns = header(head)
    return ("label" in columns[:1] and {"avg_rt", "throughput"} <= set(columns)) or _XML.match(head) is not None


def read(content: bytes, file: File) -> LoadRun:
    """The run: each label is an endpoint, the empty one is the total; raises SourceError."""
    duration, records = _records(content)
    figures, users = _statistics(records)
    total = figures.pop("", None)
    if total is None:
        raise SourceError("bad_data", "has no total, the figures of the empty label; was its end cut off?")
    if not total.requests:
        raise SourceError("bad_data", "has no requests")

    endpoints = [
        RunEndpoint(label, label_figures) for label, label_figures in figures.items() if label_figures.requests
    ]
    return LoadRun(
        tool=FORMAT.tool,
        format=FORMAT.name,
        start=file.modified - (duration or 0.0),
        end=file.modified,
        total=total,
        endpoints=capped(endpoints),
        users=users or None,
        dated=False,
        warnings=tuple(_warnings(duration, total, list(figures.values()))),
    )


def _records(content: bytes) -> tuple[float | None, list[TableRow]]:
    """How long the test took, seconds, and the labels as rows with the columns of the CSV file."""
    if _XML.match(content) is None:
        return None, list(rows(content, _REQUIRED))

    root = _root(content)
    records = [_record(group, f"Group {position}") for position, group in enumerate(root.iter("Group"), 1)]
    took = TableRow("TestDuration", {"TestDuration": root.findtext("TestDuration") or ""})
    return took.number("TestDuration", LONGEST_RUN), records


def _root(content: bytes) -> Element:
    if b"\0" in content:
        raise SourceError("bad_data", "has NUL bytes, expected text")
    if content.count(b"<") > _MOST_TAGS:
        raise SourceError("too_large", f"has more than {_MOST_TAGS} tags")

    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        raise SourceError("bad_data", f"line {line}: is not valid XML at column {column + 1}") from None
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise SourceError("bad_data", f"is XML that cannot be read: {error}") from None
    return root


def _record(group: Element, location: str) -> TableRow:
    """An element's tag is a column; where it has a `param`, that is part of the column's name."""
    values = {"label": group.get("label", "")}
    for element in group:
        param = element.get("param")
        column = element.tag if param is None else f"{element.tag}_{param}"
        values[column] = element.get("value") or element.findtext("value") or ""

    row = TableRow(location, values)
    missing = [name for name in _REQUIRED if name not in values]
    if missing:
        row.fail(f"has no {', '.join(missing)}, expected {', '.join(_REQUIRED)}")
    return row


def _statistics(records: Iterable[TableRow]) -> tuple[dict[str, Figures], float | None]:
    """Figures by label, and the users of the whole."""
    figures: dict[str, Figures] = {}
    users = None
    for row in records:
        label = row.values["label"]
        if label in figures:
            row.fail(f"duplicate label {label[:40]!r}")
        figures[label] = _figures(row)
        if not label:
            users = row.number("concurrency", 1e9)
    return figures, users


def _warnings(duration: float | None, total: Figures, parts: Sequence[Figures]) -> Iterator[str]:
    yield "has no times: the end is the time when the file was last written"
    if duration is None:
        yield "has no duration, so the rate is unknown: dump-xml has it"
    else:
        yield "has a duration in whole seconds: its rate can be too high by one second's requests"

    requests = sum(part.requests for part in parts)
    if parts and requests != total.requests:
        yield f"has {total.requests} requests in total and {requests} of its labels"


def _figures(row: TableRow) -> Figures:
    requests = row.whole("throughput")
    failures = row.whole("fail")
    if row.whole("succ") + failures != requests:
        row.fail(f"succ and fail are not the {requests} of throughput, which is how many samples there were")
    if not requests:
        return Figures(0, 0)

    latency = _latencies(row)
    # Taurus adds up sizes from 0 on, whether or not its tool reports any.
    received = row.number("bytes", MOST) or None
    return Figures(requests, failures, _errors(row, failures), latency, received)


def _latencies(row: TableRow) -> Latencies:
    columns = percents(list(row.values), "perc_", "")
    return replace(
        quantiles(row, columns, 1.0, LONGEST_LATENCY),
        min=row.number(columns.get(0.0, ""), LONGEST_LATENCY),
        mean=row.number("avg_rt", LONGEST_LATENCY),
        max=row.number(columns.get(100.0, ""), LONGEST_LATENCY),
    )


def _errors(row: TableRow, failures: int) -> dict[str, int]:
    """Response codes of failures: all but those of success, if they are as many as requests failed."""
    errors: dict[str, int] = {}
    for name in row.values:
        if not name.startswith("rc_"):
            continue
        code = name.removeprefix("rc_")
        count = row.number(name, 1e15)
        if count and not _SUCCESS.fullmatch(code):
            errors[code] = int(count)
    return errors if sum(errors.values()) == failures else {}


FORMAT = Format("taurus", "taurus", recognise, read=read)
FORMATS = (FORMAT,)
