"""DASHBOARDS: boards over catalogue and rule names; each answers one question in its first row."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.config import Config
from exporter.dashboards import (
    certification,
    coverage,
    execution,
    exporter,
    loadrun,
    loadrun_judgement,
    slo,
    slo_detail,
    traffic,
)
from exporter.dashboards.kit.board import BOARDS, Board, render

__all__ = ["BOARDS", "boards", "files"]

_ROLES = ("production", "pte")


def boards(config: Config | None = None) -> tuple[Board, ...]:
    """The boards; a configuration gives the names of its environments, which are the values of the label `side`."""
    sides = {role: config.environment(role).name if config else role for role in _ROLES}

    return (
        certification.board(sides),
        slo.board(),
        slo_detail.board(),
        traffic.board(),
        coverage.board(sides),
        loadrun.board(),
        loadrun_judgement.board(),
        execution.board(),
        exporter.board(),
    )


def files(config: Config | None = None) -> Mapping[str, bytes]:
    """Every dashboard by its path below the top of the repository."""
    return {f"dashboards/{board.uid}.json": render(board) for board in boards(config)}
