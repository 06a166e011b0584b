"""The first steps of a check-up: the URL and the proxy, before anything is sent."""

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
"""Variables that name files of CA certificates for other programs."""


def address(probe: ConnectionProbe, appended: Sequence[str], credentials: Sequence[str]) -> Finding:
    """Whether the URL is a base URL, safe for credentials, and its scheme fits its port."""
    remarks = Remarks()
    ending = _ending(probe.url, appended)
    if ending:
        base = probe.url.rstrip("/").removesuffix(ending)
        remarks.add(
            f"not a base URL: it ends in {ending}",
            Cause(f"{ending} belongs to a page, or the exporter appends it", f"url: {base}"),
        )

    if credentials and not probe.secure and not is_loopback(probe.host):
        remarks.add(
            f"credentials ({', '.join(credentials)}) are sent in clear text",
            Cause("http:// is not encrypted", "use https://, or a trusted network"),
        )

    if (probe.port, probe.secure) in ((443, False), (80, True)):
        other = probe.elsewhere(_other(probe)).removesuffix(ending)
        remarks.add(
            f"{probe.scheme} on port {probe.port}, the port of {_other(probe)}",
            Cause("scheme and port do not match", f"url: {other}"),
        )

    return remarks.finding(f"{_kind(probe)}; {probe.host}:{probe.port}")


def _ending(url: str, appended: Sequence[str]) -> str:
    """The longest of the endings that match the URL's path; else empty."""
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
    """Which proxy is used; and which settings of the environment other programs would use and we do not."""
    if probe.options.proxy is not None:
        host, port = probe.near
        username = probe.options.proxy.username
        user = f" as {username}" if username else ""
        return ok(f"through {host}:{port}{user}")

    remarks = Remarks()
    variable = environment_proxy(probe)
    if variable is not None:
        remarks.add(
            f"{variable} is set but not used: the exporter connects directly",
            Cause(
                "the exporter ignores proxies in the environment",
                "if only the proxy has access, add to the source `proxy: {url: http://PROXY:PORT}`; else nothing",
            ),
        )
    bundles = [name for name in BUNDLES if os.environ.get(name)]
    if bundles and probe.secure and probe.options.tls.ca_file is None:
        remarks.add(
            f"{', '.join(bundles)} set but not used",
            Cause(
                "the exporter trusts only the CAs of the configuration, or the public ones",
                "if step `tls` fails, set tls.ca_file to that file; else nothing",
            ),
        )
    if not credentials and (file := _netrc_file(probe.host)) is not None:
        remarks.add(
            f"{file} has a login for {probe.host}, which is not used",
            Cause(
                "the exporter uses only credentials of the configuration",
                "if the server requires that login, set username and password_file; else nothing",
            ),
        )
    return remarks.finding("no proxy, and none in the environment")


def environment_proxy(probe: ConnectionProbe) -> str | None:
    """The proxy variable that other programs would use for this host."""
    if is_loopback(probe.host) or should_bypass_proxies(probe.url, no_proxy=None):
        return None
    # In the order of other programs.
    names = (f"{probe.scheme}_proxy", f"{probe.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), None)


def _netrc_file(host: str) -> Path | None:
    """The .netrc that has a login for the host, which requests and curl would use."""
    try:
        file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
        if file.is_file() and netrc.netrc(str(file)).authenticators(host):
            return file
    except (OSError, RuntimeError, netrc.NetrcParseError, UnicodeError):
        return None
    return None
