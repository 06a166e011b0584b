"""The TLS step of a check-up: the server's certificate, and whether it is accepted."""

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
"""A certificate that expires within this time is a warning, in seconds."""

_LINGER = 0.3
"""Seconds for a server to say after the handshake that it requires a client certificate (TLS 1.3).

Nothing is sent meanwhile: a server that has closed would respond with a reset, and its message would be lost.
"""

_NAMES = 5
"""Maximum number of certificate names to print."""


def tls(probe: ConnectionProbe) -> Finding:
    """Verifies as a poll would, even with insecure_skip_verify; with it, a problem is only a warning."""
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
        f"{finding.result}; verified here, but not in polls",
        Cause("tls.insecure_skip_verify is set but not needed", "remove tls.insecure_skip_verify"),
    )


def _handshake(probe: ConnectionProbe, authorities: Path | None = None) -> tuple[Certificate | None, str]:
    """The verified certificate and the protocol; raises OSError, also ssl.SSLError."""
    context = verifying(probe.options.tls, authorities)
    with probe.tunnel() as plain, context.wrap_socket(plain, server_hostname=probe.host) as sock:
        certificate = fields(sock.getpeercert() or {})
        version = sock.version() or ""

        if authorities is None:
            # In TLS 1.3 a server says only after the handshake that it requires a client certificate.
            sock.settimeout(_LINGER)
            with contextlib.suppress(TimeoutError):
                sock.recv(1)
        return certificate, version


def _accepted(probe: ConnectionProbe, certificate: Certificate | None, version: str) -> Finding:
    if certificate is None:
        return ok(version)
    description = f"{version}; {_described(certificate)}"
    if certificate.inspector:
        text = f"a proxy intercepts TLS ({certificate.issuer}) and can read our credentials"
        return warning(description, Cause(text, f"exempt {probe.host} from inspection"))

    remaining = certificate.end - time.time()
    if remaining < _SOON:
        text = f"it expires in {max(remaining, 0) / 86400:.0f} days"
        return warning(description, Cause(text, "renew it now; find out why it was not renewed automatically"))
    return ok(description)


def _not_accepted(probe: ConnectionProbe, error: ssl.SSLCertVerificationError) -> Finding:
    # Its fields say more than OpenSSL's code: subject, names and issuer.
    certificate = unverified(probe)
    description = f"not accepted: {error.verify_message}"
    if certificate is not None:
        description = f"{description}; {_described(certificate)}"
    causes = certificate_causes(probe, error.verify_code, certificate, lambda file: _trusts(probe, file))
    if not probe.options.tls.insecure_skip_verify:
        return failed(description, *causes)

    text = "tls.insecure_skip_verify is set: anyone on the way can read and change the traffic"
    return warning(f"{description}; used anyway", Cause(text, "fix the next causes, then remove it"), *causes)


def _trusts(probe: ConnectionProbe, authorities: Path) -> bool:
    """Whether the server's certificate is accepted with these CAs."""
    with contextlib.suppress(OSError):
        if authorities.is_file():
            _handshake(probe, authorities)
            return True
    return False


def _described(certificate: Certificate) -> str:
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(certificate.end))
    names = first(certificate.names, _NAMES) or "no name"
    return f"certificate of {certificate.subject}, for {names}, signed by {certificate.issuer}, valid until {until}"
