"""appdynamics.yml as shipped, with a secret that the exporter and the controller stub share.

python -m deploy.stack.appdynamics DIRECTORY
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from deploy.stack.addresses import AS_SHIPPED, Addresses, redirected

SHIPPED = Path(__file__).with_name("appdynamics.yml")
CLIENT_FILE = "appdynamics-client"
_FOLDER = "/etc/pte-exporter/secrets"


def write(directory: Path, addresses: Addresses = AS_SHIPPED) -> Path:
    """The configuration and the secret in `directory`; gives the configuration's file."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CLIENT_FILE).write_text(f"{secrets.token_hex(16)}\n", encoding="utf-8")
    text = SHIPPED.read_text(encoding="utf-8")
    if _FOLDER not in text:
        raise ValueError(f"appdynamics.yml no longer has {_FOLDER}: fix deploy/stack/appdynamics.py")
    file = directory / SHIPPED.name
    text = redirected(text.replace(_FOLDER, str(directory)), addresses)
    file.write_text(text, encoding="utf-8")
    return file


if __name__ == "__main__":
    print(write(Path(sys.argv[1]).resolve()))
