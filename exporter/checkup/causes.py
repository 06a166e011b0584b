"""The usual causes of each reason for which a source cannot be read, and of an invalid option; likeliest first."""

from __future__ import annotations

from exporter.errors import Detail, SourceError
from exporter.model.checkup import Cause


def causes_of(error: SourceError) -> tuple[Cause, ...]:
    """Causes and remedies of a source that cannot be read, by the fields of its error, never by its text."""
    return certain_causes(error) or usual_causes(error.reason)


def usual_causes(reason: str) -> tuple[Cause, ...]:
    """Causes and remedies of a reason (exporter.errors.REASONS), without further details."""
    return CAUSES.get(reason, ())


def of_option(key: str, problem: SourceError | str) -> tuple[Cause, ...]:
    """Causes and remedies of an invalid option of a source, by its key: folder, password_file, tls.ca_file.

    `problem`: the error of the attempt to use it, which may name the cause itself, or a text.
    """
    if isinstance(problem, SourceError) and (certain := certain_causes(problem)):
        return certain

    name = key.rsplit(".", maxsplit=1)[-1]
    if key.startswith("tls"):
        return _TLS_OPTION
    if key.startswith("headers_files.") or name.endswith(("_file", "_env")):
        return _SECRET_OPTION
    if name in ("file", "folder", "files"):
        return _FILE_OPTION
    if key:
        return (Cause(f"a mistake in {key}", _READ),)
    return (Cause("a mistake in the source's options", _READ),)


def certain_causes(error: SourceError) -> tuple[Cause, ...]:
    """The one certain cause of the error, with its file and user if the error has them; often none."""
    if error.detail is None:
        return ()
    cause = _CERTAIN[error.detail]
    if error.variable and error.detail != "unset":
        return (Cause(cause.text, "set it to the secret alone, and restart the exporter"),)
    remedy = cause.remedy.replace("USER", error.user or "USER")
    return (Cause(cause.text, remedy.replace("FILE", str(error.path or "FILE"))),)


FAULT = Cause("an internal error of the exporter", "please report it, with the output of --log.level debug")

_READ = "fix it; docs/reference/sources.md lists the kind's options, and `pte-exporter check` validates them"

FORBIDDEN = Cause(
    "the exporter's user may not read it",
    "give that user read permission, and x on the folders above: `namei -l FILE` shows all; or chown USER FILE",
)
_UNSET = Cause("an environment variable is not set", "set it for the exporter's process, and restart it")
_DIRECTORY = Cause(
    "a directory has that name: containers create one if the file to mount does not exist",
    "remove it, put the file there, and restart the container",
)
_MISSING = Cause(
    "the file does not exist where the exporter runs: a typo in the path, or it is not mounted",
    "run `ls -l FILE` there (in its container if it has one); then fix the path, or mount it",
)
_EMPTY = Cause("it contains no secret", "write the secret alone into it: cat > FILE")
_LINES = Cause(
    "it contains more than the secret: its name, a comment, another secret",
    "write the secret alone into it; `wc -l FILE` must then print 0 or 1",
)
_MARK = Cause(
    "an editor saved it with a byte order mark, as some do on Windows",
    "save it as UTF-8 without that mark, or: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE",
)
_LETTER = Cause(
    "it was typed or pasted with extra characters, such as a dash or quote that an editor replaced",
    "write the secret alone into it; `cat -A FILE` prints its content, so run it in private",
)
_ENCODED = Cause(
    "it was saved in another encoding: PowerShell's > writes UTF-16",
    "save it as UTF-8, in PowerShell: Set-Content -Encoding ascii FILE",
)
_CERTAIN: dict[Detail, Cause] = {
    "forbidden": FORBIDDEN,
    "directory": _DIRECTORY,
    "unset": _UNSET,
    "missing": _MISSING,
    "empty": _EMPTY,
    "several_lines": _LINES,
    "byte_order_mark": _MARK,
    "not_ascii": _LETTER,
    "control_character": _LETTER,
    "not_utf8": _ENCODED,
}
"""Certain causes. FILE and USER in a remedy are replaced with those of the error."""

