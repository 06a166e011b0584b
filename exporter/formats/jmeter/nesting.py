"""Which rows of a JMeter CSV are requests of their own: nothing may count twice. docs/reference/formats.md, section
"JMeter".

A thread does one thing after another. So a transaction that began before the row in front of it (of the same thread)
is in addition to its requests, and a row that lies within the request in front of it is a part of that request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from exporter.formats.jmeter import samples
from exporter.formats.jmeter.records import Ints
from exporter.formats.jmeter.rows import ColumnValues
from exporter.formats.tally.batch import Flags

_MOST_THREADS = 25_000
"""When twice as many are known, those that did nothing for longest are forgotten."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction whose requests may still follow; it is added up when they do not."""

    endpoint: int
    seconds: float
    failed: bool
    kind: int
    received: float
    sent: float


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A row of a thread that is not part of another; milliseconds."""

    start: int
    end: int
    label: str
    transaction: bool
    pending: Pending | None = None


@dataclass(slots=True)
class Decision:
    """What the rows of a block are."""

    counts: Flags
    """Rows that are requests by themselves."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Thread to a transaction that was its last row: not counted yet."""
    hidden: int = 0
    """Transactions that count, since their requests are not in the file."""
    beside: int = 0
    """Transactions whose requests count."""
    parts: int = 0
    """Rows that are part of another."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Rows in the order of the file; milliseconds."""

    starts: Ints
    ends: Ints
    labels: ColumnValues
    threads: ColumnValues
    transactions: Ints
    """Rows that a Transaction Controller made, ascending."""
    empty: Ints
    """Those of them in which nothing was requested."""

    def row(self, position: int, *, transaction: bool) -> ThreadRow:
        return ThreadRow(int(self.starts[position]), int(self.ends[position]), self.labels.text(position), transaction)


