"""Adds rows of a JMeter CSV to the tally: those that are requests of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.errors import SourceError
from exporter.formats.jmeter import samples
from exporter.formats.jmeter.nesting import Decision, Nesting, Pending, ThreadRow, Timings
from exporter.formats.jmeter.parts import Parts
from exporter.formats.jmeter.rows import ColumnValues, RowBlock
from exporter.formats.tally import Tally
from exporter.formats.tally.batch import Batch, Codes, Flags


class Adder:
    """Takes rows in the order of the file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._nesting = Nesting()
        self._parts = Parts(tally)

    def begin_part(self, line: int) -> None:
        """The header is repeated on this line: the rows before it are another file, put in front."""
        self._release(self._nesting.end())
        self._parts.begin(line)

    def add(self, rows: RowBlock) -> None:
        """Whole rows; raises SourceError."""
        starts = rows.required_integers("timeStamp")
        elapsed = rows.required_integers("elapsed")
        _refuse_sums(rows)

        labels = rows.codes("label")
        batch = self._batch(rows, labels, starts, elapsed)
        counts = self._counts(rows, labels, starts, elapsed, batch)
        self._parts.add(batch.starts, batch.seconds, rows.location)
        self._add(batch, counts, rows)

    def end(self) -> None:
        """Nothing follows; raises SourceError."""
        self._release(self._nesting.end())
        self._parts.end()

    def _batch(self, rows: RowBlock, labels: ColumnValues, starts: Floats, elapsed: Floats) -> Batch:
        """Every row, as if it were a request."""
        endpoints = np.array([self._tally.endpoint(text) for text in labels.texts], dtype=np.int64)
        failed = ~rows.flags()
        return Batch(
            endpoints[labels.numbers],
            starts / 1000,
            elapsed / 1000,
            failed,
            self._kinds(rows, failed),
            rows.integers("bytes"),
            rows.integers("sentBytes"),
            rows.integers("allThreads"),
        )

    def _kinds(self, rows: RowBlock, failed: Flags) -> Codes:
        where = np.flatnonzero(failed)
        texts = [rows.texts(name, where) for name in samples.ERROR_COLUMNS]
        numbers: list[int] = []
        by_texts: dict[tuple[str, str, str], int] = {}
        for code, failure, message in zip(*texts, strict=True):
            number = by_texts.get((code, failure, message))
            if number is None:
                number = self._tally.kind(samples.kind(code, failure, message))
                by_texts[code, failure, message] = number
            numbers.append(number)

        kinds = np.zeros(failed.size, dtype=np.int64)
        kinds[where] = numbers
        return kinds

    def _counts(self, rows: RowBlock, labels: ColumnValues, starts: Floats, elapsed: Floats, batch: Batch) -> Flags:
        """Which rows are requests by themselves, by what else their thread did."""
        transactions = rows.begins("responseMessage", samples.TRANSACTION)
        if not rows.has("threadName"):
            counts = np.ones(len(rows), dtype=np.bool_)
            if transactions.size:
                counts[transactions] = False
                text = f"{samples.LEFT_OUT} (without a column threadName, missing requests cannot be detected)"
                self._tally.warn(text)
            return counts

        # A transaction's time leaves out the pauses in it, and its end is after them.
        ends = starts + elapsed
        idle = rows.integers("IdleTime")
        if idle is not None:
            ends += np.maximum(np.nan_to_num(idle), 0)

        empty = transactions
        if transactions.size:
            empty = rows.begins("responseMessage", samples.NO_SAMPLES)
        timings = Timings(
            starts.astype(np.int64),
            ends.astype(np.int64),
            labels,
            rows.codes("threadName"),
            transactions,
            empty,
        )
        decision, released = self._nesting.sort(timings)
        self._release(released)
        self._keep_waiting(decision, batch)
        self._warn(decision)
        return decision.counts

    def _keep_waiting(self, decision: Decision, batch: Batch) -> None:
        for thread, position in decision.waiting.items():
            kind = 0 if batch.kinds is None else int(batch.kinds[position])
            pending = Pending(
                int(batch.endpoints[position]),
                float(batch.seconds[position]),
                bool(batch.failed[position]),
                kind,
                _size(batch.received, position),
                _size(batch.sent, position),
            )
            self._nesting.keep_waiting(thread, pending)

    def _release(self, transactions: Sequence[tuple[ThreadRow, Pending]]) -> None:
        """Count transactions whose requests did not follow: they hide them."""
        for row, pending in transactions:
            self._tally.warn(samples.HIDDEN)
            self._tally.add(
                pending.endpoint,
                row.start / 1000,
                pending.seconds,
                failed=pending.failed,
                kind=pending.kind,
                received=pending.received,
                sent=pending.sent,
            )

    def _warn(self, decision: Decision) -> None:
        if decision.hidden:
            self._tally.warn(samples.HIDDEN)
        if decision.beside:
            self._tally.warn(samples.LEFT_OUT)
        if decision.parts:
            self._tally.warn(samples.SUB_RESULTS)

    def _add(self, batch: Batch, counts: Flags, rows: RowBlock) -> None:
        if counts.all():
            self._tally.add_batch(batch, rows.location)
            return

        positions = np.flatnonzero(counts)
        self._tally.add_batch(batch.take(positions), lambda position: rows.location(int(positions[position])))


def _size(sizes: Floats | None, position: int) -> float:
    return float("nan") if sizes is None else float(sizes[position])


def _refuse_sums(rows: RowBlock) -> None:
    """Raises SourceError for rows that sum up several samples."""
    counts = rows.integers("SampleCount")
    if counts is None:
        return

    sums = np.flatnonzero(counts > 1)
    if sums.size:
        position = int(sums[0])
        text = f"SampleCount is {counts[position]:g}, expected 1 (sums have no percentiles): set mode=StrippedBatch"
        raise SourceError("bad_data", f"{rows.location(position)}: {text}")
