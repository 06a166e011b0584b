"""An application's traffic on either side: one-minute values, computed from (seed, minute) alone.

Minute m is the stretch (60 (m - 1), 60 m] of Unix time; every rate is constant within it, so counters are piecewise
linear. The PTE exists only around its test runs, like an environment that is set up for a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from exporter.demo.noise import Floats, MinuteNumbers, smooth, uniform
from exporter.demo.shop import ShopApplication, ShopRoute, TestPlan

Role = Literal["production", "pte"]
ROLES: tuple[Role, ...] = ("production", "pte")

DAY = 1440
"""Minutes of a day."""

SETUP = 15
"""Minutes in which the PTE is idle before and after a run."""

OUTAGE_MINUTES = 20
"""How long production fails every day."""

SPIKE_DAYS = 3
SURGE_MINUTES = 15
"""How often and how long production's load spikes, where it does."""

SPIKE_MINUTES = 10
"""How long a test's load spikes."""

IDLE_CPU = 0.08

LATENCY_SHAPE = 4.0
"""Latencies are log-logistic: a share 1 / (1 + (x / median) ** -LATENCY_SHAPE) of requests takes at most x."""

LATENCY_MEAN = (np.pi / LATENCY_SHAPE) / np.sin(np.pi / LATENCY_SHAPE)
"""Mean / median of that distribution."""


@dataclass(frozen=True, slots=True)
class ShopTraffic:
    """One-minute values of one application on one side, an element for each minute that the application existed in."""

    minutes: MinuteNumbers
    requests: Floats
    """Requests/s."""
    errors: Floats
    """Failed requests/s."""
    bytes: Floats
    """Bytes sent/s."""
    latency: Floats
    """Median latency in seconds."""
    users: Floats
    cpu: Floats
    memory: Floats

    @property
    def times(self) -> Floats:
        """Unix seconds at which the minutes end."""
        return self.minutes.astype(np.float64) * 60.0


@dataclass(frozen=True, slots=True)
class Share:
    """A route as one side names it, with its parts of the application's requests and errors."""

    method: str
    path: str
    requests: float
    errors: float


