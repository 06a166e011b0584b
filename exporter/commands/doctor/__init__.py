"""DOCTOR: what each source's kind can check, step by step, for a person (`pte-exporter doctor`) and while serving.

examining.py     the steps of one environment: what its kind checks, and one real observation at the end
seen.py          what to make of that observation
text.py          the steps as lines, while they are made
command.py       the command
background.py    the same checks while `serve` runs, at a slow pace
"""
