"""HTTP out: one session per source, with an overall deadline, a byte cap and no redirects.

Every failure is a SourceError whose text names host:port and what to do, and never holds a secret. Proxies, .netrc and
CA bundles from the environment are not used (`trust_env` is off): what is sent where is in the configuration alone.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3

from exporter import __version__
from exporter.errors import SourceError
from exporter.http.deadline import Deadline, DeadlineAdapter
from exporter.http.options import HttpOptions, check_tls, request_headers

logging.getLogger("urllib3").setLevel(logging.ERROR)  # what it warns of, we raise; its lines hold tracebacks

_CHUNK = 1 << 16
_TEXT_PART = 150


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was read in full."""

    status: int
    body: bytes
    clock_skew: float | None
    """The server's clock minus ours, in seconds, from its Date header (which counts whole seconds)."""


class Session:
    """Sends requests to one server; one at a time. Nothing is opened or read before the first request."""

    def __init__(self, url: str, options: HttpOptions, clock: Callable[[], float] = time.time) -> None:
        parts = urlsplit(url)
        self._url = url.rstrip("/")
        self._origin = (parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        self.place = f"{parts.hostname}:{self._origin[2]}"
        """host:port, for messages."""
        self._options = options
        self._clock = clock
        self._deadline = Deadline()
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"pte-exporter/{__version__}"
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, DeadlineAdapter(self._deadline))
        if options.tls.insecure_skip_verify:  # told once, by the series pte_source_tls_verification
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        self._session.close()

    def redact(self, text: str) -> str:
        """One printable line without any secret that was sent; of a long one the beginning and the end."""
        for secret in self._secrets:
            text = text.replace(secret, "<secret>")
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= 2 * _TEXT_PART else f"{line[:_TEXT_PART]} ... {line[-_TEXT_PART:]}"

    def post(self, path: str, form: Mapping[str, str], *, accept: tuple[int, ...] = (200,)) -> Response:
        """POST a form. Raises SourceError when the answer's status is not in `accept`, and for every other failure."""
        return self._send("POST", path, form, {}, accept)

    def put(self, path: str, body: bytes, content_type: str, *, accept: tuple[int, ...]) -> Response:
        """PUT a body. Raises SourceError as `post` does."""
        return self._send("PUT", path, body, {"Content-Type": content_type}, accept)

    def _send(
        self, method: str, path: str, data: Mapping[str, str] | bytes, more: Mapping[str, str], accept: tuple[int, ...]
    ) -> Response:
        with self._lock:
            headers, self._secrets = request_headers(self._options)
            try:
                with self._deadline.within(self._options.timeout):
                    return self._exchange(method, path, data, {**headers, **more}, accept)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise self._failure(error) from None

    def _exchange(
        self,
        method: str,
        path: str,
        data: Mapping[str, str] | bytes,
        headers: Mapping[str, str],
        accept: tuple[int, ...],
    ) -> Response:
        tls = self._options.tls
        if self._origin[0] == "https":
            check_tls(tls)
        sent = self._clock()
        with self._session.request(
            method,
            self._url + path,
            data=data,
            headers=headers,
            timeout=self._options.timeout,
            allow_redirects=False,
            stream=True,
            verify=False if tls.insecure_skip_verify else str(tls.ca_file or "") or True,
            cert=(str(tls.cert_file), str(tls.key_file)) if tls.cert_file else None,
        ) as response:
            skew = _skew(response.headers.get("Date"), (sent + self._clock()) / 2)
            if response.status_code not in accept:
                raise self._refusal(response)
            return Response(response.status_code, self._body(response), skew)

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._options.max_bytes:
                text = (
                    f"{self.place} sent more than {self._options.max_bytes} bytes: raise max_bytes or narrow selector"
                )
                raise SourceError("too_large", text)
        if self._deadline.passed:  # an answer without Content-Length ends silently when its socket is shut down
            raise TimeoutError
        return bytes(body)

    def _refusal(self, response: requests.Response) -> SourceError:
        """The error for a status that is not wanted; bodies are not quoted, as a server may echo what it was sent."""
        status, where = response.status_code, self.place
        wait = _retry_after(response.headers.get("Retry-After"), self._clock())
        if status in (401, 403):
            return SourceError("auth", f"{where} refused us ({status}): check the token, password or tenant header")
        if status == 404:
            return SourceError("not_found", f"{where} has no such path (404): check url, it ends before /api/v1")
        if status == 429:
            text = f"{where} limits our rate (429)" + (f", wait {wait:.0f} s" if wait is not None else "")
            return SourceError("rate_limited", f"{text}: poll less often or raise the limit", retry_after=wait)
        if 300 <= status < 400:
            return SourceError(
                "redirect", f"{where} redirects{self._destination(response)} ({status}): set url to the final address"
            )
        if status >= 500 and status != 501:  # which is for what a server never does
            return SourceError("server_error", f"{where} failed ({status}): look at its log", retry_after=wait)
        return SourceError("http_error", f"{where} answered {status}: check that url is a Prometheus API")

    def _destination(self, response: requests.Response) -> str:
        """Where a redirect leads: its host only, as the rest could hold anything."""
        try:
            parts = urlsplit(response.headers.get("Location", ""))
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        return f" to {self.redact(f'{parts.scheme}://{parts.hostname}{port}')}" if parts.hostname else ""

    def _failure(self, error: Exception) -> SourceError:
        """The error for an exchange that broke off; library texts are not quoted, as they may hold headers."""
        causes = tuple(_causes(error))
        where, seconds = self.place, f"{self._options.timeout:g} s"
        if self._deadline.passed or any(isinstance(c, TimeoutError | requests.Timeout) for c in causes):
            return SourceError(
                "timeout", f"{where} did not answer in full within {seconds}: is it overloaded? raise timeout"
            )
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                text = self.redact(cause.verify_message)
                return SourceError("tls", f"certificate of {where} not accepted ({text}): set tls.ca_file or mend it")
        if any(isinstance(c, ssl.SSLError | requests.exceptions.SSLError) for c in causes):
            text = "is it https there? does it want a client certificate (tls.cert_file), or another?"
            return SourceError("tls", f"no TLS with {where}: {text}")
        if any(isinstance(c, urllib3.exceptions.NameResolutionError) for c in causes):
            return SourceError("refused", f"the host name of {where} is not known: check url and DNS")
        if any(isinstance(c, urllib3.exceptions.NewConnectionError) for c in causes):
            return SourceError("refused", f"no connection to {where}: is it running there, may we reach it?")
        if any(isinstance(c, requests.exceptions.InvalidHeader | UnicodeError) for c in causes):
            return SourceError("unreadable", f"a header for {where} cannot be sent: check headers and headers_files")
        return SourceError("truncated", f"{where} broke the answer off: look at its log and at proxies between")


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


def _skew(date: str | None, now: float) -> float | None:
    """Server's clock minus ours. Half a second is added, as the header is cut to whole seconds."""
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5 - now if date else None
    except (ValueError, OverflowError):
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
