"""Reports of test runners as each tool writes them, and the problems of bad ones."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import SourceError
from exporter.formats import formats, junit
from exporter.model.execution import Execution, Report

WRITTEN = 1763632800.0
"""2025-11-20T10:00:00Z: when the files were last written."""

PLAYWRIGHT = """<testsuites id="" name="" tests="3" failures="1" skipped="1" errors="0" time="12.5">
<testsuite name="cart.spec.ts" timestamp="2025-11-20T09:00:00.000Z" hostname="chromium" tests="2" time="9">
<testcase name="cart › adds" classname="cart.spec.ts" time="4.2">
<properties><property name="issue" value="SHOP-1"></property></properties>
<flakyFailure message="timeout" type="FAILURE" time="2"><stackTrace><![CDATA[at]]></stackTrace></flakyFailure>
</testcase>
<testcase name="cart › pays" classname="cart.spec.ts" time="4.8"><skipped></skipped></testcase>
</testsuite>
<testsuite name="cart.spec.ts" timestamp="2025-11-20T09:00:00.000Z" hostname="webkit" tests="1" time="3.5">
<testcase name="cart › adds" classname="cart.spec.ts" time="3.5">
<failure message="no" type="FAILURE"></failure><rerunFailure message="no" type="FAILURE" time="1"></rerunFailure>
</testcase>
</testsuite>
</testsuites>"""

SUREFIRE = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd"
 version="3.0" name="com.shop.CartTest" time="1,234.5" tests="4" errors="1" skipped="0" failures="1">
<properties><property name="device" value="pixel-8"/><property name="java.version" value="21"/></properties>
<testcase name="adds" classname="com.shop.CartTest" time="1,200.25"/>
<testcase name="removes" classname="com.shop.CartTest" time="0.01">
<flakyError message="once" type="java.io.IOException"><stackTrace>at</stackTrace><system-out>a</system-out></flakyError>
</testcase>
<testcase name="pays" classname="com.shop.CartTest" time="0.5"><failure message="m" type="T">at</failure>
<rerunFailure message="m" type="T"><stackTrace>at</stackTrace></rerunFailure></testcase>
<testcase name="ships" classname="com.shop.CartTest" time="0"><error message="m" type="T">at</error></testcase>
</testsuite>"""


def written(folder: Path, text: str | bytes, at: float = WRITTEN) -> Path:
    path = folder / "report.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (at, at))
    return path


def read(folder: Path, text: str | bytes, *labels: str) -> Report:
    return junit.read(written(folder, text), labels)


def outcomes(report: Report) -> list[tuple[str, str, bool]]:
    return [(execution.name, execution.outcome, execution.flaky) for execution in report.executions]


def test_surefire(tmp_path: Path) -> None:
    """Reruns are flaky where the case passed at last, times have thousands separators, the file's time counts."""
    report = read(tmp_path, SUREFIRE, "device", "browser")
    assert outcomes(report) == [
        ("com.shop.CartTest.adds", "passed", False),
        ("com.shop.CartTest.removes", "passed", True),
        ("com.shop.CartTest.pays", "failed", False),
        ("com.shop.CartTest.ships", "error", False),
    ]
    assert [execution.seconds for execution in report.executions] == [1200.25, 0.01, 0.5, 0.0]
    assert {(execution.suite, execution.at, tuple(execution.labels.items())) for execution in report.executions} == {
        ("com.shop.CartTest", WRITTEN, (("device", "pixel-8"),))
    }
    assert (report.name, report.at) == ("report", WRITTEN)


def test_playwright(tmp_path: Path) -> None:
    """One case in two projects is two executions, whose project is the suite's hostname."""
    report = read(tmp_path, PLAYWRIGHT, "hostname", "issue")
    assert [(execution.outcome, execution.flaky, dict(execution.labels)) for execution in report.executions] == [
        ("passed", True, {"hostname": "chromium", "issue": "SHOP-1"}),
        ("skipped", False, {"hostname": "chromium"}),
        ("failed", False, {"hostname": "webkit"}),
    ]
    assert [execution.at for execution in report.executions] == [WRITTEN - 3591, WRITTEN - 3591, WRITTEN - 3596.5]
    assert report.at == WRITTEN - 3591
    assert [len(execution.labels) for execution in read(tmp_path, PLAYWRIGHT).executions] == [0, 0, 0]


