"""Checks of the server itself: whether it lets us ask, what it is, how long it keeps data, what is recorded."""

from __future__ import annotations

import re

import promql_parser

from exporter.checkup import failed, ok, warning
from exporter.errors import SourceError
from exporter.humanize import format_time, join_words
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.probe import Probe
from exporter.sources.prometheus.presets import RECORDED, duration

OLDEST = (2, 42)
"""The oldest Prometheus that we are tested with."""

_DEFAULT_RETENTION = 15 * 86400.0
_DAY = 86400.0
_WHOLE = 0.99
"""As in exporter.sources.prometheus: the share of minutes from which on recordings are used."""

_HISTORY_POINTS = 28


def credentials(probe: Probe) -> Finding:
    """A query that reads no data."""
    try:
        probe.client.query("vector(1)", probe.at)
    except SourceError as error:
        known = {"auth": _auth, "not_found": _url, "not_json": _page, "bad_data": _url, "http_error": _url}
        if error.reason in known:
            return failed(str(error), *known[error.reason](probe))
        raise
    http = probe.asked.http
    given = [name for name in ("bearer_token_file", "bearer_token_env", "username") if getattr(http, name)]
    given += [f"headers.{name}" for name in http.headers] + [f"headers_files.{name}" for name in http.headers_files]
    return ok(f"a query is answered, with {join_words(given)}" if given else "a query is answered, without credentials")


def _auth(probe: Probe) -> list[Cause]:
    http = probe.asked.http
    tenant = Cause("a tenant is wanted (Mimir, Cortex, Thanos Receive)", "headers: {X-Scope-OrgID: TENANT}")
    rights = Cause("the account may not query", "give it the right to read metrics; look at the server's log")
    wanted = "bearer_token_file, or username with password_file"
    if http.bearer_token_file or http.bearer_token_env:
        name = "bearer_token_file" if http.bearer_token_file else "bearer_token_env"
        text = "the token is wrong, of another server, or has expired"
        remedy = f"put a new one where {name} says; it is read again for each request"
        return [Cause(text, remedy), rights, tenant]
    if http.username:
        text = "user or password is wrong"
        return [Cause(text, "try `curl -u USER URL/api/v1/query?query=1`, then mend username or password_file"), rights]
    return [Cause("it wants credentials, and none are configured", f"set {wanted}"), tenant]


def _url(probe: Probe) -> list[Cause]:
    example = f"{probe.asked.url.rstrip('/')}/prometheus"
    return [
        Cause("the API is below another path", f"set url to what stands before /api/v1, such as {example}"),
        Cause("something else than a Prometheus listens there", "compare host and port of url with the server's"),
    ]


def _page(probe: Probe) -> list[Cause]:
    login = "a login page stands before it (OAuth proxy, single sign-on)"
    remedy = "use an address without it, or a token that it lets pass (bearer_token_file)"
    return [Cause(login, remedy), *_url(probe)]


def build(probe: Probe) -> Finding:
    """Name and version; servers other than Prometheus tell less."""
    told = probe.status("buildinfo") or {}
    version = str(told.get("version") or "")
    name = str(told.get("application") or "Prometheus or alike")
    if not version:
        text = "not every server that speaks the API tells it, or we may not see it"
        return warning("not told", Cause(text, "nothing, if it is such a server; else allow GET /api/v1/status/*"))
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if not told.keys() & {"application", "goVersion", "revision"}:
        return ok(f"an API alike, which calls itself {version} for the sake of others, as VictoriaMetrics does")
    if "application" not in told and match and (int(match[1]), int(match[2])) < OLDEST and int(match[1]) >= 2:
        text = f"it is older than {OLDEST[0]}.{OLDEST[1]}, the oldest that queries are tested with"
        return warning(f"{name} {version}", Cause(text, "update it; mind that native histograms need 2.40"))
    return ok(f"{name} {version}")


def retention(probe: Probe) -> Finding:
    """How long data is kept, against the windows that polls ask for."""
    flags, running = probe.status("flags"), probe.status("runtimeinfo")
    limit = str((flags or {}).get("query.max-samples") or "")
    probe.max_samples = int(limit) if limit.isdigit() else None
    told = str((running or {}).get("storageRetention") or "")
    seconds, shown = _retention(told, flags)
    if not shown:
        text = "not every server that speaks the API tells it, or we may not see it"
        remedy = "check its retention by hand (VictoriaMetrics: -retentionPeriod); step `history` looks at the data"
        return warning("not told", Cause(text, remedy))
    starts = [window.start for window in (probe.wanted.window, probe.wanted.pattern) if window is not None]
    needed = probe.wanted.window.end - min(starts)
    found = f"kept for {shown}, {duration(needed)} are asked for"
    if seconds is not None and seconds < needed:
        days = f"--storage.tsdb.retention.time={-(-needed // _DAY):.0f}d"
        causes = [Cause("the server forgets what polls look for", f"start it with {days} or more")]
        if not probe.production:
            lower = "lower analysis.certification.max_age, and analysis.test_run.lookback, which is longer than that"
            causes.append(Cause("the look-back is longer than it need be", lower))
        text = "a long-term store is behind it"
        causes.append(Cause(text, "point url to that (Thanos, Mimir, VictoriaMetrics)"))
        if probe.production:
            return failed(found, *causes)
        return warning(f"{found}: a test run before that is not found", *causes)  # the usual 15d are no failure
    if probe.production and seconds is not None and seconds < needed + 35 * _DAY:
        found += f"; runs older than {duration((seconds - needed) // _DAY * _DAY)} lack production before them"
    return ok(found)


