"""The next certification: what it has to show. docs/method.md, section "Next certification"."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.analysis.arithmetic import has_traffic, latency, measured, peak
from exporter.analysis.load import sustained_rate
from exporter.analysis.run import plateau
from exporter.model.observation import ApplicationObservation
from exporter.model.results import Criterion
from exporter.model.settings import AnalysisSettings

_VOLUMES = ("request_rate", "concurrent_users", "throughput")
_LATENCIES = ("mean", "p95", "p99")

Seen = ApplicationObservation | None


def next_certification(production: Seen, pte: Seen, settings: AnalysisSettings) -> tuple[Criterion, ...]:
    """Objectives from production's values, and how the present run fares; none when production served nothing.

    An objective whose production value is unknown is left out. `met` is None where nobody observed the run's value.
    """
    if production is None or not has_traffic(production):
        return ()
    return (
        *_volumes(production, pte, settings),
        *_run_shape(pte, settings),
        *_latencies(production, pte, settings),
        *_limits(production, pte, settings),
        *_unobserved(production, settings),
    )


def _volumes(production: Seen, pte: Seen, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What the test has to reach: factor x production's peak."""
    for signal in _VOLUMES:
        highest = peak(production, signal)
        if highest is not None and highest > 0:
            objective = highest * getattr(settings.next_certification, f"{signal}_factor")
            reached = peak(pte, signal)
            yield Criterion(signal, objective, None if reached is None else reached >= objective)


def _run_shape(pte: Seen, settings: AnalysisSettings) -> Iterator[Criterion]:
    """How high the test has to spike over its plateau, and how long it has to hold the plateau."""
    wanted = settings.next_certification
    minutes = pte.minutes if pte else None
    level = plateau(minutes) if minutes else None
    spike = held = None
    if minutes and level is not None and level > 0:
        spike = float(measured(minutes)[1].max()) / level >= wanted.spike_multiplier
        floor = sustained_rate(minutes, wanted.sustained)
        held = floor is not None and floor >= level * (1 - settings.test_run.steady_tolerance)
    yield Criterion("spike_multiplier", wanted.spike_multiplier, spike)
    yield Criterion("sustained", float(wanted.sustained), held)


def _latencies(production: Seen, pte: Seen, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What the test has to stay below: factor x production's latency, seconds."""
    for stat in _LATENCIES:
        live, test = latency(production, stat), latency(pte, stat)
        if live is not None:
            objective = live * getattr(settings.next_certification, f"latency_{stat}_factor")
            yield Criterion(f"latency_{stat}", objective, None if test is None else test <= objective)


def _limits(production: Seen, pte: Seen, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What the test's worst minute has to stay below: production's worst errors, and the limits of the machines."""
    wanted = settings.next_certification
    for signal, limit in (
        ("error_ratio", peak(production, "error_ratio")),
        ("cpu", wanted.cpu),
        ("memory", wanted.memory),
    ):
        worst = peak(pte, signal)
        if limit is not None:
            yield Criterion(signal, limit, None if worst is None else worst <= limit)


def _unobserved(production: Seen, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What no source tells: the objective stands, whether it is met is for people to say."""
    wanted, users = settings.next_certification, peak(production, "concurrent_users")
    yield Criterion("timeout_ratio", wanted.timeout_ratio, None)
    yield Criterion("uptime_ratio", wanted.uptime_ratio, None)
    if users is not None and users > 0:
        yield Criterion("db_connections", users * wanted.db_connections_per_user, None, assumption=True)
    yield Criterion("recovery_time", float(wanted.recovery_time), None)
    yield Criterion("failover_time", float(wanted.failover_time), None)
    yield Criterion("data_loss_tolerance", wanted.data_loss_tolerance, None)
