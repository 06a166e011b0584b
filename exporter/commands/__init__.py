"""COMMANDS: one file or folder a command of `pte-exporter`; each has `add(parser)` and `run(options)`.

arguments.py        from arguments to typed options, and old names of options
common.py           arguments that several commands have
values.py           times, durations and ratios as arguments
configuration.py    the configuration that a command works with
progress.py, terminal.py, sigterm.py    what a command shows, and how it ends early
"""
