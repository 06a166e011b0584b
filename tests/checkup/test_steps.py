"""Steps one after the other: what depends on a failed one is skipped, and a fault costs only its own step."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.checkup import Remarks, Step, checked, failed, ok, warning
from exporter.checkup.causes import usual_causes
from exporter.commands.doctor import text
from exporter.errors import SourceError
from exporter.model.checkup import Cause, CheckResult, Finding
from exporter.pipeline.checkup import guarded


def _refused() -> Finding:
    raise SourceError("refused", "no connection to a.example:9090")


def _fault() -> Finding:
    raise KeyError("a")


def verdicts(*steps: Step) -> list[tuple[str, str, str]]:
    return [(done.check, done.subject, done.verdict) for done in checked(steps)]


def test_what_needs_a_failed_check_is_skipped_and_so_on() -> None:
    """Directly or through another skipped step; other steps run."""
    steps = [
        Step("reach", "try", _refused),
        Step("login", "try", lambda: ok("fine"), ("reach",)),
        Step("query", "try", lambda: ok("fine"), ("login",)),
        Step("clock", "try", lambda: ok("fine")),
    ]
    assert [verdict for _, _, verdict in verdicts(*steps)] == ["failed", "skipped", "skipped", "ok"]
    first = next(checked(steps))
    assert first.result == "no connection to a.example:9090"
    assert "no server listens" in first.causes[0].text


def test_a_step_knows_its_own_errors_best() -> None:
    """A step's own causes replace the usual ones, which apply where it has none."""
    own = Cause("moved", "set url")
    explained = Step("reach", "try", _refused, explain=lambda error: (own,) if error.reason == "refused" else ())
    unknown = Step("reach", "try", _refused, explain=lambda error: (own,) if error.reason == "auth" else ())
    causes = [done.causes for done in checked([explained, unknown])]
    assert causes == [(own,), usual_causes("refused")]


def test_remarks_are_a_warning_and_no_remark_is_none() -> None:
    """All that is odd is said in one line, with every cause, in the order in which it was seen."""
    remarks = Remarks()
    assert remarks.finding("fine") == ok("fine")
    first, second = Cause("a", "b"), Cause("c", "d")
    remarks.add("too high", first)
    remarks.add("too low", second)
    assert remarks.finding("fine") == warning("too high; too low", first, second)


def test_a_subject_s_failure_is_its_own() -> None:
    """A check that was made of a step's own subject counts for it, not that of another; one of no subject always."""
    steps = [
        Step("found", "try", lambda: failed("no file"), subject="a"),
        Step("found", "try", lambda: ok("fine"), subject="b"),
        *(Step("format", "try", lambda: ok("fine"), ("found",), subject) for subject in ("a", "b", "c", "")),
    ]
    assert verdicts(*steps)[2:] == [
        ("format", "a", "skipped"), ("format", "b", "ok"), ("format", "c", "skipped"), ("format", "", "skipped"),
    ]  # fmt: skip
    whole = Step("found", "try", lambda: failed("no folder"))
    assert verdicts(whole, *steps)[-3:-2] == [("format", "b", "skipped")]


def test_one_subject_s_failure_keeps_no_other_from_the_same_check() -> None:
    """A check of several things that first looks for them all needs that look, and not the others' outcome."""
    steps = [
        Step("found", "try", lambda: ok("a list")),
        Step("found", "try", lambda: failed("no a"), ("found",), "a"),
        Step("found", "try", lambda: ok("fine"), ("found",), "b"),
    ]
    assert verdicts(*steps)[1:] == [("found", "a", "failed"), ("found", "b", "ok")]
    none = Step("found", "try", lambda: failed("no list"))
    assert verdicts(none, *steps[1:])[1:] == [("found", "a", "skipped"), ("found", "b", "skipped")]


def test_a_fault_is_a_finding() -> None:
    """An internal error in a step, or between two steps, ends only the steps of this check-up."""

    def steps() -> Iterator[Step]:
        yield Step("one", "try", _fault)
        yield Step("two", "try", lambda: ok("fine"))
        raise KeyError("b")

    done = list(guarded(steps()))
    assert [(step.check, step.verdict) for step in done] == [("one", "failed"), ("two", "ok"), ("checks", "failed")]
    assert "please report it" in done[0].causes[0].remedy
    assert "please report it" in done[2].causes[0].remedy


def test_colour_is_for_terminals_only() -> None:
    """Marks are words: colour alone never carries a meaning; with colour, each mark has its own."""
    done = CheckResult("reach", "", "try", "failed", "no", (Cause("a", "b"),))
    assert "\x1b" not in text.step(done)
    assert text.step(done, colour=True).startswith("  \x1b[1;31mFAILED")


def test_skipped_steps_stand_together() -> None:
    """They are one line with the need of the first of them; the next step that ran ends it."""
    skipped = [CheckResult(name, "shop", "try", "skipped", f"needs {need}") for name, need in (("b", "a"), ("c", "b"))]
    lines = list(text.lines([*skipped, CheckResult("d", "", "try", "ok", "fine"), skipped[0]]))
    assert [line.split() for line in lines] == [
        ["skipped", "2", "steps", "of", "shop", "needs", "a:", "b,", "c"],
        ["ok", "d", "try", "->", "fine"],
        ["skipped", "b", "shop", "needs", "a"],
    ]
