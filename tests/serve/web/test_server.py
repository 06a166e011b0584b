"""The listening socket, on machines with and without IPv6."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from exporter.errors import PteError
from exporter.serve.web.server import bind

SOCKET = socket.socket
BOTH = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))


def without(family: int) -> Callable[..., Any]:
    """Like socket.socket where the kernel does not speak this version of IP."""

    def make(requested: int, *rest: int) -> socket.socket:
        if requested == family:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return SOCKET(requested, *rest)

    return make


@pytest.mark.parametrize("address", [":0", "localhost:0"])
def test_a_machine_without_ipv6_listens_all_the_same(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that names an IPv6 address says nothing about the kernel: the next address is tried."""
    result = [(family, socket.SOCK_STREAM, 6, "", (where, 0)) for family, where in BOTH]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: result)
    monkeypatch.setattr("socket.socket", without(socket.AF_INET6))
    with bind(address) as listening:
        assert listening.family == socket.AF_INET


def test_a_machine_without_any_of_the_addresses_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no address can be listened on, the last one's failure is told."""
    monkeypatch.setattr("socket.socket", without(socket.AF_INET))
    with pytest.raises(PteError, match=r"cannot listen on 127\.0\.0\.1:0: Address family not supported"):
        bind("127.0.0.1:0")
