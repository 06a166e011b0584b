"""How the controller misbehaves when it is told to: each fault changes answers on their way out.

    controller.faults.add(too_many(retry_after="7", times=1))
    controller.faults.add(forbidden("*/events"))
    controller.faults.clear()

Beside these: `controller.hidden` (applications that the client may not see), `controller.door.life` and `.told` (tokens
that expire earlier than they say), `controller.door.revoke()`.
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

from deploy.stack.controller.answers import HTML, HUNG_UP, Answer, Asked, as_json, refusal

TOKEN = "/controller/api/oauth/access_token"  # noqa: S105 - a path
METRIC_DATA, EVENTS = "*/metric-data", "*/events"
REST = "/controller/rest/*"

LOGIN = b"""<!DOCTYPE html>
<html><head><title>AppDynamics</title></head><body><form action="j_security_check">Sign in</form></body></html>
"""


@dataclass(slots=True)
class Fault:
    """One way to misbehave."""

    change: Callable[[Asked, Answer], Answer]
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

    def apply(self, asked: Asked, answer: Answer) -> Answer:
        for fault in self._due(asked):
            answer = fault.change(asked, answer)
        return answer

    def _due(self, asked: Asked) -> list[Fault]:
        with self._lock:
            due = [one for one in self._faults if one.times != 0 and fnmatchcase(asked.path, one.path)]
            for one in due:
                one.times = None if one.times is None else one.times - 1
            return due


def instead(answer: Answer, path: str = REST, times: int | None = None) -> Fault:
    """Always the same answer."""
    return Fault(lambda _asked, ruled: replace(answer, headers={**_date(ruled), **answer.headers}), path, times)


def _date(answer: Answer) -> dict[str, str]:
    return {"Date": answer.headers["Date"]}


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
    """302 to another place."""
    return instead(Answer(302, b"", HTML, {"Location": url}), path, times)


def forbidden(path: str, times: int | None = None) -> Fault:
    """403, as for a client whose role lacks a right; e.g. */events, */healthrule-violations, */request-snapshots."""
    return instead(refusal(403, "Access to the specified resource has been forbidden."), path, times)


def token_fails(status: int = 500, times: int | None = None) -> Fault:
    """The token endpoint breaks; with 200, a page of HTML comes."""
    return login_page(200, TOKEN, times) if status == 200 else instead(refusal(status, "Failed"), TOKEN, times)


def token_says(expires_in: object, times: int | None = None) -> Fault:
    """A token whose expires_in is something else; None: missing."""

    def change(_asked: Asked, answer: Answer) -> Answer:
        said = {**msgspec.json.decode(answer.body), "expires_in": expires_in}
        return replace(answer, body=as_json({key: one for key, one in said.items() if one is not None}).body)

    return Fault(_successful(change), TOKEN, times)


def wrong_clock(seconds: float) -> Fault:
    """A Date header that lies so far ahead of the controller's clock."""

    def change(_asked: Asked, answer: Answer) -> Answer:
        moment = parsedate_to_datetime(answer.headers["Date"]).timestamp() + seconds
        return replace(answer, headers={**answer.headers, "Date": formatdate(moment, usegmt=True)})

    return Fault(change)


def slow(seconds: float, path: str = REST, times: int | None = None) -> Fault:
    """The answer waits."""

    def change(_asked: Asked, answer: Answer) -> Answer:
        time.sleep(seconds)
        return answer

    return Fault(change, path, times)


def truncated(path: str = REST, times: int | None = None) -> Fault:
    """Half of a successful answer, and nothing in the headers that tells."""
    return Fault(
        _successful(lambda _asked, answer: replace(answer, body=answer.body[: len(answer.body) // 2])), path, times
    )


def without(*fields: str, path: str = REST, times: int | None = None) -> Fault:
    """Objects of JSON lack these fields, at whatever depth."""

    def strip(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: strip(value) for key, value in data.items() if key not in fields}
        return [strip(value) for value in data] if isinstance(data, list) else data

    return Fault(_rewritten(strip), path, times)


def sentinels(value: int = 2147483647, every: int = 2, times: int | None = None) -> Fault:
    """Each so-manieth step has a value that stands for none, as min and max of an empty range are."""

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


def _successful(change: Callable[[Asked, Answer], Answer]) -> Callable[[Asked, Answer], Answer]:
    return lambda asked, answer: change(asked, answer) if answer.status == 200 else answer


def _rewritten(change: Callable[[Any], Any]) -> Callable[[Asked, Answer], Answer]:
    """Changes the data of successful answers in JSON."""

    def rewrite(_asked: Asked, answer: Answer) -> Answer:
        if not answer.type.startswith("application/json"):
            return answer
        return replace(answer, body=msgspec.json.encode(change(msgspec.json.decode(answer.body))))

    return _successful(rewrite)
