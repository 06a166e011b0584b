"""Who may read the pages and how connections are kept private: what --web.config.file says, taken anew at a reload."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from exporter.errors import ConfigError, Problem
from exporter.web import config as web_config
from exporter.web.auth import Users


class Access:
    """Without a file: everyone, without TLS. Raises ConfigError."""

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = path
        config = web_config.read(path) if path is not None else web_config.WebConfig()
        self.tls = _context(config, path)
        """Given to the listening socket once; a reload renews the certificates in it."""
        self._use(config)

    def reload(self) -> None:
        """Take the file anew, certificates included; raises ConfigError and then changes nothing."""
        if self._path is None:
            return
        config = web_config.read(self._path)
        tls = config.tls_server_config
        if (tls is None) != (self.tls is None):
            text = "TLS cannot be turned on or off while running, wanted a restart"
            raise ConfigError([Problem(str(self._path), "tls_server_config", text)])
        if tls is not None and self.tls is not None:
            web_config.context(tls, str(self._path), [], self.tls)
        self._use(config)

    def _use(self, config: web_config.WebConfig) -> None:
        self.users = Users(config.basic_auth_users)
        self.headers: Mapping[str, str] = config.headers


def _context(config: web_config.WebConfig, path: str | Path | None) -> ssl.SSLContext | None:
    tls = config.tls_server_config
    return web_config.context(tls, str(path), []) if tls is not None else None
