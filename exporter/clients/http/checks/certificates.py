"""The fields of a server's certificate, also of a rejected one: subject, issuer, names, end.

The standard library returns the fields only of a certificate that it has verified. A rejected certificate is fetched
over a second connection without verification, and its fields are read over a third one that trusts only this
certificate. Nothing is sent on either.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from exporter.clients.http.checks.reach import ConnectionProbe
from exporter.clients.http.options import TlsOptions

_ANY_TIME = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which the ssl module has no name."""

INSPECTORS = (
    "avast",
    "barracuda",
    "blue coat",
    "bluecoat",
    "burp",
    "cato networks",
    "charles proxy",
    "check point",
    "cisco umbrella",
    "cloudflare managed",
    "do_not_trust",
    "eset ssl filter",
    "fiddler",
    "forcepoint",
    "fortigate",
    "fortinet",
    "iboss",
    "kaspersky",
    "mcafee",
    "menlo security",
    "mitmproxy",
    "netskope",
    "palo alto",
    "portswigger",
    "skyhigh",
    "sonicwall",
    "sophos",
    "squid",
    "untangle",
    "watchguard",
    "websense",
    "zscaler",
)
"""Parts of the CA names of proxies that intercept TLS; in lower case."""


_NAME_PARTS = ("commonName", "organizationName", "organizationalUnitName")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The fields that matter here; `end` in Unix seconds."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    end: float

    @property
    def inspector(self) -> bool:
        """Whether a product that intercepts TLS issued it."""
        return any(name in self.issuer.lower() for name in INSPECTORS)


def verifying(tls: TlsOptions, authorities: Path | None = None) -> ssl.SSLContext:
    """The context that the session uses, with the same CAs unless others are passed. The files were checked before."""
    context = create_urllib3_context()
    context.load_verify_locations(str(authorities or tls.ca_file or DEFAULT_CA_BUNDLE_PATH))
    return _with_ours(context, tls)


def _with_ours(context: ssl.SSLContext, tls: TlsOptions) -> ssl.SSLContext:
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    return context


def fields(parsed: Mapping[str, Any]) -> Certificate | None:
    """From the fields that ssl returns for a verified certificate."""
    if "notAfter" not in parsed:
        return None
    names = tuple(str(value) for _, value in parsed.get("subjectAltName", ()))
    end = float(ssl.cert_time_to_seconds(parsed["notAfter"]))
    return Certificate(_name(parsed.get("subject", ())), _name(parsed.get("issuer", ())), names, end)


def _name(parts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """CN, O and OU of a distinguished name, in this order."""
    values = {key: value for part in parts for key, value in part}
    names = [values[key] for key in _NAME_PARTS if key in values]
    return ", ".join(dict.fromkeys(names)) or "no name"


def unverified(probe: ConnectionProbe) -> Certificate | None:
    """The server's certificate without verification; None when it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        context = _lenient(probe.options.tls)
        context.verify_mode = ssl.CERT_NONE
        with probe.tunnel() as plain, context.wrap_socket(plain, server_hostname=probe.host) as sock:
            certificate = sock.getpeercert(binary_form=True)

        if certificate is not None:
            pinned = _lenient(probe.options.tls)
            pinned.load_verify_locations(cadata=certificate)
            pinned.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | _ANY_TIME
            with probe.tunnel() as plain, pinned.wrap_socket(plain, server_hostname=probe.host) as sock:
                return fields(sock.getpeercert() or {})
    return None


def _lenient(tls: TlsOptions) -> ssl.SSLContext:
    context = create_urllib3_context(ciphers="DEFAULT@SECLEVEL=0")
    context.check_hostname = False
    return _with_ours(context, tls)
