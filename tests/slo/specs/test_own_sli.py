"""The queries of `sli:`, on real servers: each counts the events of one application and no others."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from exporter.clients.prometheus import quote
from exporter.config import Environment
from exporter.config.conversion import convert
from exporter.errors import Problem
from exporter.model.slo import WINDOW, Sli
from exporter.model.slo_settings import SloSettings
from exporter.slo.specs.own_sli import RefusedError, sli, spellings
from exporter.sources import demo
from exporter.sources.prometheus import source as prometheus
from tests import servers
from tests.remote_write import Histogram, write

END = 1795176000
MINUTES = range(END - 1200, END + 1, 30)

OPTIONS: dict[str, Any] = {"url": "http://h", "preset": "prometheus", "selector": 'environment="production"'}
ODD = 'odd "one"\\n'
LABELS = {"application": "application"}


def environment(kind: str = "prometheus", name: str = "production", **options: Any) -> Environment:
    if kind == "demo":
        return Environment(role="production", source=demo.Options(), name=name)
    return Environment(role="production", source=prometheus.Options(**{**OPTIONS, "labels": LABELS, **options}))


def settings(indicator: dict[str, Any], application: str = "shop") -> SloSettings:
    problems = list[Problem]()
    raw = {"name": "x", "application": application, "objective": 99, "sli": indicator}
    result = convert(raw, SloSettings, "f", "", problems)
    assert result is not None, problems
    return result


def counter(name: str, rate: float, **labels: str) -> Iterator[str]:
    """A counter that grows by `rate` a second."""
    text = ",".join(f"{label}={quote(value)}" for label, value in labels.items())
    return (f"{name}{{{text}}} {rate * (at - MINUTES.start)} {at}" for at in MINUTES)


def histogram(bounds: tuple[str, str, str], **labels: str) -> Iterator[str]:
    """Ten requests/s, of which nine, nine and a half and all are within the bounds."""
    for le, rate in zip((*bounds, "+Inf"), (9.0, 9.5, 10.0, 10.0), strict=True):
        yield from counter("http_request_duration_seconds_bucket", rate, le=le, **labels)


@pytest.fixture(scope="module", params=["2.42", "3"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("own")
    lines = ["# TYPE http_requests counter"]
    for application, side, factor in (("shop", "production", 1), ("other", "production", 100), ("shop", "pte", 1000)):
        where = {"application": application, "environment": side}
        lines += counter("http_requests_total", 9.9 * factor, code="200", **where)
        lines += counter("http_requests_total", 0.1 * factor, code="500", **where)
    lines += counter("http_requests_total", 1, code="200", application=ODD, environment="production")
    for name, rate in (("events", 10.0), ("bad_events", 0.5)):
        lines += [f"# TYPE pte_slo_{name} counter"]
        for instance in ("a:9826", "b:9826"):
            for application in ("shop", "other"):
                labels = {"application": application, "side": "test", "slo": "x", "instance": instance}
                lines += counter(f"pte_slo_{name}_total", rate, **labels)
    lines += ["# TYPE http_request_duration_seconds unknown"]
    lines += histogram(("0.3", "1", "10"), application="shop", environment="production")
    lines += histogram(("0.3", "1.0", "10.0"), application="dotted", environment="production")
    lines += histogram(("0.3", "1", "10"), application="shop", environment="pte")
    (directory / "history.om").write_text("\n".join([*lines, "# EOF\n"]))
    blocks = servers.create_blocks("2.42", directory / "history.om", directory / "blocks")
    args = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with servers.prometheus(request.param, directory / "server", blocks=blocks, args=args) as server:
        yield server.url


def rate(url: str, query: str) -> float | None:
    """The value of a query over five minutes at END; None when it has none."""
    data = {"query": query.replace(WINDOW, "5m"), "time": str(END)}
    response = requests.post(f"{url}/api/v1/query", data=data, timeout=30).json()
    assert response["status"] == "success", response
    values = [float(series["value"][1]) for series in response["data"]["result"]]
    assert len(values) < 2, response
    return values[0] if values else None


def rates(url: str, indicator: Sli) -> tuple[float | None, float | None]:
    return rate(url, indicator.errors), rate(url, indicator.total)


def test_failed_requests(url: str) -> None:
    """Errors and requests of one application on one side, whatever other series the server has."""
    assert rates(url, sli(settings({"errors": {}}), environment())) == pytest.approx((0.1, 10))
    pte = environment(selector='environment="pte"')
    assert rates(url, sli(settings({"errors": {}}), pte)) == pytest.approx((100, 10_000))


def test_an_application_with_an_odd_name(url: str) -> None:
    """Quotes and backslashes in a name are part of it."""
    assert rate(url, sli(settings({"errors": {}}, ODD), environment()).total) == pytest.approx(1)


@pytest.mark.parametrize("application", ["shop", "dotted"])
@pytest.mark.parametrize(("threshold", "bad"), [("300ms", 1.0), ("1s", 0.5), ("10s", 0.0)])
def test_slow_requests(url: str, application: str, threshold: str, bad: float) -> None:
    """Requests above a bound are slow, and the bound may be spelled 1 or 1.0."""
    indicator = sli(settings({"latency": {"threshold": threshold}}, application), environment())
    assert rates(url, indicator) == pytest.approx((bad, 10))


def test_a_threshold_that_is_not_a_bound_has_no_events(url: str) -> None:
    """Without the bucket nothing is known, not even that all requests were fast."""
    indicator = sli(settings({"latency": {"threshold": "400ms"}}), environment())
    assert rates(url, indicator) == (None, None)


def test_the_scale_of_the_histogram(url: str) -> None:
    """A histogram in milliseconds has its bound 1 at one millisecond."""
    indicator = sli(settings({"latency": {"threshold": "1ms"}}), environment(latency_scale=0.001))
    assert rates(url, indicator) == pytest.approx((0.5, 10))


def test_replicas_count_each_event_once(url: str) -> None:
    """Two exporters that count the same events are one count."""
    indicator = sli(settings({"errors": {}}), environment("demo", "test"))
    assert rates(url, indicator) == pytest.approx((0.5, 10))


def test_queries_by_hand(url: str) -> None:
    """The source's selector is filled in, and the rest stays unchanged."""
    text = 'sum(rate(http_requests_total{code=~"%s",$selector}[{{.window}}]))'
    indicator = {"events": {"errors": text % "5..", "total": text % ".*"}}
    assert rates(url, sli(settings(indicator), environment())) == pytest.approx((10.1, 1011))


