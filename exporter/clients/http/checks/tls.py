"""The TLS step of a check-up: what the server's certificate says, and whether it is accepted."""

from __future__ import annotations

import contextlib
import ssl
import time
from pathlib import Path

from exporter.checkup import failed, ok, warning
from exporter.clients.http.checks.certificates import Certificate, fields, unverified, verifying
from exporter.clients.http.checks.reach import ConnectionProbe
from exporter.clients.http.checks.tls_causes import certificate_causes, no_tls
from exporter.clients.http.options import check_tls
from exporter.humanize import first
from exporter.model.checkup import Cause, Finding

_SOON = 14 * 86400.0
"""An end of validity that is this near is a warning, in seconds."""

_LINGER = 0.3
"""Seconds for a server to say after the handshake that it wants a certificate of ours (TLS 1.3).

Nothing is sent meanwhile: a server that has closed would answer with a reset, and what it said would be lost.
"""

_NAMES = 5
"""Names of a certificate that are shown."""


def tls(probe: ConnectionProbe) -> Finding:
    """Verified as a poll would, whatever insecure_skip_verify says; with it, what is wrong is a warning."""
    check_tls(probe.options.tls)
    try:
        certificate, version = _handshake(probe)
    except ssl.SSLCertVerificationError as error:
        return _not_accepted(probe, error)
    except OSError as error:  # ssl.SSLError among them
        return no_tls(probe, error)

    finding = _accepted(probe, certificate, version)
    if not probe.options.tls.insecure_skip_verify:
        return finding
    return warning(
        f"{finding.found}; verified here, not in polls",
        Cause("tls.insecure_skip_verify is set and not needed", "take tls.insecure_skip_verify away"),
    )


def _handshake(probe: ConnectionProbe, authorities: Path | None = None) -> tuple[Certificate | None, str]:
    """The verified certificate and the protocol; raises OSError (ssl.SSLError among them)."""
    context = verifying(probe.options.tls, authorities)
    with probe.tunnel() as plain, context.wrap_socket(plain, server_hostname=probe.host) as sock:
        certificate = fields(sock.getpeercert() or {})
        version = sock.version() or ""

        if authorities is None:
            # TLS 1.3 says only after the handshake that it wants a certificate of ours.
            sock.settimeout(_LINGER)
            with contextlib.suppress(TimeoutError):
                sock.recv(1)
        return certificate, version


def _accepted(probe: ConnectionProbe, certificate: Certificate | None, version: str) -> Finding:
    if certificate is None:
        return ok(version)
    description = f"{version}; {_described(certificate)}"
    if certificate.inspector:
        text = f"a proxy opens TLS ({certificate.issuer}), and sees the credentials we send"
        return warning(description, Cause(text, f"have {probe.host} exempted from inspection"))

    remaining = certificate.end - time.time()
    if remaining < _SOON:
        text = f"it ends in {max(remaining, 0) / 86400:.0f} days"
        return warning(description, Cause(text, "renew it now; look why it was not renewed by itself"))
    return ok(description)


def _not_accepted(probe: ConnectionProbe, error: ssl.SSLCertVerificationError) -> Finding:
    # Its fields say more than OpenSSL's code: whose it is, for which names, and who signed it.
    certificate = unverified(probe)
    description = f"not accepted: {error.verify_message}"
    if certificate is not None:
        description = f"{description}; {_described(certificate)}"
    causes = certificate_causes(probe, error.verify_code, certificate, lambda file: _trusts(probe, file))
    if not probe.options.tls.insecure_skip_verify:
        return failed(description, *causes)

    text = "tls.insecure_skip_verify is set: anybody on the way can read and change what is sent"
    return warning(f"{description}; used all the same", Cause(text, "do what follows, then take it away"), *causes)


def _trusts(probe: ConnectionProbe, authorities: Path) -> bool:
    """Whether the server's certificate is accepted with these authorities."""
    with contextlib.suppress(OSError):
        if authorities.is_file():
            _handshake(probe, authorities)
            return True
    return False


def _described(certificate: Certificate) -> str:
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(certificate.end))
    names = first(certificate.names, _NAMES) or "no name at all"
    return f"certificate of {certificate.subject}, for {names}, signed by {certificate.issuer}, valid until {until}"
