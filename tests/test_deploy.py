"""What is shipped for running it: files that parse, paths that exist, known flags, hardened containers."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from deploy.stack import alerting, appdynamics
from deploy.stack.receiver import Receiver
from exporter import sources
from exporter.commands import parser
from exporter.config import read_yaml
from tests import servers

TOP = servers.TOP
DEPLOY = TOP / "deploy"
COMPOSE = TOP / "docker-compose.yml"

YAML_FILES = [COMPOSE, *sorted(path for path in DEPLOY.rglob("*.y*ml"))]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


SERVICES: dict[str, dict[str, Any]] = compose()["services"]
ONCE = ("prepare", "fill")
"""Services that end when their work is done."""


def mounts(service: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in service.get("volumes", ()):
        source, inside, *_ = volume.split(":")
        yield source, inside


@pytest.mark.parametrize("file", YAML_FILES, ids=lambda path: path.name)
def test_yaml_parses_without_a_key_twice(file: Path, tmp_path: Path) -> None:
    """Every YAML file is one, document by document, and says nothing twice."""
    for position, document in enumerate(re.split(r"(?m)^---$", file.read_text())):
        part = tmp_path / f"{position}.yml"
        part.write_text(document)
        assert read_yaml(part)


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_hardened(name: str) -> None:
    """Each container is pinned, read-only, neither root nor capable of more, and checked while it runs."""
    service = SERVICES[name]
    image, tag = service["image"].split(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag) or image == "pte-exporter"
    assert service["user"].split(":")[0] not in {"0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name in ONCE or service["healthcheck"]["test"][0] == "CMD"


def test_our_image_is_built_wherever_it_is_used() -> None:
    """No service waits for somebody to publish our image: each that uses it can build it."""
    ours = [service for service in SERVICES.values() if service["image"].startswith("pte-exporter:")]
    assert len(ours) == 6
    assert all(service["build"] == "." for service in ours)


def test_containers_mount_what_exists() -> None:
    """Every mounted path of the project exists, and every named volume is declared."""
    for service in SERVICES.values():
        for source, _ in mounts(service):
            assert (TOP / source).exists() if source.startswith(".") else source in compose()["volumes"], source


def test_containers_read_what_is_mounted() -> None:
    """Every configuration file that a command names lies at that path in its container."""
    named = 0
    for service in SERVICES.values():
        for argument in service["command"] if isinstance(service.get("command"), list) else ():
            if match := re.fullmatch(r"--config\.file=(/(?:stack|etc)/.+)", argument):
                named += 1
                inside = {path: TOP / source for source, path in mounts(service)}
                file = Path(match[1])
                mount = next(path for path in inside if file == Path(path) or Path(path) in file.parents)
                assert (inside[mount] / file.relative_to(mount)).is_file(), argument
    assert named == 2


def test_containers_run_modules_that_are_mounted() -> None:
    """Every module of the project beside the program lies below the directory in which its container runs it."""
    modules = []
    for service in SERVICES.values():
        words = shlex.split(" ".join([*service.get("entrypoint", ()), *service.get("command", ())]))
        for option, module in itertools.pairwise(words):
            if option == "-m" and module.startswith("deploy."):
                modules.append(module)
                inside = Path(service["working_dir"], *module.split("."))
                mount, source = next((path, source) for source, path in mounts(service) if Path(path) in inside.parents)
                there = TOP / source / inside.relative_to(mount)
                assert there.with_suffix(".py").is_file() or (there / "__main__.py").is_file(), module
    assert "deploy.stack.controller" in modules


def test_rules_lie_where_prometheus_looks() -> None:
    """The rules are where the stack's Prometheus configuration names them, on this machine and in its container."""
    patterns = yaml.safe_load((DEPLOY / "stack" / "prometheus.yml").read_text())["rule_files"]
    assert all(list((DEPLOY / "stack").glob(pattern)) for pattern in patterns)
    inside = {path: source for source, path in mounts(SERVICES["prometheus"])}
    assert inside["/stack/rules"] == "./rules"
    assert inside["/stack/deploy/stack"] == "./deploy/stack"


def test_ports_are_published_on_loopback_only() -> None:
    """Nothing of the containers can be reached from another machine."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_there_is_no_default_password() -> None:
    """Grafana's password comes from a file that must be named, and no environment variable holds one."""
    secret = compose()["secrets"]["grafana_admin_password"]["file"]
    assert secret.startswith("${GRAFANA_ADMIN_PASSWORD_FILE:?")
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    secrets = {key: value for environment in environments for key, value in environment.items() if "PASSWORD" in key}
    assert secrets == {"GF_SECURITY_ADMIN_PASSWORD__FILE": "/run/secrets/grafana_admin_password"}


def test_grafana_finds_boards_and_data_source() -> None:
    """The provisioned folder is where the boards are mounted, and the data source is the stack's Prometheus."""
    provisioning = DEPLOY / "grafana" / "provisioning"
    provider = yaml.safe_load((provisioning / "dashboards" / "pte.yml").read_text())["providers"][0]
    inside = {path: source for source, path in mounts(SERVICES["grafana"])}
    assert list((TOP / inside[provider["options"]["path"]]).glob("*.json"))
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    assert f"--web.listen-address=:{source['url'].rpartition(':')[2]}" in SERVICES["prometheus"]["command"]


