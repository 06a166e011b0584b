"""What a person is told when a request fails: who failed, what happened, what to look at. Never a secret, never a body.

A server may echo what it was sent, and texts of libraries may hold headers: neither is quoted.
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
    """What messages say about a kind of server; as they stand, about Prometheus."""

    api: str = "a Prometheus API"
    """What the url should lead to."""
    path: str = "it ends before /api/v1"
    """How the url should end."""
    credentials: str = "the token, password or tenant header"
    """What to check when we are refused."""
    narrow: str = "narrow selector"
    """How answers become smaller."""
    rate: str = "poll less often or raise the limit"
    """How we ask less often than is allowed."""
    rights: str = ""
    """What to check instead at a 403, where that is said only of whom the server knows; its page is its own then."""


@dataclass(frozen=True, slots=True)
class Failures:
    """The errors of one session."""

    place: str
    """host:port of the server."""
    proxy: str | None
    """host:port of the proxy between."""
    timeout: float
    max_bytes: int
    words: Words
    redact: Callable[[str], str]

    def status(self, status: int, headers: Mapping[str, str], now: float) -> SourceError:
        """The error for a status that is not wanted. `now` is Unix time, which a Retry-After may refer to."""
        where, words = self.place, self.words
        wait = _retry_after(headers.get("Retry-After"), now)
        if status == 403 and words.rights:
            return SourceError("auth", f"{where} refused us ({status}): check {words.rights}")
        if status in (401, 403):
            text = f"{where} refused us ({status}{_page(headers)}): check {words.credentials}"
            if is_page(headers):
                text += "; or is there a login page (single sign-on, a proxy) before it?"
            return SourceError("auth", text)
        if status == 407:
            return self._tunnel(status)
        if status == 404:
            return SourceError("not_found", f"{where} has no such path (404): check url, {words.path}")
        if status == 429:
            text = f"{where} limits our rate (429)" + (f", wait {wait:.0f} s" if wait is not None else "")
            return SourceError("rate_limited", f"{text}: {words.rate}", retry_after=wait)
        if 300 <= status < 400:
            to = self._destination(headers)
            return SourceError("redirect", f"{where} redirects{to} ({status}): set url to the final address")
        if status >= 500 and status != 501:  # which is for what a server never does
            return SourceError("server_error", f"{where} failed ({status}): look at its log", retry_after=wait)
        return SourceError("http_error", f"{where} answered {status}: check that url is {words.api}")

    def too_large(self) -> SourceError:
        """The error for a body that is longer than we read."""
        text = f"{self.place} sent more than {self.max_bytes} bytes: raise max_bytes or {self.words.narrow}"
        return SourceError("too_large", text)

    def broken(self, error: Exception, *, late: bool) -> SourceError:
        """The error for an exchange that broke off; `late`: because its time was over."""
        causes = tuple(_causes(error))
        if late or any(isinstance(c, TimeoutError | requests.Timeout) for c in causes):
            way = f" (through the proxy {self.proxy})" if self.proxy else ""
            text = (
                f"{self.place} did not answer in full within {self.timeout:g} s{way}: is it overloaded? raise timeout"
            )
            return SourceError("timeout", text)
        by_proxy = self.proxy is not None and any(isinstance(c, urllib3.exceptions.ProxyError) for c in causes)
        where = f"the proxy {self.proxy} on the way to {self.place}" if by_proxy else self.place
        if secure := self._secure(causes, where):
            return secure
        if any(isinstance(c, urllib3.exceptions.NameResolutionError) for c in causes):
            text = f"the host name of {where} is not known: check {'proxy.url' if by_proxy else 'url'} and DNS"
            return SourceError("refused", text)
        if any(isinstance(c, urllib3.exceptions.NewConnectionError) for c in causes):
            return SourceError("refused", f"no connection to {where}: is it running there, may we reach it?")
        tunnel = next((found for c in causes if isinstance(c, OSError) and (found := _TUNNEL.match(str(c)))), None)
        if tunnel is not None:
            return self._tunnel(int(tunnel[1]))
        if any(isinstance(c, requests.exceptions.InvalidHeader | UnicodeError) for c in causes):
            return SourceError("unreadable", f"a header for {where} cannot be sent: check headers and headers_files")
        return SourceError("truncated", f"{where} broke the answer off: look at its log and at proxies between")

    def _secure(self, causes: tuple[BaseException, ...], where: str) -> SourceError | None:
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                text = self.redact(cause.verify_message)
                return SourceError("tls", f"certificate of {where} not accepted ({text}): set tls.ca_file or mend it")
        if any(isinstance(c, ssl.SSLError | requests.exceptions.SSLError) for c in causes):
            text = "is it https there? does it want a client certificate (tls.cert_file), or another?"
            return SourceError("tls", f"no TLS with {where}: {text}")
        return None

    def _tunnel(self, status: int) -> SourceError:
        """A proxy that does not let us through."""
        who = f"the proxy {self.proxy}" if self.proxy else "a proxy"
        if status == 407:
            text = f"{who} on the way to {self.place} wants other credentials (407)"
            return SourceError("auth", f"{text}: check proxy.username and its password")
        text = f"{who} does not connect us to {self.place} ({status})"
        return SourceError("refused", f"{text}: does it allow that host and port, does it reach them?")

    def _destination(self, headers: Mapping[str, str]) -> str:
        """Where a redirect leads: its host only, as the rest could hold anything."""
        try:
            parts = urlsplit(headers.get("Location", ""))
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        return f" to {self.redact(f'{parts.scheme}://{parts.hostname}{port}')}" if parts.hostname else ""


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether the body is said to be HTML."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")


def _page(headers: Mapping[str, str]) -> str:
    return " with an HTML page" if is_page(headers) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it: libraries wrap causes as arguments, reasons and contexts."""
    seen, todo = set[int](), [error]
    while todo:
        cause = todo.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        linked = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        todo += [link for link in linked if isinstance(link, BaseException)]


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