class Nesting:
    """Remembers each thread's last row from block to block."""

    def __init__(self) -> None:
        self._last: dict[str, ThreadRow] = {}

    def sort(self, rows: Timings) -> tuple[Decision, list[tuple[ThreadRow, Pending]]]:
        """What counts of a block, and transactions of earlier ones that turned out to count."""
        decision = Decision(np.ones(rows.starts.size, dtype=np.bool_))
        released = self._release(rows, decision)

        may_be_parts = np.array([samples.may_be_sub_result(text) for text in rows.labels.texts], dtype=np.bool_)
        suspects = np.flatnonzero(may_be_parts[rows.labels.numbers])
        if suspects.size or rows.transactions.size:
            self._decide(rows, suspects, decision)

        self._remember(rows, decision)
        return decision, released + self._forget()

    def keep_waiting(self, thread: str, pending: Pending) -> None:
        """A transaction that is its thread's last row: the next one decides."""
        row = self._last[thread]
        self._last[thread] = ThreadRow(row.start, row.end, row.label, transaction=True, pending=pending)

    def end(self) -> list[tuple[ThreadRow, Pending]]:
        """Transactions after which nothing came."""
        released = [(row, row.pending) for row in self._last.values() if row.pending is not None]
        self._last = {}
        return released

    def _release(self, rows: Timings, decision: Decision) -> list[tuple[ThreadRow, Pending]]:
        """Transactions that waited for their thread's next row, and it does not belong to them."""
        released: list[tuple[ThreadRow, Pending]] = []
        if all(row.pending is None for row in self._last.values()):
            return released

        # Written from the end, the position that stays is each thread's first.
        first = np.zeros(len(rows.threads.texts), dtype=np.int64)
        first[rows.threads.numbers[::-1]] = np.arange(rows.starts.size)[::-1]
        transactions = set(rows.transactions.tolist())
        for thread, position in zip(rows.threads.texts, first.tolist(), strict=True):
            row = self._last.get(thread)
            if row is None or row.pending is None:
                continue
            if _holds(row, rows.row(position, transaction=position in transactions)):
                decision.beside += 1
            else:
                released.append((row, row.pending))
            self._last[thread] = ThreadRow(row.start, row.end, row.label, transaction=True)
        return released

    def _decide(self, rows: Timings, suspects: Ints, decision: Decision) -> None:
        before, after = _neighbours(rows.threads.numbers)
        if rows.transactions.size:
            self._decide_transactions(rows, before, after, decision)
        if suspects.size:
            self._decide_parts(rows, suspects, before, decision)

    def _decide_transactions(self, rows: Timings, before: Ints, after: Ints, decision: Decision) -> None:
        which = rows.transactions
        left_out = self._follow_requests(rows, before) | _precede_requests(rows, after) | np.isin(which, rows.empty)
        # After its thread's last row in this block, its requests may come in the next one.
        waits = ~left_out & (after[which] < 0)

        decision.counts[which[left_out | waits]] = False
        decision.beside += int(np.count_nonzero(left_out))
        decision.hidden += int(np.count_nonzero(~left_out & ~waits))
        for position in which[waits].tolist():
            decision.waiting[rows.threads.text(position)] = position

    def _follow_requests(self, rows: Timings, before: Ints) -> Flags:
        """Transactions that began before the row in front of them, their request: JMeter's usual order."""
        which = rows.transactions
        front = before[which]
        follow = (front >= 0) & (rows.starts[front] >= rows.starts[which])

        # The row in front of a thread's first row here is in an earlier block.
        for at in np.flatnonzero(front < 0).tolist():
            position = int(which[at])
            previous = self._last.get(rows.threads.text(position))
            follow[at] = previous is not None and previous.start >= rows.starts[position]
        return follow

    def _decide_parts(self, rows: Timings, suspects: Ints, before: Ints, decision: Decision) -> None:
        transactions = frozenset(rows.transactions.tolist())
        parts = set[int]()
        for position in suspects.tolist():
            front = int(before[position])
            while front in parts:  # parts of one request follow each other
                front = int(before[front])
            if front in transactions or position in transactions:
                continue
            if self._is_part(rows, position, front):
                parts.add(position)
                decision.counts[position] = False
        decision.parts += len(parts)

    def _is_part(self, rows: Timings, position: int, front: int) -> bool:
        """Whether a row lies within the request in front of it and is named as its sub-result."""
        start = rows.starts[position]
        end = rows.ends[position]
        if front >= 0:
            within = rows.starts[front] <= start and end <= rows.ends[front]
            request = rows.labels.text(front)
        else:
            row = self._last.get(rows.threads.text(position))
            if row is None or row.transaction:
                return False
            within = row.start <= start and end <= row.end
            request = row.label
        return bool(within) and samples.names_sub_result_of(rows.labels.text(position), request)

    def _remember(self, rows: Timings, decision: Decision) -> None:
        """Each thread's last row that is not part of another."""
        own = np.ones(rows.starts.size, dtype=np.bool_)
        if decision.parts:
            own = decision.counts.copy()
            own[rows.transactions] = True
        positions = np.flatnonzero(own)
        last = np.full(len(rows.threads.texts), -1)
        last[rows.threads.numbers[positions]] = positions

        transactions = set(rows.transactions.tolist())
        for thread, position in zip(rows.threads.texts, last.tolist(), strict=True):
            if position >= 0:
                self._last.pop(thread, None)  # moves it to the end; the first ones are forgotten
                self._last[thread] = rows.row(position, transaction=position in transactions)

    def _forget(self) -> list[tuple[ThreadRow, Pending]]:
        """In bulk: the front of a dict that was often popped is slow to find."""
        surplus = len(self._last) - _MOST_THREADS
        if surplus < _MOST_THREADS:
            return []

        rows = iter(self._last.items())
        oldest = [row for _, row in islice(rows, surplus)]
        self._last = dict(rows)
        return [(row, row.pending) for row in oldest if row.pending is not None]


def _neighbours(threads: Ints) -> tuple[Ints, Ints]:
    """The rows before and after each row of the same thread; -1 where there is none."""
    order = np.argsort(threads, kind="stable")
    same = threads[order[1:]] == threads[order[:-1]]
    before = np.full(order.size, -1)
    before[order[1:][same]] = order[:-1][same]
    after = np.full(order.size, -1)
    after[order[:-1][same]] = order[1:][same]
    return before, after


def _precede_requests(rows: Timings, after: Ints) -> Flags:
    """Transactions whose thread's next row is one of their requests: of JMeter's `subresults` in CSV. As _holds."""
    which = rows.transactions
    start = rows.starts[which]
    end = rows.ends[which]
    behind = after[which]
    next_start = rows.starts[behind]
    next_end = rows.ends[behind]

    marked = np.zeros(rows.starts.size, dtype=np.bool_)
    marked[which] = True
    within = (next_start >= start) & (next_start <= np.maximum(end - 1, start))
    alike = (next_start == start) & (next_end == end)
    inner = (next_end <= end) & ~alike
    precede: Flags = (behind >= 0) & within & (~marked[behind] | inner)
    return precede


def _holds(transaction: ThreadRow, following: ThreadRow) -> bool:
    """Whether the thread's next row is a request of the transaction, or a transaction inside it."""
    if following.start < transaction.start or following.start > max(transaction.end - 1, transaction.start):
        return False
    if not following.transaction:
        return True
    alike = (following.start, following.end) == (transaction.start, transaction.end)
    return following.end <= transaction.end and not alike
