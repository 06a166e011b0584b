"""The objectives of the next certification. docs/explanation/method.md, section "Next certification"."""

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

Side = ApplicationObservation | None


def next_certification(production: Side, pte: Side, settings: AnalysisSettings) -> tuple[Criterion, ...]:
    """Objectives from production's values, and how the present run fares; none when production served nothing.

    An objective whose production value is unknown is left out. `met` is None where the run's value was not observed.
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


def _volumes(production: Side, pte: Side, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What the test has to reach: factor x production's peak."""
    for signal in _VOLUMES:
        highest = peak(production, signal)
        if highest is not None and highest > 0:
            objective = highest * getattr(settings.next_certification, f"{signal}_factor")
            yield _at_least(signal, objective, peak(pte, signal))


def _run_shape(pte: Side, settings: AnalysisSettings) -> Iterator[Criterion]:
    """How high the test has to spike over its plateau, and how long it has to hold the plateau."""
    required = settings.next_certification
    spikes = None
    sustains = None

    minutes = pte.minutes if pte else None
    level = plateau(minutes) if minutes else None
    if minutes and level is not None and level > 0:
        _, rates = measured(minutes)
        spikes = float(rates.max()) / level >= required.spike_multiplier
        floor = sustained_rate(minutes, required.sustained)
        sustains = floor is not None and floor >= level * (1 - settings.test_run.steady_tolerance)

    yield Criterion("spike_multiplier", required.spike_multiplier, spikes)
    yield Criterion("sustained", float(required.sustained), sustains)


def _latencies(production: Side, pte: Side, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What the test has to stay below: factor x production's latency, seconds."""
    for stat in _LATENCIES:
        production_value = latency(production, stat)
        if production_value is not None:
            objective = production_value * getattr(settings.next_certification, f"latency_{stat}_factor")
            yield _at_most(f"latency_{stat}", objective, latency(pte, stat))


def _limits(production: Side, pte: Side, settings: AnalysisSettings) -> Iterator[Criterion]:
    """What the test's worst minute has to stay below: production's worst errors, and the limits of the machines."""
    worst_errors = peak(production, "error_ratio")
    if worst_errors is not None:
        yield _at_most("error_ratio", worst_errors, peak(pte, "error_ratio"))
    yield _at_most("cpu", settings.next_certification.cpu, peak(pte, "cpu"))
    yield _at_most("memory", settings.next_certification.memory, peak(pte, "memory"))


def _at_least(metric: str, objective: float, value: float | None) -> Criterion:
    met = None if value is None else value >= objective
    return Criterion(metric, objective, met)


def _at_most(metric: str, objective: float, value: float | None) -> Criterion:
    met = None if value is None else value <= objective
    return Criterion(metric, objective, met)


def _unobserved(production: Side, settings: AnalysisSettings) -> Iterator[Criterion]:
    """Objectives that no source observes: people have to decide whether they are met."""
    required = settings.next_certification
    yield Criterion("timeout_ratio", required.timeout_ratio, None)
    yield Criterion("uptime_ratio", required.uptime_ratio, None)

    users = peak(production, "concurrent_users")
    if users is not None and users > 0:
        yield Criterion("db_connections", users * required.db_connections_per_user, None, assumption=True)

    yield Criterion("recovery_time", float(required.recovery_time), None)
    yield Criterion("failover_time", float(required.failover_time), None)
    yield Criterion("data_loss_tolerance", required.data_loss_tolerance, None)
