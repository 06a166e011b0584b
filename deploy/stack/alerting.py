"""alertmanager/alertmanager.yml as it is shipped, but sending to the local receiver, with secrets made up for it.

python -m deploy.stack.alerting DIRECTORY
"""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "alertmanager"
RECEIVER = "http://127.0.0.1:9828"

SENT_TO = {
    "https://events.pagerduty.com/v2/enqueue": f"{RECEIVER}/pagerduty",
    "http://127.0.0.1:9095": RECEIVER,
}
"""What stands in the shipped file, and what stands there instead."""


def write(directory: Path) -> Path:
    """The configuration with its templates and secrets in `directory`; gives its file."""
    kept = directory / "secrets"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "slack_api_url").write_text(f"{RECEIVER}/slack\n", encoding="utf-8")
    for name in ("pagerduty_routing_key", "webhook_token", "watchdog_token"):
        (kept / name).write_text(secrets.token_hex(16), encoding="utf-8")
    shutil.copytree(SHIPPED / "templates", directory / "templates", dirs_exist_ok=True)
    text = (SHIPPED / "alertmanager.yml").read_text(encoding="utf-8")
    for old, new in (*SENT_TO.items(), ("/etc/alertmanager/secrets", str(kept))):
        if old not in text:
            raise ValueError(f"alertmanager.yml no longer has {old}: mend deploy/stack/alerting.py")
        text = text.replace(old, new)
    file = directory / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    return file


if __name__ == "__main__":
    print(write(Path(sys.argv[1]).resolve()))
