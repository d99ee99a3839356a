"""What Jinja2's templates show is escaped without an object made for each value, and pages are sent
without the indentation of their templates.

Jinja2 hands every value of a template to `markupsafe.escape`, which makes a `Markup` of it; what
the pieces of a page are joined to is a string all the same. For a page of a debate, with 760
values, that took a tenth of its drawing. This module is the fence around the one part of Jinja2
that it leans on, the hook of its compiler for what stands before a value: without it, templates
are compiled as Jinja2 does. `settings.PLAIN_TEMPLATES` switches it off, and both ways are held
against each other by tests/core/test_template_output.py.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString
from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.lexer import TOKEN_DATA, Token, TokenStream
from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search
_breaks = re.compile(r"\s*\n\s*")


def escaped(value: Any) -> str:
    """What stands in a page for `value`: safe strings as they are, everything else as text, with
    the five characters that HTML gives a meaning replaced. The same as `markupsafe.escape`, but
    that it is not marked as safe where it need not be."""
    kind = type(value)
    if kind is SafeString or kind is Markup:
        return value
    if kind is int:
        return str(value)
    if kind is str and not _special(value):
        return value
    return escape(value)


class _Compiler(CodeGenerator):
    """Writes `environment.escaped(` before a value in place of `escape(`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        known = frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None
        if known and not settings.PLAIN_TEMPLATES:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class EscapingEnvironment(Environment):
    """Jinja2's environment, whose templates escape by `escaped`."""

    code_generator_class = _Compiler
    escaped = staticmethod(escaped)


class Unindented(Extension):
    """Takes the indentation and the empty lines of a template out of what it writes itself, once,
    when it is compiled; a line break stays one. What values hold is left as it is."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            if token.type == TOKEN_DATA:
                token = Token(token.lineno, token.type, _breaks.sub("\n", token.value))
            yield token
