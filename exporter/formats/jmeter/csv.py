"""JMeter's JTL as CSV: columns by the header's names, in any order. docs/results.md, section "JMeter".

Read block by block, also while it grows; memory does not grow with the file.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.jmeter import samples
from exporter.formats.jmeter.nesting import Batch, Held, Nesting, Row, Sorted
from exporter.formats.jmeter.parts import Parts
from exporter.formats.jmeter.rows import (
    INTEGERS,
    REQUIRED,
    TEXTS,
    Layout,
    Parsed,
    Rows,
    fields_of,
    parse,
    record_of,
    refuse_stray_quotes,
    rows_of,
)
from exporter.formats.tally import Tally
from exporter.formats.tally.batch import Batch as Requests
from exporter.formats.tally.batch import Codes as Numbers
from exporter.formats.tally.batch import Flags

_NAMES = frozenset((*TEXTS, *INTEGERS, "success", "dataType", "grpThreads", "URL", "Latency", "Connect", "Hostname"))
_DELIMITERS = ",;\t|"
_NO_HEADER = re.compile(rb"(\d{13}|\d{4}[/-]\d\d[/-]\d\d [\d:.]+)([,;\t|])\d+\2[^\r\n]*\2(true|false)\b")
_LARGE = 1024 * 1024
"""Bytes of a block from which on it is worth a thread."""

_AHEAD = 1
"""Blocks that are parsed ahead."""

_LONGEST = 1024 * 1024
"""Bytes of a row; a longer one is no row, but a quote that is missing."""


def recognise(head: bytes) -> bool:
    return len(_NAMES.intersection(_header(head).columns)) >= 3 or _NO_HEADER.match(head) is not None


def _header(line: bytes) -> Layout:
    """The delimiter that gives most of JMeter's names, and the columns; names of variables stand in quotes."""
    text = line.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    cuts = [Layout(each, tuple(fields_of(text, each))) for each in _DELIMITERS]
    return max(cuts, key=lambda layout: len(_NAMES.intersection(layout.columns)))


