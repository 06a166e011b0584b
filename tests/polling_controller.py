"""A controller stub on a real socket, with a clock that the test sets, and sources that poll it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from deploy.stack.controller import ACCOUNT, CLIENT, Answer, Controller, Fault, Request, serve
from exporter.analysis import run
from exporter.demo.shop import APPLICATIONS
from exporter.model.observation import Observation, Window
from exporter.model.settings import TestRunSettings
from exporter.sources.appdynamics import source as appdynamics
from exporter.sources.appdynamics.options import Calls, ControllerApplication
from tests.asking_controller import Clock
from tests.seed import END, SEED

DAY = 86400.0
SETTLED = 300.0
"""Seconds after which agents have reported all of a window."""

NAMES = tuple(application.name for application in APPLICATIONS)
choose = partial(run.choose, settings=TestRunSettings(), explicit={})


@dataclass
class Estate:
    """A running controller and how to poll it."""

    controller: Controller
    url: str
    clock: Clock
    secret: Path

    def options(self, names: tuple[str, ...] = NAMES, suffix: str = "", **more: Any) -> appdynamics.Options:
        applications = {name: ControllerApplication(name=f"{name}{suffix}") for name in names}
        values = {"applications": applications, "calls": Calls(**more.pop("calls", {}))}
        return appdynamics.Options(
            url=self.url, account=ACCOUNT, client=CLIENT, client_secret_file=self.secret, **{**values, **more}
        )

    def source(self, *names: str, suffix: str = "", **more: Any) -> appdynamics.Source:
        options = self.options(names or NAMES, suffix, **more)
        return appdynamics.Source(options, "side", self.clock, self.clock)

    @property
    def end(self) -> float:
        """Where the windows of a poll end that is made a while after the minute."""
        return self.clock.now - SETTLED

    def day(self) -> Window:
        return Window(self.end - DAY, self.end)

    def week(self) -> Window:
        return Window(self.end - 7 * DAY, self.end)

    def poll(self, source: appdynamics.Source, after: float = 0.0, *, pattern: bool = True) -> Observation:
        """Production as the pipeline observes it, so many seconds later."""
        self.clock.now += after
        return source.observe(self.day(), self.week() if pattern else None)

    def runs(self, source: appdynamics.Source, days: float = 9, after: float = 0.0, **windows: Window) -> Observation:
        self.clock.now += after
        settings = partial(run.choose, settings=TestRunSettings(), explicit=windows)
        return source.observe_runs(Window(self.end - days * DAY, self.end), 1.0, settings)

    def paths(self) -> list[str]:
        """Requested metric data, in order."""
        requests = (parse_qs(urlsplit(request.target).query) for request in list(self.controller.requests))
        return [query["metric-path"][0] for query in requests if "metric-path" in query]

    def rewrite(self, expected: str, change: Callable[[list[Any]], list[Any]]) -> None:
        """From now on change the data of answers to requests whose query or path holds this text, decoded."""

        def rewritten(request: Request, answer: Answer) -> Answer:
            if answer.status != 200 or expected not in request.path + str(sorted(request.query.items())):
                return answer
            return replace(answer, body=msgspec.json.encode(change(msgspec.json.decode(answer.body))))

        self.controller.faults.add(Fault(rewritten, "/controller/rest/*"))


@contextlib.contextmanager
def estate(directory: Path, **options: Any) -> Iterator[Estate]:
    """The made-up shop's data is complete up to END; the clock is some minutes later."""
    clock = Clock(END + SETTLED)
    controller = Controller(SEED, clock, **{"exact": True, **options})
    secret = directory / "secret"
    secret.write_text(controller.secret, encoding="utf-8")
    with serve(controller) as url:
        yield Estate(controller, url, clock, secret)