def traffic(seed: int, role: Role, application: ShopApplication, minutes: MinuteNumbers) -> ShopTraffic:
    """The traffic of `application` in `minutes`; in the PTE only the minutes around a test run exist."""
    if role == "production":
        return _production(seed, application, minutes)
    if application.test is None:
        nothing = np.zeros(0)
        return ShopTraffic(minutes[:0], nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    return _pte(seed, application, application.test, minutes[_standing(application.test, minutes)])


def shares(seed: int, role: Role, application: ShopApplication) -> tuple[Share, ...]:
    """Each route's part of the requests; the PTE's mix is near production's, but only over what it tests."""
    weights: dict[ShopRoute, float] = {}
    for index, route in enumerate(application.routes):
        weight = _weight(seed, role, application, route, index)
        if weight > 0.0:
            weights[route] = weight
    total = sum(weights.values())
    total_failing = sum(weight for route, weight in weights.items() if route.fails)

    result = []
    for route, weight in weights.items():
        errors = weight / total_failing if route.fails else 0.0
        result.append(Share(route.method, _path(route, role), weight / total, errors))
    return tuple(result)


def _path(route: ShopRoute, role: Role) -> str:
    """In the PTE another framework names the same routes: /orders/:id."""
    if role == "production":
        return route.path
    return route.path.replace("{", ":").replace("}", "")


def _weight(seed: int, role: Role, application: ShopApplication, route: ShopRoute, index: int) -> float:
    if role == "production":
        return 0.0 if route.use == "only_pte" else route.weight

    if route.use == "untested" or application.test is None:
        return 0.0
    if route.use == "barely":  # ten requests in the whole run, which are too few to count as tested
        tested = sum(other.weight for other in application.routes if other.use == "tested")
        return tested * 10.0 / (application.test.plateau * 60.0 * application.test.minutes)
    return route.weight * float(1.0 + 0.2 * uniform(seed, f"{application.name} mix", np.array([index]))[0])


def _production(seed: int, application: ShopApplication, minutes: MinuteNumbers) -> ShopTraffic:
    name = f"production {application.name}"
    load = _load(seed, application, name, minutes)
    requests = application.peak * load

    day, minute = np.divmod(minutes - 1, DAY)
    bad = outage(seed, application.name, day)
    failing = (minute >= bad) & (minute < bad + OUTAGE_MINUTES)
    ratio = application.error_ratio * (_wobble(seed, f"{name} errors", minutes) + 1.3 * failing)

    return ShopTraffic(
        minutes=minutes,
        requests=requests,
        errors=requests * ratio,
        bytes=requests * application.response_bytes * (1.0 + 0.05 * smooth(seed, f"{name} bytes", minutes, 60)),
        latency=application.latency * (1.0 + 0.2 * load**2) * _jitter(seed, f"{name} latency", minutes),
        users=np.round(requests * application.users_per_request * (1.0 + 0.04 * smooth(seed, name, minutes, 10))),
        cpu=_cpu(seed, name, application.cpu, load, minutes),
        memory=application.memory + _memory(seed, name, minutes),
    )


def outage(seed: int, application: str, day: MinuteNumbers) -> MinuteNumbers:
    """The minute of each day (0 is its first) at which production's daily outage begins, over before midnight."""
    return (60.0 + 1300.0 * (0.5 + 0.5 * uniform(seed, f"production {application} bad", day))).astype(np.int64)


def surge(seed: int, application: str, day: MinuteNumbers) -> MinuteNumbers:
    """The minute of each day at which a spike of production's load would begin; there is one on every SPIKE_DAYS."""
    begins: MinuteNumbers = 5 * (30.0 + 24.0 * uniform(seed, f"production {application} spike", day)).astype(np.int64)
    return begins


def _load(seed: int, application: ShopApplication, name: str, minutes: MinuteNumbers) -> Floats:
    """Production's load as a multiple of an ordinary weekday's peak."""
    day, minute = np.divmod(minutes - 1, DAY)
    # Lowest at four in the morning, highest at four in the afternoon.
    swing = 0.5 - 0.5 * np.cos(2.0 * np.pi * (minute / DAY - 4.0 / 24.0))
    load = application.low + (1.0 - application.low) * swing
    load = load * np.where((day + 3) % 7 >= 5, application.weekend, 1.0)  # 1970-01-01 was a Thursday

    if application.spikes:
        start = surge(seed, application.name, day)
        surging = (day % SPIKE_DAYS == 0) & (minute >= start) & (minute < start + SURGE_MINUTES)
        load = load * np.where(surging, 2.4, 1.0)
    if application.sale is not None and application.test is not None:
        load = np.where(day % application.test.period_days == application.test.day, application.sale, load)
    return _noisy(seed, name, load, minutes)


def _noisy(seed: int, name: str, load: Floats, minutes: MinuteNumbers) -> Floats:
    wander = 0.02 * smooth(seed, f"{name} wander", minutes, 15)
    noisy: Floats = load * (1.0 + wander + 0.015 * uniform(seed, f"{name} noise", minutes))
    return noisy


def _jitter(seed: int, stream: str, minutes: MinuteNumbers) -> Floats:
    """Around 1, as latencies do: a little more from minute to minute than slowly."""
    jitter: Floats = 1.0 + 0.02 * smooth(seed, stream, minutes, 20) + 0.03 * uniform(seed, f"{stream} noise", minutes)
    return jitter


def _wobble(seed: int, stream: str, minutes: MinuteNumbers) -> Floats:
    """Around 1, slowly and from minute to minute, as counts of rare things do."""
    wobble: Floats = 1.0 + 0.3 * smooth(seed, stream, minutes, 30) + 0.3 * uniform(seed, f"{stream} noise", minutes)
    return wobble


def _memory(seed: int, name: str, minutes: MinuteNumbers) -> Floats:
    stream = f"{name} memory"
    memory: Floats = 0.015 * smooth(seed, stream, minutes, 360) + 0.015 * uniform(seed, f"{stream} noise", minutes)
    return memory


def _cpu(seed: int, name: str, full: float, load: Floats, minutes: MinuteNumbers) -> Floats:
    used = IDLE_CPU + (full - IDLE_CPU) * load * (1.0 + 0.03 * smooth(seed, f"{name} cpu", minutes, 10))
    return np.clip(used, 0.01, 0.98)


def _standing(plan: TestPlan, minutes: MinuteNumbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which minutes the PTE exists in."""
    inside = (_into_run(plan, minutes) + SETUP) % (plan.period_days * DAY)
    return inside < plan.minutes + 2 * SETUP


def _into_run(plan: TestPlan, minutes: MinuteNumbers) -> MinuteNumbers:
    """Minutes since the latest run's start; 0 is the run's first minute."""
    into: MinuteNumbers = (minutes - 1 - plan.day * DAY - plan.start) % (plan.period_days * DAY)
    return into


def _pte(seed: int, application: ShopApplication, plan: TestPlan, minutes: MinuteNumbers) -> ShopTraffic:
    name = f"pte {application.name}"
    into = _into_run(plan, minutes)
    running = into < plan.minutes
    spike_start = plan.minutes * 2 // 3
    spike = (into >= spike_start) & (into < spike_start + SPIKE_MINUTES)
    level = np.where(running, np.minimum((into + 1) / plan.ramp, 1.0), 0.0) * np.where(spike, plan.spike, 1.0)

    load = _noisy(seed, name, level, minutes)
    requests: Floats = plan.plateau * load
    ratio = plan.error_ratio * _wobble(seed, f"{name} errors", minutes)

    return ShopTraffic(
        minutes=minutes,
        requests=requests,
        errors=requests * ratio,
        bytes=requests * application.response_bytes * (0.97 + 0.03 * smooth(seed, f"{name} bytes", minutes, 60)),
        latency=plan.latency * (0.85 + 0.15 * load**2) * _jitter(seed, f"{name} latency", minutes),
        users=np.round(requests * application.users_per_request),
        cpu=_cpu(seed, name, plan.cpu, load, minutes),
        memory=plan.memory - 0.02 * ~running + _memory(seed, name, minutes),
    )
