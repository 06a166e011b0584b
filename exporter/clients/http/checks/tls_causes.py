"""Why there is no TLS with a server, or its certificate is not accepted: causes, the likeliest first."""

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
"""OpenSSL's X509_V_ERR_* in question."""

_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their authorities in one file."""

Trusts = Callable[[Path], bool]
"""Whether the certificate is accepted with the authorities in a file."""


def certificate_causes(
    probe: ConnectionProbe, code: int, certificate: Certificate | None, trusts: Trusts
) -> Iterator[Cause]:
    """By OpenSSL's code of what is wrong."""
    if code == _EXPIRED:
        yield Cause("the certificate has expired", "renew it, and restart what serves it")
        yield Cause("the clock of this machine is ahead", "run `timedatectl`")
    elif code == _NOT_YET:
        text = "the clock of this machine is behind, or the certificate is for later"
        yield Cause(text, "run `timedatectl`, then look at the certificate's notBefore")
    elif code in _OTHER_NAME:
        yield from _other_name(probe, certificate)
    elif code == _SELF_SIGNED:
        yield from _inspected(certificate)
        yield Cause(
            "the certificate is signed by itself",
            "save it on the server's machine and set tls.ca_file to it, or have one issued by your authority",
        )
    elif code in _UNKNOWN_AUTHORITY:
        yield from _unknown_authority(probe, certificate, trusts)
    else:
        text = "the certificate or its chain breaks a rule, such as a key that is too short"
        yield Cause(text, "have it issued again")


def _other_name(probe: ConnectionProbe, certificate: Certificate | None) -> Iterator[Cause]:
    remedy = "url with the name in the certificate"
    if certificate is not None and certificate.names:
        remedy = f"url with one of {', '.join(certificate.names[:5])}"
    yield Cause(f"the server is called otherwise than {probe.host}", remedy)

    yield Cause(
        "the certificate lacks this name",
        f"have it issued again with {probe.host} among its subjectAltNames",
    )


def _unknown_authority(probe: ConnectionProbe, certificate: Certificate | None, trusts: Trusts) -> Iterator[Cause]:
    """Nobody whom we trust has signed it: who may have, and how to trust them."""
    issuer = certificate.issuer if certificate is not None else "an authority"
    yield from _inspected(certificate)

    if probe.options.tls.ca_file is not None:
        text = f"tls.ca_file does not hold the authority behind {issuer}"
        yield Cause(text, "put the root that signed it there, as PEM")
    elif (store := _store(trusts)) is not None:
        text = f"{issuer} is among this machine's authorities, which are not used by us"
        yield Cause(text, f"tls: {{ca_file: {store}}}")
    else:
        text = f"no public authority vouches for {issuer}: a private one, or a proxy that opens TLS"
        yield Cause(text, "get its root from whoever runs it, and set tls.ca_file to that file")

    yield Cause(
        "the server does not send the certificates between its own and the root",
        "have it serve the full chain, or put these into tls.ca_file as well",
    )


def _inspected(certificate: Certificate | None) -> Iterator[Cause]:
    if certificate is not None and certificate.inspector:
        text = f"a proxy on the way opens TLS: {certificate.issuer} is the name of one"
        yield Cause(text, "have the host exempted from inspection, or set tls.ca_file to the proxy's root")


def _store(trusts: Trusts) -> Path | None:
    """The file on this machine that holds whoever signed it."""
    variables = (os.environ.get(name) for name in BUNDLES)
    for file in dict.fromkeys((*variables, *_STORES)):
        if file and trusts(Path(file)):
            return Path(file)
    return None


def no_tls(probe: ConnectionProbe, error: OSError) -> Finding:
    """No TLS came about: what was found, by OpenSSL's name of it, and causes."""
    reason = (getattr(error, "reason", None) or "").upper()
    cut = Cause("something between cuts TLS off: a firewall, or a balancer without a server", "look at its log")
    plain = Cause(
        "plain HTTP is spoken there",
        f"url: {probe.elsewhere('http', probe.port)}, or the port on which it speaks TLS",
    )

    if isinstance(error, TimeoutError):
        text = f"no TLS handshake within {probe.seconds:g} s"
        return failed(text, plain, Cause("it is overloaded", "look at its log"), cut)
    if _is_any(reason, "WRONG_VERSION", "RECORD_LAYER", "HTTP_REQUEST"):
        return failed("what answers is not TLS", plain)

    refusal = _refusal(reason)
    if refusal is not None:
        return refusal
    return failed(f"the connection was closed in the handshake ({reason or type(error).__name__})", plain, cut, _OURS)


_OURS = Cause("it wants a certificate of ours", "set tls.cert_file and tls.key_file")


def _refusal(reason: str) -> Finding | None:
    """Where the server speaks TLS, and says itself why it does not go on."""
    if _is_any(reason, "CERTIFICATE_REQUIRED"):
        return failed("the server wants a client certificate", _OURS)
    if _is_any(reason, "UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN"):
        text = "our certificate (tls.cert_file) is signed by nobody it trusts"
        issued = Cause(text, "have one issued by the authority it trusts")
        return failed("the server refused our certificate", issued, _OURS)
    if _is_any(reason, "PROTOCOL", "VERSION"):
        text = "the server speaks only versions below TLS 1.2"
        return failed("no version of TLS in common", Cause(text, "turn TLS 1.2 on there"))
    if _is_any(reason, "HANDSHAKE_FAILURE"):
        text = "the server has no certificate for this name, or no cipher in common"
        name = Cause(text, "look at its log; check the name in url")
        return failed("the server broke the handshake off", _OURS, name)
    if _is_any(reason, "UNRECOGNIZED_NAME"):
        cause = Cause("another host name is wanted", "check the name in url")
        return failed("the server does not know this name", cause)
    return None


def _is_any(reason: str, *parts: str) -> bool:
    """Versions of OpenSSL differ in what they put before and behind such a name."""
    return any(part in reason for part in parts)
