"""The made-up shop's page for a scrape, for the time of the scrape.

    python -m exporter.demo.server --listen 127.0.0.1:9827 --start 2026-11-12T12:00:00Z --seed 1

Counters count from `--start`; with the same start and seed they continue the history of exporter.demo.openmetrics
where it ends.
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from exporter.demo.families import FAMILIES, DemoSeries, Family
from exporter.demo.noise import MinuteNumbers
from exporter.demo.openmetrics import moment
from exporter.demo.shop import APPLICATIONS, ShopApplication
from exporter.demo.traffic import ROLES, Role, ShopTraffic, traffic

CHUNK = 1440
"""Minutes that are added up together."""


class ShopPage:
    """Counts up to the last full minute, and renders every series at any later time. One thread at a time."""

    def __init__(self, start: float, seed: int) -> None:
        self._seed = seed
        self._minute = int(start // 60)
        self._sides: list[_Side] = []
        for role, application in itertools.product(ROLES, APPLICATIONS):
            families = [(family, list(family.series(seed, role, application))) for family in FAMILIES]
            self._sides.append(_Side(role, application, families))
        self._lock = threading.Lock()

    def render(self, now: float) -> str:
        """All series at `now` in text format 0.0.4; `now` must not go back by more than the running minute."""
        with self._lock:
            full = max(int(now // 60), self._minute)
            while self._minute < full:
                until = min(self._minute + CHUNK, full)
                self._advance(np.arange(self._minute + 1, until + 1))
                self._minute = until
            return self._text(max(now - 60.0 * full, 0.0))

    def _advance(self, minutes: MinuteNumbers) -> None:
        for side in self._sides:
            side.advance(traffic(self._seed, side.role, side.application, minutes))

    def _text(self, seconds: float) -> str:
        """The page `seconds` into the minute after the last full one."""
        minute = np.array([self._minute + 1])
        running = [traffic(self._seed, side.role, side.application, minute) for side in self._sides]

        lines = []
        for position, family in enumerate(FAMILIES):
            name = f"{family.name}_total" if family.kind == "counter" else family.name
            lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
            for side, now in zip(self._sides, running, strict=True):
                if now.minutes.size:
                    lines += side.lines(position, now, seconds)
        return "\n".join(lines) + "\n"


class _Side:
    """One application on one side, with its counters at the end of the last full minute."""

    def __init__(
        self, role: Role, application: ShopApplication, families: list[tuple[Family, list[DemoSeries]]]
    ) -> None:
        self.role: Role = role
        self.application = application
        self._families = families
        self._counters = [series for family, members in families if family.counts for series in members]
        self._counts = {series.text: 0.0 for series in self._counters}

    def advance(self, minutes: ShopTraffic) -> None:
        """Add minutes one after the other: any other order would round differently, and a counter could step back."""
        for series in self._counters:
            steps = np.concatenate([[self._counts[series.text]], series.read(minutes) * 60.0])
            self._counts[series.text] = float(np.cumsum(steps)[-1])

    def lines(self, position: int, now: ShopTraffic, seconds: float) -> Iterator[str]:
        """Of one family, `seconds` into the minute `now`."""
        family, members = self._families[position]
        for series in members:
            value = series.read(now)[0]
            if family.counts:
                value = self._counts[series.text] + value * seconds
            yield f"{series.text} {value:.9f}"


def server(listen: str, page: ShopPage, clock: Callable[[], float] = time.time) -> ThreadingHTTPServer:
    """An HTTP server on `listen` (host:port) that answers GET /metrics."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.split("?")[0] == "/metrics":
                self._answer(HTTPStatus.OK, page.render(clock()).encode())
            else:
                self._answer(HTTPStatus.NOT_FOUND, b"the page is /metrics\n")

        def _answer(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """No line for each scrape."""

    host, _, port = listen.rpartition(":")
    return ThreadingHTTPServer((host, int(port)), Handler)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m exporter.demo.server", description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:9827", metavar="HOST:PORT")
    parser.add_argument("--start", type=moment, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    page = ShopPage(options.start, options.seed)
    page.render(time.time())
    server(options.listen, page).serve_forever()


if __name__ == "__main__":
    main()