def _retention(told: str, flags: object) -> tuple[float | None, str]:
    """Seconds (None: without end, or by size only), and how the server says it; empty when it does not."""
    if told:
        times = [seconds for part in told.split(" or ") if (seconds := _seconds(part)) is not None]
        return (times[0] if times else None), told
    if not isinstance(flags, dict) or "storage.tsdb.retention.time" not in flags:
        return None, ""
    size = str(flags.get("storage.tsdb.retention.size") or "")
    for name in ("storage.tsdb.retention.time", "storage.tsdb.retention"):
        seconds = _seconds(str(flags.get(name) or ""))
        if seconds:
            return seconds, duration(seconds)
    if size.strip("0B"):
        return None, size
    return _DEFAULT_RETENTION, duration(_DEFAULT_RETENTION)


def _seconds(text: str) -> float | None:
    try:
        return float(promql_parser.parse_duration(text).total_seconds())
    except ValueError:
        return None


def history(probe: Probe) -> Finding:
    """Whether there is data from the beginning of the longest window on."""
    window = probe.wanted.pattern or probe.wanted.window
    selector = probe.selectors("request_rate")[0].text
    step = max(MINUTE, window.duration // _HISTORY_POINTS // MINUTE * MINUTE)
    ranges = probe.client.query_range(f"count({selector})", window.start + step, window.end, step)
    wanted = int((window.duration - step) // step) + 1
    times = [float(at) for each in ranges for at in each.times]
    if not times:
        text = "the series are new, or named otherwise until now"
        return warning(
            f"none in {duration(window.duration)}", Cause(text, "look at step `signal`; wait, if they are new")
        )
    found = f"{len(times)} of {wanted} looks at {duration(window.duration)} found series"
    if len(times) >= _WHOLE * wanted:
        return ok(found)
    if min(times) > window.start + 2 * step:
        text = "the server, the scrape job or the metric is younger than the window, or older data is gone"
        remedy = "wait; until then baselines and patterns rest on less (the landing page says on how much)"
        return warning(f"{found}; the first is of {format_time(min(times))}", Cause(text, remedy))
    text = "scrapes failed, the server was down, or nothing ran then"
    return warning(found, Cause(text, f"look at `count({selector})` and `up` over that time"))


def recordings(probe: Probe) -> Finding:
    """Which signals can be read from recorded one-minute series."""
    if not probe.asked.recorded:
        return ok("not used, as the configuration says")
    queries, side = probe.queries, probe.wanted.side
    found = probe.client.query(queries.recording(probe.wanted.window.duration), probe.wanted.window.end)
    keys = sorted(RECORDED.keys() & probe.asked.templates.queries.keys())
    ours = {key: queries.fingerprint(key) for key in keys}
    minutes = {
        (each.labels.get("signal", ""), each.labels.get("query", "")): each.value
        for each in found
        if each.labels.get("signal") in ours
    }
    reload = f"generate rules again (pte-exporter generate rules), and load group pte-observed-{side} on this server"
    if not minutes:
        return ok(f"none for side {side}: polls read raw data, which step `cost` judges")
    other = [key for key in keys if any(signal == key for signal, _ in minutes) and (key, ours[key]) not in minutes]
    absent = [key for key in keys if all(signal != key for signal, _ in minutes)]
    if other:
        text = "the templates, selector or labels have changed since the rules were made, or they are another site's"
        return warning(f"of another query, and so not used: {join_words(other)}", Cause(text, reload))
    if absent:
        text = "the rules were made before these signals were observed"
        return warning(f"not recorded: {join_words(absent)}", Cause(text, reload))
    least = min(minutes[key, ours[key]] for key in keys) * MINUTE / probe.wanted.window.duration
    if least < _WHOLE:
        return ok(f"present, since {least:.0%} of the window: polls read raw data until it is whole")
    return ok(f"{join_words(keys)} are read from recordings")


def interval(probe: Probe) -> Finding:
    """Scrapes in ten minutes against rate_range, which needs two of them."""
    selector = probe.selectors("request_rate")[0].text
    found = probe.ask(f"quantile(0.5, count_over_time({selector}[10m]) and {selector} offset 9m)")
    rate_range = duration(probe.asked.rate_range)
    if not found.samples:
        return ok("not told: no series is ten minutes old")
    seconds = 600.0 / found.samples[0].value
    told = f"a sample each {seconds:.0f} s, rate_range {rate_range}"
    if probe.asked.rate_range >= 2 * seconds * 0.9:
        return ok(told)
    wanted = max(MINUTE, -(-2 * seconds // MINUTE) * MINUTE)
    cause = "a rate needs two samples in its range"
    slower = f"scrape_interval: {duration(max(1.0, probe.asked.rate_range // 2))} in the scrape job"
    causes = (Cause(cause, f"rate_range: {duration(wanted)} in the source"), Cause("scraped too seldom", slower))
    return failed(told, *causes) if probe.asked.rate_range < seconds * 1.1 else warning(told, *causes)
