"""The usual causes of each reason for which a source cannot be read, and of a wrong option; the likeliest first."""

from __future__ import annotations

from exporter.errors import Detail, SourceError
from exporter.model.checkup import Cause


def causes_of(error: SourceError) -> tuple[Cause, ...]:
    """Causes and remedies of a source that cannot be read, by the fields of its error; the text decides nothing."""
    return certain_causes(error) or usual_causes(error.reason)


def usual_causes(reason: str) -> tuple[Cause, ...]:
    """Causes and remedies of a reason (exporter.errors.REASONS), where nothing more is known."""
    return CAUSES.get(reason, ())


def of_option(key: str, problem: SourceError | str) -> tuple[Cause, ...]:
    """Causes and remedies of what is wrong with a source's option, by its key: folder, password_file, tls.ca_file.

    `problem`: the error of whoever tried to use it, which may name the cause by itself, or a text.
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
        return (Cause(f"a slip in {key}", _READ),)
    return (Cause("a slip in the source's options", _READ),)


def certain_causes(error: SourceError) -> tuple[Cause, ...]:
    """The one cause that the error leaves no doubt about, with its file and user where they are known; often none."""
    if error.detail is None:
        return ()
    cause = _CERTAIN[error.detail]
    if error.variable and error.detail != "unset":
        return (Cause(cause.text, "set it to the secret alone, and start the exporter anew"),)
    remedy = cause.remedy.replace("USER", error.user or "USER")
    return (Cause(cause.text, remedy.replace("FILE", str(error.path or "FILE"))),)


FAULT = Cause("a fault of the exporter", "please report it, with what --log.level debug shows")

_READ = "mend it; docs/reference/sources.md says what the kind wants, and pte-exporter check says whether it will load"

FORBIDDEN = Cause(
    "the exporter's user may not read it",
    "give that user read permission, and x on the folders above: `namei -l FILE` shows all, chown USER FILE mends it",
)
_UNSET = Cause("an environment variable is not set", "set it for the exporter's process, and start it anew")
_DIRECTORY = Cause(
    "there is a folder of that name: containers make one where the file to be mounted is not there",
    "take it away, put the file there, and start the container anew",
)
_MISSING = Cause(
    "there is no such file where the exporter runs: a slip in the path, or it is not mounted",
    "`ls -l FILE` there, in its container where it has one; then mend the path, or mount it",
)
_EMPTY = Cause("no secret was written into it", "write the secret alone into it: cat > FILE")
_LINES = Cause(
    "there is more in it than the secret: its name, a comment, another secret",
    "write the secret alone into it; `wc -l FILE` tells 0 or 1 then",
)
_MARK = Cause(
    "an editor saved it with a byte order mark, as some do on Windows",
    "save it as UTF-8 without, or: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE",
)
_LETTER = Cause(
    "it was typed or pasted with something around it, such as a dash or quote that an editor made prettier",
    "write the secret alone into it; `cat -A FILE` shows what is in it, so that nobody else should look on",
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
"""Where there is no doubt. FILE and USER in a remedy stand for those of the error."""

_FILE_OPTION = (
    Cause("a slip in the path, or one relative to another directory", "give the absolute path, as ls shows it"),
    Cause("it is not mounted where the exporter runs", "mount it there (volume, container, network drive)"),
)
_SECRET_OPTION = (
    Cause("the secret is not where the exporter runs", "mount the file, or set the variable, for its process"),
    FORBIDDEN,
)
_TLS_OPTION = (
    Cause("the file is not there, or not PEM", "look into it: it has to begin with -----BEGIN"),
    Cause("certificate and key do not belong together", "take both from where they were issued together"),
)

CAUSES: dict[str, tuple[Cause, ...]] = {
    "refused": (
        Cause("nothing listens at that address", "compare host and port of `url` with where the server runs"),
        Cause("a firewall or network policy is between", "open the way from the exporter's host to that port"),
        Cause("the name is not known where the exporter runs", "resolve it there (getent hosts NAME), mend DNS"),
    ),
    "timeout": (
        Cause("the server is overloaded, or the query too large", "look at its load; narrow the selector"),
        Cause("packets are dropped on the way", "open the way from the exporter's host to that port"),
        Cause("it needs longer than it is given", "raise `timeout`"),
    ),
    "tls": (
        Cause("its certificate is from a CA of your own", "put the CA's certificate into a file: tls.ca_file"),
        Cause("a proxy on the way opens TLS", "trust the proxy's CA (tls.ca_file), or go past it"),
        Cause("the certificate has run out, or is for another name", "renew it, or take the name it is for in `url`"),
        Cause("the server wants a client certificate", "set tls.cert_file and tls.key_file"),
    ),
    "auth": (
        Cause("the secret is wrong, or was changed", "compare it with what the server knows; no blank or quote in it"),
        Cause("the account may not read this", "give it the right to read"),
        Cause("a proxy before the server wants another login", "ask whoever runs it which header it wants"),
    ),
    "not_found": (
        Cause("`url` has a path too many or too few", "cut it to the server's base address"),
        Cause("another server answers there", "open the address in a browser and see who it is"),
    ),
    "rate_limited": (
        Cause("we ask more often than the server allows", "raise the environment's `interval`"),
        Cause("others use up the same limit", "give the exporter an account of its own, or raise the limit"),
    ),
    "server_error": (
        Cause("the server, or one behind a proxy, is down or starting", "look at its log, and wait for it"),
        Cause("the question is too much for it", "narrow the selector, or give the server more memory"),
    ),
    "http_error": (
        Cause("another kind of server answers at `url`", "open the address in a browser and see who it is"),
        Cause("the server is too old for what is asked", "compare its version with docs/reference/sources.md"),
    ),
    "not_json": (
        Cause("a login page or a proxy's error page came instead", "log in with a secret of its own, or go past it"),
        Cause("`url` is the address of the user interface", "cut it to the base address of the API"),
        Cause("the file is not JSON, or was cut off", "write it anew: pte-exporter report --format json > FILE"),
    ),
    "truncated": (
        Cause("a proxy or load balancer cuts long answers off", "raise its limits of time and size"),
        Cause("the server was restarted meanwhile", "try again, then look at its log"),
    ),
    "too_large": (
        Cause("more is selected than was meant", "narrow the selector, or the globs"),
        Cause("there really is that much", "raise max_bytes, and the exporter's memory with it"),
    ),
    "bad_query": (
        Cause("a query of the configuration is wrong", "try it in the server's own user interface"),
        Cause("the kind of source does not fit the role", "see docs/reference/sources.md for which role it can be"),
        Cause("the server is too old for the query", "compare its version with docs/reference/sources.md"),
    ),
    "bad_data": (
        Cause("the file or answer is of another kind or version", "see docs/reference/sources.md for what is read"),
        Cause("the file was cut off, or changed by hand", "write it anew with the tool that it is from"),
    ),
    "redirect": (
        Cause("`url` is not the final address", "take the address that it leads to"),
        Cause("a login page stands before the server", "let the exporter past it, with a secret of its own"),
    ),
    "unreadable": (
        Cause("the file is not where the exporter runs", "mount it there, or mend the path"),
        FORBIDDEN,
        _UNSET,
    ),
    "internal": (FAULT,),
}