class Reader:
    """Cuts blocks after whole rows, and adds these up."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._rest, self._line = tally, b"", 1
        self._layout: Layout | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: deque[Future[Parsed]] = deque()
        self._nesting, self._parts = Nesting(), Parts(tally)

    def feed(self, block: bytes) -> None:
        if self._layout is None:
            head, end, block = (self._rest + block).partition(b"\n")
            self._rest = b"" if end else head
            if not end:
                return
            self._layout = self._begin(head)
        whole = _cut(block, odd=self._rest.count(b'"') % 2 == 1)
        rows, self._rest = self._rest + block[:whole] if whole else b"", block[whole:] if whole else self._rest + block
        if rows:
            self._read(rows, self._layout)
        if len(self._rest) > _LONGEST:
            self._drain(0)
            refuse_stray_quotes(self._rest, self._layout, self._line)
            text = f"line {self._line}: has a row of more than {_LONGEST} bytes, is a quote missing?"
            raise SourceError("bad_data", text)

    def end(self) -> None:
        if self._layout is None:
            self._layout = self._begin(self._rest)
        elif self._rest.strip():
            if _is_whole(self._rest, self._layout):
                self._read(self._rest + b"\n", self._layout)
            else:
                self._drain(0)
                refuse_stray_quotes(self._rest, self._layout, self._line)
                self._tally.warn(f"breaks off in the row on line {self._line}, which is left out")
                self._tally.complete = False
        self._rest = b""
        self._drain(0)
        self._release(self._nesting.end())
        self._parts.end()

    def _begin(self, line: bytes) -> Layout:
        if _NO_HEADER.match(line):
            text = "line 1: is no header: set jmeter.save.saveservice.print_field_names=true"
            raise SourceError("bad_data", f"{text}; required are the columns {', '.join(REQUIRED)}")
        layout = _header(line)
        missing = [name for name in REQUIRED if not layout.has(name)]
        if missing:
            text = f"line 1: the header has no {', '.join(missing)}; required are the columns {', '.join(REQUIRED)}"
            raise SourceError("bad_data", text)
        twice = [name for name in _NAMES if layout.columns.count(name) > 1]
        if twice:
            raise SourceError("bad_data", f"line 1: the header has {min(twice)} twice")
        if not layout.has("responseMessage"):
            self._tally.warn(
                "has no column responseMessage: transactions cannot be told from requests and may count twice"
            )
        if not layout.has("threadName"):
            self._tally.warn("has no column threadName: sub-results cannot be told from requests and may count twice")
        self._line = 2
        return layout

    def _read(self, block: bytes, layout: Layout) -> None:
        """Large blocks are parsed while those before them are added up; of a growing file nothing waits."""
        if len(block) < _LARGE:
            self._drain(0)
            self._take(parse(block, layout), layout)
        else:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_AHEAD, "jmeter-csv")
            self._ahead.append(self._pool.submit(parse, block, layout))
            self._drain(_AHEAD)

    def _drain(self, left: int) -> None:
        while len(self._ahead) > left and self._layout is not None:
            self._take(self._ahead.popleft().result(), self._layout)

    def _take(self, parsed: Parsed, layout: Layout) -> None:
        for rows in rows_of(parsed, layout, self._line):
            if isinstance(rows, int):
                self._release(self._nesting.end())
                self._parts.begin(rows)
            else:
                self._add(rows, layout)
        self._line += parsed.lines

    def _add(self, rows: Rows, layout: Layout) -> None:
        starts, elapsed = rows.integers("timeStamp"), rows.integers("elapsed")
        assert starts is not None
        assert elapsed is not None
        _refuse_sums(rows)
        labels, transactions = rows.codes("label"), rows.begins("responseMessage", samples.TRANSACTION)
        endpoints = np.array([self._tally.endpoint(text) for text in labels.texts], dtype=np.int64)[labels.numbers]
        failed = ~rows.flags()
        everything = Requests(
            endpoints,
            starts / 1000,
            elapsed / 1000,
            failed,
            self._kinds(rows, failed),
            rows.integers("bytes"),
            rows.integers("sentBytes"),
            rows.integers("allThreads"),
        )
        counts = np.ones(len(rows), dtype=np.bool_)
        if layout.has("threadName"):
            empty = rows.begins("responseMessage", samples.NO_SAMPLES) if transactions.size else transactions
            idle = rows.integers("IdleTime")
            ends = starts + elapsed + (0 if idle is None else np.maximum(np.nan_to_num(idle), 0))
            batch = Batch(
                starts.astype(np.int64),
                ends.astype(np.int64),
                labels,
                rows.codes("threadName"),
                transactions,
                empty,
            )
            found, released = self._nesting.sort(batch)
            self._release(released)
            self._hold(found, everything)
            self._tell(found)
            counts = found.counts
        elif transactions.size:
            counts[transactions] = False
            self._tally.warn(f"{samples.LEFT_OUT} (there is no column threadName to tell whether any are missing)")
        self._parts.add(everything.starts, everything.seconds, rows.place)
        self._count(everything, counts, rows)

    def _count(self, requests: Requests, counts: Flags, rows: Rows) -> None:
        if counts.all():
            self._tally.add_batch(requests, rows.place)
            return
        kept = np.flatnonzero(counts)
        columns = (requests.received, requests.sent, requests.users)
        received, sent, users = (None if each is None else each[kept] for each in columns)
        chosen = Requests(
            requests.endpoints[kept],
            requests.starts[kept],
            requests.seconds[kept],
            requests.failed[kept],
            None if requests.kinds is None else requests.kinds[kept],
            received,
            sent,
            users,
        )
        self._tally.add_batch(chosen, lambda position: rows.place(int(kept[position])))

    def _kinds(self, rows: Rows, failed: Flags) -> Numbers:
        where = np.flatnonzero(failed)
        kinds = np.zeros(failed.size, dtype=np.int64)
        told = zip(*(rows.texts(name, where) for name in samples.ERROR_COLUMNS), strict=True)
        known: dict[tuple[str, str, str], int] = {}
        numbers: list[int] = []
        for code, failure, message in told:
            number = known.get((code, failure, message))
            if number is None:
                number = known[code, failure, message] = self._tally.kind(samples.kind(code, failure, message))
            numbers.append(number)
        kinds[where] = numbers
        return kinds

    def _hold(self, found: Sorted, requests: Requests) -> None:
        for thread, position in found.waiting.items():
            sizes = [np.nan if each is None else float(each[position]) for each in (requests.received, requests.sent)]
            kind = 0 if requests.kinds is None else int(requests.kinds[position])
            held = Held(
                int(requests.endpoints[position]),
                float(requests.seconds[position]),
                bool(requests.failed[position]),
                kind,
                *sizes,
            )
            self._nesting.hold(thread, held)

    def _release(self, transactions: Sequence[tuple[Row, Held]]) -> None:
        for row, held in transactions:
            self._tally.warn(samples.HIDDEN)
            self._tally.add(
                held.endpoint,
                row.start / 1000,
                held.seconds,
                failed=held.failed,
                kind=held.kind,
                received=held.received,
                sent=held.sent,
            )

    def _tell(self, found: Sorted) -> None:
        for count, text in (
            (found.hidden, samples.HIDDEN),
            (found.beside, samples.LEFT_OUT),
            (found.parts, samples.SUB_RESULTS),
        ):
            if count:
                self._tally.warn(text)


def _cut(block: bytes, *, odd: bool) -> int:
    """Where the last whole row ends: at a line end with an even number of quotes before it; `odd`: one is open."""
    end = block.rfind(b"\n") + 1
    if not odd and b'"' not in block:
        return end
    quotes = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord('"'))
    before = int(np.searchsorted(quotes, end))
    while end and (before + odd) % 2:
        end = block.rfind(b"\n", 0, int(quotes[before - 1])) + 1 if before else 0
        before = int(np.searchsorted(quotes, end))
    return end


def _is_whole(row: bytes, layout: Layout) -> bool:
    """Whether a last row without a line end is sure to have lost nothing that is used."""
    fields = fields_of(row.decode("utf-8", "replace"), layout.delimiter)
    if len(fields) != len(layout.columns) or row.count(b'"') % 2 or layout.columns[-1] in samples.CUT_UNSEEN:
        return False
    try:
        record_of(fields, layout, 0)
    except SourceError:
        return False
    return True


def _refuse_sums(rows: Rows) -> None:
    counts = rows.integers("SampleCount")
    if counts is not None and (sums := np.flatnonzero(counts > 1)).size:
        position = int(sums[0])
        text = f"SampleCount is {counts[position]:g}, wanted 1, since sums have no percentiles: set mode=StrippedBatch"
        raise SourceError("bad_data", f"{rows.place(position)}: {text}")


FORMAT = Format("jmeter-csv", "jmeter", recognise, reader=Reader)
