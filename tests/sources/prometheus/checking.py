"""Check-ups of a small history in which some metrics have one thing wrong each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exporter.checkup import checked
from exporter.model.checkup import CheckContext, CheckResult
from exporter.model.observation import Window
from exporter.sources.prometheus.checks import CHECKS
from exporter.sources.prometheus.queries import Queries
from exporter.sources.prometheus.source import Options, checks
from tests.doctoring import assert_golden, transcript
from tests.small_shop import END

DAY = 86400.0
TEN_MINUTES = 10 / 1440
"""Days that the metrics with something wrong have."""
MOST_REQUESTS = 36
"""A few dozen: what a check-up may send."""


def extra() -> Iterator[str]:
    """Metrics with one thing wrong each, in the last ten minutes."""
    times = [END - 590 + second for second in range(0, 590, 30)]
    for name, labels, first, step in (
        ("renamed", 'job="scrape",exported_job="app0"', 0, 60),
        ("status", 'job="app0",status="500"', 0, 60),
        ("twice", 'job="app0",replica="a"', 0, 60),
        ("twice", 'job="app0",replica="b"', 0, 60),
    ):
        if labels != 'job="app0",replica="b"':
            yield f"# TYPE {name} counter"
        for number, at in enumerate(times):
            yield f"{name}_total{{{labels}}} {first + step * number} {at:.0f}"
    yield "# TYPE seldom counter"
    for number in range(10):
        yield f'seldom_total{{job="app0"}} {60 * number} {END - 590 + 60 * number:.0f}'
    yield "# TYPE odd gauge"
    for application, value in (("app0", "43.5"), ("app1", "-1"), ("app2", "NaN")):
        yield f'odd{{job="{application}"}} {value} {END - 10:.0f}'
    yield "# TYPE quiet gauge"
    yield f'quiet{{job="app0"}} 0.25 {END - 10:.0f}'
    yield "# TYPE slow_milliseconds histogram"
    for number, at in enumerate(times):
        for le, count in (("10", 0), ("1000", 30), ("+Inf", 30)):
            yield f'slow_milliseconds_bucket{{job="app0",le="{le}"}} {number * count} {at:.0f}'
        yield f'slow_milliseconds_count{{job="app0"}} {number * 30} {at:.0f}'
        yield f'slow_milliseconds_sum{{job="app0"}} {number * 30 * 240} {at:.0f}'
    yield "# TYPE side_signal:pte_observed:recorded gauge"
    yield f'side_signal:pte_observed:recorded{{side="foreign",signal="request_rate",query="0123"}} 1 {END - 10:.0f}'
    options = Options(url="http://127.0.0.1", **own(request_rate=RATE))
    fingerprint = Queries(options.templates, "recorded", options.rate_range).fingerprint("request_rate")
    for minute in range(10):
        labels = f'side="recorded",signal="request_rate",query="{fingerprint}"'
        yield f"side_signal:pte_observed:recorded{{{labels}}} 1 {END - 590 + 60 * minute:.0f}"


def check_context(role: str = "production", *applications: str, side: str = "", days: float = 0.0625) -> CheckContext:
    """Windows that the small history fills, unless `days` says otherwise."""
    window = Window(END - days * DAY, END)
    pattern = window if role == "production" else None
    return CheckContext(side or role, role, END + 20, window, pattern, 60.0, 1.0, applications)


def examined(url: str, want: CheckContext | None = None, **options: Any) -> tuple[CheckResult, ...]:
    source_options = Options(**{"url": url, "preset": "prometheus", **options})
    done = tuple(checked(checks(source_options, want or check_context())))
    assert {step.check for step in done} <= set(CHECKS)
    assert [step.check for step in done] == sorted((step.check for step in done), key=CHECKS.index)
    assert all(step.causes for step in done if step.verdict in ("failed", "warning"))
    return done


def of(done: tuple[CheckResult, ...], check: str, subject: str = "") -> CheckResult:
    [match] = [step for step in done if (step.check, step.subject) == (check, subject)]
    return match


def troubles(name: str, done: tuple[CheckResult, ...]) -> None:
    """Compare the steps that are not well with the golden transcript."""
    assert_golden(f"prometheus-{name}", transcript(step for step in done if step.verdict != "ok"))


def own(**signals: str) -> dict[str, Any]:
    """Options of a site that writes its templates itself."""
    return {"preset": "custom", "labels": {"application": "job"}, "signals": signals}


RATE = "sum by ($application) (rate(http_requests_total{$selector}[$range]))"
