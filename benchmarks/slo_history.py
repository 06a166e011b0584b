"""31 days of many objectives' recorded series, and their source, to fill a real Prometheus with.

The recorded series are one sample a minute, as rules record them. Ours carry only the label that rules select by, which
makes filling faster; Sloth's have the labels of its rules, which fail where a series' labels change. The source is
50 series at 30 s over the three days that Sloth's rules read of it; all objectives share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from exporter.model.slo import DAY
from exporter.slo.rules import names
from tests import remote_write

RATIO = f"{names.RATIO}5m"
SOURCE = "http_requests_total"
SCRAPE = 30
MINUTE = 60
SOURCE_SERIES = 50
_INSTANCES = 10
_CODES = ("200", "201", "404", "500", "503")
_PER_SECOND = {"200": 40.0, "201": 5.0, "404": 2.0, "500": 0.02, "503": 0.01}
_SOURCE = 3 * DAY + 600
_BORN = 1_700_000_000
RECORDED = {
    names.quarter("events"): (31 * DAY, 7050.0),
    names.quarter("errors"): (31 * DAY, 4.5),
    names.rate("events"): (DAY, 470.0),
    names.rate("errors"): (DAY, 0.3),
    RATIO: (31 * DAY, 0.0006),
}
"""Seconds of history and mean of each series; a day is longer than any window that is summed from minutes."""


def identifiers(count: int) -> list[str]:
    """The sloth_id of each objective."""
    return [f"shop-availability-{number:03d}" for number in range(count)]


def sloth_labels(identifier: str) -> dict[str, str]:
    """Labels of Sloth's rules; none of our rules selects this sloth_id."""
    service, slo = identifier.split("-", 1)
    return {"sloth_id": f"sloth-{identifier}", "sloth_service": service, "sloth_slo": slo}


def _labels(name: str, objectives: int) -> Iterator[dict[str, str]]:
    for identifier in identifiers(objectives):
        if name == RATIO:
            yield {**sloth_labels(identifier), "sloth_window": "5m"}
        else:
            yield {"sloth_id": identifier}


def write(path: Path, objectives: int, end: int) -> int:
    """Write history that ends at `end` as OpenMetrics; returns the number of samples."""
    random = np.random.default_rng(3)
    with path.open("w") as out:
        samples = _source(out, end)
        for name, (seconds, mean) in RECORDED.items():
            times = np.arange(end - seconds, end + 1, MINUTE)
            values = mean * random.gamma(20.0, 1 / 20.0, times.size)
            samples += objectives * times.size
            out.write(f"# TYPE {name} gauge\n")
            prefixes = (_prefix(name, labels) for labels in _labels(name, objectives))
            _repeat(out, prefixes, times, values)

        out.write("# EOF\n")
    return samples


def _prefix(name: str, labels: Mapping[str, str]) -> str:
    """The part of a sample's line before the value."""
    pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{pairs}}} "


def _repeat(
    out: TextIO, prefixes: Iterator[str], times: NDArray[np.int64], values: NDArray[np.float64], form: str = ".6g"
) -> None:
    """The same samples under each prefix; made into text once."""
    ends = [f"{value:{form}} {time}\n" for value, time in zip(values.tolist(), times.tolist(), strict=True)]
    out.writelines(prefix + prefix.join(ends) for prefix in prefixes)


def _source(out: TextIO, end: int) -> int:
    times = np.arange(end - _SOURCE, end + 1, SCRAPE)
    out.write(f"# TYPE {SOURCE.removesuffix('_total')} counter\n")
    for code in _CODES:
        labels = (f'{SOURCE}{{job="shop",instance="{n}",code="{code}"}} ' for n in range(_INSTANCES))
        _repeat(out, labels, times, _counted(code, times), ".3f")
    return SOURCE_SERIES * times.size


def _counted(code: str, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """A counter's value is a function of time alone, so that the series can be continued."""
    return _PER_SECOND[code] * (times - _BORN).astype(np.float64)


def continue_source(url: str, objectives: int, end: int, until: int) -> None:
    """On a running server, continue the source after `end` until `until`, which may lie a little ahead.

    The series of our rules end: otherwise they would stay for five minutes beside those of the server.
    """
    times = np.arange(end + SCRAPE, until + 1, SCRAPE)
    source = []
    for code in _CODES:
        samples = list(zip(times.tolist(), _counted(code, times).tolist(), strict=True))
        for number in range(_INSTANCES):
            labels = {"__name__": SOURCE, "job": "shop", "instance": str(number), "code": code}
            source.append((labels, samples))
    remote_write.write_samples(url, source)

    end_mark = [(end + 1, None)]
    for name in RECORDED.keys() - {RATIO}:
        series = [({"__name__": name, **labels}, end_mark) for labels in _labels(name, objectives)]
        remote_write.write_samples(url, series)
