"""Who may read the pages and whether connections are encrypted, by --web.config.file; a reload reads the file again."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from exporter.errors import ConfigError, Problem
from exporter.serve.web import config as web_config
from exporter.serve.web.auth import Users


class Access:
    """Without a file: everyone, without TLS. Raises ConfigError."""

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = path
        config = web_config.read(path) if path is not None else web_config.WebConfig()
        self.tls = _context(config, path)
        """Given to the listening socket once; a reload renews the server's certificate in it."""
        self._trusted = _trusted(config)
        self._use(config)

    def reload(self) -> None:
        """Read the file again, including the server's certificate; raises ConfigError and then changes nothing.

        The trusted client certificates cannot change: OpenSSL's contexts only add authorities, and a session opened
        under the old authorities can be resumed. A reload to lock a client out would only seem to work.
        """
        if self._path is None:
            return

        config = web_config.read(self._path)
        tls = config.tls_server_config
        if (tls is None) != (self.tls is None):
            text = "TLS cannot be turned on or off by a reload, restart instead"
            raise ConfigError([Problem(str(self._path), "tls_server_config", text)])
        if _trusted(config) != self._trusted:
            text = "trusted clients cannot be changed by a reload, restart instead"
            raise ConfigError([Problem(str(self._path), "tls_server_config.client_ca_file", text)])

        # The context that connections are accepted with cannot be replaced while the socket listens, so the new
        # certificate goes into that one.
        if tls is not None and self.tls is not None:
            web_config.context(tls, str(self._path), [], self.tls)
        self._use(config)

    def _use(self, config: web_config.WebConfig) -> None:
        self.users = Users(config.basic_auth_users)
        self.headers: Mapping[str, str] = config.headers


def _context(config: web_config.WebConfig, path: str | Path | None) -> ssl.SSLContext | None:
    tls = config.tls_server_config
    if tls is None:
        return None
    return web_config.context(tls, str(path), [])


def _trusted(config: web_config.WebConfig) -> tuple[str, bytes] | None:
    """How clients' certificates are verified, and the authorities that may have issued them."""
    tls = config.tls_server_config
    if tls is None:
        return None
    authorities = tls.client_ca_file.read_bytes() if tls.client_ca_file is not None else b""
    return tls.client_auth_type, authorities
