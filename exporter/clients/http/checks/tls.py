"""The TLS step of a check-up: what the server's certificate says, and why it is not accepted."""

from __future__ import annotations

import contextlib
import os
import ssl
import time
from pathlib import Path

from exporter.checkup import failed, ok, warning
from exporter.clients.http.checks.certificates import Certificate, fields, unverified, verifying
from exporter.clients.http.checks.reach import Route
from exporter.clients.http.options import check_tls
from exporter.model.checkup import Cause, Finding

_SOON = 14 * 86400.0
"""An end of validity that is this near is a warning, in seconds."""

_LINGER = 0.3
"""Seconds for a server to say after the handshake that it wants a certificate of ours (TLS 1.3).

Nothing is sent meanwhile: a server that has closed would answer with a reset, and what it said would be lost.
"""

_EXPIRED, _NOT_YET = 10, 9
_NAMES = (62, 64)
_SELF_SIGNED = 18
_UNKNOWN = (2, 19, 20, 21)
"""OpenSSL's X509_V_ERR_* in question."""

_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their authorities in one file."""


def tls(route: Route) -> Finding:
    """Verified as a poll would, whatever insecure_skip_verify says; with it, what is wrong is a warning."""
    check_tls(route.options.tls)
    skipped = route.options.tls.insecure_skip_verify
    try:
        seen = _judged(route, *_handshake(route, None))
    except ssl.SSLCertVerificationError as error:
        shown = unverified(route)
        found = f"not accepted: {error.verify_message}" + (f"; {_told(shown)}" if shown else "")
        causes = _causes(route, error.verify_code, shown)
        if not skipped:
            return failed(found, *causes)
        text = "tls.insecure_skip_verify is set: anybody on the way can read and change what is sent"
        return warning(f"{found}; used all the same", Cause(text, "do what follows, then take it away"), *causes)
    except (ssl.SSLError, OSError) as error:
        return failed(*_broken(route, error))
    if skipped and seen.verdict != "failed":
        text = "tls.insecure_skip_verify is set and not needed"
        return warning(f"{seen.found}; verified here, not in polls", Cause(text, "take tls.insecure_skip_verify away"))
    return seen


def _handshake(route: Route, authorities: Path | None) -> tuple[Certificate | None, str]:
    """The verified certificate and the protocol; raises OSError (ssl.SSLError among them)."""
    context = verifying(route.options.tls, authorities)
    with route.tunnel() as plain, context.wrap_socket(plain, server_hostname=route.host) as sock:
        seen = fields(sock.getpeercert() or {}), sock.version() or ""
        if authorities is None:  # TLS 1.3 tells only after the handshake that it wants a certificate of ours
            sock.settimeout(_LINGER)
            with contextlib.suppress(TimeoutError):
                sock.recv(1)
        return seen


def _told(seen: Certificate) -> str:
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seen.end))
    names = f"{', '.join(seen.names[:5])}{', ...' if len(seen.names) > 5 else ''}" or "no name at all"
    return f"certificate of {seen.subject}, for {names}, signed by {seen.issuer}, valid until {until}"


def _judged(route: Route, seen: Certificate | None, version: str) -> Finding:
    if seen is None:
        return ok(version)
    found = f"{version}; {_told(seen)}"
    if seen.inspector:
        text = f"a proxy opens TLS ({seen.issuer}), and sees the credentials we send"
        return warning(found, Cause(text, f"have {route.host} exempted from inspection"))
    left = seen.end - time.time()
    if left < _SOON:
        text = f"it ends in {max(left, 0) / 86400:.0f} days"
        return warning(found, Cause(text, "renew it now; look why it was not renewed by itself"))
    return ok(found)


def _causes(route: Route, code: int, seen: Certificate | None) -> list[Cause]:
    """By OpenSSL's code of what is wrong."""
    if code == _EXPIRED:
        skewed = Cause("the clock of this machine is ahead", "run `timedatectl`")
        return [Cause("the certificate has expired", "renew it, and restart what serves it"), skewed]
    if code == _NOT_YET:
        text = "the clock of this machine is behind, or the certificate is for later"
        return [Cause(text, "run `timedatectl`, then look at the certificate's notBefore")]
    if code in _NAMES:
        names = ", ".join(seen.names[:5]) if seen else ""
        remedy = f"url with one of {names}" if names else "url with the name in the certificate"
        text = f"have it issued again with {route.host} among its subjectAltNames"
        return [
            Cause(f"the server is called otherwise than {route.host}", remedy),
            Cause("the certificate lacks this name", text),
        ]
    if code == _SELF_SIGNED:
        text = "the certificate is signed by itself"
        remedy = "save it on the server's machine and set tls.ca_file to it, or have one issued by your authority"
        return [*_inspected(seen), Cause(text, remedy)]
    return _unknown(route, seen) if code in _UNKNOWN else [_weak()]