_FILE_OPTION = (
    Cause("a typo in the path, or it is relative to another directory", "use the absolute path, as ls prints it"),
    Cause("it is not mounted where the exporter runs", "mount it there (volume, container, network drive)"),
)
_SECRET_OPTION = (
    Cause("the secret is missing where the exporter runs", "mount the file, or set the variable, for its process"),
    FORBIDDEN,
)
_TLS_OPTION = (
    Cause("the file does not exist, or is not PEM", "open it: it must begin with -----BEGIN"),
    Cause("certificate and key do not match", "use the key for which the certificate was issued"),
)

CAUSES: dict[str, tuple[Cause, ...]] = {
    "refused": (
        Cause("no server listens at that address", "compare host and port of `url` with those of the server"),
        Cause("a firewall or network policy blocks it", "allow connections from the exporter's host to that port"),
        Cause("the exporter's host cannot resolve the name", "resolve it there (getent hosts NAME), fix DNS"),
    ),
    "timeout": (
        Cause("the server is overloaded, or the query too large", "check its load; narrow the selector"),
        Cause("packets are dropped on the way", "allow connections from the exporter's host to that port"),
        Cause("the server needs more time than `timeout`", "raise `timeout`"),
    ),
    "tls": (
        Cause("its certificate is from a private CA", "save the CA's certificate and set tls.ca_file to that file"),
        Cause("a proxy on the way intercepts TLS", "trust the proxy's CA (tls.ca_file), or bypass it"),
        Cause("the certificate has expired, or is for another name", "renew it, or use its name in `url`"),
        Cause("the server requires a client certificate", "set tls.cert_file and tls.key_file"),
    ),
    "auth": (
        Cause("the secret is wrong, or was changed", "compare it with the server's; remove blanks and quotes"),
        Cause("the account lacks permission", "give it permission to read"),
        Cause("a proxy in front of the server requires another login", "ask its operator which header it requires"),
    ),
    "not_found": (
        Cause("the path in `url` is wrong", "set it to the server's base address"),
        Cause("another server listens there", "open the address in a browser"),
    ),
    "rate_limited": (
        Cause("the exporter polls more often than the server allows", "raise the environment's `interval`"),
        Cause("other clients use up the same limit", "give the exporter its own account, or raise the limit"),
    ),
    "server_error": (
        Cause("the server, or one behind a proxy, is down or starting", "check its log, and wait for it"),
        Cause("the query is too large for it", "narrow the selector, or give the server more memory"),
    ),
    "http_error": (
        Cause("another kind of server listens at `url`", "open the address in a browser"),
        Cause("the server is too old for the request", "compare its version with docs/reference/sources.md"),
    ),
    "not_json": (
        Cause("the response is a login page or a proxy's error page", "use credentials for it, or bypass it"),
        Cause("`url` is the address of the user interface", "set it to the base address of the API"),
        Cause("the file is not JSON, or was cut off", "write it again: pte-exporter report --format json > FILE"),
    ),
    "truncated": (
        Cause("a proxy or load balancer cuts off long responses", "raise its time and size limits"),
        Cause("the server restarted during the request", "try again, then check its log"),
    ),
    "too_large": (
        Cause("the selector matches more than intended", "narrow the selector, or the globs"),
        Cause("the data really is that large", "raise max_bytes, and the exporter's memory with it"),
    ),
    "bad_query": (
        Cause("a query of the configuration is wrong", "try it in the server's own user interface"),
        Cause("the kind of source does not fit the role", "see docs/reference/sources.md for the roles of each kind"),
        Cause("the server is too old for the query", "compare its version with docs/reference/sources.md"),
    ),
    "bad_data": (
        Cause("the file or response is of another kind or version", "see docs/reference/sources.md for the formats"),
        Cause("the file was cut off, or changed by hand", "write it again with its own tool"),
    ),
    "redirect": (
        Cause("`url` is not the final address", "use the address that it points to"),
        Cause("a login page is in front of the server", "give the exporter credentials for it, or exempt it"),
    ),
    "unreadable": (
        Cause("the file does not exist where the exporter runs", "mount it there, or fix the path"),
        FORBIDDEN,
        _UNSET,
    ),
    "internal": (FAULT,),
}
