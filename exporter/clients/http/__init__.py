"""HTTP out: one session per source, with an overall deadline, a byte cap and no redirects.

Every failure is a SourceError. Its text names host:port and a remedy, and never holds a secret. Proxies, .netrc and
CA bundles from the environment are not used: the configuration alone decides where requests go.
"""

from __future__ import annotations

from exporter.clients.http.failures import Words
from exporter.clients.http.session import HttpResponse, Session

__all__ = ["HttpResponse", "Session", "Words"]
