"""A whole round on a controller: configured, polled, looked back, counted and analysed, as from any other source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exporter.pipeline import Pipeline
from exporter.sources import counts, kind, read
from tests.polling_controller import Estate, estate
from tests.seed import END, SEED

TEXT = """
environments:
  - role: production
    source:
      kind: appdynamics
      url: {url}
      account: demo
      client: pte-exporter
      client_secret_file: secret
      applications: {{shop: {{}}, checkout: {{}}, search: {{}}, archive: {{}}}}
      calls: {{per_poll: 400, parallel: 3}}
  - role: pte
    source:
      kind: appdynamics
      url: {url}/controller/
      account: demo
      client: pte-exporter
      client_secret_file: secret
      applications: {{shop: {{name: shop-pte}}, checkout: {{name: checkout-pte}}, archive: {{name: archive-pte}}}}
      calls: {{parallel: 3}}
"""
DEMO = """
environments:
  - {{role: production, source: {{kind: demo, seed: {seed}}}}}
  - {{role: pte, source: {{kind: demo, seed: {seed}}}}}
"""
AT = END + 180.0
"""The newest three minutes are not settled then, so figures of a day differ a little."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("round")) as estate_fixture:
        estate_fixture.clock.now = AT
        yield estate_fixture


def _pipeline(there: Estate, text: str) -> Pipeline:
    file = there.secret.parent / "exporter.yml"
    file.write_text(text.format(url=there.url, seed=SEED), encoding="utf-8")
    return Pipeline(read(file))


def test_the_kind_is_configured_as_any_other(there: Estate) -> None:
    """The registry finds it, and knows that it counts events."""
    file = there.secret.parent / "kind.yml"
    file.write_text(TEXT.format(url=there.url), encoding="utf-8")
    environments = read(file).environments
    assert [kind(environment) for environment in environments] == ["appdynamics"] * 2
    assert all(counts(environment) for environment in environments)


@pytest.mark.parametrize(
    ("calls", "text"), [(12, "all calls of one poll are used up: raise"), (95, "of which the poll left ")]
)
def test_whose_calls_were_too_few_is_said(there: Estate, calls: int, text: str) -> None:
    """A warning of the PTE about production before the run names production's source and its budget."""
    pipeline = _pipeline(
        there,
        TEXT.replace("per_poll: 400", f"per_poll: {calls}").replace(
            "role: production", "role: production\n    name: emea"
        ),
    )
    pipeline.poll("emea", AT)
    warnings = pipeline.poll("pte", AT).warnings
    pipeline.close()
    [item] = [warning for warning in warnings if "before the run" in warning]
    assert "with its source emea: 127.0.0.1:" in item
    assert text in item


def near(actual: float | None, right: float | None, within: float) -> None:
    """Both unknown, or about the same."""
    assert actual == (None if right is None else pytest.approx(right, rel=within, abs=1e-9))


def test_a_round_says_what_a_round_on_the_demo_says(there: Estate) -> None:
    """Coverage, load and growth since the test are the demo's; the limit of parallel calls holds."""
    mine, demo = _pipeline(there, TEXT), _pipeline(there, DEMO)
    for pipeline in (mine, demo):
        for name in ("production", "pte"):
            pipeline.poll(name, AT)
    assert there.controller.most_at_once <= 3
    actual, right = mine.snapshot(AT).applications, demo.snapshot(AT).applications
    mine.close()
    demo.close()
    assert set(actual) == set(right)
    for name, item in actual.items():
        other = right[name]
        assert item.coverage.ratio == other.coverage.ratio
        near(item.coverage.weighted_ratio, other.coverage.weighted_ratio, 1e-6)
        assert [(route.method, route.route) for route in item.coverage.untested] == [
            (route.method, route.route) for route in other.coverage.untested
        ]
        near(item.growth.peak_ratio, other.growth.peak_ratio, 5e-3)
        near(item.growth.mix_moved, other.growth.mix_moved, 1e-6)
        near(item.load.peak_ratio, other.load.peak_ratio, 5e-3)
        near(item.load.sustained_percentile, other.load.sustained_percentile, 5e-3)
    assert actual["shop"].growth.peak_ratio is not None


def test_a_second_poll_looks_back_no_more(there: Estate) -> None:
    """Production before a run is requested once; a further call is refused: only the controller's clock advanced."""
    pipeline = _pipeline(there, TEXT)
    for name in ("production", "pte"):
        pipeline.poll(name, AT)
    there.clock.now = AT + 300.0
    there.controller.forget()
    pipeline.poll("production", AT + 300.0)
    assert there.controller.rest_requests == 1 + 1 + 4 * 11
    there.controller.forget()
    pipeline.poll("pte", AT + 300.0)
    assert there.controller.rest_requests == 1 + 1 + 3
    pipeline.close()
    there.clock.now = AT


def test_a_reload_keeps_what_the_controller_may_have_no_more(there: Estate) -> None:
    """A side with unchanged configuration keeps its source and cache; the other side starts again."""
    old = _pipeline(there, TEXT)
    for name in ("production", "pte"):
        old.poll(name, AT)
    new = _pipeline(there, TEXT.replace("calls: {{parallel: 3}}", "calls: {{parallel: 2}}"))
    new.take_over(old)
    old.close()
    costs = []
    for name in ("production", "pte"):
        there.controller.forget()
        new.poll(name, AT)
        costs.append(there.controller.rest_requests)
    new.close()
    assert costs[0] == 1 + 4 * 11
    assert costs[1] > 3 * 11
