"""A controller stub on a real socket, and an authenticated client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from deploy.stack.controller import ACCOUNT, CLIENT, Controller, serve
from tests.seed import END, SEED

TOKEN = "/controller/api/oauth/access_token"
REST = "/controller/rest/applications"
OVERALL = "Overall Application Performance|"
TRANSACTIONS = "Business Transaction Performance|Business Transactions|*|*|"
INFRASTRUCTURE = "Application Infrastructure Performance|*|Hardware Resources|"


@dataclass
class Clock:
    """A clock that advances on request."""

    now: float = END

    def __call__(self) -> float:
        return self.now


@dataclass
class Asking:
    """One client of one running controller."""

    controller: Controller
    url: str
    clock: Clock
    session: requests.Session = field(default_factory=requests.Session)

    def form(self, **instead: str) -> dict[str, str]:
        """The form of a request for a token."""
        right = {
            "grant_type": "client_credentials",
            "client_id": f"{CLIENT}@{ACCOUNT}",
            "client_secret": self.controller.secret,
        }
        return right | instead

    def token(self, **instead: str) -> requests.Response:
        return self.session.post(self.url + TOKEN, data=self.form(**instead), timeout=30)

    def enter(self) -> None:
        """Get a token, and use it from now on."""
        self.session.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def get(self, below: str = "", **parameters: str | int) -> requests.Response:
        """A path below /applications, in JSON; - replaces _ in the parameters' names."""
        named: dict[str, str | int] = {name.replace("_", "-"): value for name, value in parameters.items()}
        return self.session.get(
            f"{self.url}{REST}{below}", params={"output": "JSON", **named}, timeout=30, allow_redirects=False
        )

    def metrics(self, application: str, path: str, start: float, end: float, **more: str | int) -> Any:
        """Entries of metric-data between two times, step by step."""
        requests: dict[str, str | int] = {
            "metric_path": path,
            "rollup": "false",
            "time_range_type": "BETWEEN_TIMES",
            "start_time": int(start * 1000),
            "end_time": int(end * 1000),
        }
        answer = self.get(f"/{application}/metric-data", **requests | more)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextlib.contextmanager
def asking(**options: Any) -> Iterator[Asking]:
    """A controller at a standing clock; ended with the block."""
    clock = Clock()
    controller = Controller(SEED, clock, **options)
    with serve(controller) as url, requests.Session() as session:
        session.trust_env = False
        item = Asking(controller, url, clock, session)
        item.enter()
        controller.forget()
        yield item