def _weak() -> Cause:
    return Cause("the certificate or its chain breaks a rule, such as a key that is too short", "have it issued again")


def _unknown(route: Route, seen: Certificate | None) -> list[Cause]:
    """Nobody whom we trust has signed it: who may have, and how to trust them."""
    issuer = seen.issuer if seen else "an authority"
    causes = _inspected(seen)
    store = _store(route) if route.options.tls.ca_file is None else None
    if store is not None:
        text = f"{issuer} is among this machine's authorities, which are not used by us"
        causes.append(Cause(text, f"tls: {{ca_file: {store}}}"))
    if route.options.tls.ca_file is not None:
        text = f"tls.ca_file does not hold the authority behind {issuer}"
        causes.append(Cause(text, "put the root that signed it there, as PEM"))
    elif store is None:
        text = f"no public authority vouches for {issuer}: a private one, or a proxy that opens TLS"
        causes.append(Cause(text, "get its root from whoever runs it, and set tls.ca_file to that file"))
    text = "the server does not send the certificates between its own and the root"
    return [*causes, Cause(text, "have it serve the full chain, or put these into tls.ca_file as well")]


def _inspected(seen: Certificate | None) -> list[Cause]:
    if seen is None or not seen.inspector:
        return []
    text = f"a proxy on the way opens TLS: {seen.issuer} is the name of one"
    return [Cause(text, "have the host exempted from inspection, or set tls.ca_file to the proxy's root")]


def _store(route: Route) -> Path | None:
    """The file on this machine that holds whoever signed it."""
    named = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
    for place in dict.fromkeys(path for path in (*named, *_STORES) if path):
        with contextlib.suppress(OSError, ssl.SSLError):
            if Path(place).is_file():
                _handshake(route, Path(place))
                return Path(place)
    return None


def _broken(route: Route, error: OSError) -> tuple[str, *tuple[Cause, ...]]:
    """No TLS came about: what was found, and causes."""
    reason = (getattr(error, "reason", None) or "").upper()
    plain = Cause(
        "plain HTTP is spoken there", f"url: {route.elsewhere('http', route.port)}, or the port on which it speaks TLS"
    )
    ours = Cause("it wants a certificate of ours", "set tls.cert_file and tls.key_file")
    cut = Cause("something between cuts TLS off: a firewall, or a balancer without a server", "look at its log")
    if isinstance(error, TimeoutError):
        return f"no TLS handshake within {route.seconds:g} s", plain, Cause("it is overloaded", "look at its log"), cut
    if "WRONG_VERSION" in reason or "RECORD_LAYER" in reason or "HTTP_REQUEST" in reason:
        return "what answers is not TLS", plain
    if "CERTIFICATE_REQUIRED" in reason:
        return "the server wants a client certificate", ours
    if "UNKNOWN_CA" in reason or "BAD_CERTIFICATE" in reason or "CERTIFICATE_UNKNOWN" in reason:
        text = "our certificate (tls.cert_file) is signed by nobody it trusts"
        return "the server refused our certificate", Cause(text, "have one issued by the authority it trusts"), ours
    if "PROTOCOL" in reason or "VERSION" in reason:
        text = "the server speaks only versions below TLS 1.2"
        return "no version of TLS in common", Cause(text, "turn TLS 1.2 on there")
    if "HANDSHAKE_FAILURE" in reason:
        text = "the server has no certificate for this name, or no cipher in common"
        return "the server broke the handshake off", ours, Cause(text, "look at its log; check the name in url")
    if "UNRECOGNIZED_NAME" in reason:
        return "the server does not know this name", Cause("another host name is wanted", "check the name in url")
    return f"the connection was closed in the handshake ({reason or type(error).__name__})", plain, cut, ours
