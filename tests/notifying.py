"""Our Alertmanager configuration as the stack redirects it, with short waits; else the very file that is shipped."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.stack import alerting

CONFIG = alerting.SHIPPED / "alertmanager.yml"


def redirected(directory: Path, url: str) -> Path:
    """A copy of the configuration that sends to `url`, with its waits cut to a second."""
    file = alerting.write(directory, url)
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", text), encoding="utf-8")
    return file


def secret(file: Path, name: str) -> str:
    """A secret that was made up for the configuration in `file`."""
    return (file.parent / "secrets" / name).read_text(encoding="utf-8").strip()
