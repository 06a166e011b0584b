"""Rules of a thousand objectives from their specs, as a process, beside slokit-sre; and how long promtool checks them.

Both get the same objectives, each in its own format, and write files. Time is the CPU time of the process, its
start-up included.
"""

from __future__ import annotations

import dataclasses
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from benchmarks.measurement import Measurement
from exporter.model.observation import Window
from exporter.model.slo import DAY, WINDOW, Alerting, Credit, Period, Sla, Sli, Slo, Weekly
from exporter.slo import rules as slo_rules
from exporter.slo.specs.tiers import tiers
from tests.servers import PROMTOOL, program

OBJECTIVES = 1_000
MANY_BOUND = 3.0
ONE_BOUND = 0.5
CHECK_BOUND = 5.0
_RUNS = 3

_OURS = """\
version: prometheus/v1
service: {service}
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{{job="{service}",code=~"5.."}}[{{{{.window}}}}]))
        total_query: sum(rate(http_requests_total{{job="{service}"}}[{{{{.window}}}}]))
    alerting:
      name: BurnsTooFast
"""
_SLOKIT = """\
apiVersion: slo-kit/v1
name: {service}-availability
service: {service}
objective: 0.999
window: 30d
sli:
  good_query: sum(rate(http_requests_total{{job="{service}",code!~"5.."}}[{{window}}]))
  total_query: sum(rate(http_requests_total{{job="{service}"}}[{{window}}]))
"""


def _documents(form: str, count: int) -> list[str]:
    return [form.format(service=f"service-{number:04d}") for number in range(count)]


def _spec(path: Path, form: str, count: int) -> Path:
    """One file with so many documents."""
    path.write_text("---\n".join(_documents(form, count)))
    return path


@dataclasses.dataclass(frozen=True)
class _Result:
    """The CPU time and output of a generator."""

    cpu: float
    rules: int
    size: int
    """Bytes."""

    @property
    def text(self) -> str:
        return f"{self.cpu:.2f} s for {self.rules:,} rules, {self.size / 1e6:.1f} MB"


def _cpu(command: Sequence[str | Path]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(output: Path, command: Sequence[str | Path]) -> _Result:
    """The least of a few runs; `output` is the file or folder that the command writes."""
    cpu = min(_cpu(command) for _ in range(_RUNS))
    texts = [path.read_bytes() for path in (output.rglob("*.yml") if output.is_dir() else [output])]
    rules = sum(text.count(b"- record:") + text.count(b"- alert:") for text in texts)
    return _Result(cpu, rules, sum(map(len, texts)))


def _ours(spec: Path, output: Path) -> _Result:
    output.mkdir()
    return _run(output, [_beside("pte-exporter"), "generate", "rules", "--spec", spec, "--output", output])


def _slokit(spec: Path, output: Path) -> _Result:
    return _run(output, [_beside("slo-kit"), "gen-alerts", spec, "--out", output])


def _beside(command: str) -> Path:
    """A command of this Python's environment."""
    return Path(sys.executable).parent / command


def _generation(directory: Path) -> list[Measurement]:
    folder = directory / "specs"
    folder.mkdir()
    for number, text in enumerate(_documents(_OURS, OBJECTIVES)):
        (folder / f"{number:04d}.yml").write_text(text)

    files = _ours(folder, directory / "of-files")
    many = _ours(_spec(directory / "many.yml", _OURS, OBJECTIVES), directory / "many")
    single = _ours(_spec(directory / "one.yml", _OURS, 1), directory / "one")

    slokit = _slokit(_spec(directory / "slokit.yml", _SLOKIT, OBJECTIVES), directory / "slokit.rules.yml")
    slokit_one = _slokit(_spec(directory / "slokit-one.yml", _SLOKIT, 1), directory / "slokit-one.rules.yml")

    less = slokit.cpu / many.cpu
    more = (many.rules / many.cpu) / (slokit.rules / slokit.cpu)
    slower = max(files.cpu, many.cpu)
    return [
        Measurement(
            f"process time of rules of {OBJECTIVES:,} SLOs from as many files, and from one",
            f"{files.cpu:.2f} s and {many.cpu:.2f} s",
            f"under {MANY_BOUND:g} s",
            slower < MANY_BOUND,
        ),
        Measurement(
            "process time of rules of one SLO",
            f"{single.cpu:.2f} s, beside slokit-sre's {slokit_one.cpu:.2f} s",
            f"under {ONE_BOUND:g} s",
            single.cpu < ONE_BOUND,
        ),
        Measurement(
            f"process time of rules of {OBJECTIVES:,} SLOs beside slokit-sre",
            f"{less:.1f} times less ({many.text}; slokit-sre {slokit.text}), {more:.0f} times the rules in a second",
            "less",
            less > 1,
        ),
    ]


def _large(number: int) -> Slo:
    """An objective with every feature, of a service that has many."""
    sli = Sli(
        f'sum by (cluster) (rate(http_requests_total{{job="shop",code=~"5.."}}[{WINDOW}]))',
        f'sum by (cluster) (rate(http_requests_total{{job="shop"}}[{WINDOW}]))',
        by=("cluster",),
    )

    period = Period(30 * DAY, "month", "Europe/Berlin")
    steps = (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal(99), Decimal(25)))
    maintenance = (Window(1.79e9, 1.79e9 + 3600), Weekly(5 * DAY, 7200, "Europe/Berlin"))
    return Slo(
        "shop",
        f"slo-{number:03d}",
        Decimal("99.9"),
        sli,
        period,
        tiers(period),
        Alerting("PteSloBurn"),
        sla=Sla(Decimal("99.5"), steps),
        maintenance=maintenance,
    )


def _check(directory: Path) -> Measurement:
    """A service with more objectives than fit in one file: promtool's time for the fullest file."""
    slos = map(_large, range(slo_rules.PER_FILE + 1))
    files = slo_rules.files(slos, "https://example.com", "https://example.com")
    largest = directory / "largest.rules.yml"
    largest.write_bytes(max(files.values(), key=len))

    times = {}
    for version, promtool in PROMTOOL.items():
        command: list[str | Path] = [program(promtool), "check", "rules", largest]
        times[version] = min(_cpu(command) for _ in range(_RUNS))

    size = largest.stat().st_size / 1e6
    return Measurement(
        f"promtool's check of the largest file ({slo_rules.PER_FILE} SLOs with all there is, {size:.1f} MB)",
        ", ".join(f"{seconds:.1f} s with {version}" for version, seconds in times.items()),
        f"under {CHECK_BOUND:g} s",
        max(times.values()) < CHECK_BOUND,
    )


def measure() -> Sequence[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        return [*_generation(directory), _check(directory)]
