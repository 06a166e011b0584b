"""The stack's configuration files as this machine needs them: with its own folders and addresses."""

from __future__ import annotations

from pathlib import Path

from deploy.stack import alerting, appdynamics
from deploy.stack.addresses import Addresses, redirected
from deploy.stack.programs import HERE, TOP

_RULES = "../../rules/"


def write(data: Path, addresses: Addresses) -> None:
    """Write what programs() names into the stack's folder."""
    alerting.write(data / "alertmanager", f"http://{addresses.receiver}")
    appdynamics.write(data / "appdynamics", addresses)

    exporter = (HERE / "exporter.yml").read_text(encoding="utf-8")
    (data / "exporter.yml").write_text(redirected(exporter, addresses), encoding="utf-8")

    # Paths in it are seen from its own folder, and the copy lies in another.
    prometheus = (HERE / "prometheus.yml").read_text(encoding="utf-8")
    if _RULES not in prometheus:
        raise ValueError(f"prometheus.yml no longer has {_RULES}: mend deploy/stack/configuration.py")
    prometheus = prometheus.replace(_RULES, f"{TOP / 'rules'}/")
    (data / "prometheus.yml").write_text(redirected(prometheus, addresses), encoding="utf-8")
