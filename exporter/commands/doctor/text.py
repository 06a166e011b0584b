"""A check-up as lines for a person: one mark per step, with causes and remedies for problems."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from exporter import humanize
from exporter.model.checkup import Cause, CheckResult, Checkup, CheckVerdict

WIDTH = 110
"""Maximum columns; only a single longer word exceeds it."""

MARKS: dict[CheckVerdict, str] = {"ok": "ok", "warning": "warning", "failed": "FAILED", "skipped": "skipped"}

_MARK = 9
_NAME = 24
"""Columns of the mark, and of check and subject, with the gap after them."""

_BESIDE = " " * (2 + _MARK + _NAME)

_PLAIN = "\x1b[0m"
_BOLD = "\x1b[1m"
_DIM = "\x1b[2m"
_COLOURS: dict[CheckVerdict, str] = {"ok": "\x1b[32m", "warning": "\x1b[33m", "failed": "\x1b[1;31m", "skipped": _DIM}


def heading(source: str, kind: str, role: str, *, colour: bool = False) -> str:
    """The line before a source's steps."""
    description = kind if source == role else f"{kind}, {role}"
    name = f"{_BOLD}{source}{_PLAIN}" if colour else source
    return f"{name} ({description})"


def lines(steps: Iterable[CheckResult], *, colour: bool = False) -> Iterator[str]:
    """Each step's lines as soon as it is done; consecutive skipped steps are printed together.

    Causes that another step has already printed are replaced by its name: six signals that fail alike stay short.
    """
    skipped: list[CheckResult] = []
    first_with: dict[tuple[Cause, ...], str] = {}

    for done in steps:
        if done.verdict == "skipped":
            skipped.append(done)
            continue
        if skipped:
            yield step(_together(skipped), colour=colour)
            skipped = []

        yield step(done, first_with.get(done.causes, ""), colour=colour)
        first_with.setdefault(done.causes, _name(done))

    if skipped:
        yield step(_together(skipped), colour=colour)


def _together(skipped: Sequence[CheckResult]) -> CheckResult:
    """One line for consecutive skipped steps, which all wait for the same step."""
    first = skipped[0]
    if len(skipped) == 1:
        return first

    names = ", ".join(dict.fromkeys(done.check for done in skipped))
    subjects = {done.subject for done in skipped} - {""}
    subject = f"of {next(iter(subjects))}" if len(subjects) == 1 else ""
    return replace(first, check=f"{len(skipped)} steps", subject=subject, result=f"{first.result}: {names}")


def _name(done: CheckResult) -> str:
    return f"{done.check} {done.subject}".strip()


def step(done: CheckResult, same: str = "", *, colour: bool = False) -> str:
    """A step: mark, check and subject, the attempt, the result; unless all is well, causes with remedies.

    `same`: an earlier step that has printed the same causes.
    """
    mark = MARKS[done.verdict].ljust(_MARK)
    if colour:
        mark = f"{_COLOURS[done.verdict]}{mark}{_PLAIN}"

    name = _name(done)
    head = f"  {mark}{name.ljust(_NAME)}"
    if len(name) >= _NAME:  # a long name has its own line
        head = f"  {mark}{name}\n{_BESIDE}"
    return head + f"\n{_BESIDE}".join(_beside(done, same))


def summary(source: str, steps: Sequence[CheckResult]) -> str:
    """The number of steps by verdict: "pte: 1 FAILED, 1 warning, 5 ok, 2 skipped"."""
    verdicts = [done.verdict for done in steps]
    order: tuple[CheckVerdict, ...] = ("failed", "warning", "ok", "skipped")
    counts = [f"{verdicts.count(verdict)} {MARKS[verdict]}" for verdict in order if verdict in verdicts]
    return f"{source}: {', '.join(counts) or 'nothing to check'}"


def checkup(done: Checkup, role: str = "", *, colour: bool = False) -> str:
    """A whole check-up, as the command prints it."""
    head = heading(done.source, done.kind, role or done.source, colour=colour)
    return "\n".join([head, *lines(done.steps, colour=colour), summary(done.source, done.steps), ""])


def ends(at: Iterable[tuple[str, bool]]) -> str:
    """The last line: whether all sources are well, else the names of the others."""
    unwell = [name for name, well in at if not well]
    if not unwell:
        return "All is well."
    return f"Not well: {humanize.join_words(unwell)}."


def _beside(done: CheckResult, same: str) -> Iterator[str]:
    """The lines to the right of the name."""
    if done.verdict == "skipped":
        yield from _wrapped(done.result, "", "")
        return

    yield from _wrapped(done.tried, "", "  ")
    yield from _wrapped(done.result, "-> ", "   ")
    if done.causes and same:
        yield from _wrapped(f"causes and remedies: see {same}", "   ", "   ")
        return
    for number, cause in enumerate(done.causes, 1):
        label = f"{number}. " if len(done.causes) > 1 else "because "
        yield from _cause(label, cause)


def _cause(label: str, cause: Cause) -> Iterator[str]:
    yield from _wrapped(cause.text, f"   {label}", "      ")
    yield from _wrapped(cause.remedy, "      do: ", "          ")


def _wrapped(text: str, first: str, further: str) -> list[str]:
    """The text wrapped to fit beside the names; a path or URL is never broken."""
    shape = textwrap.TextWrapper(WIDTH - len(_BESIDE), first, further, break_long_words=False, break_on_hyphens=False)
    return shape.wrap(text) or [first.rstrip()]
