"""Checks of the server itself: whether it accepts queries, its version, how long it keeps data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from exporter.checkup import failed, ok, warning
from exporter.clients import promql
from exporter.errors import SourceError
from exporter.humanize import join_words
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.presets import duration

OLDEST = (2, 42)
"""The oldest Prometheus that the exporter is tested with."""

_DAY = 86400.0

_DEFAULT_RETENTION = 15 * _DAY

_BEFORE_RUNS = 35 * _DAY
"""Seconds: how far back test runs are searched; each is compared with production before it."""


def credentials(probe: PrometheusProbe) -> Finding:
    """A query that reads no data."""
    probe.client.query("vector(1)", probe.at)

    options = probe.options
    names = [name for name in ("bearer_token_file", "bearer_token_env", "username") if getattr(options, name)]
    names += [f"headers.{name}" for name in options.headers]
    names += [f"headers_files.{name}" for name in options.headers_files]

    if not names:
        return ok("the server accepts queries, without credentials")
    return ok(f"the server accepts queries, with {join_words(names)}")


def refused(probe: PrometheusProbe, error: SourceError) -> Sequence[Cause]:
    """Causes of a failed first query."""
    if error.reason == "auth":
        return _credential_causes(probe)
    if error.reason == "not_json":
        text = "a login page is in front of the server (OAuth proxy, single sign-on)"
        remedy = "use an address without it, or a token that it accepts (bearer_token_file)"
        return [Cause(text, remedy), *_url_causes(probe)]

    if error.reason in ("not_found", "bad_data", "http_error"):
        return _url_causes(probe)
    return ()


def _credential_causes(probe: PrometheusProbe) -> list[Cause]:
    options = probe.options
    tenant = Cause("the server requires a tenant (Mimir, Cortex, Thanos Receive)", "headers: {X-Scope-OrgID: TENANT}")
    rights = Cause("the account lacks permission to query", "allow it to read metrics; check the server's log")

    if options.bearer_token_file or options.bearer_token_env:
        name = "bearer_token_file" if options.bearer_token_file else "bearer_token_env"
        text = "the token is wrong, belongs to another server, or has expired"
        remedy = f"write a new one to {name}; it is read again for each request"
        return [Cause(text, remedy), rights, tenant]
    if options.username:
        remedy = "try `curl -u USER URL/api/v1/query?query=1`, then fix username or password_file"
        return [Cause("user or password is wrong", remedy), rights]
    remedy = "set bearer_token_file, or username with password_file"
    return [Cause("the server requires credentials, and none are configured", remedy), tenant]


def _url_causes(probe: PrometheusProbe) -> list[Cause]:
    example = f"{probe.options.url.rstrip('/')}/prometheus"
    return [
        Cause("the API is below another path", f"set url to the part before /api/v1, such as {example}"),
        Cause("another program than Prometheus listens there", "compare host and port of url with the server's"),
    ]


_NOT_REPORTED = "not every server with this API reports it, or access is denied"


def build(probe: PrometheusProbe) -> Finding:
    """Name and version; servers other than Prometheus report less."""
    page = probe.status("buildinfo")
    version = str(page.get("version") or "")
    if not version:
        remedy = "nothing, if it is such a server; else allow GET /api/v1/status/*"
        return warning("version not reported", Cause(_NOT_REPORTED, remedy))
    # Servers that imitate Prometheus report only a version, for clients that check it.
    if not page.keys() & {"application", "goVersion", "revision"}:
        return ok(
            f"a server with a compatible API (it reports version {version} for its clients), such as VictoriaMetrics"
        )

    name = str(page.get("application") or "Prometheus or compatible")
    if "application" not in page and _is_old(version):
        text = f"it is older than {OLDEST[0]}.{OLDEST[1]}, the oldest version that queries are tested with"
        return warning(f"{name} {version}", Cause(text, "update it; native histograms need 2.40"))
    return ok(f"{name} {version}")


def _is_old(version: str) -> bool:
    """Whether it is an old version of Prometheus; versions of other servers begin with 0 or 1."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if match is None:
        return False
    numbers = (int(match[1]), int(match[2]))
    return (2, 0) <= numbers < OLDEST


def retention(probe: PrometheusProbe) -> Finding:
    """How long the server keeps data, compared with the windows that polls read."""
    flags = probe.status("flags")
    runtime = probe.status("runtimeinfo")
    limit = str(flags.get("query.max-samples") or "")
    if limit.isdigit():
        probe.max_samples = int(limit)

    seconds, retention_text = _retention(str(runtime.get("storageRetention") or ""), flags)
    if not retention_text:
        remedy = "check its retention by hand (VictoriaMetrics: -retentionPeriod); step `history` checks the data"
        return warning("retention not reported", Cause(_NOT_REPORTED, remedy))

    starts = [window.start for window in (probe.context.window, probe.context.pattern) if window is not None]
    needed = probe.context.window.end - min(starts)
    description = f"the server keeps data for {retention_text}, polls need {duration(needed)}"
    if seconds is None:
        return ok(description)
    if seconds < needed and probe.production:
        return failed(description, *_too_short(probe, needed))
    if seconds < needed:  # the default of 15d is not a failure
        return warning(f"{description}: older test runs cannot be found", *_too_short(probe, needed))
    if probe.production and seconds < needed + _BEFORE_RUNS:
        spare = duration((seconds - needed) // _DAY * _DAY)
        return ok(f"{description}; for runs older than {spare}, production before them is missing")
    return ok(description)


def _too_short(probe: PrometheusProbe, needed: float) -> Iterator[Cause]:
    days = -(-needed // _DAY)
    option = f"--storage.tsdb.retention.time={days:.0f}d"
    yield Cause("the server deletes data that polls need", f"start it with {option} or more")
    if not probe.production:
        remedy = "lower analysis.certification.max_age, and analysis.test_run.lookback, which must be longer"
        yield Cause("the look-back is longer than necessary", remedy)
    yield Cause("it forwards data to a long-term store", "point url to that store (Thanos, Mimir, VictoriaMetrics)")


def _retention(runtime: str, flags: Mapping[str, object]) -> tuple[float | None, str]:
    """Seconds (None: unlimited, or by size only), and the server's text; empty if it does not report it."""
    if runtime:
        times = [_seconds(part) for part in runtime.split(" or ")]
        return next((seconds for seconds in times if seconds is not None), None), runtime
    if "storage.tsdb.retention.time" not in flags:
        return None, ""

    # The older flag counts if the newer one is 0; if both are 0, the size, and without a size the default.
    for name in ("storage.tsdb.retention.time", "storage.tsdb.retention"):
        seconds = _seconds(str(flags.get(name) or ""))
        if seconds:
            return seconds, duration(seconds)
    size = str(flags.get("storage.tsdb.retention.size") or "")
    if size.strip("0B"):
        return None, size
    return _DEFAULT_RETENTION, duration(_DEFAULT_RETENTION)


def _seconds(text: str) -> float | None:
    try:
        return promql.seconds(text)
    except ValueError:
        return None
