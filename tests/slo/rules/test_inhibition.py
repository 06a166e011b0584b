"""The inhibition rules as data; tests/test_alertmanager_slo.py shows their effect."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

import yaml

from exporter.model.slo import DAY, Alerting, Period, Sli, Slo, Tier
from exporter.rules import ALERTS
from exporter.slo.rules import inhibition, names
from tests.notifying import CONFIG


def _slo(*tiers: Tier, by: tuple[str, ...] = ()) -> Slo:
    sli = Sli("sum(rate(bad[{{.window}}]))", "sum(rate(all[{{.window}}]))", by=by)
    return Slo("shop", "up", Decimal("99.9"), sli, Period(30 * DAY), tiers, Alerting("Burn"))


def _tier(name: str, factor: int, *, ticket: bool = False) -> Tier:
    return Tier(name, "ticket" if ticket else "page", 3600, 300, Decimal(factor), 120, 300)


def _muted(*slos: Slo) -> dict[str, str]:
    """Tier to the pattern of those that it mutes."""
    rules = [rule for rule in inhibition.inhibit_rules(slos) if "sloth_severity" in rule.equal]
    return {
        rule.source[0].removeprefix(f"{names.TIER}="): rule.target[0].removeprefix(f"{names.TIER}=~") for rule in rules
    }


def test_the_shipped_configuration_has_the_rules_for_usual_objectives() -> None:
    """The rules about objectives in alertmanager.yml are those generated without any objective, word for word."""
    text = CONFIG.read_text(encoding="utf-8")
    assert inhibition.render(inhibition.inhibit_rules(())) in text
    rules = [rule for rule in yaml.safe_load(text)["inhibit_rules"] if "sloth_id" in rule["equal"]]
    assert len(rules) == len(inhibition.inhibit_rules(()))


def test_the_file_holds_the_rules() -> None:
    """The YAML reads back as the rules, also where a tier's name has quotes of every kind."""
    slos = [_slo(_tier("""it's "a|b" \\""", 14), _tier("x: {y}, [z] #", 6), by=("route",))]
    read = yaml.safe_load(inhibition.files(slos)[inhibition.PATH])["inhibit_rules"]
    rules = [asdict(rule) for rule in inhibition.inhibit_rules(slos)]
    expected = [(list(rule["source"]), list(rule["target"]), list(rule["equal"])) for rule in rules]
    assert [(rule["source_matchers"], rule["target_matchers"], rule["equal"]) for rule in read] == expected


def test_what_queries_keep_has_to_be_equal() -> None:
    """Labels of any objective's queries distinguish budgets in every rule except those of lost telemetry."""
    for rule in inhibition.inhibit_rules([_slo(by=("route",)), _slo(by=("tenant", "cluster"))]):
        broken = 'alertname="PteSloTelemetryBroken"' in rule.source
        assert ({"route", "tenant"} <= set(rule.equal)) != broken
        assert len(set(rule.equal)) == len(rule.equal)


def test_every_rule_asks_for_objective_and_side() -> None:
    """Both matchers of every rule require the labels without which it would mute all that lack them."""
    for rule in inhibition.inhibit_rules(()):
        for label in ("sloth_id", "side"):
            assert f'{label}=~".+"' in rule.source
            assert f'{label}=~".+"' in rule.target
            assert label in rule.equal


def test_the_order_of_tiers_is_that_of_severity_and_factor() -> None:
    """A page comes before a ticket whatever its factor, then the higher factor."""
    tiers = (_tier("c", 9, ticket=True), _tier("b", 2), _tier("a", 5), _tier("d", 1, ticket=True))
    assert _muted(_slo(*tiers)) == {'"a"': '"b|c|d"', '"b"': '"c|d"', '"c"': '"d"'}


def test_objectives_that_disagree_about_two_tiers_have_neither_muted() -> None:
    """A name may be the faster tier of one objective and the slower of another: then neither tier mutes the other."""
    first = _slo(_tier("a", 9), _tier("b", 2), _tier("c", 1))
    second = _slo(_tier("a", 2), _tier("b", 9))
    assert _muted(first, second) == {'"a"': '"c"', '"b"': '"c"'}


def test_objectives_without_alerts_keep_the_usual_tiers() -> None:
    """Without any tier the rules are those for the usual tiers."""
    assert _muted(_slo()) == _muted()
    assert list(_muted()) == ['"page_quick"', '"page_slow"', '"ticket_quick"']


def test_the_alerts_that_are_named_exist() -> None:
    """The names of alerts over all objectives in the rules are those of rules/slo.rules.yml."""
    matchers = [matcher for rule in inhibition.inhibit_rules(()) for matcher in (*rule.source, *rule.target)]
    named = {matcher.split('"')[1] for matcher in matchers if matcher.startswith("alertname=")}
    assert named - {"PteSloTelemetryBroken"} <= ALERTS.keys()
