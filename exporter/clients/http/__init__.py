"""HTTP out: one session per source, with an overall deadline, a byte cap and no redirects.

Every failure is a SourceError whose text names host:port and what to do, and never holds a secret. Proxies, .netrc and
CA bundles from the environment are not used: what is sent where is in the configuration alone.
"""

from __future__ import annotations

from exporter.clients.http.failures import Words
from exporter.clients.http.session import HttpResponse, Session

__all__ = ["HttpResponse", "Session", "Words"]
