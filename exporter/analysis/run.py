"""The test run in the PTE's activity, and its phases. docs/explanation/method.md, section "Test run"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

import numpy as np

from exporter.analysis.arithmetic import Floats, measured
from exporter.model.observation import MINUTE, Phase, PhaseKind, Samples, Window
from exporter.model.settings import TestRunSettings


def choose(
    activity: Mapping[str, Samples], settings: TestRunSettings, explicit: Mapping[str, Window]
) -> dict[str, Window]:
    """Each application's test run: the explicit window where there is one, else the latest contiguous activity.

    Activity shorter than `min_duration` is not a run: the latest that is long enough is taken. A run that still
    continues counts as soon as it is long enough; until then the run before it counts. An application
    with neither has no key.
    """
    detected = {}
    for name, samples in activity.items():
        window = _latest(samples, settings)
        if window is not None:
            detected[name] = window
    return detected | dict(explicit)


def longest_activity(samples: Samples, settings: TestRunSettings) -> Window | None:
    """The longest contiguous activity, the latest of equal ones; None without any."""
    stretches = _stretches(samples, settings)
    return max(reversed(stretches), key=lambda stretch: stretch.duration, default=None)


def _latest(samples: Samples, settings: TestRunSettings) -> Window | None:
    for stretch in reversed(_stretches(samples, settings)):
        if stretch.duration >= settings.min_duration:
            return stretch
    return None


def _stretches(samples: Samples, settings: TestRunSettings) -> list[Window]:
    """Contiguous activity, by time."""
    active = [time for time, value in zip(samples.times, samples.values, strict=True) if value > settings.threshold]
    # A value covers the minute before its time, so a stretch begins a minute before its first one.
    return [Window(block[0] - MINUTE, block[-1]) for block in _blocks(active, settings.max_gap)]


def _blocks(times: list[float], max_gap: float) -> Iterator[list[float]]:
    """Minutes (their ends, ascending) cut wherever more than `max_gap` seconds passed without one."""
    block: list[float] = []
    for time in times:
        if block and time - block[-1] - MINUTE > max_gap:
            yield block
            block = []
        block.append(time)
    if block:
        yield block


def plateau(minutes: Samples) -> float | None:
    """The rate that the run settled at, requests/s: the median of the upper half of its minutes."""
    _, rates = measured(minutes)
    values: list[float] = sorted(rates.tolist())
    if not values:
        return None
    return median(values[len(values) // 2 :])


def steady_minutes(times: Floats, rates: Floats) -> Floats:
    """Those of a run's minutes (their ends) whose rate lies within the default `steady_tolerance` of its plateau.

    The default, as a source, which summarises the run's signals, does not know what is configured.
    """
    if not rates.size:
        return times
    level = float(np.median(np.sort(rates)[rates.size // 2 :]))
    steady: Floats = times[np.abs(rates - level) <= TestRunSettings().steady_tolerance * level]
    return steady


def phases(minutes: Samples, settings: TestRunSettings) -> tuple[Phase, ...]:
    """Ramp-up, steady state and spikes of a run's one-minute rates, by time; minutes that are neither are left out."""
    level = plateau(minutes)
    if level is None or level <= 0:
        return ()

    result: list[Phase] = []
    settled = False
    previous: PhaseKind | None = None
    times, rates = measured(minutes)
    for time, rate in zip(times.tolist(), rates.tolist(), strict=True):
        kind = _kind(rate / level, settings, settled=settled)
        settled = settled or kind == "steady_state"
        if kind and kind == previous and time - MINUTE - result[-1].window.end <= settings.max_gap:
            result[-1] = Phase(kind, Window(result[-1].window.start, time))
        elif kind:
            result.append(Phase(kind, Window(time - MINUTE, time)))
        previous = kind
    return tuple(result)


def _kind(relative: float, settings: TestRunSettings, *, settled: bool) -> PhaseKind | None:
    """The phase of one minute by its rate relative to the plateau."""
    if relative > settings.spike_factor:
        return "spike"
    if abs(relative - 1) <= settings.steady_tolerance:
        return "steady_state"
    if relative < 1 and not settled:  # once it was steady, a dip is a dip
        return "ramp_up"
    return None
