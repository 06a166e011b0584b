"""The shell lines of the pipelines in deploy/ci, run as they are; only the load generator is a stand-in.

And our own, .ci/run, with a stand-in for make.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests
import yaml

from tests.servers import TOP, Server, pushgateway

CI = TOP / "deploy" / "ci"

GENERATOR = """\
#!{python}
import json, math, os, sys
from pathlib import Path

START, SLOW = 1795161600000, float(os.environ["SLOW"])
[path] = [arg.removeprefix("json=") for arg in sys.argv if arg.endswith((".jtl", ".json"))]
lines = []
for number in range(6000):
    at, name = START + 50 * number, ("Log in", "GET /cart")[number % 2]
    took = round(SLOW * (100 + 40 * math.sin(number) + 25 * math.sin(number * 0.7)))
    if path.endswith(".jtl"):
        lines.append(f"{{at}},{{took}},{{name}},200,OK,t 1-1,true,512,8,8")
    else:
        stamp = f"2026-11-20T08:{{number // 1200:02d}}:{{number % 1200 / 20:06.3f}}Z"
        tags = {{"name": name, "method": "GET", "status": "200", "expected_response": "true"}}
        data = {{"time": stamp, "value": took, "tags": tags}}
        lines.append(json.dumps({{"metric": "http_req_duration", "type": "Point", "data": data}}))
head = ["timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,grpThreads,allThreads"]
appends = path.endswith(".jtl")  # as JMeter does
with open(path, "a" if appends else "w") as out:
    out.write("\\n".join([*(head if appends else []), *lines]) + "\\n")
sys.exit(int(os.environ["CODE"]))
"""

TESTS = """\
#!/bin/sh
mkdir -p reports
echo '<testsuite name="unit"><testcase name="a" time="1"/></testsuite>' >reports/a.xml
echo '<testsuite name="more"><testcase name="b" time="1"><failure/></testcase></testsuite>' >reports/b.xml
"""


def jenkins() -> list[str]:
    """What the steps `sh` say, in their order: post steps follow the stage's own."""
    text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
    return [long or short for long, short in re.findall(r"\bsh (?:'''(.*?)'''|'([^'\n]+)')", text, flags=re.DOTALL)]


def github() -> list[str]:
    workflow = yaml.safe_load((CI / "load-test.github-actions.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


PIPELINES: Mapping[str, list[str]] = {"jenkins": jenkins(), "github": github()}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pushgateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server


class Workspace:
    """A checkout, with the programs that the lines call."""

    def __init__(self, folder: Path, application: str, gateway: Server) -> None:
        self.folder = folder
        programs = folder / "programs"
        programs.mkdir()
        (programs / "pte-exporter").symlink_to(Path(sys.executable).parent / "pte-exporter")
        for name in ("k6", "jmeter"):
            self._script(programs / name, GENERATOR.format(python=sys.executable))
        self._script(folder / "run-tests.sh", TESTS)
        (folder / "pushgateway.yml").write_text("username: ci\npassword_env: PUSHGATEWAY_PASSWORD\n")
        (folder / "routes.yml").write_text("Log in: POST /login\n")
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "APPLICATION": application,
            "PUSHGATEWAY": gateway.url,
            "PUSHGATEWAY_PASSWORD": "s3cret",
            **dict.fromkeys(("BUILD_TAG", "GITHUB_RUN_ID"), "build-1"),
            **dict.fromkeys(("GIT_COMMIT", "GITHUB_SHA"), "4f1c2d9"),
            "SLOW": "1",
            "CODE": "0",
        }

    @staticmethod
    def _script(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self, line: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-ec", line],
            cwd=self.folder,
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def workspace(tmp_path: Path, gateway: Server, name: str) -> Workspace:
    return Workspace(tmp_path, f"shop-{name}", gateway)


def page(gateway: Server, application: str) -> str:
    lines = requests.get(f"{gateway.url}/metrics", timeout=60).text.splitlines()
    return "\n".join(line for line in lines if f'application="{application}"' in line)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_publishes_and_gates(workspace: Workspace, gateway: Server, name: str) -> None:
    """A run without a baseline is published and has no verdict; then one as fast passes, and a slower one does not."""
    tests, reports, load, verdict = PIPELINES[name]
    application = workspace.environment["APPLICATION"]
    for line in (tests, reports, load):
        done = workspace.run(line)
        assert done.returncode == 0, done.stdout + done.stderr
    published = page(gateway, application)
    assert 'commit="4f1c2d9"' in published
    assert 'run="build-1"' in published
    assert 'route="/login"' in published
    assert "pte_test_execution_" in published
    unknown = workspace.run(verdict)
    assert (unknown.returncode, unknown.stderr.count("\n")) == (3, 1), unknown.stderr

    saved = workspace.run(f"pte-exporter baseline save main run.json --application {application}")
    assert saved.returncode == 0, saved.stderr
    assert workspace.run(load, SLOW="1.001").returncode == 0
    passed = workspace.run(verdict)
    assert passed.returncode == 0, passed.stdout + passed.stderr

    slower = workspace.run(load, SLOW="1.6")
    assert slower.returncode == 0, slower.stdout + slower.stderr
    assert 'pte_load_run_endpoint_change_severity{against="baseline"' in page(gateway, application)
    failed = workspace.run(verdict)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "s3cret" not in slower.stdout + slower.stderr


@pytest.mark.parametrize("name", PIPELINES)
def test_a_failed_load_test_is_published_and_stops_the_pipeline(
    workspace: Workspace, gateway: Server, name: str
) -> None:
    """The generator's exit code is the step's, and the result is published anyway."""
    load = PIPELINES[name][2]
    workspace.environment["APPLICATION"] = application = f"failed-{name}"
    done = workspace.run(load, CODE="99")
    assert done.returncode == 99, done.stderr
    assert "pte_load_run_requests" in page(gateway, application)


@pytest.mark.parametrize("name", PIPELINES)
def test_no_secret_and_no_expression_stands_in_a_line(name: str) -> None:
    """Values from the server could be anything, so lines take all of them from the environment."""
    for line in PIPELINES[name]:
        assert "${{" not in line
        assert "PASSWORD" not in line


MAKE = """\
#!/bin/sh
echo "made $1"
[ "$1" != "$FAILS" ]
"""


@pytest.mark.parametrize(
    ("fails", "code", "parts"),
    [
        ("", 0, ["lint passed", "test passed", "test-slow passed"]),
        ("test", 1, ["lint passed", "test failed"]),
    ],
)
def test_our_own_pipeline_says_what_it_ran(fails: str, code: int, parts: list[str], tmp_path: Path) -> None:
    """Lint, tests and slow tests are run up to the first that fails; in the end each has a line with its duration."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(TOP / ".ci" / "run", tmp_path / ".ci" / "run")
    make = tmp_path / "make"
    make.write_text(MAKE, encoding="utf-8")
    make.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "FAILS": fails}
    done = subprocess.run(
        [tmp_path / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code
    summary, ran = done.stdout.split("\n\n")
    assert summary.splitlines() == [f"made {part.split()[0]}" for part in parts]
    assert re.findall(r"(?m)^make (\S+) +(passed|failed) in 0:\d\d min$", ran) == [
        tuple(part.split()) for part in parts
    ]
