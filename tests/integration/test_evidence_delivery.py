"""Result files and test reports end to end: from files in a folder to messages at Slack, on real servers."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

from exporter import sources
from exporter.commands.generate import rules as rules_command
from tests.hastened import written
from tests.integration.test_delivery import SOON, VERSIONS, scraping
from tests.making_runs import load_run, touch, write
from tests.notifying import redirected
from tests.receiver import Receiver, receiver
from tests.servers import alertmanager, eventually, free_port, prometheus, running

CONFIG = """
environments:
  - {role: production, interval: 5s, max_age: 1h, source: {kind: demo}}
  - {role: pte, interval: 1s, max_age: 1h, source: {kind: loadtest, folder: results, settle: 1s}}
  - {role: ci, interval: 1s, max_age: 1h, source: {kind: junit, folder: reports, settle: 1s}}
"""

HOUR = 3600.0


def run(folder: Path, number: int, *, hours_ago: float, latency: float) -> None:
    """A result file of a run that ended so many hours ago; `latency` is its median in seconds."""
    start = time.time() - hours_ago * HOUR - 660
    result = load_run(start, latency=latency, failures=0.001, seed=number)
    write(folder / "shop" / f"{number}.json", result, age=hours_ago * HOUR)


def report(folder: Path, name: str, *, failed: int, seconds_ago: float) -> None:
    """A report of twenty tests."""
    cases = "".join(
        f'<testcase classname="shop" name="t{n}" time="1">{"<failure/>" if n < failed else ""}</testcase>'
        for n in range(20)
    )
    path = folder / "shop" / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<testsuite name="end to end">{cases}</testsuite>', encoding="utf-8")
    touch(path, seconds_ago)


def received(heard: Receiver, *words: str) -> bool:
    """Whether Slack has a message with these words, in title or text."""
    for message in heard.at("/slack"):
        for attachment in message["attachments"]:
            text = f"{attachment['title']}\n{attachment['text']}"
            if all(word in text for word in words):
                return True
    return False


def over(heard: Receiver, words: str) -> bool:
    """Whether Slack received the end of an alert, perhaps beside firing ones."""
    texts = [attachment["text"] for message in heard.at("/slack") for attachment in message["attachments"]]
    return any(words in text.partition("Resolved:")[2] for text in texts)


@VERSIONS
def test_a_regression_and_failing_tests_are_delivered_and_so_are_their_ends(
    metrics: str, alerts: str, tmp_path: Path
) -> None:
    """Three slow runs after twelve, and half of the tests failing, reach Slack, and so do their ends."""
    results, reports, port = tmp_path / "results", tmp_path / "reports", free_port()
    for number in range(15):
        run(results, number, hours_ago=40 - 2 * number, latency=0.1 if number < 12 else 0.16)
    report(reports, "nightly", failed=10, seconds_ago=7200)
    config = tmp_path / "exporter.yml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "exporter.cli", "serve", f"--config.file={config}"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with contextlib.ExitStack() as stack:
        heard = stack.enter_context(receiver())
        alerting = redirected(tmp_path / "alerting", heard.url)
        notifier = stack.enter_context(alertmanager(alerts, tmp_path / "alertmanager", alerting))
        stack.enter_context(running(command, tmp_path / "exporter", f"http://127.0.0.1:{port}", "/-/ready"))
        rules = written(rules_command.make(sources.read(config)), tmp_path)
        scrape = scraping(port, notifier.url.removeprefix("http://"))
        again = ["--rules.alert.resend-delay=5s"]
        stack.enter_context(prometheus(metrics, tmp_path / "server", config=scrape, rules=rules, args=again))

        eventually(
            lambda: received(
                heard, "shop: the newest load test is worse than the earlier runs", "mean latency of GET /"
            ),
            SOON,
            "a regression at Slack",
        )
        eventually(lambda: received(heard, "shop: too many tests fail", "Value: 50%"), SOON, "failing tests at Slack")

        for number in range(15, 18):
            run(results, number, hours_ago=10 - 2 * (number - 14), latency=0.1)
        report(reports, "nightly-again", failed=0, seconds_ago=90)  # a poll sees full minutes
        eventually(lambda: over(heard, "the newest load test is worse"), SOON, "the end of the regression")
        eventually(lambda: over(heard, "too many tests fail"), SOON, "the end of failing tests")