def test_pytest_as_it_is_today(tmp_path: Path) -> None:
    """What the installed pytest writes is read: every outcome, parameters, properties of case and suite, the time."""
    (tmp_path / "test_shop.py").write_text(
        "import pytest\n"
        "@pytest.fixture(autouse=True, scope='session')\n"
        "def device(record_testsuite_property): record_testsuite_property('device', 'rack-7')\n"
        "@pytest.mark.parametrize('size', [1, 2])\n"
        "def test_cart(size, record_property): record_property('browser', 'firefox'); assert size == 1\n"
        "def test_skipped(): pytest.skip('today')\n"
        "@pytest.fixture\ndef broken(): raise OSError\n"
        "def test_error(broken): pass\n"
        "class TestPay:\n    def test_pay(self): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_shop.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    path = tmp_path / "report.xml"
    report = junit.read(path, ("device", "browser"))
    assert outcomes(report) == [
        ("test_shop.test_cart[1]", "passed", False),
        ("test_shop.test_cart[2]", "failed", False),
        ("test_shop.test_skipped", "skipped", False),
        ("test_shop.test_error", "error", False),
        ("test_shop.TestPay.test_pay", "passed", False),
    ]
    assert {execution.suite for execution in report.executions} == {"pytest"}
    assert report.executions[0].labels == {"device": "rack-7", "browser": "firefox"}
    assert report.executions[4].labels == {"device": "rack-7"}
    assert 0 <= path.stat().st_mtime - report.at < 60


@pytest.mark.parametrize(
    ("attempts", "outcome", "flaky"),
    [
        ("fp", "passed", True),
        ("ffp", "passed", True),
        ("ep", "passed", True),
        ("fpf", "failed", True),
        ("ppf", "failed", False),
        ("pp", "passed", False),
        ("ff", "failed", False),
        ("sp", "passed", False),
        ("ps", "passed", False),
        ("ss", "skipped", False),
    ],
)
def test_attempts_that_are_cases_of_their_own(tmp_path: Path, attempts: str, outcome: str, flaky: bool) -> None:
    """Entries of one name are one case: the last that was executed counts; it is flaky if it passed after a failure."""
    inside = {"f": "<failure/>", "e": "<error/>", "s": "<skipped/>", "p": ""}
    cases = "".join(f'<testcase classname="a" name="b">{inside[outcome]}</testcase>' for outcome in attempts)
    report = read(tmp_path, f'<testsuite name="s">{cases}</testsuite>')
    assert outcomes(report) == [("a.b", outcome, flaky)]


@pytest.mark.parametrize("names", [("pytest tests", "mine"), ("", "pytest")])
@pytest.mark.parametrize(
    ("attempts", "outcome", "flaky"),
    [
        ("ppf", "failed", False),
        ("ppp", "passed", True),
        ("fe", "error", False),
        ("p", "passed", False),
        ("sp", "passed", False),
    ],
)
def test_attempts_of_pytest(tmp_path: Path, names: tuple[str, str], attempts: str, outcome: str, flaky: bool) -> None:
    """What pytest names twice had failed before, though pytest-rerunfailures writes it as if it had passed."""
    inside = {"f": "<failure/>", "e": "<error/>", "s": "<skipped/>", "p": ""}
    cases = "".join(f'<testcase classname="a" name="b">{inside[outcome]}</testcase>' for outcome in attempts)
    root, suite = names
    report = read(tmp_path, f'<testsuites name="{root}"><testsuite name="{suite}">{cases}</testsuite></testsuites>')
    assert outcomes(report) == [("a.b", outcome, flaky)]


def test_suites_within_suites(tmp_path: Path) -> None:
    """A suite is named by all those around it, and takes time and labels from the nearest that has them."""
    report = read(
        tmp_path,
        '<testsuites name="all" timestamp="2025-11-20T08:00:00+00:00" time="60">'
        '<properties><property name="device">a</property><property name="os" value="x"/></properties>'
        '<testsuite name="outer"><testcase name="one"/>'
        '<testsuite name="inner" timestamp="2025-11-20T09:00:00" device="b"><testcase name="two" time="30" os="y"/>'
        "</testsuite></testsuite><testsuite><testcase name='three'/></testsuite></testsuites>",
        "device",
        "os",
    )
    first, second, third = report.executions
    assert [execution.suite for execution in report.executions] == ["outer", "outer / inner", "report"]
    assert [execution.at - WRITTEN for execution in report.executions] == [-7140, -3570, -7140]
    assert (first.labels, second.labels) == ({"device": "a", "os": "x"}, {"device": "b", "os": "y"})
    assert third.seconds is None


def test_the_same_suites_at_any_depth(tmp_path: Path) -> None:
    """Suites may be nested deeper than functions can be called."""
    text = "<testsuite>" * 20_000 + '<testcase name="deep"/>' + "</testsuite>" * 20_000
    assert outcomes(read(tmp_path, text)) == [("deep", "passed", False)]


def test_zones(tmp_path: Path) -> None:
    """A time without zone is in the configured one; what would lie after the file was written ended then."""
    text = '<testsuite name="s" timestamp="{}" time="60"><testcase name="a"/></testsuite>'
    path = written(tmp_path, text.format("2025-11-20T10:30:00"))
    assert junit.read(path, (), ZoneInfo("Europe/Berlin")).at == WRITTEN - 1740
    assert junit.read(path, ()).at == WRITTEN
    path = written(tmp_path, text.format("2025-11-20T10:30:00-02:00"))
    assert junit.read(path, ()).at == WRITTEN
    path = written(tmp_path, text.format("2025-11-20T10:30:00Z"), at=315532800)
    assert junit.read(path, ()).at == datetime.fromisoformat("2025-11-20T10:31:00Z").timestamp()


@pytest.mark.parametrize(
    "attributes", ['status="notrun" result="completed"', 'status="run" result="skipped"', 'status="disabled"']
)
def test_cases_that_were_not_run(tmp_path: Path, attributes: str) -> None:
    """Some tools say by an attribute that a case was not run."""
    assert outcomes(read(tmp_path, f'<testsuite><testcase name="a" {attributes}/></testsuite>'))[0][1] == "skipped"


def test_long_names_stay_apart(tmp_path: Path) -> None:
    """Names of a parameter's whole content are cut, and still two names."""
    long = "x" * 5000
    text = f'<testsuite name="s"><testcase name="{long}1"/><testcase name="{long}2"/></testsuite>'
    names = [execution.name for execution in read(tmp_path, text).executions]
    assert len(set(names)) == 2
    assert all(len(name) == 200 for name in names)


def test_nothing_collected_is_a_report(tmp_path: Path) -> None:
    """A run of no test is a report without executions."""
    report = read(tmp_path, '<testsuites><testsuite name="pytest" tests="0" time="0.1"/></testsuites>')
    assert report == Report("report", WRITTEN, ())


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE testsuite [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<testsuite name="&b;"><testcase name="a"/></testsuite>'
)
OUTSIDE = '<!DOCTYPE testsuite [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&a;"/></testsuite>'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("<testsuite>\n<testcase name='a'>", "line 2, column 20: is not valid XML: no element found"),
        ("<testsuite>\n<testcase></testsuite>", "line 2, column 13: is not valid XML: mismatched tag"),
        (
            "<testsuite>\n<testcase name='a' name='b'/></testsuite>",
            "line 2, column 20: is not valid XML: duplicate attribute",
        ),
        ("<html/>", "line 1: begins with <html>, expected <testsuites> or <testsuite>"),
        (b"<testsuite name='\xff'/>", "line 1, column 18: is not valid XML: not well-formed (invalid token)"),
        (
            '<?xml version="1.0" encoding="klingon"?><testsuite/>',
            "line 1: is in an encoding that cannot be read: unknown encoding: klingon",
        ),
        (LAUGHS, "has a document type or entities, which are not allowed"),
        (OUTSIDE, "has a document type or entities, which are not allowed"),
        ('<testsuite tests="5"/>', "reports 5 tests but lists no test case"),
        ("<testsuite><testcase/></testsuite>", "test case 1: has no name"),
        *(
            (
                f'<testsuite><testcase name="a"/><testcase classname="c" name="b" time="{time}"/></testsuite>',
                f"test case 2 (c.b): time is {time}, expected seconds, such as 1,234.5",
            )
            for time in ("abc", "-1", "NaN", "inf", "0,123", "1,23", "1e300", "1.2.3", "0x1", ".")
        ),
        (
            '<testsuite name="s" timestamp="yesterday"><testcase name="a"/></testsuite>',
            "suite s: timestamp is yesterday, expected a time such as 2025-11-20T10:00:00Z",
        ),
        (
            '<testsuite name="s" timestamp="0001-01-01T00:00:00" time="x"><testcase name="a"/></testsuite>',
            "suite s: time is x, expected seconds, such as 1,234.5",
        ),
    ],
)
def test_bad_reports(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """A problem is reported in one line, with its location and the expected value."""
    path = written(tmp_path, text)
    with pytest.raises(SourceError) as caught:
        junit.read(path, ())
    assert str(caught.value) == f"{path}: {problem}"
    assert caught.value.reason == "bad_data"


def test_too_large_and_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large is not parsed, and an unreadable one is reported."""
    monkeypatch.setattr(junit, "LARGEST", 10)
    with pytest.raises(SourceError, match=r"is larger than 10 bytes"):
        read(tmp_path, SUREFIRE)
    with pytest.raises(SourceError, match=r"none\.xml: cannot be read: No such file"):
        junit.read(tmp_path / "none.xml", ())


@pytest.mark.parametrize(
    "head",
    [
        "<testsuites>",
        '<testsuite name="a">',
        "<testsuite/>",
        '\n<?xml version="1.0"?>\n<!-- by hand > --><testsuites\n id="">',
        '<?xml version="1.0"?><!DOCTYPE testsuites SYSTEM "a.dtd"><testsuites>',
        LAUGHS,
    ],
)
def test_recognised(head: str) -> None:
    """A report is detected by its first element, whatever comes before it, even a BOM."""
    assert junit.recognise(head.encode())
    assert junit.recognise(b"\xef\xbb\xbf" + head.encode())


@pytest.mark.parametrize(
    "head", ["", "<", "<testsuitesque>", "<coverage/>", '{"a": 1}', "<!-- <testsuite> -->", "<?", "<testsuite", "<!x"]
)
def test_not_recognised(head: str) -> None:
    """Other XML, other text, and a file that ends before its first element are not reports."""
    assert not junit.recognise(head.encode())


def test_recognising_takes_no_longer_for_what_is_made_to() -> None:
    """A head full of comments and instructions is read through once."""
    assert not junit.recognise((b"<?a?>" * 13_000)[: 64 * 1024])


def test_a_report_is_not_a_load_run() -> None:
    """The registry of result files passes reports by."""
    assert not [name for name in formats() if "junit" in name]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1
)


@given(
    st.lists(st.tuples(TEXT, st.sampled_from(["", "<failure/>", "<error/>", "<skipped/>"])), max_size=20), st.binary()
)
def test_anything_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[str, str]], noise: bytes
) -> None:
    """Whatever a file holds, it is read or refused as a source's fault, and no case is lost."""
    from xml.sax.saxutils import quoteattr

    folder = tmp_path_factory.mktemp("any")
    text = "".join(f"<testcase name={quoteattr(name)}>{inside}</testcase>" for name, inside in cases)
    names = {" ".join(name.split()) for name, _ in cases}
    if "" in names:
        with pytest.raises(SourceError, match="has no name"):
            read(folder, f"<testsuite>{text}</testsuite>")
    else:
        executions: tuple[Execution, ...] = read(folder, f"<testsuite>{text}</testsuite>").executions
        assert len(executions) == len(names)
    with pytest.raises(SourceError, match=r"\A[^\n]+\Z"):
        read(folder, b"<testsuite>" + noise)


def test_a_report_of_tags_alone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB of the smallest elements would take 1.4 GiB."""
    monkeypatch.setattr(junit, "MOST_TAGS", 100)
    (tmp_path / "a.xml").write_bytes(b"<testsuite>" + b"<a/>" * 100 + b"</testsuite>")
    with pytest.raises(SourceError, match="has more than 100 tags"):
        junit.read(tmp_path / "a.xml", ())
