"""What JMeter says of a sample, in CSV and in XML: marks of transactions, kinds of errors; and words of warnings."""

from __future__ import annotations

import re

from exporter.formats.tally import names

TRANSACTION = "Number of samples in transaction : "
"""How the message of every sample begins that a Transaction Controller made."""

NO_SAMPLES = f"{TRANSACTION}0,"
"""The same where nothing was requested in it."""

ERROR_COLUMNS = ("responseCode", "failureMessage", "responseMessage")
"""What `kind` is made of."""

CUT_UNSEEN = frozenset(("timeStamp", "elapsed", "bytes", "sentBytes", "allThreads", "label", "SampleCount", "IdleTime"))
"""Columns that hold another value, and no wrong one, when their end is missing."""

HIDDEN = (
    "has transactions whose requests are not in the file (`generate parent sample`): each counts as one request, "
    "with the time of all of them"
)
LEFT_OUT = "has transactions beside their requests: only the requests count"
SUB_RESULTS = "has sub-results (redirects, embedded resources) beside their requests: only the requests count"

_SUCCESS = re.compile(r"[123]\d\d")
_NUMBERED = re.compile(r"-\d+")


def may_be_sub_result(label: str) -> bool:
    """Whether JMeter names sub-results so: by their URL, or as their request with a number."""
    if label.startswith(("http://", "https://")):
        return True
    head, dash, number = label.rpartition("-")
    return bool(head and dash and number.isdecimal())


def names_sub_result_of(label: str, request: str) -> bool:
    """Whether a sub-result of `request` may have this label."""
    if label.startswith(request):
        return _NUMBERED.fullmatch(label, len(request)) is not None
    return label.startswith(("http://", "https://"))


def kind(code: str, failure: str, message: str) -> str:
    """How a request failed: its response code; where that means success, the assertion's message."""
    reason = failure or message or code or "failed"
    if code and not _SUCCESS.fullmatch(code):
        reason = code
    return names.kind(reason.strip().partition("\n")[0].strip())
