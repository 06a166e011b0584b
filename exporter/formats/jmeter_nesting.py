"""Which rows of a JMeter CSV are requests of their own: nothing may count twice. docs/results.md, section "JMeter".

A thread does one thing after another. So a transaction that began before the row in front of it (of the same thread)
stands beside its requests, and a row that lies within the request in front of it is a part of that request.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from exporter.formats import jmeter
from exporter.formats.jmeter_rows import Codes, Ints
from exporter.formats.tally import Flags

_MOST_THREADS = 100_000
"""What is known of threads beyond, those seen longest ago first, is forgotten."""


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
    empty: frozenset[int]
    """Those of them in which nothing was requested."""


class Nesting:
    """Remembers each thread's last row from batch to batch."""

    def __init__(self) -> None:
        self._last: dict[str, Row] = {}

    def sort(self, batch: Batch) -> tuple[Sorted, list[tuple[Row, Held]]]:
        """What counts of a batch, and transactions of earlier ones that turned out to count."""
        found = Sorted(np.ones(batch.starts.size, dtype=np.bool_))
        suspects = np.array([jmeter.may_be_sub_result(text) for text in batch.labels.texts], dtype=np.bool_)
        candidates = suspects[batch.labels.numbers]
        candidates[batch.transactions] = True
        released = self._release(batch, found)
        if candidates.any():
            self._decide(batch, np.flatnonzero(candidates), found)
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

    def _decide(self, batch: Batch, candidates: Ints, found: Sorted) -> None:
        order = np.argsort(batch.threads.numbers, kind="stable")
        same = batch.threads.numbers[order[1:]] == batch.threads.numbers[order[:-1]]
        before, after = np.full(order.size, -1), np.full(order.size, -1)
        before[order[1:][same]] = order[:-1][same]
        after[order[:-1][same]] = order[1:][same]
        transactions, parts = set(batch.transactions.tolist()), set[int]()
        for position in candidates.tolist():
            front = int(before[position])
            while front in parts:
                front = int(before[front])
            thread = batch.threads.texts[batch.threads.numbers[position]]
            previous = _row(batch, front, transaction=front in transactions) if front >= 0 else self._last.get(thread)
            if position in transactions:
                following = int(after[position])
                next_ = _row(batch, following, transaction=following in transactions) if following >= 0 else None
                self._transaction(batch, position, (previous, next_), found)
            elif previous is not None and _is_part(_row(batch, position, transaction=False), previous):
                parts.add(position)
                found.counts[position] = False
                found.parts += 1

    def _transaction(self, batch: Batch, position: int, around: tuple[Row | None, Row | None], found: Sorted) -> None:
        """`around` it are the rows before and after it in its thread."""
        row, (previous, following) = _row(batch, position, transaction=True), around
        beside = previous is not None and previous.start >= row.start
        beside = beside or (following is not None and _holds(row, following))
        if beside or position in batch.empty:
            found.counts[position] = False
            found.beside += 1
        elif following is not None:
            found.hidden += 1
        else:
            found.counts[position] = False
            found.waiting[batch.threads.texts[batch.threads.numbers[position]]] = position

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
        gone = [self._last.pop(next(iter(self._last))) for _ in range(len(self._last) - _MOST_THREADS)]
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


def _is_part(row: Row, request: Row) -> bool:
    within = request.start <= row.start and row.end <= request.end
    return within and not request.transaction and jmeter.names_sub_result_of(row.label, request.label)
