"""Nothing that a server or a configuration says becomes a part of the landing page's own markup."""

from __future__ import annotations

import dataclasses
from html import escape
from typing import Any

import pytest

from exporter import cli, sources
from exporter.errors import SourceError
from exporter.model.results import Snapshot
from exporter.pipeline import round_once
from exporter.service import Status
from exporter.web import landing

NOW = 1795168800.0
TEXT = "<script>\"'&"


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return round_once(sources.read(cli.DEMO), NOW)


def page(snapshot: Snapshot | None, **state: Any) -> str:
    environment = sources.read(cli.DEMO).environment("pte")
    return landing.render(snapshot, [dataclasses.replace(Status(environment), **state)], NOW).decode()


def test_an_application_is_a_text(snapshot: Snapshot) -> None:
    """The name of an application and the sentence about it stand there as they are written."""
    result = snapshot.applications["shop"]
    certification = dataclasses.replace(result.certification, sentence=f"Says {TEXT}")
    hostile = dataclasses.replace(result, application=f"Is {TEXT}", certification=certification)
    found = page(dataclasses.replace(snapshot, applications={TEXT: hostile}))
    assert "<script" not in found
    assert f"<h2>Is {escape(TEXT)}</h2>" in found
    assert f"<p>Says {escape(TEXT)}</p>" in found


def test_what_servers_say_is_a_text() -> None:
    """Errors and warnings of a source may repeat a server's words and are shown as such."""
    found = page(None, up=False, error=SourceError("bad_query", f"said {TEXT}"), warnings=(f"warned {TEXT}",))
    assert "<script" not in found
    assert f"bad_query: said {escape(TEXT)}" in found
    assert f"warning: warned {escape(TEXT)}" in found


def test_a_load_test_has_its_grade(snapshot: Snapshot) -> None:
    """Where result files were read, the grade stands with what it rests on; elsewhere none is shown."""
    (shop,) = (one for name, one in snapshot.applications.items() if name == "shop")
    assert shop.load_run is not None
    requests = shop.load_run.run.total.requests
    assert f"of {requests} requests succeeded" in page(dataclasses.replace(snapshot, applications={"shop": shop}))
    bare = dataclasses.replace(shop, load_run=None)
    assert "Grade of the load test" not in page(dataclasses.replace(snapshot, applications={"shop": bare}))
