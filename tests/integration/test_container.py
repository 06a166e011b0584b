"""Our image, built and run as docker-compose.yml runs it. conftest.py leaves these out where no container engine is.

The environment variable PYTHON_IMAGE names another base than the Dockerfile does, for sites without its registry.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage
from testcontainers.core.wait_strategies import HttpWaitStrategy

TOP = Path(__file__).resolve().parents[2]
SERVICE: dict[str, Any] = yaml.safe_load((TOP / "docker-compose.yml").read_text())["services"]["exporter"]
NAME = "pte-exporter:test"
PORT = 9826
DEMO = ["serve", f"--web.listen-address=:{PORT}"]
MEBIBYTE = 2**20

# The first test waits for the build, which downloads.
pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]

CONFIG = """\
environments:
  - {name: production, role: production, interval: 1s, max_age: 1m, source: &here {
      kind: prometheus, url: "http://127.0.0.1:9090", preset: prometheus, bearer_token_file: /run/secrets/token}}
  - {name: pte, role: pte, interval: 1s, max_age: 1m, source: {<<: *here, selector: 'job!="none"'}}
"""

PROMETHEUS = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Once(BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.headers["Authorization"])
        self.send_error(503)
    do_GET = do_POST
    def log_message(self, *_): pass
server = HTTPServer(("127.0.0.1", 9090), Once)
server.timeout = 60
server.handle_request()
"""
"""Runs inside the container: prints the authorization of the first request."""


@pytest.fixture(scope="session")
def image() -> str:
    """The image's name. It stays: the next run reuses its layers."""
    testcontainers_config.ryuk_disabled = True  # one more image to download; each test here ends what it started
    # Ports are published where the engine runs; inside a container the library would look for another way.
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    base = os.environ.get("PYTHON_IMAGE")
    arguments = {"PYTHON_IMAGE": base} if base else {}
    DockerImage(TOP, tag=NAME, clean_up=False, buildargs=arguments).build()
    return NAME


def hardened(image: str) -> DockerContainer:
    """A container with the exporter's options of docker-compose.yml."""
    container = DockerContainer(image).with_command(SERVICE["command"])
    container.with_kwargs(**{key: SERVICE[key] for key in ("user", "read_only", "cap_drop", "security_opt", "init")})
    for folder in SERVICE["tmpfs"]:
        container.with_tmpfs_mount(folder)
    return container


def serving(container: DockerContainer) -> DockerContainer:
    """The same, which publishes its port, and whose start lasts until each source was tried."""
    ready = HttpWaitStrategy(PORT, "/-/ready").with_startup_timeout(60)
    return container.with_exposed_ports(PORT).waiting_for(ready)


@pytest.fixture(scope="module")
def exporter(image: str) -> Iterator[DockerContainer]:
    """The exporter on the embedded demo."""
    with serving(hardened(image).with_command(DEMO)) as container:
        yield container


def said(container: DockerContainer, *command: str) -> str:
    """The output of a command in the container, which must succeed."""
    done = container.exec(list(command))
    printed = done.output.decode()
    assert done.exit_code == 0, printed
    return printed


def health_check(container: DockerContainer) -> int:
    """The exit code of the health check that the image brings along, run in the container."""
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    check = wrapped.attrs["Config"]["Healthcheck"]["Test"]
    assert check == SERVICE["healthcheck"]["test"]
    code = container.exec(check[1:]).exit_code
    assert code is not None
    return code


def test_metrics_are_published(exporter: DockerContainer) -> None:
    """The published port answers with the demo's verdicts."""
    url = f"http://{exporter.get_container_host_ip()}:{exporter.get_exposed_port(PORT)}"
    assert 'pte_certification_holds{application="shop"}' in requests.get(f"{url}/metrics", timeout=30).text


def test_processes_have_no_privileges(exporter: DockerContainer) -> None:
    """No process in the container is root's, has a capability, or can gain one."""
    result: dict[str, set[str]] = {}
    for line in said(exporter, "sh", "-c", "cat /proc/[0-9]*/status || true").splitlines():
        key, _, value = line.partition(":")
        if key in {"Uid", "Gid", "NoNewPrivs"} or key.startswith("Cap"):
            result.setdefault(key, set()).add(value.strip())
    assert result.pop("Uid") == result.pop("Gid") == {"\t".join(["65534"] * 4)}
    assert result.pop("NoNewPrivs") == {"1"}
    assert set(result) == {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}
    assert all(values == {"0" * 16} for values in result.values())


def test_nothing_can_be_written_but_tmp(exporter: DockerContainer) -> None:
    """The root file system is read-only, also where it is the user's own; /tmp is not."""
    refused = [
        folder for folder in ("/", "/venv", "/state", "/tmp") if exporter.exec(["touch", f"{folder}/x"]).exit_code
    ]
    assert refused == ["/", "/venv", "/state"]


def test_image_is_small(exporter: DockerContainer) -> None:
    """Our layers stay below 90 MiB, without pip, setuptools and tests."""
    assert int(said(exporter, "du", "-sk", "/venv").split()[0]) * 1024 < 90 * MEBIBYTE
    unwanted = ("tests", "pip", "pip3", "setuptools")
    assert not said(exporter, "find", "/venv", *" -o ".join(f"-name {name}" for name in unwanted).split())


def test_health_check_tells(exporter: DockerContainer, image: str) -> None:
    """The health check passes where the exporter serves and fails where it does not."""
    assert health_check(exporter) == 0
    with DockerContainer(image).with_kwargs(entrypoint=["sleep", "60"]) as idle:
        assert health_check(idle) != 0


@pytest.mark.parametrize("make", [hardened, DockerContainer], ids=["with an init", "as process 1"])
def test_ends_within_two_seconds(make: Callable[[str], DockerContainer], image: str) -> None:
    """SIGTERM ends it in two seconds with exit code 0, under an init and as the container's first process."""
    with serving(make(image).with_command(DEMO)) as container:
        wrapped = container.get_wrapped_container()
        began = time.monotonic()
        wrapped.stop(timeout=10)
        assert time.monotonic() - began < 2
        assert wrapped.wait()["StatusCode"] == 0


def test_configuration_and_secrets_come_from_files(image: str, tmp_path: Path) -> None:
    """A mounted configuration is used, and the token in a mounted file is sent; neither can be written."""
    config, token = tmp_path / "exporter.yml", tmp_path / "token"
    config.write_text(CONFIG)
    token.write_text("s3cret\n")
    mounts = {config: "/etc/pte-exporter/exporter.yml", token: "/run/secrets/token"}
    prepared = hardened(image)
    for file, inside in mounts.items():
        prepared.with_volume_mapping(file, inside, "ro")
    with serving(prepared) as container:
        assert said(container, "python", "-c", PROMETHEUS) == "Bearer s3cret\n"
        mounted = {line.split()[1]: line.split()[3] for line in said(container, "cat", "/proc/mounts").splitlines()}
        assert all(mounted[inside].split(",")[0] == "ro" for inside in mounts.values())
        assert "s3cret" not in container.get_logs()[1].decode()
