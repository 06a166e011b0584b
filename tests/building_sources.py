"""Every kind of source that can be either side, built on the same made-up shop: computed, asked from a server, read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from deploy.stack.controller import ACCOUNT, CLIENT, Controller, serve
from exporter import sources
from exporter.analysis import run
from exporter.demo.shop import APPLICATIONS
from exporter.model.observation import (
    Window,
)
from exporter.model.settings import TestRunSettings
from exporter.sources import Source, demo, recorded
from exporter.sources.appdynamics import source as appdynamics
from exporter.sources.appdynamics.options import ControllerApplication
from exporter.sources.prometheus import source as prometheus
from tests import seed, servers

DAY = Window(seed.END - 86400.0, seed.END)
WEEK = Window(seed.END - 7 * 86400.0, seed.END)
LOOKBACK = Window(seed.END - 9 * 86400.0, seed.END)
THRESHOLD = 1.0

choose = partial(run.choose, settings=TestRunSettings(), explicit={})


@dataclasses.dataclass(frozen=True)
class Built:
    """A kind with real data behind it: how to construct each side, and one that cannot be read."""

    module: ModuleType
    production: Any
    pte: Any
    unreadable: Any
    """Options of a source that must fail; None for a kind that has nothing to read."""
    unknown: frozenset[str] = frozenset()
    """Data that the kind lacks and must not report: signals, "buckets", percentiles by their names in Latency."""

    clock: Callable[[], float] | None = None
    """The time that the source's server has, where its data is not there before it is over."""
    remembers: bool = False
    """Whether a source asks less when it is asked again, having kept the past."""

    def source(self, options: Any, side: str = "production") -> Source:
        clock_argument = {} if self.clock is None else {"clock": self.clock}
        instance: Source = self.module.Source(options, side, **clock_argument)
        return instance


@contextmanager
def build_demo(_: Path) -> Iterator[Built]:
    yield Built(demo, demo.Options(seed=seed.SEED), demo.Options(seed=seed.SEED), None)


@contextmanager
def build_recorded(directory: Path) -> Iterator[Built]:
    shop = demo.Source(demo.Options(seed=seed.SEED), "shop")
    observations = {"production": shop.observe(DAY, WEEK), "pte": shop.observe_runs(LOOKBACK, THRESHOLD, choose)}
    file = directory / "report.json"
    file.write_bytes(msgspec.json.encode({"observations": observations}))
    options = recorded.Options(file=file)
    yield Built(recorded, options, options, recorded.Options(file=directory / "missing.json"))


@contextmanager
def build_prometheus(directory: Path) -> Iterator[Built]:
    config = sources.read(servers.TOP / "deploy" / "stack" / "exporter.yml")
    with servers.prometheus("3", directory, blocks=seed.tsdb()) as server:
        sides = {
            role: msgspec.structs.replace(config.environment(role).source, url=server.url)
            for role in ("production", "pte")
        }
        nobody = msgspec.structs.replace(sides["production"], url=f"http://127.0.0.1:{servers.free_port()}")
        yield Built(prometheus, sides["production"], sides["pte"], nobody)


@contextmanager
def build_appdynamics(directory: Path) -> Iterator[Built]:
    """The controller has other names for the applications, and its clock is some minutes past the data's end."""

    def clock() -> float:
        return seed.END + 300.0

    controller = Controller(seed.SEED, clock, exact=True)
    secret = directory / "secret"
    secret.write_text(controller.secret, encoding="utf-8")
    with serve(controller) as url:
        production, pte = (
            appdynamics.Options(
                url=url,
                account=ACCOUNT,
                client=CLIENT,
                client_secret_file=secret,
                applications={shop.name: ControllerApplication(name=f"{shop.name}{suffix}") for shop in APPLICATIONS},
            )
            for suffix in ("", "-pte")
        )
        nobody = msgspec.structs.replace(production, url=f"http://127.0.0.1:{servers.free_port()}")
        unknown = {"throughput", "concurrent_users", "p50", "p99", "p999", "buckets"}
        yield Built(appdynamics, production, pte, nobody, frozenset(unknown), clock, remembers=True)


BUILD = {
    "demo": build_demo,
    "recorded": build_recorded,
    "prometheus": build_prometheus,
    "appdynamics": build_appdynamics,
}

PRODUCTION = sorted(kind for kind, module in sources.kinds().items() if "production" in sources.roles(module))
"""Kinds that can be either side. What only knows test runs has its tests beside its own (test_loadtest.py)."""
