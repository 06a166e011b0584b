"""Writes the generated files, or says which of the committed ones differ; one way for rules, dashboards and docs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import ConfigError

if TYPE_CHECKING:  # the command line takes KINDS from here before it loads anything that takes long
    from exporter.config import Config
    from exporter.model.rule import Record
    from exporter.model.slo import Slo
    from exporter.slo.specs import Options

KINDS = ("rules", "dashboards", "docs")

_GROUP = b"\n  - name: "


def files(kind: str, config: Config | None) -> Mapping[str, bytes]:
    """Path below the repository's root to content, of one of KINDS."""
    # Imported when asked for: what makes dashboards is of no use to a running exporter, and costs it memory.
    if kind == "rules":
        from exporter import rules

        return rules.files(config, _recordings(config))
    if kind == "dashboards":
        from exporter import dashboards

        return dashboards.files(config)
    from exporter.commands.generate import metrics_page

    return metrics_page.files()


def _recordings(config: Config | None) -> Mapping[str, Sequence[Record]]:
    """What the sources' servers are to record, by side; the configuration is from `exporter.sources.read`."""
    from exporter import sources

    environments = config.environments if config is not None else ()
    return {environment.name: sources.recordings(environment) for environment in environments}


def objectives(slos: Iterable[Slo], config: Config | None) -> Mapping[str, bytes]:
    """The files of SLOs by their path below the output directory; of `config` only the links are used.

    Prometheus's rules, and which of their alerts Alertmanager lets mute which.
    """
    # Nothing that takes long to load: this is to be quick for one SLO.
    from exporter.model import links
    from exporter.slo import rules as slo_rules
    from exporter.slo.rules import inhibition

    given = config.links if config is not None else None
    runbook, dashboards = (given.runbook, given.dashboards) if given else (None, None)
    all_of_them = list(slos)
    rules = slo_rules.files(all_of_them, runbook or links.RUNBOOK, dashboards or links.DASHBOARDS)
    return {**rules, **inhibition.files(all_of_them)}


def own_objectives(config: Config, file: str, options: Options | None = None) -> Mapping[str, bytes]:
    """The files of the configuration's `slos:`; raises ConfigError with every problem."""
    from exporter.slo.specs import Options, own

    slos, problems = own.slos(config, file, options or Options())
    if problems:
        raise ConfigError(problems)
    return objectives(slos, config)


def left_over(files: Mapping[str, bytes], directory: Path) -> list[str]:
    """The generated rules files of SLOs below the directory that belong to none any more; raises OSError."""
    return [name for name, _ in _there(directory) if name not in files]


def lost(files: Mapping[str, bytes], directory: Path) -> Mapping[str, list[str]]:
    """The ids that the directory's generated rules files hold and lose when these files are written; raises OSError."""
    kept = set(ids(files))
    found = {name: [id for id in _ids(content) if id not in kept] for name, content in _there(directory)}
    return {name: ids for name, ids in found.items() if ids and name in files}


def ids(files: Mapping[str, bytes]) -> list[str]:
    """The ids of the SLOs that rules files hold."""
    return [id for content in files.values() for id in _ids(content)]


def _there(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The generated rules files of SLOs below the directory; what somebody wrote by hand is none."""
    from exporter.slo.rules.render import HEADER

    first = HEADER.split("\n", 1)[0].encode()
    for path in sorted((directory / "rules").glob("slo-*.rules.yml")):
        content = path.read_bytes()
        if content.startswith(first):
            yield f"rules/{path.name}", content


def _ids(content: bytes) -> list[str]:
    names = (part.partition(b"\n")[0].strip(b'"').decode() for part in content.split(_GROUP)[1:])
    return [name.removeprefix("slo-") for name in names if name.startswith("slo-")]


def unset_links(config: Config) -> list[str]:
    """The keys of bases of links that are not configured: those of the alerts lead to an example then."""
    return [f"links.{key}" for key in config.links.__struct_fields__ if getattr(config.links, key) is None]


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Write every file below the directory; raises OSError."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def differing(files: Mapping[str, bytes], directory: Path) -> list[str]:
    """The files below the directory that are missing or hold something else; raises OSError."""
    return [name for name, content in files.items() if not _holds(directory / name, content)]


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
