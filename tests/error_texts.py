"""Finds decisions that rest on the text of an error: any rewording of that would change what the program does."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import NamedTuple

_ASKING = {
    "startswith",
    "endswith",
    "find",
    "rfind",
    "index",
    "rindex",
    "count",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
    "splitlines",
}
"""Methods of a text that inspect it."""

_TEXTS = {"args", "message", "strerror", "verify_message"}
"""Attributes of errors that are texts too."""


SHOWING = {
    # of errors
    "PteError",
    "Problem",
    "RefusedError",
    "SourceError",
    "_RefusedError",
    "reworded",
    "wrong",
    # of the doctor
    "CheckResult",
    "Finding",
    "failed",
    "of_option",
    "_between",
    "_refused",
    "_unknown_types",
    # for people
    "_say",
    "fields",
    "print",
    "redact",
    "say",
    "text",
    # of Python
    "ValueError",
    "append",
    "error",
    "join",
    "repr",
    "setdefault",
    "str",
}
"""What may be given the text of an error: it only shows it, or passes it on."""

_RECORDS = {("problem", "text"), ("finding", "result")}
"""Fields of records that hold what is wrong, for people."""


class Decision(NamedTuple):
    """Where, and the expression."""

    function: str
    line: int
    expression: str


def decisions(source: str) -> list[Decision]:
    """Every decision of a module that rests on the text of an error."""
    problems = []
    for function in _functions(ast.parse(source)):
        texts = _Texts(function)
        for node in ast.walk(function):
            if texts.decides(node):
                problems.append(Decision(function.name, node.lineno, ast.unparse(node)))  # type: ignore[attr-defined]
    return problems


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The outermost ones; functions inside them are theirs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        else:
            yield from _functions(node)


class _Texts:
    """The errors in a function, and their texts."""

    def __init__(self, function: ast.AST) -> None:
        self._errors = {"error"}
        self._foreign = set[str]()
        """Errors of Python and of libraries: their texts may be reworded."""
        self._names = set[str]()
        """Variables that hold the text of an error."""
        nodes = list(ast.walk(function))
        for take in (self._take_errors, self._take_texts):
            before = -1
            while before < len(self._errors) + len(self._names):  # one may be made of another that comes later
                before = len(self._errors) + len(self._names)
                for node in nodes:
                    take(node)

    def _take_errors(self, node: ast.AST) -> None:
        if isinstance(node, ast.ExceptHandler) and node.name:
            self._errors.add(node.name)
            if node.type is not None and _is_foreign(node.type):
                self._foreign.add(node.name)
        elif isinstance(node, ast.arg) and _names_error(node.annotation):
            self._errors.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _names_error(node.annotation):
            self._errors.add(node.target.id)
        elif isinstance(node, ast.For | ast.comprehension):
            self._take_items(node.target, node.iter)

    def _take_items(self, target: ast.expr, items: ast.expr) -> None:
        """From a group of errors, or from pairs of a key and its problem."""
        if isinstance(target, ast.Name) and self._is_error(items):
            self._errors.add(target.id)
        if isinstance(target, ast.Tuple) and _names_problems(items) and isinstance(target.elts[-1], ast.Name):
            self._errors.add(target.elts[-1].id)
            self._names.add(target.elts[-1].id)

    def _take_texts(self, node: ast.AST) -> None:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            targets = [node.target]
        if targets and isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and self._is_text(node.value):
            self._names |= {target.id for target in targets if isinstance(target, ast.Name)}

    def _is_error(self, node: ast.AST | None) -> bool:
        if isinstance(node, ast.Name):
            return node.id in self._errors
        return isinstance(node, ast.Attribute) and node.attr == "error"

    def _is_text(self, node: ast.AST | None) -> bool:
        if isinstance(node, ast.Name):
            return node.id in self._names
        if isinstance(node, ast.JoinedStr):
            return any(self._is_error(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and (node.value.id, node.attr) in _RECORDS:
                return True
            return node.attr in _TEXTS and self._is_error(node.value)
        if isinstance(node, ast.Subscript):
            return self._is_text(node.value)
        if isinstance(node, ast.BinOp):
            return self._is_text(node.left) or self._is_text(node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in ("str", "repr") and any(map(self._is_error, node.args))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._is_text(node.func.value)
        return False

    def _is_ours(self, node: ast.AST) -> bool:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return not names & self._foreign

    def decides(self, node: ast.AST) -> bool:
        """Whether an expression or statement asks what the text of an error is."""
        if isinstance(node, ast.Compare):
            return any(map(self._is_text, (node.left, *node.comparators)))
        if isinstance(node, ast.Subscript):
            return self._is_text(node.slice)
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            return self._is_text(node.test)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Not) and self._is_text(node.operand)
        if isinstance(node, ast.Match):
            return self._is_text(node.subject)
        if isinstance(node, ast.Call):
            return self._asks(node)
        return False

    def _asks(self, call: ast.Call) -> bool:
        """A method of the text that looks into it; or the text is given to something that may do so."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if any(map(self._is_text, arguments)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            return name not in SHOWING
        if not isinstance(call.func, ast.Attribute) or not self._is_text(call.func.value):
            return False
        method = call.func.attr
        if method == "replace":
            return self._is_ours(call.func.value)
        return method in _ASKING or (method == "split" and bool(call.args))


def _names_error(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    names = {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)}
    names |= {part.attr for part in ast.walk(annotation) if isinstance(part, ast.Attribute)}
    return any(name.endswith(("Error", "Exception")) for name in names) and "Callable" not in names


def _names_problems(items: ast.expr) -> bool:
    """Whether it is a call such as problems(options), or a variable of that name."""
    named = items.func if isinstance(items, ast.Call) else items
    name = named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")
    return str(name).endswith("problems")


def _is_foreign(type_: ast.expr) -> bool:
    """Whether an except clause names errors of Python or of a library only."""
    types = type_.elts if isinstance(type_, ast.Tuple) else [type_]
    return all(isinstance(node, ast.Attribute) or hasattr(builtins, getattr(node, "id", "")) for node in types)
