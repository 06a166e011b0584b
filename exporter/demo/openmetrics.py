"""The made-up shop's history as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`.

    python -m exporter.demo.openmetrics --start 2026-11-12T12:00:00Z --end 2026-11-20T12:00:00Z --seed 1 > history.om

Each minute has samples at :10 and :40: then rate(x[1m]) on a full minute extrapolates one straight line over exactly
that minute, with the closed ranges of Prometheus 2 and the left-open ones of Prometheus 3 alike, and is exact. Counters
start at zero at `--start`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

import numpy as np

from exporter.demo.families import FAMILIES, DemoSeries
from exporter.demo.noise import Floats, MinuteNumbers
from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import ROLES, ShopTraffic, traffic

OFFSETS = (10, 40)
"""Seconds into each minute at which it is sampled."""


def write(out: TextIO, start: float, end: float, seed: int) -> None:
    """Write all series over (start, end], both in Unix seconds on full minutes, one series at a time."""
    minutes = np.arange(int(start // 60) + 1, int(end // 60) + 1)
    sides = []
    for role, application in itertools.product(ROLES, APPLICATIONS):
        side_traffic = traffic(seed, role, application, minutes)
        if side_traffic.minutes.size:
            sides.append((role, application, side_traffic, _stamps(side_traffic.minutes)))

    for family in FAMILIES:
        out.write(f"# TYPE {family.name} {family.kind}\n# HELP {family.name} {family.help}\n")
        for role, application, side_traffic, stamps in sides:
            for series in family.series(seed, role, application):
                values = _counter(series, side_traffic) if family.counts else _gauge(series, side_traffic)
                line = f"{series.text} %.9f%s"
                out.writelines([line % pair for pair in zip(values.tolist(), stamps, strict=True)])
    out.write("# EOF\n")


def _stamps(minutes: MinuteNumbers) -> list[str]:
    """The times of the samples as they end their lines; minute m begins at 60 (m - 1)."""
    return [f" {60 * (minute - 1) + offset}\n" for minute in minutes.tolist() for offset in OFFSETS]


def _gauge(series: DemoSeries, side_traffic: ShopTraffic) -> Floats:
    return series.read(side_traffic).repeat(len(OFFSETS))


def _counter(series: DemoSeries, side_traffic: ShopTraffic) -> Floats:
    """The counter at the samples of each minute, added up minute by minute as the page for a scrape does."""
    rate = series.read(side_traffic)
    before = np.cumsum(np.concatenate([[0.0], rate * 60.0]))[:-1]
    return np.stack([before + rate * offset for offset in OFFSETS], axis=1).ravel()


def moment(text: str) -> float:
    """Unix seconds of a time such as 2026-11-20T12:00:00Z (UTC when it names no zone), which is a full minute."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        at = time.timestamp()
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
