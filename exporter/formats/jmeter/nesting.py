"""Which rows of a JMeter CSV are requests of their own: nothing may count twice. docs/results.md, section "JMeter".

A thread does one thing after another. So a transaction that began before the row in front of it (of the same thread)
stands beside its requests, and a row that lies within the request in front of it is a part of that request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from exporter.formats.jmeter import samples
from exporter.formats.jmeter.rows import Codes, Ints
from exporter.formats.tally.batch import Flags

_MOST_THREADS = 25_000
"""When twice as many are known, those seen longest ago are forgotten."""


@dataclass(frozen=True, slots=True)
class Held:
    """A transaction whose requests may still follow; what is added up of it when they do not."""

    endpoint: int
    seconds: float
    failed: bool
    kind: int
    received: float
    sent: float


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a thread that is no part of another; milliseconds."""

    start: int
    end: int
    label: str
    transaction: bool
    held: Held | None = None


@dataclass(slots=True)
class Sorted:
    """What was found of a batch."""

    counts: Flags
    """Rows that are requests by themselves."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Thread to a transaction that was its last row: not counted yet."""
    hidden: int = 0
    beside: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows in the order of the file; milliseconds."""

    starts: Ints
    ends: Ints
    labels: Codes
    threads: Codes
    transactions: Ints
    """Rows that a Transaction Controller made, ascending."""
    empty: Ints
    """Those of them in which nothing was requested."""


class Nesting:
    """Remembers each thread's last row from batch to batch."""

    def __init__(self) -> None:
        self._last: dict[str, Row] = {}

    def sort(self, batch: Batch) -> tuple[Sorted, list[tuple[Row, Held]]]:
        """What counts of a batch, and transactions of earlier ones that turned out to count."""
        found = Sorted(np.ones(batch.starts.size, dtype=np.bool_))
        suspects = np.array([samples.may_be_sub_result(text) for text in batch.labels.texts], dtype=np.bool_)
        named = np.flatnonzero(suspects[batch.labels.numbers])
        released = self._release(batch, found)
        if named.size or batch.transactions.size:
            self._decide(batch, named, found)
        self._remember(batch, found)
        return found, released + self._forget()

    def end(self) -> list[tuple[Row, Held]]:
        """Transactions after which nothing came."""
        found = [(row, row.held) for row in self._last.values() if row.held is not None]
        self._last = {}
        return found

    def _release(self, batch: Batch, found: Sorted) -> list[tuple[Row, Held]]:
        """Transactions that waited for their thread's next row, where that is none of theirs."""
        released: list[tuple[Row, Held]] = []
        waiting = {name for name, row in self._last.items() if row.held is not None}
        if not waiting:
            return released
        first = np.zeros(len(batch.threads.texts), dtype=np.int64)
        first[batch.threads.numbers[::-1]] = np.arange(batch.starts.size)[::-1]
        transactions = set(batch.transactions.tolist())
        for thread, position in zip(batch.threads.texts, first.tolist(), strict=True):
            row = self._last.get(thread)
            if row is not None and row.held is not None:
                follows = _row(batch, position, transaction=position in transactions)
                if _holds(row, follows):
                    found.beside += 1
                else:
                    released.append((row, row.held))
                self._last[thread] = Row(row.start, row.end, row.label, transaction=True)
        return released

    def _decide(self, batch: Batch, suspects: Ints, found: Sorted) -> None:
        order = np.argsort(batch.threads.numbers, kind="stable")
        same = batch.threads.numbers[order[1:]] == batch.threads.numbers[order[:-1]]
        before, after = np.full(order.size, -1), np.full(order.size, -1)
        before[order[1:][same]] = order[:-1][same]
        after[order[:-1][same]] = order[1:][same]
        if batch.transactions.size:
            self._transactions(batch, before, after, found)
        if suspects.size:
            self._parts(batch, suspects, before, found)

    def _transactions(self, batch: Batch, before: Ints, after: Ints, found: Sorted) -> None:
        which, starts, ends = batch.transactions, batch.starts, batch.ends
        marked = np.zeros(starts.size, dtype=np.bool_)
        marked[which] = True
        front, behind = before[which], after[which]
        beside = (front >= 0) & (starts[front] >= starts[which])
        for at in np.flatnonzero(front < 0).tolist():
            previous = self._last.get(batch.threads.texts[batch.threads.numbers[which[at]]])
            beside[at] = previous is not None and previous.start >= starts[which[at]]
        within = (starts[behind] >= starts[which]) & (starts[behind] <= np.maximum(ends[which] - 1, starts[which]))
        alike = (starts[behind] == starts[which]) & (ends[behind] == ends[which])
        holds = within & (~marked[behind] | ((ends[behind] <= ends[which]) & ~alike))
        left_out = beside | ((behind >= 0) & holds) | np.isin(which, batch.empty)
        waits = ~left_out & (behind < 0)
        found.counts[which[left_out | waits]] = False
        found.beside += int(np.count_nonzero(left_out))
        found.hidden += int(np.count_nonzero(~left_out & ~waits))
        threads = [batch.threads.texts[number] for number in batch.threads.numbers[which[waits]].tolist()]
        found.waiting.update(zip(threads, which[waits].tolist(), strict=True))

    def _parts(self, batch: Batch, suspects: Ints, before: Ints, found: Sorted) -> None:
        transactions, parts = frozenset(batch.transactions.tolist()), set[int]()
        for position in suspects.tolist():
            front = int(before[position])
            while front in parts:
                front = int(before[front])
            if front in transactions or position in transactions:
                continue
            start, end = batch.starts[position], batch.ends[position]
            if front >= 0:
                within = batch.starts[front] <= start and end <= batch.ends[front]
                request = batch.labels.texts[batch.labels.numbers[front]]
            else:
                row = self._last.get(batch.threads.texts[batch.threads.numbers[position]])
                if row is None or row.transaction:
                    continue
                within, request = row.start <= start and end <= row.end, row.label
            label = batch.labels.texts[batch.labels.numbers[position]]
            if within and samples.names_sub_result_of(label, request):
                parts.add(position)
                found.counts[position] = False
        found.parts += len(parts)

    def _remember(self, batch: Batch, found: Sorted) -> None:
        last = np.full(len(batch.threads.texts), -1)
        own = np.ones(batch.starts.size, dtype=np.bool_)
        if found.parts:
            own = found.counts.copy()
            own[batch.transactions] = True
        (positions,) = np.nonzero(own)
        last[batch.threads.numbers[positions]] = positions
        transactions = set(batch.transactions.tolist())
        for thread, position in zip(batch.threads.texts, last.tolist(), strict=True):
            if position >= 0:
                self._last.pop(thread, None)
                self._last[thread] = _row(batch, position, transaction=position in transactions)

    def _forget(self) -> list[tuple[Row, Held]]:
        """In bulk: the front of a dict that was often popped is slow to find."""
        surplus = len(self._last) - _MOST_THREADS
        if surplus < _MOST_THREADS:
            return []
        rows = iter(self._last.items())
        gone = [row for _, row in islice(rows, surplus)]
        self._last = dict(rows)
        return [(row, row.held) for row in gone if row.held is not None]

    def hold(self, thread: str, held: Held) -> None:
        """Keep a transaction that waits."""
        row = self._last[thread]
        self._last[thread] = Row(row.start, row.end, row.label, transaction=True, held=held)


def _row(batch: Batch, position: int, *, transaction: bool) -> Row:
    label = batch.labels.texts[batch.labels.numbers[position]]
    return Row(int(batch.starts[position]), int(batch.ends[position]), label, transaction)


def _holds(transaction: Row, following: Row) -> bool:
    """Whether the thread's next row is a request of the transaction, of JMeter's `subresults` in CSV."""
    if following.start < transaction.start or following.start > max(transaction.end - 1, transaction.start):
        return False
    alike = (following.start, following.end) == (transaction.start, transaction.end)
    return not following.transaction or (following.end <= transaction.end and not alike)
