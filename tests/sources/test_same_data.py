"""Production compared with itself would always hold, so it is rejected before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter import sources
from exporter.errors import ConfigError
from exporter.pipeline.checkup import examine

CONFIG = """\
environments:
  - {{role: production, source: {production}}}
  - {{role: pte, source: {pte}}}
"""
PROMETHEUS = "{{kind: prometheus, url: {url}, preset: {preset}, selector: '{selector}'{more}}}"
CONTROLLER = (
    "{{kind: appdynamics, url: {url}, account: acme, username: u, password_env: HOME, applications: {applications}}}"
)


def prometheus(
    url: str = "http://127.0.0.1:9090", selector: str = 'env="a"', preset: str = "prometheus", more: str = ""
) -> str:
    return PROMETHEUS.format(url=url, preset=preset, selector=selector, more=more)


def controller(url: str = "https://acme.saas.appdynamics.com", applications: str = "{shop: {}}") -> str:
    return CONTROLLER.format(url=url, applications=applications)


def written(folder: Path, production: str, pte: str) -> Path:
    path = folder / "exporter.yml"
    path.write_text(CONFIG.format(production=production, pte=pte), encoding="utf-8")
    return path


SAME = {
    "the very same": (prometheus(), prometheus()),
    "a slash more": (prometheus(), prometheus(url="http://127.0.0.1:9090/")),
    "the usual port": (prometheus(url="http://prometheus.example"), prometheus(url="http://PROMETHEUS.example:80/")),
    "matchers in another order": (prometheus(selector='a="1",b="2"'), prometheus(selector='b="2", a="1",')),
    "one application of two": (
        controller(applications="{shop: {}, cart: {name: Cart}}"),
        controller(applications="{search: {name: shop}}"),
    ),
    "with and without /controller": (
        controller(),
        controller(url="https://acme.saas.appdynamics.com/controller"),
    ),
}
DIFFERENT = {
    "another server": (prometheus(), prometheus(url="http://127.0.0.1:9091")),
    "another selector": (prometheus(), prometheus(selector='env="b"')),
    "another preset": (prometheus(), prometheus(preset="istio")),
    "another tenant": (prometheus(), prometheus(more=", headers: {X-Scope-OrgID: pte}")),
    "other applications": (controller(), controller(applications="{shop: {name: Shop PTE}}")),
    "two kinds": (prometheus(), controller()),
    "the demo": ("{kind: demo}", "{kind: demo}"),
}


@pytest.mark.parametrize(("production", "pte"), SAME.values(), ids=SAME)
def test_a_pte_that_reads_production_is_rejected(tmp_path: Path, production: str, pte: str) -> None:
    """`check` and `serve` name the environment, and what to change."""
    path = written(tmp_path, production, pte)
    with pytest.raises(ConfigError) as caught:
        sources.read(path)
    assert str(caught.value).startswith(f"{path}: environments[1].source: reads the same data as production, expected ")


@pytest.mark.parametrize(("production", "pte"), SAME.values(), ids=SAME)
def test_the_doctor_fails_the_first_step(tmp_path: Path, production: str, pte: str) -> None:
    """The step says so before a server is asked; production itself is tried."""
    config = sources.read(written(tmp_path, production, pte), checked=False)
    results = list(examine(config, config.environments[1], 1_800_000_000))
    assert [(result.check, result.verdict) for result in results] == [
        ("configuration", "failed"),
        ("observation", "skipped"),
    ]
    assert "reads the same data as production" in results[0].result
    assert sources.same_data(config, config.environments[0]) == ""


@pytest.mark.parametrize(("production", "pte"), DIFFERENT.values(), ids=DIFFERENT)
def test_different_data_is_accepted(tmp_path: Path, production: str, pte: str) -> None:
    """Another server, selector, tenant or application is another environment."""
    assert len(sources.read(written(tmp_path, production, pte)).environments) == 2
