"""What becomes of a run once the load generator has ended: read, told, saved, published; each failure is one line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from exporter.commands.run import terminal
from exporter.commands.run.awaiting import Followed
from exporter.commands.run.sampler import Sampler
from exporter.errors import PteError, SourceError
from exporter.formats import saved
from exporter.model.loadrun import LoadRun, Usage
from exporter.publishing import destinations, page, summary
from exporter.publishing.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done with the result."""

    application: str
    told: Inputs
    """What it is judged by and against."""
    chosen: Sequence[destinations.Destination]
    save: Path | None = None
    run: str = ""
    commit: str = ""
    printed: bool = False
    """The result is what the generator printed, so that no file gives it a name."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the generator ended."""

    code: int
    signalled: signal.Signals | None
    """What it was told to end with."""
    usage: Mapping[str, Usage]


def used(sampler: Sampler) -> Mapping[str, Usage]:
    """Of each process that was sampled."""
    found = {name: watched.usage() for name, watched in sampler.watched().items()}
    return {name: one for name, one in found.items() if one is not None}


def deal_with(following: Followed, ended: Ended, wanted: Wanted) -> bool:
    """Whether all that was wanted could be done."""
    try:
        run = _described(following.finish(), ended, wanted)
        if not run.total.requests:
            raise SourceError("bad_data", f"{run.run}: holds no requests: there is nothing to publish")
        snapshot, body = page.of_run(run, wanted.application, wanted.told)
    except PteError as error:
        text = str(error)
        _say(f"no result: {text.replace(str(following.path), 'standard output') if wanted.printed else text}")
        tell(ended)
        return False
    judged = snapshot.applications[wanted.application].load_run
    shown = summary.of_run(snapshot, wanted.application, wanted.told.warnings)
    _print(terminal.summary(shown, run, judged.grade if judged is not None else None))
    # Both are tried: what cannot be published is at least saved.
    return all([_save(run, wanted.save), _publish(wanted, body)])


def tell(ended: Ended) -> None:
    """What was used, where nothing else is known."""
    _print("\n".join(terminal.usage(ended.usage)))


def _described(run: LoadRun, ended: Ended, wanted: Wanted) -> LoadRun:
    """With its name and what only we know of it."""
    named = wanted.run or ("" if wanted.printed else run.run)
    if not named:
        named = f"{run.tool}-{datetime.fromtimestamp(run.start, UTC):%Y%m%dT%H%M%SZ}"
    described = replace(run, run=named, commit=wanted.commit or run.commit, usage=ended.usage)
    how = None
    if ended.signalled is not None:
        how = f"was ended early by {ended.signalled.name}"
    elif ended.code > 128:
        how = f"died with exit code {ended.code}, as of signal {ended.code - 128}"
    if how is None:
        return described
    return replace(described, complete=False, warnings=(*run.warnings, f"the load generator {how}"))


def _save(run: LoadRun, path: Path | None) -> bool:
    if path is None:
        return True
    try:
        path.write_bytes(saved.write(run))
    except OSError as error:
        _say(f"not saved: {path}: {error.strerror}")
        return False
    _print(f"saved as {path}")
    return True


def _publish(wanted: Wanted, body: bytes) -> bool:
    try:
        told = destinations.send(wanted.chosen, wanted.application, "load_run", body)
    except (PteError, OSError) as error:
        _say(f"not published: {error}")
        return False
    _print(told)
    return True


def _say(line: str) -> None:
    print(f"pte-exporter: {line}", file=sys.stderr, flush=True)


def _print(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)
