"""The made-up shop's history as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`.

    python -m exporter.demo.openmetrics --start 2026-11-12T12:00:00Z --end 2026-11-20T12:00:00Z --seed 1 > history.om

Each minute has samples at :10 and :40: then rate(x[1m]) on a full minute extrapolates one straight line over exactly
that minute, with the closed ranges of Prometheus 2 and the left-open ones of Prometheus 3 alike, and is exact. Counters
start at zero at `--start`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

import numpy as np

from exporter.demo.families import FAMILIES, Series
from exporter.demo.noise import Floats, Minutes
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import ROLES, Traffic, traffic

OFFSETS = (10, 40)
"""Seconds into each minute at which it is sampled."""


def write(out: TextIO, start: float, end: float, seed: int) -> None:
    """Write all series over (start, end], both in Unix seconds on full minutes, one series at a time."""
    minutes = np.arange(int(start // 60) + 1, int(end // 60) + 1)
    sides = [
        (role, application, seen, _stamps(seen.minutes))
        for role in ROLES
        for application in APPLICATIONS
        if (seen := traffic(seed, role, application, minutes)).minutes.size
    ]
    for family in FAMILIES:
        out.write(f"# TYPE {family.name} {family.kind}\n# HELP {family.name} {family.help}\n")
        for role, application, seen, stamps in sides:
            for series in family.series(seed, role, application):
                values = _counter(series, seen) if family.counts else series.read(seen).repeat(len(OFFSETS))
                line = f"{series.text} %.9f%s"
                out.writelines([line % pair for pair in zip(values.tolist(), stamps, strict=True)])
    out.write("# EOF\n")


def _stamps(minutes: Minutes) -> list[str]:
    """The times of the samples as they end their lines; minute m begins at 60 (m - 1)."""
    return [f" {60 * (minute - 1) + offset}\n" for minute in minutes.tolist() for offset in OFFSETS]


def _counter(series: Series, seen: Traffic) -> Floats:
    """The counter at the samples of each minute, added up minute by minute as the live page does."""
    rate = series.read(seen)
    before = np.cumsum(np.concatenate([[0.0], rate * 60.0]))[:-1]
    return np.stack([before + rate * offset for offset in OFFSETS], axis=1).ravel()


def moment(text: str) -> float:
    """Unix seconds of a time such as 2026-11-20T12:00:00Z (UTC when it names no zone), which is a full minute."""
    try:
        read = datetime.fromisoformat(text)
        at = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-20T12:00:00Z") from None
    if at % 60.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a full minute")
    return at


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m exporter.demo.openmetrics", description=__doc__.splitlines()[0])
    parser.add_argument("--start", type=moment, required=True)
    parser.add_argument("--end", type=moment, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    write(sys.stdout, options.start, options.end, options.seed)


if __name__ == "__main__":
    main()
