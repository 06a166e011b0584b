"""DOCTOR: checks each source step by step, for a person (`pte-exporter doctor`).

command.py     the command, and its output while it runs
text.py        the steps as lines, while they run
json.py        the same for programs, when all steps are done

The steps themselves come from pipeline/checkup; `serve` runs them too, at long intervals.
"""

from exporter.commands.doctor.command import add

__all__ = ["add"]
