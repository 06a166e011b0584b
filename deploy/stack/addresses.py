"""Where the stack's programs listen, and its configuration files with these addresses in them."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import astuple, dataclass, fields, replace

_LOOPBACK = re.compile(r"127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Addresses:
    """host:port of each program; by default as the files in deploy/ and docker-compose.yml have them."""

    prometheus: str = "127.0.0.1:19090"
    alertmanager: str = "127.0.0.1:19093"
    exporter: str = "127.0.0.1:9826"
    exporter_appdynamics: str = "127.0.0.1:9830"
    demo: str = "127.0.0.1:9827"
    receiver: str = "127.0.0.1:9828"
    controller: str = "127.0.0.1:9829"


AS_SHIPPED = Addresses()

USUAL = replace(AS_SHIPPED, exporter="127.0.0.1:19826", demo="127.0.0.1:19827")
"""Those of `make stack`: `make run` (9826) and the page of `pte-exporter run` (9827) may be beside it."""


def free() -> Addresses:
    """Ports on loopback that were free a moment ago."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in fields(Addresses)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return Addresses(*(f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets))


def redirected(text: str, addresses: Addresses) -> str:
    """A configuration file as it is shipped, but with these addresses."""
    instead = dict(zip(astuple(AS_SHIPPED), astuple(addresses), strict=True))
    return _LOOPBACK.sub(lambda match: instead.get(match[0], match[0]), text)
