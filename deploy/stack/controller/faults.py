"""Injected faults of the controller. Each changes responses before they are sent.

    controller.faults.add(too_many(retry_after="7", times=1))
    controller.faults.add(forbidden("*/events"))
    controller.faults.clear()

Beside these: `controller.hidden` (applications that the client may not see), `controller.access.lifetime` and
`.announced` (tokens that expire earlier than they say), `controller.access.revoke()`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate, parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from deploy.stack.controller.messages import HTML, HUNG_UP, Answer, Request, as_json, refusal

TOKEN = "/controller/api/oauth/access_token"  # noqa: S105 - a path
METRIC_DATA = "*/metric-data"
EVENTS = "*/events"
REST = "/controller/rest/*"

LOGIN = b"""<!DOCTYPE html>
<html><head><title>AppDynamics</title></head><body><form action="j_security_check">Sign in</form></body></html>
"""


Change = Callable[[Request, Answer], Answer]


@dataclass(slots=True)
class Fault:
    """One way to misbehave."""

    change: Change
    """Gives what is sent instead of the answer that the rules made."""
    path: str = "*"
    """Which paths, with * as in a shell."""
    times: int | None = None
    """How often; None: until it is removed."""


class Faults:
    """Those in force, applied in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults.extend(faults)

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def apply(self, request: Request, answer: Answer) -> Answer:
        for fault in self._due(request):
            answer = fault.change(request, answer)
        return answer

    def _due(self, request: Request) -> list[Fault]:
        with self._lock:
            due = [fault for fault in self._faults if fault.times != 0 and fnmatchcase(request.path, fault.path)]
            for fault in due:
                if fault.times is not None:
                    fault.times -= 1
            return due


def instead(answer: Answer, path: str = REST, times: int | None = None) -> Fault:
    """Always the same answer."""

    def change(_request: Request, regular: Answer) -> Answer:
        return replace(answer, headers={"Date": regular.headers["Date"], **answer.headers})

    return Fault(change, path, times)


def too_many(retry_after: str | None = "7", path: str = REST, times: int | None = None) -> Fault:
    """429; Retry-After in seconds or as a date, None without."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return instead(replace(refusal(429, "Too many requests"), headers=headers), path, times)


def unavailable(path: str = REST, times: int | None = None) -> Fault:
    """503 with an empty body."""
    return instead(Answer(503, b"", HTML), path, times)


def hang_up(path: str = REST, times: int | None = None) -> Fault:
    """The connection ends without an answer, as of a proxy that gave up."""
    return instead(Answer(HUNG_UP), path, times)


def login_page(status: int = 200, path: str = REST, times: int | None = None) -> Fault:
    """The page that people log in at."""
    return instead(Answer(status, LOGIN, HTML), path, times)


def redirect(url: str, path: str = REST, times: int | None = None) -> Fault:
    """302 to another address."""
    return instead(Answer(302, b"", HTML, {"Location": url}), path, times)


def forbidden(path: str, times: int | None = None) -> Fault:
    """403, as for a client whose role lacks a right; e.g. */events, */healthrule-violations, */request-snapshots."""
    return instead(refusal(403, "Access to the specified resource has been forbidden."), path, times)


def token_fails(status: int = 500, times: int | None = None) -> Fault:
    """The token endpoint breaks; with 200, a page of HTML comes."""
    if status == 200:
        return login_page(200, TOKEN, times)
    return instead(refusal(status, "Failed"), TOKEN, times)


def token_says(expires_in: object, times: int | None = None) -> Fault:
    """A token whose expires_in is something else; None: missing."""

    def change(_request: Request, answer: Answer) -> Answer:
        body = {**msgspec.json.decode(answer.body), "expires_in": expires_in}
        if expires_in is None:
            del body["expires_in"]
        return replace(answer, body=as_json(body).body)

    return Fault(_if_successful(change), TOKEN, times)


def wrong_clock(seconds: float) -> Fault:
    """A Date header that lies so far ahead of the controller's clock."""

    def change(_request: Request, answer: Answer) -> Answer:
        moment = parsedate_to_datetime(answer.headers["Date"]).timestamp() + seconds
        return replace(answer, headers={**answer.headers, "Date": formatdate(moment, usegmt=True)})

    return Fault(change)


def slow(seconds: float, path: str = REST, times: int | None = None) -> Fault:
    """The answer waits."""

    def change(_request: Request, answer: Answer) -> Answer:
        time.sleep(seconds)
        return answer

    return Fault(change, path, times)


def truncated(path: str = REST, times: int | None = None) -> Fault:
    """Half of a successful response, without a sign in the headers."""

    def change(_request: Request, answer: Answer) -> Answer:
        return replace(answer, body=answer.body[: len(answer.body) // 2])

    return Fault(_if_successful(change), path, times)


def without(*fields: str, path: str = REST, times: int | None = None) -> Fault:
    """Objects of JSON lack these fields, at whatever depth."""

    def strip(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: strip(value) for key, value in data.items() if key not in fields}
        if isinstance(data, list):
            return [strip(value) for value in data]
        return data

    return Fault(_rewritten(strip), path, times)


def sentinels(value: int = 2147483647, every: int = 2, times: int | None = None) -> Fault:
    """Every n-th step has a placeholder value, like min and max of an empty range."""

    def change(data: Any) -> Any:
        for metric in data:
            for step in metric["metricValues"][::every]:
                step.update(value=value, min=2147483647, max=-2147483648, sum=value, count=0)
        return data

    return Fault(_rewritten(change), METRIC_DATA, times)


def without_percentiles() -> Fault:
    """The agents collect none."""
    return without_metric("Percentile")


def without_metric(part: str) -> Fault:
    """Metrics whose path has this in it are not registered."""

    def change(data: Any) -> Any:
        return [metric for metric in data if part not in metric["metricPath"]]

    return Fault(_rewritten(change), METRIC_DATA)


def _if_successful(change: Change) -> Change:
    """Leaves refusals as they are."""

    def changed(request: Request, answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        return change(request, answer)

    return changed


def _rewritten(change: Callable[[Any], Any]) -> Change:
    """Changes the data of successful answers in JSON."""

    def rewrite(_request: Request, answer: Answer) -> Answer:
        if not answer.type.startswith("application/json"):
            return answer
        return replace(answer, body=msgspec.json.encode(change(msgspec.json.decode(answer.body))))

    return _if_successful(rewrite)
