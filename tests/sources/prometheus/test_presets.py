"""Templates: their variables, their unchanged parts, and the messages of `check` for invalid templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import sources
from exporter.clients.http.options import Proxy, TlsOptions
from exporter.errors import REASONS, ConfigError
from exporter.sources.prometheus import source as prometheus
from exporter.sources.prometheus.presets import KEYS, PRESETS, RECORDED, Templates, duration, resolve
from tests.servers import TOP


def filled(template: str, selector: str = "") -> str | None:
    return Templates({"application": "job", "method": "verb", "route": "path"}, selector, {"cpu": template}, 1).fill(
        "cpu", 300
    )


def test_variables() -> None:
    """The five variables are filled in, every other dollar stays."""
    template = 'label_replace(x{$selector}[$range], "$application", "$1$method", "$route", "$selectors$")'
    assert filled(template, 'a="b"') == 'label_replace(x{a="b"}[5m], "job", "$1verb", "path", "$selectors$")'


def test_values_are_not_filled_again() -> None:
    """A selector that looks like a variable is taken as it is."""
    assert filled("x{$selector}", 'a="$range"') == 'x{a="$range"}'


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("selector", ["", 'cluster="eu"', 'a="1",b=~"2|3",'])
def test_presets_are_promql(preset: str, selector: str) -> None:
    """Every template of every preset is PromQL, with and without a selector, and known by its key."""
    templates = resolve(preset, selector, {}, {}, None)
    assert set(templates.queries) <= set(KEYS)
    for key in templates.queries:
        promql_parser.parse(templates.fill(key, 60) or "")


def test_every_preset_can_be_configured() -> None:
    """The option `preset` takes each of them, and no other name."""
    names = get_args(get_type_hints(prometheus.Options)["preset"])
    assert names == tuple(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_on_the_page(preset: str) -> None:
    """The row of the option `preset` names it."""
    page = (TOP / "docs" / "reference" / "sources" / "prometheus.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| `preset` \|.*$", page, re.MULTILINE)
    assert f"`{preset}`" in row


def test_recorded_keys() -> None:
    """Every recorded key is a key of templates, and has its own name."""
    assert set(RECORDED) <= set(KEYS)
    assert len(set(RECORDED.values())) == len(RECORDED)


def test_override() -> None:
    """A template replaces the preset's, null removes it, and the rest stays."""
    templates = resolve("prometheus", "", {"application": "app"}, {"cpu": "x", "throughput": None}, None)
    assert templates.queries["cpu"] == "x"
    assert "throughput" not in templates.queries
    assert templates.queries["request_rate"] == PRESETS["prometheus"].templates["request_rate"]
    assert (templates.labels["application"], templates.labels["route"]) == ("app", "handler")


@pytest.mark.parametrize(
    ("seconds", "text"), [(86400, "1d"), (3600, "1h"), (60, "1m"), (90, "90s"), (0.5, "500ms"), (59.999, "59999ms")]
)
def test_duration(seconds: float, text: str) -> None:
    """A duration is written in the largest unit that keeps it exact."""
    assert duration(seconds) == text


@given(st.integers(1, 10**9))
def test_duration_is_exact(milliseconds: int) -> None:
    """The unit times the number is the duration again."""
    sizes = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    text = duration(milliseconds / 1000)
    digits = "".join(c for c in text if c.isdigit())
    assert int(digits) * sizes[text[len(digits) :]] == milliseconds


CONFIG = """
environments:
  - role: production
    source: {{kind: prometheus, url: "http://127.0.0.1:9090", preset: prometheus, {options}}}
  - {{role: pte, source: {{kind: demo}}}}
"""


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ("signals: {cpu: 'sum('}", "signals.cpu", "not PromQL"),
        ("signals: {cpu: 'x{$selector'}", "signals.cpu", "not PromQL"),
        ("signals: {cpus: 'x'}", "signals.cpus", 'did you mean "cpu"'),
        ("signals: {latency_sum: 'sum by ($application) (x)'}", "signals.latency_sum", "must use $range"),
        ("signals: {request_rate: null}", "signals.error_rate", "needs request_rate"),
        ("signals: {route_requests: null}", "signals.route_successes", "needs route_requests"),
        ("selector: 'a=b'", "selector", "not PromQL"),
        ("labels: {service: a}", "labels.service", "expected one of: application, method, route"),
        ("labels: {route: 'a-b'}", "labels.route", "not a label name"),
        ("preset: other", "preset", "opentelemetry, prometheus, istio"),
        ("rate_range: 30s", "rate_range", "at least 1m"),
        ("latency_scale: 0", "latency_scale", "more than 0"),
        ("bearer_token_file: gone", "bearer_token_file", "cannot read"),
    ],
)
def test_problems(options: str, path: str, words: str, tmp_path: Path) -> None:
    """`check` names each problem with its path in the file."""
    text = options if not options.startswith("preset") else f"selector: '', {options}"
    config = CONFIG if not options.startswith("preset") else CONFIG.replace("preset: prometheus, ", "")
    file = tmp_path / "exporter.yml"
    file.write_text(config.format(options=text))
    with pytest.raises(ConfigError) as caught:
        sources.read(file)
    [problem] = caught.value.problems
    assert problem.path == f"environments[0].source.{path}"
    assert words in problem.text


def test_all_problems_at_once() -> None:
    """Two invalid templates are two problems; an invalid selector is reported once, not for each template."""
    defaults: dict[str, Any] = {"url": "http://h", "preset": "prometheus"}
    both = prometheus.Options(**defaults, signals={"cpu": "(", "memory": ")"})
    assert [path for path, _ in prometheus.problems(both)] == ["signals.cpu", "signals.memory"]
    selector = prometheus.Options(**defaults, selector="{")
    assert [path for path, _ in prometheus.problems(selector)] == ["selector"]


def test_every_option_and_reason_is_documented() -> None:
    """The pages name each option, each key of a template and each reason."""
    text = "".join((TOP / "docs" / "reference" / page).read_text() for page in ("sources.md", "sources/prometheus.md"))
    names = {
        *prometheus.Options.__struct_fields__,
        *(f"tls.{field}" for field in TlsOptions.__struct_fields__),
        *(f"proxy.{field}" for field in Proxy.__struct_fields__),
        *KEYS,
    }
    assert [name for name in sorted({*names, *REASONS} - {"tls", "proxy", "internal"}) if f"`{name}`" not in text] == []