def test_dockerfile_copies_what_exists() -> None:
    """The image is made from files that are there and not ignored, from the lock, and does not run as root."""
    text = (TOP / "Dockerfile").read_text()
    copied = [path for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", text) for path in line.split()[:-1]]
    patterns = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied
    assert all((TOP / path).exists() and path in patterns for path in copied)
    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"(?m)^USER 65534:65534$", text)
    assert re.search(r"(?m)^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-", text)
    assert set(re.findall(r"(?m)^FROM (\S+)", text)) == {"${PYTHON_IMAGE}"}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every call of pte-exporter that is shipped, as (where, arguments)."""
    yield "docker-compose.yml", SERVICES["exporter"]["command"]
    yield "docker-compose.yml", SERVICES["exporter-appdynamics"]["command"]
    yield "Dockerfile", yaml.safe_load(re.findall(r"(?m)^CMD (.+)$", (TOP / "Dockerfile").read_text())[-1])
    for document in yaml.safe_load_all((DEPLOY / "kubernetes" / "pte-exporter.yaml").read_text()):
        if document["kind"] == "Deployment":
            yield "kubernetes", document["spec"]["template"]["spec"]["containers"][0]["args"]
    for file in (DEPLOY / "systemd" / "pte-exporter.service", *sorted((DEPLOY / "ci").iterdir())):
        for match in re.findall(
            r"(?m)^[^#\n]*?pte-exporter ((?:check|serve|report|generate) [^>\n]*)", file.read_text()
        ):
            yield file.name, shlex.split(match)


def test_commands_have_known_flags() -> None:
    """The program knows every flag that the shipped files give it."""
    lines = list(commands())
    assert {where for where, _ in lines} == {
        "docker-compose.yml",
        "Dockerfile",
        "kubernetes",
        "pte-exporter.service",
        "gitlab-ci.yml",
        "github-actions.yml",
    }
    for where, arguments in lines:
        assert parser.create().parse_args(arguments), where


def test_systemd_unit_is_hardened() -> None:
    """The unit has no user, no capabilities and no way to write, and signals reload as the program expects."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read(DEPLOY / "systemd" / "pte-exporter.service")
    service = unit["Service"]
    expected = {"DynamicUser": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": ""}
    assert {key: service[key] for key in expected} == expected
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_shipped_configurations_are_fine(tmp_path: Path) -> None:
    """The stack's two configurations and the one in the ConfigMap are read without a problem."""
    assert sources.read(DEPLOY / "stack" / "exporter.yml")
    assert sources.read(appdynamics.write(tmp_path / "appdynamics"))
    for document in yaml.safe_load_all((DEPLOY / "kubernetes" / "pte-exporter.yaml").read_text()):
        if document["kind"] == "ConfigMap":
            file = tmp_path / "exporter.yml"
            file.write_text(document["data"]["exporter.yml"])
            assert sources.read(file)


@pytest.mark.parametrize("version", servers.PROMTOOL)
def test_prometheus_configuration_is_fine(version: str) -> None:
    """promtool finds nothing wrong with the stack's Prometheus configuration and the rules it names."""
    file = DEPLOY / "stack" / "prometheus.yml"
    subprocess.run([servers.program(servers.PROMTOOL[version]), "check", "config", file], check=True)


@pytest.mark.parametrize("version", servers.AMTOOL)
def test_alertmanager_configuration_is_fine(version: str, tmp_path: Path) -> None:
    """The redirected configuration is valid and names no service outside this machine."""
    file = alerting.write(tmp_path)
    subprocess.run([servers.program(servers.AMTOOL[version]), "check-config", file], check=True)
    hosts = re.findall(r"https?://([^/:\s]+)", re.sub(r"(?m)#.*$", "", file.read_text()))
    assert set(hosts) == {"127.0.0.1"}


def test_rules_become_prometheus_rule_objects() -> None:
    """Each rules file is the spec of one object, word for word."""
    command = [DEPLOY / "kubernetes" / "rules.sh", TOP]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    specs = {document["metadata"]["name"]: document["spec"] for document in yaml.safe_load_all(out)}
    files = sorted((TOP / "rules").glob("*.rules.yml"))
    assert specs == {f"pte-{file.name.split('.')[0]}": yaml.safe_load(file.read_text()) for file in files}


def test_whose_rules_to_print_has_to_be_said() -> None:
    """Nobody loads the made-up shop's rules by leaving out the folder."""
    done = subprocess.run([DEPLOY / "kubernetes" / "rules.sh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "DIR" in done.stderr


def test_receiver_prints_what_came() -> None:
    """Each kind of message is printed in words, the watchdog's once, and an unknown kind is rejected."""
    printed: list[str] = []
    receiver = Receiver(("127.0.0.1", 0), printed.append)
    thread = threading.Thread(target=receiver.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{receiver.server_port}"
    event = {"event_action": "trigger", "dedup_key": "k", "payload": {"summary": "outgrown", "severity": "critical"}}
    labels = {"alertname": "PteLoadGap", "application": "checkout", "severity": "critical"}
    attachment = {"title": "checkout: load", "text": "28 %\nof 90 %"}
    try:
        requests.post(f"{url}/slack", json={"channel": "#performance", "attachments": [attachment]}, timeout=60)
        answer = requests.post(f"{url}/pagerduty", json=event, timeout=60)
        requests.post(f"{url}/alerts", json={"alerts": [{"status": "firing", "labels": labels}]}, timeout=60)
        for _ in range(2):
            requests.post(f"{url}/watchdog", json={}, timeout=60)
        assert requests.post(f"{url}/elsewhere", json={}, timeout=60).status_code == 404
        assert requests.post(f"{url}/slack", data=b"{", timeout=60).status_code == 400
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()
    assert (answer.status_code, answer.json()["dedup_key"]) == (202, "k")
    assert printed[:3] == [
        "Slack #performance: checkout: load\n    28 %\n    of 90 %",
        "PagerDuty trigger: outgrown\n    severity critical, dedup key k",
        "webhook firing: PteLoadGap checkout critical",
    ]
    assert len(printed) == 4
    assert printed[3].startswith("watchdog received")
