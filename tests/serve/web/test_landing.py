"""Nothing that a server or a configuration says becomes a part of the landing page's own markup."""

from __future__ import annotations

import dataclasses
from html import escape
from typing import Any

import pytest

from exporter import humanize, sources
from exporter.commands.configuration import DEMO
from exporter.errors import SourceError
from exporter.model.incident import Incident
from exporter.model.results import Snapshot
from exporter.pipeline import round_once
from exporter.serve.service import SourceStatus
from exporter.serve.web import landing

NOW = 1795168800.0
TEXT = "<script>\"'&"


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return round_once(sources.read(DEMO), NOW)


def page(snapshot: Snapshot | None, **state: Any) -> str:
    environment = sources.read(DEMO).environment("pte")
    return landing.render(snapshot, [dataclasses.replace(SourceStatus(environment), **state)], NOW).decode()


def test_an_application_is_a_text(snapshot: Snapshot) -> None:
    """The name of an application and its sentence are shown unchanged."""
    result = snapshot.applications["shop"]
    certification = dataclasses.replace(result.certification, sentence=f"Says {TEXT}")
    hostile = dataclasses.replace(result, application=f"Is {TEXT}", certification=certification)
    outcome = page(dataclasses.replace(snapshot, applications={TEXT: hostile}))
    assert "<script" not in outcome
    assert f"<h2>Is {escape(TEXT)}</h2>" in outcome
    assert f"<p>Says {escape(TEXT)}</p>" in outcome


def test_what_servers_say_is_a_text() -> None:
    """Errors and warnings of a source may repeat a server's words and are shown as such."""
    outcome = page(None, up=False, error=SourceError("bad_query", f"said {TEXT}"), warnings=(f"warned {TEXT}",))
    assert "<script" not in outcome
    assert f"bad_query: said {escape(TEXT)}" in outcome
    assert f"warning: warned {escape(TEXT)}" in outcome


def test_a_load_test_has_its_grade(snapshot: Snapshot) -> None:
    """Where result files were read, the page has the grade with its inputs; elsewhere it has none."""
    (shop,) = (application for name, application in snapshot.applications.items() if name == "shop")
    assert shop.load_run is not None
    requests = shop.load_run.run.total.requests
    assert f"of {requests} requests succeeded" in page(dataclasses.replace(snapshot, applications={"shop": shop}))
    bare = dataclasses.replace(shop, load_run=None)
    assert "Grade of the load test" not in page(dataclasses.replace(snapshot, applications={"shop": bare}))


def test_trouble_and_coarse_rates_are_told_where_they_are_known(snapshot: Snapshot) -> None:
    """Open incidents with the oldest, and rates without peaks; neither is shown where no source reports them."""
    result = snapshot.applications["shop"]
    production = result.production
    assert production is not None
    rate = dataclasses.replace(production.signals["request_rate"], resolution=600.0)

    def page_of(**changed: Any) -> str:
        changed_production = dataclasses.replace(production, **changed)
        return page(
            dataclasses.replace(
                snapshot, applications={"shop": dataclasses.replace(result, production=changed_production)}
            )
        )

    lasting = Incident("violation", TEXT, TEXT, "TIER", "critical", NOW - 3600.0, None)
    over = dataclasses.replace(lasting, start=NOW - 7200.0, end=NOW - 5400.0)
    outcome = page_of(incidents=(over, lasting), signals={"request_rate": rate})
    assert "<dt>Open incidents in production</dt><dd><strong>1</strong>" in outcome
    named = f"{escape(TEXT)} on {escape(TEXT)}, critical, since {humanize.format_time(NOW - 3600.0)}"
    assert f"{named}; 1 incident ended" in outcome
    assert "<dt>Resolution</dt><dd><strong>10 minutes</strong>" in outcome
    assert "<dt>Open incidents in production</dt><dd><strong>none</strong>" in page_of(incidents=())
    silent = page_of(incidents=None)
    assert "Open incidents" not in silent
    assert "<dt>Resolution</dt>" not in silent
