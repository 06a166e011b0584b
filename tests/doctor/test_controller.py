"""The whole command of a controller: what the poll at its end says agrees with what the checks said before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporter.demo.controller import faults
from exporter.model.checkup import Checkup
from tests.appdynamics.checking import plain, standing
from tests.doctor.making import examined, step


def looked(folder: Path, url: str, **changed: Any) -> Checkup:
    given = {"client": "pte-exporter", "client_secret_file": folder / "secret", "applications": {"shop": {}}}
    return examined(folder, "production", kind="appdynamics", url=url, account="demo", **{**given, **changed})


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain(monkeypatch, tmp_path)


def test_no_application_is_found(tmp_path: Path) -> None:
    """The poll fails for the names, so that no word is lost on the url."""
    with standing(tmp_path) as one:
        done = looked(tmp_path, one.url, applications={"shop": {"name": "shopp"}, "pay": {"name": "Checkout"}})
    [second, first] = step(done, "observation").causes
    assert first.text.startswith("as at applications shop: it is called 'shop'")
    assert (first.remedy, second.remedy) == ("applications.shop.name: shop", "applications.pay.name: checkout")


def test_metrics_are_forbidden(tmp_path: Path) -> None:
    """A right that is missing is one at the end too: no word of login pages, as the list of applications was fine."""
    with standing(tmp_path) as one:
        one.controller.faults.add(faults.forbidden("*/metric-data"))
        done = looked(tmp_path, one.url)
    seen = step(done, "observation")
    assert seen.verdict == "failed"
    assert seen.found.endswith("refused us (403): check whether the role of our client or user may view this")
    assert seen.causes[0].text.startswith("as at metrics calls: the role may list the application")


def test_violations_are_forbidden(tmp_path: Path) -> None:
    """The rest is observed; the warning of it is of rights alone."""
    with standing(tmp_path) as one:
        one.controller.faults.add(faults.forbidden("*/problems/*"))
        done = looked(tmp_path, one.url)
    seen = step(done, "observation")
    assert seen.verdict == "warning"
    assert "refused us (403): check whether the role" in seen.found
    assert "login" not in seen.found
