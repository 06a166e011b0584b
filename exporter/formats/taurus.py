"""Taurus's final statistics, as its reporter final-stats writes them with dump-csv or dump-xml.

docs/results.md, section "Taurus". Both hold the same figures of every label, latencies in seconds; XML tells how long
the test took as well. Neither says when it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from exporter.errors import SourceError
from exporter.formats import File, Format
from exporter.formats.tally.limits import LONGEST_LATENCY, LONGEST_RUN
from exporter.formats.tally.table import Row, capped, header, percents, quantiles, rows
from exporter.model.loadrun import Endpoint, Figures, LoadRun

_REQUIRED = ("label", "throughput", "succ", "fail", "avg_rt")
_XML = re.compile(rb"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<FinalStatus[\s>/]", re.DOTALL)
_MOST_BYTES = 2.0**60
_MOST_TAGS = 2_000_000
"""Of the smallest ones a file would take twenty times its size in memory."""


def recognise(head: bytes) -> bool:
    columns = header(head)
    return ("label" in columns[:1] and {"avg_rt", "throughput"} <= set(columns)) or _XML.match(head) is not None


def read(content: bytes, file: File) -> LoadRun:
    """The run: each label is an endpoint, the empty one is the total; raises SourceError."""
    duration, records = _xml(content) if _XML.match(content) else (None, list(rows(content, _REQUIRED)))
    figures: dict[str, Figures] = {}
    users = None
    for row in records:
        label = row.values["label"]
        if label in figures:
            row.fail(f"the label {label[:40]!r} stands here again")
        figures[label] = _figures(row)
        users = users if label else row.number("concurrency", 1e9)
    total = figures.pop("", None)
    if total is None:
        raise SourceError("bad_data", "has no total, the figures of the empty label; was its end cut off?")
    if not total.requests:
        raise SourceError("bad_data", "holds no requests")
    return LoadRun(
        tool=FORMAT.tool,
        format=FORMAT.name,
        start=file.modified - (duration or 0.0),
        end=file.modified,
        total=total,
        endpoints=capped([Endpoint(name, one) for name, one in figures.items() if one.requests]),
        users=users or None,
        dated=False,
        warnings=tuple(_warnings(duration, total, list(figures.values()))),
    )


def _warnings(duration: float | None, total: Figures, parts: Sequence[Figures]) -> Iterator[str]:
    yield "tells no times: the end was taken from when the file was last written"
    if duration is None:
        yield "tells no duration, so that no rate is known: dump-xml tells it"
    else:
        yield "tells a duration of whole seconds: a rate from it is up to a second's requests too high"
    told = sum(one.requests for one in parts)
    if parts and told != total.requests:
        yield f"has {total.requests} requests in total and {told} of its labels"


def _figures(row: Row) -> Figures:
    requests, failures = row.whole("throughput"), row.whole("fail")
    if row.whole("succ") + failures != requests:
        row.fail(f"succ and fail are not the {requests} of throughput, which is how many samples there were")
    if not requests:
        return Figures(0, 0)
    columns = percents(list(row.values), "perc_", "")
    least, most = columns.get(0.0, ""), columns.get(100.0, "")
    latency = replace(
        quantiles(row, columns, 1.0, LONGEST_LATENCY),
        min=row.number(least, LONGEST_LATENCY),
        mean=row.number("avg_rt", LONGEST_LATENCY),
        max=row.number(most, LONGEST_LATENCY),
    )
    # Taurus adds up sizes from 0 on, whether or not its tool tells any.
    received = row.number("bytes", _MOST_BYTES) or None
    return Figures(requests, failures, _errors(row, failures), latency, received)


def _errors(row: Row, failures: int) -> dict[str, int]:
    """Response codes of failures: those that are no success, where they are as many as requests failed."""
    codes = {name.removeprefix("rc_"): row.number(name, 1e15) for name in row.values if name.startswith("rc_")}
    failed = {code: int(count) for code, count in codes.items() if count and not re.fullmatch("[123][0-9]{2}", code)}
    return failed if sum(failed.values()) == failures else {}


def _xml(content: bytes) -> tuple[float | None, list[Row]]:
    """How long the test took, seconds, and the labels as rows with the columns of the CSV file."""
    if b"\0" in content:
        raise SourceError("bad_data", "holds NUL bytes, wanted text")
    if content.count(b"<") > _MOST_TAGS:
        raise SourceError("too_large", f"has more than {_MOST_TAGS} tags")
    try:
        root = fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        raise SourceError("bad_data", f"line {line}: is no XML at column {column + 1}") from None
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise SourceError("bad_data", f"is no XML that is read: {error}") from None
    found = []
    for position, group in enumerate(root.iter("Group"), 1):
        values = {"label": group.get("label", "")}
        for each in group:
            param = each.get("param")
            name = each.tag if param is None else f"{each.tag}_{param}"
            values[name] = each.get("value") or each.findtext("value") or ""
        found.append(Row(f"Group {position}", values))
        missing = [name for name in _REQUIRED if name not in values]
        if missing:
            found[-1].fail(f"has no {', '.join(missing)}, wanted {', '.join(_REQUIRED)}")
    took = Row("TestDuration", {"TestDuration": root.findtext("TestDuration") or ""})
    return took.number("TestDuration", LONGEST_RUN), found


FORMAT = Format("taurus", "taurus", recognise, read=read)
FORMATS = (FORMAT,)
