"""JMeter's JTL as CSV: columns by the header's names, in any order. docs/reference/formats.md, section "JMeter".

Read block by block, also while it grows; memory does not grow with the file.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from exporter.errors import SourceError
from exporter.formats import Format
from exporter.formats.jmeter import header, samples
from exporter.formats.jmeter.adder import Adder
from exporter.formats.jmeter.header import Layout, fields_of, recognise
from exporter.formats.jmeter.records import record_of, refuse_stray_quotes
from exporter.formats.jmeter.rows import Header, Parsed, parse, rows_of
from exporter.formats.tally import Tally

_LARGE = 1024 * 1024
"""Bytes of a block from which on it is worth a thread."""

_AHEAD = 1
"""Blocks that are parsed ahead."""

_LONGEST = 1024 * 1024
"""Bytes of a row; in a longer one a quote is missing."""


class Reader:
    """Cuts blocks after whole rows, parses them, and has the rows added up in the order of the file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._adder = Adder(tally)
        self._layout: Layout | None = None
        self._rest = b""
        self._line = 1
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: deque[Future[Parsed]] = deque()

    def feed(self, block: bytes) -> None:
        """The file's next bytes; raises SourceError."""
        if self._layout is None:
            block = self._take_header(block)
        if self._layout is None:
            return

        whole = _cut(block, odd=self._rest.count(b'"') % 2 == 1)
        if whole:
            rows = self._rest + block[:whole]
            self._rest = block[whole:]
            self._read(rows, self._layout)
        else:
            self._rest += block

        if len(self._rest) > _LONGEST:
            self._drain(0)
            refuse_stray_quotes(self._rest, self._layout, self._line)
            text = f"line {self._line}: has a row of more than {_LONGEST} bytes, is a quote missing?"
            raise SourceError("bad_data", text)

    def end(self) -> None:
        """A last row without its end counts where nothing that is used can be missing."""
        if self._layout is None:
            self._layout = header.read(self._rest, self._tally.warn)
        elif self._rest.strip():
            self._read_last(self._layout)

        self._rest = b""
        self._drain(0)
        self._adder.end()

    def _take_header(self, block: bytes) -> bytes:
        """What follows the header, as soon as that is whole."""
        line, end, rest = (self._rest + block).partition(b"\n")
        if not end:
            self._rest = line
            return b""

        self._rest = b""
        self._layout = header.read(line, self._tally.warn)
        self._line = 2
        return rest

    def _read_last(self, layout: Layout) -> None:
        if _is_whole(self._rest, layout):
            self._read(self._rest + b"\n", layout)
            return

        self._drain(0)
        refuse_stray_quotes(self._rest, layout, self._line)
        self._tally.breaks_off(f"is incomplete: the row on line {self._line} was cut and omitted")

    def _read(self, block: bytes, layout: Layout) -> None:
        """Large blocks are parsed while those before them are added up; of a growing file nothing waits."""
        if len(block) < _LARGE:
            self._drain(0)
            self._take(parse(block, layout), layout)
            return

        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AHEAD, "jmeter-csv")
        self._ahead.append(self._pool.submit(parse, block, layout))
        self._drain(_AHEAD)

    def _drain(self, most: int) -> None:
        """Add up what was parsed, until at most so many blocks are left."""
        while len(self._ahead) > most and self._layout is not None:
            self._take(self._ahead.popleft().result(), self._layout)

    def _take(self, parsed: Parsed, layout: Layout) -> None:
        for rows in rows_of(parsed, layout, self._line):
            if isinstance(rows, Header):
                self._adder.begin_part(rows.line)
            else:
                self._adder.add(rows)
        self._line += parsed.lines


def _cut(block: bytes, *, odd: bool) -> int:
    """Where the last whole row ends: at a line end with an even number of quotes before it; `odd`: one is open."""
    end = block.rfind(b"\n") + 1
    if not odd and b'"' not in block:
        return end

    quotes = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord('"'))
    before = int(np.searchsorted(quotes, end))
    while end and (before + odd) % 2:
        # This line end is inside a field: the row began before the last quote.
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


FORMAT = Format("jmeter-csv", "jmeter", recognise, reader=Reader)
