"""The first steps of a check-up: what can be said of the URL and of the proxy before anything is sent."""

from __future__ import annotations

import netrc
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import should_bypass_proxies

from exporter.checkup import Remarks, ok
from exporter.clients.http.checks.reach import ConnectionProbe, is_loopback
from exporter.model.checkup import Cause, Finding

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name files of authorities for other programs."""


def address(probe: ConnectionProbe, appended: Sequence[str], credentials: Sequence[str]) -> Finding:
    """Whether it is a base URL, fit for credentials, and of one scheme and port."""
    remarks = Remarks()
    ending = _ending(probe.url, appended)
    if ending:
        base = probe.url.rstrip("/").removesuffix(ending)
        remarks.add(
            f"it ends in {ending}, which is no base URL",
            Cause(f"{ending} belongs to a page or is appended by us", f"url: {base}"),
        )

    if credentials and not probe.secure and not is_loopback(probe.host):
        remarks.add(
            f"credentials ({', '.join(credentials)}) travel in clear text",
            Cause("http:// is not encrypted", "use https://, or reach it over a network that nobody reads"),
        )

    if (probe.port, probe.secure) in ((443, False), (80, True)):
        other = probe.elsewhere(_other(probe)).removesuffix(ending)
        remarks.add(
            f"{probe.scheme} on port {probe.port}, which is the other's",
            Cause("scheme and port do not fit", f"url: {other}"),
        )

    return remarks.finding(f"{_kind(probe)}; {probe.host}:{probe.port}")


def _ending(url: str, appended: Sequence[str]) -> str:
    """The longest of the endings that the URL's path has; empty where it has none."""
    path = urlsplit(url).path.rstrip("/")
    endings = [ending for ending in appended if path.endswith(ending)]
    return max(endings, key=len, default="")


def _other(probe: ConnectionProbe) -> str:
    return "http" if probe.secure else "https"


def _kind(probe: ConnectionProbe) -> str:
    if probe.secure:
        return "https"
    if is_loopback(probe.host):
        return "http, not encrypted, on this machine"
    return "http, not encrypted"


def proxy(probe: ConnectionProbe, credentials: Sequence[str]) -> Finding:
    """Through which proxy; and what other programs would take from the environment, which we do not."""
    if probe.options.proxy is not None:
        host, port = probe.near
        username = probe.options.proxy.username
        user = f" as {username}" if username else ""
        return ok(f"through {host}:{port}{user}")

    remarks = Remarks()
    variable = environment_proxy(probe)
    if variable is not None:
        remarks.add(
            f"{variable} is set and not used: we connect directly",
            Cause(
                "nothing is taken from the environment",
                "where only the proxy gets out, add to the source `proxy: {url: http://PROXY:PORT}`; else nothing",
            ),
        )
    bundles = [name for name in BUNDLES if os.environ.get(name)]
    if bundles and probe.secure and probe.options.tls.ca_file is None:
        remarks.add(
            f"{', '.join(bundles)} set and not used",
            Cause(
                "authorities are those of the configuration, or the public ones",
                "where step `tls` fails, set tls.ca_file to that file; else nothing",
            ),
        )
    if not credentials and (file := _netrc_file(probe.host)) is not None:
        remarks.add(
            f"{file} has a login for {probe.host}, not used",
            Cause(
                "credentials are those of the configuration",
                "where the server wants that login, set username and password_file; else nothing",
            ),
        )
    return remarks.finding("none, and the environment asks for none")


def environment_proxy(probe: ConnectionProbe) -> str | None:
    """The variable that other programs would obey for this host."""
    if is_loopback(probe.host) or should_bypass_proxies(probe.url, no_proxy=None):
        return None
    # In the order in which other programs look.
    names = (f"{probe.scheme}_proxy", f"{probe.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), None)


def _netrc_file(host: str) -> Path | None:
    """The .netrc in which requests and curl would find a login for the host."""
    try:
        file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
        if file.is_file() and netrc.netrc(str(file)).authenticators(host):
            return file
    except (OSError, RuntimeError, netrc.NetrcParseError, UnicodeError):
        return None
    return None
