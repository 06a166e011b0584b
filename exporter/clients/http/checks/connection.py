"""The steps of a check-up from a name to a connection: resolve it, connect to it, connect through a proxy."""

from __future__ import annotations

import socket
import time

from exporter.checkup import failed, ok, warning
from exporter.clients.http.checks.address import environment_proxy
from exporter.clients.http.checks.connection_causes import dns_causes, tcp_causes, tunnel_causes, typo
from exporter.clients.http.checks.reach import ConnectionProbe, TunnelError
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding


def dns(probe: ConnectionProbe) -> Finding:
    """The addresses of the server, or of the proxy."""
    try:
        probe.addresses = probe.resolve()
    except TimeoutError:
        silent = Cause(
            "the DNS server does not respond",
            "check nameserver in /etc/resolv.conf, and whether port 53 is open",
        )
        return failed(f"no response within {probe.seconds:g} s", silent, typo(probe))
    except socket.gaierror as error:
        return failed(f"no address: {error.strerror or 'unknown name'}", *dns_causes(probe, error))
    except OSError as error:
        return failed(f"no address: {error.strerror or 'error'}", typo(probe))

    hosts = (address[0] for _, address in probe.addresses)
    return ok(", ".join(dict.fromkeys(hosts)))


def tcp(probe: ConnectionProbe) -> Finding:
    """The first address that accepts a connection; failing addresses before it delay each new connection."""
    outcomes = list[str]()
    failure = OSError()
    # An address that drops packets must leave time for the others.
    share = probe.seconds / max(1, len(probe.addresses))
    for address in probe.addresses:
        host = address[1][0]
        start = time.monotonic()
        try:
            probe.connect(address, share).close()
        except OSError as error:
            outcomes.append(f"{host}: {_why(error, share)}")
            failure = error
            continue

        probe.connected_address = address
        outcomes.append(f"{host}: connected in {spent(time.monotonic() - start)}")
        if len(outcomes) == 1:
            return ok(outcomes[0])
        text = "an address of the name does not respond, and each new connection tries it first"
        return warning("; ".join(outcomes), Cause(text, "fix that address, or remove it from DNS"))
    return failed("; ".join(outcomes), *tcp_causes(probe, failure, environment_proxy(probe)))


def tunnel(probe: ConnectionProbe) -> Finding:
    """Whether the proxy connects us to the server."""
    try:
        probe.tunnel().close()
    except TunnelError as refusal:
        return proxy_refused(probe, refusal.status)
    except OSError as error:
        cause = Cause("it is not an HTTP proxy, or it is overloaded", "check proxy.url, and the proxy's log")
        return failed(f"no tunnel: {_why(error, probe.seconds)}", cause)

    return ok(f"the proxy connects to {probe.host}:{probe.port}")


def proxy_refused(probe: ConnectionProbe, status: int) -> Finding:
    """The finding for a proxy's refusal, by its status; 0: it does not speak HTTP."""
    text = f"the proxy responded with status {status}" if status else "the response is not from an HTTP proxy"
    return failed(text, *tunnel_causes(probe, status))


def _why(error: OSError, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no response within {seconds:g} s"
    return (error.strerror or type(error).__name__).lower()
