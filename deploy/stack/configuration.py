"""The stack's configuration files with this machine's directories and addresses."""

from __future__ import annotations

from pathlib import Path

from deploy.stack import alerting, appdynamics
from deploy.stack.addresses import Addresses, redirected
from deploy.stack.programs import HERE, TOP

_RULES = "../../rules/"


def write(data: Path, addresses: Addresses) -> None:
    """Write the files named in programs() into the stack's directory."""
    alerting.write(data / "alertmanager", f"http://{addresses.receiver}")
    appdynamics.write(data / "appdynamics", addresses)

    exporter = (HERE / "exporter.yml").read_text(encoding="utf-8")
    (data / "exporter.yml").write_text(redirected(exporter, addresses), encoding="utf-8")

    # Its relative paths start at its own directory, and the copy is in another one.
    prometheus = (HERE / "prometheus.yml").read_text(encoding="utf-8")
    if _RULES not in prometheus:
        raise ValueError(f"prometheus.yml no longer has {_RULES}: fix deploy/stack/configuration.py")
    prometheus = prometheus.replace(_RULES, f"{TOP / 'rules'}/")
    (data / "prometheus.yml").write_text(redirected(prometheus, addresses), encoding="utf-8")
