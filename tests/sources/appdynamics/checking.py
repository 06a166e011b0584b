"""Check-ups of the controller's stand-in: its data stand still, while the dates it sends are today's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.stack.controller import Controller, Fault, faults, serve
from exporter.checkup import checked
from exporter.model.checkup import CheckContext, CheckResult
from exporter.model.observation import Window
from exporter.model.settings import Duration
from exporter.sources.appdynamics.checks import CHECKS, checks
from exporter.sources.appdynamics.options import Application, Options
from tests.doctoring import assert_golden, transcript
from tests.seed import END, SEED

SECRET, PASSWORD = "swordfish-3141592653", "trout-2718281828"
HOUR, DAY = 3600.0, 86400.0
ENVIRONMENT = (
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"),
)


def plain(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Nothing of the machine's own surroundings, and always as if in a container."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")


@dataclass
class Stand:
    """A running stand-in, and how we come to it."""

    controller: Controller
    url: str
    folder: Path

    def clean(self) -> None:
        """As if it had just been started."""
        controller = self.controller
        controller.faults.clear()
        controller.faults.add(dated())
        controller.hidden.clear()
        controller.retention = None
        controller.access.lifetime, controller.access.announced = 300.0, None
        controller.forget()
        (self.folder / "secret").write_text(f"{SECRET}\n")

    def options(self, **changed: Any) -> Options:
        given = {
            "url": self.url,
            "account": "demo",
            "client": "pte-exporter",
            "client_secret_file": self.folder / "secret",
            "applications": {"shop": Application()},
            "timeout": Duration(20),
        }
        return Options(**{name: each for name, each in {**given, **changed}.items() if each is not ...})

    def examined(self, role: str = "production", **changed: Any) -> tuple[CheckResult, ...]:
        """All steps; what must never be in them is not."""
        return examined(self.options(**changed), role)

    def shown(self, name: str, steps: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
        """Compared with the golden transcript; each failure and warning has causes and remedies."""
        return shown(name, steps, self.folder)


def dated() -> Fault:
    """Dates of today: the data's clock stands."""
    return faults.wrong_clock(time.time() - END)


@contextmanager
def standing(folder: Path, context: Any = None) -> Iterator[Stand]:
    """A stand-in until the block ends."""
    controller = Controller(SEED, lambda: END, secret=SECRET, users={"reader": PASSWORD})
    with serve(controller, context=context) as url:
        one = Stand(controller, url, folder)
        one.clean()
        yield one


def wanted(role: str = "production", interval: float = 300.0, threshold: float = 1.0) -> CheckContext:
    """A day and a week of production, and two weeks in which test runs are searched."""
    production = role == "production"
    return CheckContext(
        side=role,
        role=role,
        at=END,
        window=Window(END - (DAY if production else 14 * DAY), END),
        pattern=Window(END - 7 * DAY, END) if production else None,
        interval=interval,
        threshold=threshold,
    )


def examined(options: Options, role: str = "production", **changed: float) -> tuple[CheckResult, ...]:
    steps = tuple(checked(checks(options, wanted(role, **changed))))
    text = repr(steps)
    assert SECRET not in text
    assert PASSWORD not in text
    assert "eyJ" not in text, "a token"
    assert "internal error" not in text
    made = list(dict.fromkeys(each.check for each in steps))
    assert made == [name for name in CHECKS if name in made]
    return steps


def shown(
    name: str, steps: tuple[CheckResult, ...], folder: Path, replaced: Mapping[str, str] | None = None
) -> tuple[CheckResult, ...]:
    for each in steps:
        assert each.verdict in ("ok", "skipped") or each.causes, each
        assert all(cause.text and cause.remedy for cause in each.causes), each
    assert_golden(f"appdynamics-{name}", transcript(steps, folder, replaced))
    return steps


def one(steps: tuple[CheckResult, ...], check: str, subject: str = "") -> CheckResult:
    """The one step of this name and subject."""
    [found] = [each for each in steps if (each.check, each.subject) == (check, subject)]
    return found


def troubles(steps: tuple[CheckResult, ...]) -> dict[str, str]:
    """Verdicts of the steps that are not well, by check and subject; those that were skipped left out."""
    return {
        f"{each.check} {each.subject}".strip(): each.verdict for each in steps if each.verdict in ("failed", "warning")
    }


def causes(step: CheckResult) -> str:
    """All causes and remedies in one text."""
    return "; ".join(f"{cause.text}: {cause.remedy}" for cause in step.causes)
