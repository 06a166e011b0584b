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

NAMES = ("pagerduty_routing_key", "webhook_token", "watchdog_token")
"""Files of secrets beside slack_api_url."""


def write(directory: Path, receiver: str = RECEIVER) -> Path:
    """The configuration with its templates and secrets in `directory`; gives its file."""
    secrets_directory = directory / "secrets"
    secrets_directory.mkdir(parents=True, exist_ok=True)
    (secrets_directory / "slack_api_url").write_text(f"{receiver}/slack\n", encoding="utf-8")
    for name in NAMES:
        (secrets_directory / name).write_text(f"{secrets.token_hex(16)}\n", encoding="utf-8")
    shutil.copytree(SHIPPED / "templates", directory / "templates", dirs_exist_ok=True)
    text = (SHIPPED / "alertmanager.yml").read_text(encoding="utf-8")
    instead = {
        "https://events.pagerduty.com/v2/enqueue": f"{receiver}/pagerduty",
        "http://127.0.0.1:9095": receiver,
        "/etc/alertmanager/secrets": str(secrets_directory),
    }
    for old, new in instead.items():
        if old not in text:
            raise ValueError(f"alertmanager.yml no longer has {old}: fix deploy/stack/alerting.py")
        text = text.replace(old, new)
    file = directory / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    return file


if __name__ == "__main__":
    print(write(Path(sys.argv[1]).resolve()))