def test_native_histograms(tmp_path: Path) -> None:
    """Without a template of buckets the fraction of the native histogram below the threshold is good."""
    args = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    labels = {"__name__": "http_request_duration_seconds", "environment": "production"}
    with servers.prometheus("3", tmp_path, args=args) as server:
        for application, tenth in (("shop", 1), ("other", 7)):
            shape = [
                Histogram(at, {-1: 8 * n, 0: n, 1: n}, 1.0 * n, 0)
                for n, at in ((1 + tenth * (at - MINUTES.start), at) for at in MINUTES)
            ]
            write(server.url, [({**labels, "application": application}, shape)])
        native = environment(signals={"latency_bucket": None})
        for threshold, bad in (("500ms", 2), ("1s", 1), ("2s", 0)):
            indicator = sli(settings({"latency": {"threshold": threshold}}), native)
            assert rates(server.url, indicator) == pytest.approx((bad, 10), abs=1e-9)


@pytest.mark.parametrize(
    ("bound", "forms"),
    [
        ("0.3", ("0.3",)),
        ("1", ("1", "1.0")),
        ("250", ("250", "250.0")),
        ("0.00005", ("0.00005", "5.0E-5", "5e-05")),
        ("1000000", ("1.0E6", "1000000", "1000000.0", "1e+06")),
        ("3600000", ("3.6E6", "3.6e+06", "3600000", "3600000.0")),
    ],
)
def test_spellings_of_a_bound(bound: str, forms: tuple[str, ...]) -> None:
    """The forms of Go, Java, Python and OpenMetrics, all of one number."""
    assert spellings(Decimal(bound)) == forms
    assert {float(form) for form in forms} == {float(bound)}


@pytest.mark.parametrize(
    ("kind", "options", "path", "words"),
    [
        (
            "errors",
            {"signals": {"error_rate": None}},
            "sli.errors",
            "error_rate of the source of production is not obs",
        ),
        ("latency", {"preset": "custom"}, "sli.latency", "latency_bucket of the source of production is not observed"),
        ("errors", {"signals": {"error_rate": "sum by ($application) (errs{$selector})"}}, "sli.errors", "no $range"),
        (
            "errors",
            {"signals": {"error_rate": "sum by ($application) (rate(errs[$range]))"}},
            "sli.errors",
            "has a selector without $selector",
        ),
        (
            "errors",
            {"signals": {"error_rate": "rate(a{$selector}[$range]) * on (i) group_left ($application) i{$selector}"}},
            "sli.errors",
            "sets the label application itself",
        ),
        (
            "errors",
            {"signals": {"error_rate": 'label_replace(rate(a{$selector}[$range]),"application","$1","svc","(.*)")'}},
            "sli.errors",
            "sets the label application itself",
        ),
    ],
)
def test_an_unusable_template_is_refused(kind: str, options: dict[str, Any], path: str, words: str) -> None:
    """A template that is missing, or that a matcher cannot narrow, is named with the remedy."""
    arguments = {"threshold": "1s"} if kind == "latency" else {}
    with pytest.raises(RefusedError, match="`events` here") as caught:
        sli(settings({kind: arguments}), environment(**options))
    assert caught.value.path == path
    assert words in str(caught.value)


def test_a_missing_selector_is_refused() -> None:
    """A source without PromQL has no value for $selector."""
    indicator = {"events": {"errors": "rate(x[{{.window}}])", "total": "rate(y{$selector}[{{.window}}])"}}
    with pytest.raises(RefusedError, match=r"the source of test has no selector") as caught:
        sli(settings(indicator), environment("demo", "test"))
    assert caught.value.path == "sli.events.total"
