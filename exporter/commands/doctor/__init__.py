"""DOCTOR: what each source's kind can check, step by step, for a person (`pte-exporter doctor`).

command.py     the command, and what is printed while it works
text.py        the steps as lines, while they are made
json.py        the same for programs, when all is done

The steps themselves come from pipeline/checkup; `serve` makes them too, at a slow pace.
"""

from exporter.commands.doctor.command import add

__all__ = ["add"]
