"""The whole command for a controller: the poll at its end agrees with the checks before it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from deploy.stack.controller import faults
from exporter.model.checkup import Checkup
from exporter.pipeline.checkup import examine
from tests.commands.doctor.making import configured, examined, step
from tests.sources.appdynamics.checking import plain, standing


def looked(folder: Path, url: str, **changed: Any) -> Checkup:
    options = {"client": "pte-exporter", "client_secret_file": folder / "secret", "applications": {"shop": {}}}
    return examined(folder, "production", kind="appdynamics", url=url, account="demo", **{**options, **changed})


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain(monkeypatch, tmp_path)


def test_no_application_is_found(tmp_path: Path) -> None:
    """The poll fails because of the names, so the url is not mentioned."""
    with standing(tmp_path) as controller:
        done = looked(tmp_path, controller.url, applications={"shop": {"name": "shopp"}, "pay": {"name": "Checkout"}})
    [second, first] = step(done, "observation").causes
    assert first.text.startswith("as at applications shop: its name there is 'shop'")
    assert (first.remedy, second.remedy) == ("applications.shop.name: shop", "applications.pay.name: checkout")


def test_two_sides_that_write_a_name_differently(tmp_path: Path) -> None:
    """Each side is well alone, but nothing would be compared: the side with the observed names reports it."""
    with standing(tmp_path) as controller:
        source = {"kind": "appdynamics", "url": controller.url, "account": "demo", "client": "pte-exporter"}
        names = {"applications": {"SHOP": {"name": "shop"}}, "client_secret_file": str(tmp_path / "secret")}
        config = configured(tmp_path, production={"source": {**source, **names}})
        [pte] = [environment for environment in config.environments if environment.role == "pte"]
        [*_, last] = examine(config, pte, time.time())
    assert last.verdict == "warning"
    assert last.causes[0].text.startswith("'shop' is 'SHOP' in production: upper and lower case differ")
    assert last.causes[0].remedy == "use one name: SHOP here too, or shop there"


def test_metrics_are_forbidden(tmp_path: Path) -> None:
    """A right that is missing is one at the end too: no word of login pages, as the list of applications was fine."""
    with standing(tmp_path) as controller:
        controller.controller.faults.add(faults.forbidden("*/metric-data"))
        done = looked(tmp_path, controller.url)
    observation_step = step(done, "observation")
    assert observation_step.verdict == "failed"
    assert observation_step.result.endswith(
        "access denied (403): check whether the role of our client or user may view this"
    )
    assert observation_step.causes[0].text.startswith("as at metrics calls: the role may list the application")


def test_violations_are_forbidden(tmp_path: Path) -> None:
    """The rest is observed; the warning of it is of rights alone."""
    with standing(tmp_path) as controller:
        controller.controller.faults.add(faults.forbidden("*/problems/*"))
        done = looked(tmp_path, controller.url)
    observation_step = step(done, "observation")
    assert observation_step.verdict == "warning"
    assert "access denied (403): check whether the role" in observation_step.result
    assert "login" not in observation_step.result
