"""Our Alertmanager configuration, sent to a receiver on loopback; otherwise the very file that is shipped."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.servers import TOP

CONFIG = TOP / "alertmanager" / "alertmanager.yml"
ROUTING_KEY, TOKEN = "a-routing-key", "a-token"


def redirected(directory: Path, url: str) -> Path:
    """A copy of the configuration that sends to `url`, with its waits cut to a second, and secrets to go with it."""
    secrets = directory / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "slack_api_url").write_text(f"{url}/slack\n")
    (secrets / "pagerduty_routing_key").write_text(f"{ROUTING_KEY}\n")
    (secrets / "webhook_token").write_text(TOKEN)
    (secrets / "watchdog_token").write_text(TOKEN)
    shutil.copytree(CONFIG.parent / "templates", directory / "templates")
    text = CONFIG.read_text(encoding="utf-8")
    for old, new in (
        ("/etc/alertmanager/secrets", str(secrets)),
        ("https://events.pagerduty.com/v2/enqueue", f"{url}/v2/enqueue"),
        ("http://127.0.0.1:9095", url),
    ):
        assert old in text, old
        text = text.replace(old, new)
    text = re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", text)
    file = directory / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    return file
