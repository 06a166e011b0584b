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
"""The newest three minutes are not settled then, so that figures of a day differ a little."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("round")) as one:
        one.clock.now = AT
        yield one


def _pipeline(there: Estate, text: str) -> Pipeline:
    file = there.secret.parent / "exporter.yml"
    file.write_text(text.format(url=there.url, seed=SEED), encoding="utf-8")
    return Pipeline(read(file))


def test_the_kind_is_configured_as_any_other(there: Estate) -> None:
    """The registry finds it, and knows that it counts events."""
    file = there.secret.parent / "kind.yml"
    file.write_text(TEXT.format(url=there.url), encoding="utf-8")
    environments = read(file).environments
    assert [kind(each) for each in environments] == ["appdynamics"] * 2
    assert all(counts(each) for each in environments)


@pytest.mark.parametrize(
    ("calls", "told"), [(12, "all calls of one poll are used up: raise"), (95, "of which the poll has left ")]
)
def test_whose_calls_were_too_few_is_said(there: Estate, calls: int, told: str) -> None:
    """A warning of the PTE about what production was asked in between names production's source, and what it had."""
    pipeline = _pipeline(
        there,
        TEXT.replace("per_poll: 400", f"per_poll: {calls}").replace(
            "role: production", "role: production\n    name: emea"
        ),
    )
    pipeline.poll("emea", AT)
    warnings = pipeline.poll("pte", AT).warnings
    pipeline.close()
    [one] = [each for each in warnings if "production before the run" in each]
    assert "with its source emea: 127.0.0.1:" in one
    assert told in one


def near(told: float | None, right: float | None, within: float) -> None:
    """Both unknown, or about the same."""
    assert told == (None if right is None else pytest.approx(right, rel=within, abs=1e-9))


def test_a_round_says_what_a_round_on_the_demo_says(there: Estate) -> None:
    """Coverage, load and growth since the test are the demo's; the bound on parallel calls is kept."""
    mine, demo = _pipeline(there, TEXT), _pipeline(there, DEMO)
    for pipeline in (mine, demo):
        for name in ("production", "pte"):
            pipeline.poll(name, AT)
    assert there.controller.most_at_once <= 3
    told, right = mine.snapshot(AT).applications, demo.snapshot(AT).applications
    mine.close()
    demo.close()
    assert set(told) == set(right)
    for name, one in told.items():
        other = right[name]
        assert one.coverage.ratio == other.coverage.ratio
        near(one.coverage.weighted_ratio, other.coverage.weighted_ratio, 1e-6)
        assert [(each.method, each.route) for each in one.coverage.untested] == [
            (each.method, each.route) for each in other.coverage.untested
        ]
        near(one.growth.peak_ratio, other.growth.peak_ratio, 5e-3)
        near(one.growth.mix_moved, other.growth.mix_moved, 1e-6)
        near(one.load.peak_ratio, other.load.peak_ratio, 5e-3)
        near(one.load.sustained_percentile, other.load.sustained_percentile, 5e-3)
    assert told["shop"].growth.peak_ratio is not None


def test_a_second_poll_looks_back_no_more(there: Estate) -> None:
    """Production before a run is asked for once; a call more is refused, as only the controller's clock went on."""
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
    """Where a side stays as it is configured, its source goes on, minutes and all; the other side begins anew."""
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
