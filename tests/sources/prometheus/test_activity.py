"""Active minutes cached between polls, on real servers: fewer queries, and the same result as a fresh source."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from exporter.analysis import run
from exporter.errors import SourceError
from exporter.model.observation import ApplicationObservation, Observation, Window
from exporter.model.settings import TestRunSettings
from exporter.sources.prometheus.source import Options, Source
from tests import servers

END = 1795176000.0
DAY = 86400.0
LOOKBACK = 3 * DAY
RUNS = {
    "shop": (END - 2.5 * DAY, END - 2.4 * DAY),
    "search": (END - 7200, END),
    "twice": (END - 1.3 * DAY, END - 1.2 * DAY),
}
"""Application to the start and end of its activity; search is still going on."""

choose = partial(run.choose, settings=TestRunSettings(), explicit={})


def history() -> Iterator[str]:
    """A gauge that is 10 during runs and 0 otherwise; for some time on one day `twice` has two series of it."""
    yield "# TYPE load gauge"
    for name, (start, end) in RUNS.items():
        for time in range(int(END - LOOKBACK), int(END) + 601, 60):
            yield f'load{{job="{name}"}} {10 if start < time <= end else 0} {time}'
    for time in range(int(END - 1.4 * DAY), int(END - 1.1 * DAY), 60):
        yield f'load{{job="twice",wrong="yes"}} 10 {time}'
    yield "# EOF"


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("activity")
    file = directory / "load.om"
    file.write_text("\n".join(history()) + "\n")
    return servers.create_blocks("2.42", file, directory / "blocks")


@pytest.fixture(params=["2.42", "3"])
def server(request: pytest.FixtureRequest, tmp_path: Path, blocks: Path) -> Iterator[servers.Server]:
    with servers.prometheus(request.param, tmp_path, blocks=blocks, args=["--web.enable-admin-api"]) as server:
        yield server


def source(server: servers.Server, selector: str = 'wrong!="yes"') -> Source:
    signals: dict[str, str | None] = {"request_rate": "load{$selector}"}
    labels = {"application": "job"}
    return Source(Options(url=server.url, preset="custom", selector=selector, labels=labels, signals=signals), "pte")


def poll(source: Source, end: float) -> Observation:
    return source.observe_runs(Window(end - LOOKBACK, end), 1.0, choose)


def content(observation: Observation) -> dict[str, ApplicationObservation]:
    return dict(observation.applications)


def samples(server: servers.Server) -> float:
    """Samples that the server has read for queries, by its own count."""
    page = requests.get(f"{server.url}/metrics", timeout=60).text
    [observation] = re.findall(r"^prometheus_engine_query_samples_total (\S+)$", page, re.MULTILINE)
    return float(observation)


def test_second_poll_asks_less(server: servers.Server) -> None:
    """A second poll asks for one piece of the look-back instead of three, and sees the same."""
    long_lived = source(server)
    first, second = poll(long_lived, END), poll(long_lived, END)
    assert set(first.applications) == set(RUNS)
    assert content(second) == content(first)
    assert second.queries == first.queries - 4  # two days, each with the question whether it was recorded


def test_second_poll_reads_less(blocks: Path, tmp_path: Path) -> None:
    """By the server's own count the first poll reads the whole look-back, the second little beside the runs."""
    with servers.prometheus("3", tmp_path, blocks=blocks) as server:
        long_lived = source(server)
        marks = [samples(server)]
        for _ in range(2):
            observation = poll(long_lived, END)
            marks.append(samples(server))
    runs = sum(search.window.duration / 60 for search in observation.applications.values()) * len(RUNS)
    assert marks[1] - marks[0] > LOOKBACK / 60 * len(RUNS)
    assert marks[2] - marks[1] < runs + 200


def test_run_that_goes_on_grows(server: servers.Server) -> None:
    """A running run grows with each poll, a run outside the look-back disappears; as with a fresh source."""
    long_lived = source(server)
    ends = [END - 9000, END - 5400, END - 5100, END - 1800, END - 1740, END, END + 1.55 * DAY]
    lengths = []
    for end in ends:
        observation, fresh = poll(long_lived, end), poll(source(server), end)
        assert content(observation) == content(fresh)
        search = observation.applications.get("search")
        lengths.append(0.0 if search is None else search.window.duration)
    assert lengths == [0, 1800, 2100, 5400, 5460, 7200, 7200]
    assert set(observation.applications) == {"search", "twice"}


def test_failure_in_the_middle_leaves_no_hole(server: servers.Server) -> None:
    """A poll that fails at the second of three days is gone on with there, and ends like that of a fresh source."""
    long_lived = source(server, selector="")
    for _ in range(2):
        with pytest.raises(SourceError, match="duplicate series") as caught:
            poll(long_lived, END)
        assert caught.value.reason == "bad_data"
    delete = {"match[]": 'load{wrong="yes"}'}
    requests.post(f"{server.url}/api/v1/admin/tsdb/delete_series", params=delete, timeout=30).raise_for_status()
    observation, fresh = poll(long_lived, END), poll(source(server, selector=""), END)
    assert set(observation.applications) == set(RUNS)
    assert content(observation) == content(fresh)


def test_other_threshold(server: servers.Server) -> None:
    """Minutes above one threshold do not count for another."""
    long_lived = source(server)
    assert set(poll(long_lived, END).applications) == set(RUNS)
    assert long_lived.observe_runs(Window(END - LOOKBACK, END), 20.0, choose).applications == {}


def test_clock_is_not_part_of_what_is_seen(server: servers.Server) -> None:
    """Two fresh sources see the same but for the time that an answer took."""
    search, other = poll(source(server), END), poll(source(server), END)
    assert dataclasses.replace(search, clock_skew=None) == dataclasses.replace(other, clock_skew=None)
