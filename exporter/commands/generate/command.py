"""`pte-exporter generate`: its kinds."""

from __future__ import annotations

import argparse

from exporter.commands.generate import backfill, dashboards, docs, rules


def add(parser: argparse.ArgumentParser) -> None:
    """Its kinds."""
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    rules.add(kinds.add_parser("rules", help="recording rules and alerts"))
    dashboards.add(kinds.add_parser("dashboards", help="Grafana dashboards"))
    docs.add(kinds.add_parser("docs", help="reference pages of series, commands and exit codes"))
    backfill.add(kinds.add_parser("backfill", help="script that backfills the history of new SLOs with promtool"))
