"""Messages for failed requests: which server, what happened, what to check. They never hold a secret or a body.

A server may echo the request, and error texts of libraries may hold headers: neither is quoted.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3

from exporter.errors import SourceError

_TUNNEL = re.compile(r"Tunnel connection failed: (\d+)")


@dataclass(frozen=True, slots=True)
class Words:
    """The parts of messages that depend on the kind of server; the defaults are for Prometheus."""

    api: str = "a Prometheus API"
    """What the url should point to."""
    path: str = "it ends before /api/v1"
    """How the url should end."""
    credentials: str = "the token, password or tenant header"
    """What to check when access is denied."""
    narrow: str = "narrow selector"
    """How responses become smaller."""
    rate: str = "poll less often or raise the limit"
    """How to stay below the rate limit."""
    rights: str = ""
    """What to check instead at a 403, where the server sends it only to authenticated users."""


@dataclass(frozen=True, slots=True)
class Failures:
    """The errors of one session."""

    address: str
    """host:port of the server."""
    proxy: str | None
    """host:port of the proxy on the way."""
    timeout: float
    max_bytes: int
    words: Words
    redact: Callable[[str], str]

    def status(self, status: int, headers: Mapping[str, str], now: float) -> SourceError:
        """The error for an unexpected status. `now` is Unix time, which a Retry-After may refer to."""
        if status == 407:
            return self._tunnel(status)
        if status == 403 and self.words.rights:
            return self._of_status(status, "auth", f"access denied (403): check {self.words.rights}")
        if status in (401, 403):
            return self._of_status(status, "auth", self._refusal(status, headers))
        if status == 404:
            return self._of_status(status, "not_found", f"path not found (404): check url, {self.words.path}")

        wait = _retry_after(headers.get("Retry-After"), now)
        if status == 429:
            delay = f", wait {wait:.0f} s" if wait is not None else ""
            text = f"rate limit exceeded (429){delay}: {self.words.rate}"
            return self._of_status(status, "rate_limited", text, retry_after=wait)
        if 300 <= status < 400:
            destination = self._destination(headers)
            to = f" to {destination}" if destination else ""
            text = f"redirect{to} ({status}): set url to the final address"
            return self._of_status(status, "redirect", text, destination=destination)
        if status >= 500 and status != 501:  # 501 means that the server never supports the request
            text = f"server error ({status}): check its log"
            return self._of_status(status, "server_error", text, retry_after=wait)
        return self._of_status(status, "http_error", f"unexpected status {status}: check that url is {self.words.api}")

    def too_large(self) -> SourceError:
        """The error for a body above max_bytes."""
        text = f"{self.address} sent more than {self.max_bytes} bytes: raise max_bytes or {self.words.narrow}"
        return SourceError("too_large", text, location=self.address)

    def broken(self, error: Exception, *, late: bool) -> SourceError:
        """The error for an exchange that did not complete; `late`: because its time was up."""
        causes = tuple(_causes(error))
        # A deadline shuts sockets down, which looks like many other failures: check it first.
        if late or _any(causes, TimeoutError, requests.Timeout):
            return self._late()

        by_proxy = self.proxy is not None and _any(causes, urllib3.exceptions.ProxyError)
        where = f"the proxy {self.proxy} on the way to {self.address}" if by_proxy else self.address
        if (insecure := self._insecure(causes, where)) is not None:
            return insecure
        if _any(causes, urllib3.exceptions.NameResolutionError):
            option = "proxy.url" if by_proxy else "url"
            return self._broken("refused", f"cannot resolve the host name of {where}: check {option} and DNS")
        if _any(causes, urllib3.exceptions.NewConnectionError):
            text = f"cannot connect to {where}: is the server running, and does a firewall allow the connection?"
            return self._broken("refused", text)
        if (status := _tunnel_status(causes)) is not None:
            return self._tunnel(status)
        if _any(causes, requests.exceptions.InvalidHeader, UnicodeError):
            text = f"a header for {where} cannot be sent: check headers and headers_files"
            return self._broken("unreadable", text)
        text = f"{where} closed the connection before the response was complete: check its log and proxies on the way"
        return self._broken("truncated", text)

    def _broken(self, reason: str, text: str) -> SourceError:
        return SourceError(reason, text, location=self.address)

    def _of_status(
        self, status: int, reason: str, text: str, *, retry_after: float | None = None, destination: str = ""
    ) -> SourceError:
        return SourceError(
            reason,
            f"{self.address}: {text}",
            status=status,
            location=self.address,
            retry_after=retry_after,
            destination=destination,
        )

    def _refusal(self, status: int, headers: Mapping[str, str]) -> str:
        """The text for a 401 or 403. With an HTML page, it may come from another server's login page."""
        if not is_page(headers):
            return f"access denied ({status}): check {self.words.credentials}"
        text = f"access denied ({status} with an HTML page): check {self.words.credentials}"
        return f"{text}; or is a login page (single sign-on, a proxy) in front of it?"

    def _late(self) -> SourceError:
        via = f" (through the proxy {self.proxy})" if self.proxy else ""
        text = f"no complete response from {self.address} within {self.timeout:g} s{via}"
        text = f"{text}: is it overloaded? raise timeout"
        return self._broken("timeout", text)

    def _insecure(self, causes: tuple[BaseException, ...], where: str) -> SourceError | None:
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                text = self.redact(cause.verify_message)
                return self._broken("tls", f"certificate of {where} not accepted ({text}): fix it or set tls.ca_file")

        if _any(causes, ssl.SSLError, requests.exceptions.SSLError):
            text = "does it speak https? does it require a client certificate (tls.cert_file), or another one?"
            return self._broken("tls", f"no TLS with {where}: {text}")
        return None

    def _tunnel(self, status: int) -> SourceError:
        """The error for a proxy that does not connect us."""
        proxy = f"the proxy {self.proxy}" if self.proxy else "a proxy"
        if status == 407:
            text = f"{proxy} on the way to {self.address} requires other credentials (407)"
            text = f"{text}: check proxy.username and its password"
            return SourceError("auth", text, status=status, location=self.address)

        text = f"{proxy} does not connect to {self.address} ({status})"
        text = f"{text}: does it allow that host and port, and can it reach them?"
        return SourceError("refused", text, status=status, location=self.address)

    def _destination(self, headers: Mapping[str, str]) -> str:
        """The target of a redirect: its host only, because the rest could hold secrets. Empty without one."""
        try:
            parts = urlsplit(headers.get("Location", ""))
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        if not parts.hostname:
            return ""

        return self.redact(f"{parts.scheme}://{parts.hostname}{port}")


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether the headers declare the body to be HTML."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")


def _any(causes: tuple[BaseException, ...], *types: type[BaseException]) -> bool:
    return any(isinstance(cause, types) for cause in causes)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it: libraries wrap causes as arguments, reasons and contexts."""
    done = set[int]()
    todo = [error]
    while todo:
        cause = todo.pop()
        if id(cause) in done:  # they may refer to each other
            continue

        done.add(id(cause))
        yield cause
        linked = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        todo += [link for link in linked if isinstance(link, BaseException)]


def _tunnel_status(causes: tuple[BaseException, ...]) -> int | None:
    """The status with which a proxy refused to connect us: http.client reports it only in the text of its error."""
    for cause in causes:
        if isinstance(cause, OSError) and (match := _TUNNEL.match(str(cause))):
            return int(match[1])
    return None


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from a number of seconds or a date; None when it is neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None
