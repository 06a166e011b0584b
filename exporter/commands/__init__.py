"""COMMANDS: one file or folder per command of `pte-exporter`; each has `add(parser)` and `run(options)`.

parser.py           the parser of the whole command line
exit_codes.py       the exit codes of every command, and their meaning
arguments.py        from arguments to typed options, and old names of options
common.py           arguments that several commands share
values.py           times, durations and ratios as arguments
configuration.py    the configuration that a command uses
progress.py, terminal.py, sigterm.py    the progress line, the terminal, and the end by a signal
"""
