"""Causes of a failed TLS handshake or a rejected certificate, the likeliest first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from exporter.checkup import failed
from exporter.clients.http.checks.address import BUNDLES
from exporter.clients.http.checks.certificates import Certificate
from exporter.clients.http.checks.reach import ConnectionProbe
from exporter.model.checkup import Cause, Finding

_EXPIRED = 10
_NOT_YET = 9
_OTHER_NAME = (62, 64)
_SELF_SIGNED = 18
_UNKNOWN_AUTHORITY = (2, 19, 20, 21)
"""The relevant X509_V_ERR_* codes of OpenSSL."""

_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their CAs in one file."""

Trusts = Callable[[Path], bool]
"""Whether the certificate is accepted with the CAs in a file."""


def certificate_causes(
    probe: ConnectionProbe, code: int, certificate: Certificate | None, trusts: Trusts
) -> Iterator[Cause]:
    """Causes by OpenSSL's error code."""
    if code == _EXPIRED:
        yield Cause("the certificate has expired", "renew it, and restart the program that serves it")
        yield Cause("the clock of this machine is ahead", "run `timedatectl`")
    elif code == _NOT_YET:
        text = "the clock of this machine is behind, or the certificate is not valid yet"
        yield Cause(text, "run `timedatectl`, then check the certificate's notBefore")
    elif code in _OTHER_NAME:
        yield from _other_name(probe, certificate)
    elif code == _SELF_SIGNED:
        yield from _inspected(certificate)
        yield Cause(
            "the certificate is self-signed",
            "save it on the server's machine and set tls.ca_file to it, or request one from your CA",
        )
    elif code in _UNKNOWN_AUTHORITY:
        yield from _unknown_authority(probe, certificate, trusts)
    else:
        text = "the certificate or its chain breaks a rule, such as a key that is too short"
        yield Cause(text, "request a new certificate")


def _other_name(probe: ConnectionProbe, certificate: Certificate | None) -> Iterator[Cause]:
    remedy = "use the name in the certificate in url"
    if certificate is not None and certificate.names:
        remedy = f"use one of these names in url: {', '.join(certificate.names[:5])}"
    yield Cause(f"the server's name is not {probe.host}", remedy)

    yield Cause(
        "the certificate lacks this name",
        f"request a new certificate that has {probe.host} in its subjectAltNames",
    )


def _unknown_authority(probe: ConnectionProbe, certificate: Certificate | None, trusts: Trusts) -> Iterator[Cause]:
    """Causes for a certificate that no trusted CA has signed."""
    issuer = certificate.issuer if certificate is not None else "a CA"
    yield from _inspected(certificate)

    if probe.options.tls.ca_file is not None:
        text = f"tls.ca_file does not contain the root of {issuer}"
        yield Cause(text, "add the root that signed it there, as PEM")
    elif (store := _store(trusts)) is not None:
        text = f"this machine trusts {issuer}, but the exporter does not use the machine's CAs"
        yield Cause(text, f"tls: {{ca_file: {store}}}")
    else:
        text = f"{issuer} is not a public CA: it is a private one, or a proxy that intercepts TLS"
        yield Cause(text, "get its root from its operator, and set tls.ca_file to that file")

    yield Cause(
        "the server does not send the intermediate certificates",
        "configure it to send the full chain, or add them to tls.ca_file as well",
    )


def _inspected(certificate: Certificate | None) -> Iterator[Cause]:
    if certificate is not None and certificate.inspector:
        text = f"a proxy on the way intercepts TLS: {certificate.issuer} is such a product"
        yield Cause(text, "exempt the host from inspection, or set tls.ca_file to the proxy's root")


def _store(trusts: Trusts) -> Path | None:
    """The file on this machine that contains the CA."""
    variables = (os.environ.get(name) for name in BUNDLES)
    for file in dict.fromkeys((*variables, *_STORES)):
        if file and trusts(Path(file)):
            return Path(file)
    return None


def no_tls(probe: ConnectionProbe, error: OSError) -> Finding:
    """The finding for a failed handshake, by OpenSSL's name of the error."""
    reason = (getattr(error, "reason", None) or "").upper()
    text = "a device on the way interrupts TLS: a firewall, or a load balancer without a server"
    cut = Cause(text, "check its log")
    plain = Cause(
        "the server speaks plain HTTP",
        f"url: {probe.elsewhere('http', probe.port)}, or the port where it speaks TLS",
    )

    if isinstance(error, TimeoutError):
        text = f"no TLS handshake within {probe.seconds:g} s"
        return failed(text, plain, Cause("the server is overloaded", "check its log"), cut)
    if _is_any(reason, "WRONG_VERSION", "RECORD_LAYER", "HTTP_REQUEST"):
        return failed("the response is not TLS", plain)

    refusal = _refusal(reason)
    if refusal is not None:
        return refusal
    return failed(
        f"the connection was closed during the handshake ({reason or type(error).__name__})", plain, cut, _OURS
    )


_OURS = Cause("the server requires a client certificate", "set tls.cert_file and tls.key_file")


def _refusal(reason: str) -> Finding | None:
    """The finding where the server itself says why it ended the handshake."""
    if _is_any(reason, "CERTIFICATE_REQUIRED"):
        missing = Cause("no client certificate is configured", "set tls.cert_file and tls.key_file")
        return failed("the server requires a client certificate", missing)
    if _is_any(reason, "UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN"):
        text = "the server does not trust the CA of our certificate (tls.cert_file)"
        issued = Cause(text, "request one from a CA that it trusts")
        return failed("the server rejected our certificate", issued, _OURS)
    if _is_any(reason, "PROTOCOL", "VERSION"):
        text = "the server speaks only versions below TLS 1.2"
        return failed("no common TLS version", Cause(text, "enable TLS 1.2 there"))
    if _is_any(reason, "HANDSHAKE_FAILURE"):
        text = "the server has no certificate for this name, or no common cipher"
        name = Cause(text, "check its log and the name in url")
        return failed("the server ended the handshake", _OURS, name)
    if _is_any(reason, "UNRECOGNIZED_NAME"):
        cause = Cause("the server expects another host name", "check the name in url")
        return failed("the server does not know this name", cause)
    return None


def _is_any(reason: str, *parts: str) -> bool:
    """Versions of OpenSSL add different text before and after such a name."""
    return any(part in reason for part in parts)
