"""A small load generator: GETs a URL one after the other and writes k6's points, as `k6 run --out json=FILE` does.

    python generator.py URL FILE REQUESTS [EXIT_CODE [WAIT_FOR]]

At SIGINT it ends in order and exits with 105, as k6 does. WAIT_FOR: a file that it waits for at the end.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

_DEFINED: dict[str, object] = {
    "name": "http_req_duration",
    "type": "trend",
    "contains": "time",
    "thresholds": [],
    "submetrics": None,
}
_stopped: list[int] = []


def point(metric: str, at: datetime, value: float, tags: dict[str, str]) -> str:
    data = {"time": at.isoformat(), "value": value, "tags": tags}
    return json.dumps({"metric": metric, "type": "Point", "data": data}) + "\n"


def request(url: str, file: TextIO) -> None:
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    milliseconds, now = (time.monotonic() - began) * 1000, datetime.now(UTC)
    good = str(status < 400).lower()
    tags = {"method": "GET", "name": url, "url": url, "status": str(status), "expected_response": good}
    values = {"http_reqs": 1, "http_req_duration": milliseconds, "http_req_failed": int(status >= 400), "vus": 3}
    file.writelines(point(metric, now, value, tags if metric != "vus" else {}) for metric, value in values.items())


def main(url: str, path: str, requests: str, code: str = "0", wait_for: str = "") -> int:
    signal.signal(signal.SIGINT, lambda number, _: _stopped.append(number))
    with Path(path).open("w", encoding="utf-8", buffering=1) as file:
        file.write(json.dumps({"type": "Metric", "data": _DEFINED, "metric": "http_req_duration"}) + "\n")
        for _ in range(int(requests)):
            request(url, file)
            if _stopped:
                break
    print("generated", flush=True)
    while wait_for and not Path(wait_for).exists() and not _stopped:
        time.sleep(0.02)
    return 105 if _stopped else int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
