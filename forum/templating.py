"""Django's templates, compiled: the same language and the same pages, in a tenth of the time.

Django walks a tree of nodes for every page and looks for each name through a stack of contexts.
Here a template becomes one Python function when it is first used: text, names, filters, `if`,
`for`, `with`, constant `include`, `extends` and blocks are written out as statements, and every
other tag is rendered by its own node as before, with the variables as they stand there. A
template that uses what cannot be written out, such as `block.super`, is left to Django. What a
name means, what is escaped and what is missing is as in Django; a test draws pages both ways.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from html import escape

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import defaulttags, loader_tags
from django.template.backends.django import DjangoTemplates
from django.template.backends.django import Template as Wrapped
from django.template.base import (
    FilterExpression,
    Node,
    NodeList,
    TextNode,
    Variable,
    VariableDoesNotExist,
    VariableNode,
    render_value_in_context,
)
from django.template.context import Context
from django.template.loader import get_template
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.safestring import SafeData, SafeString, mark_safe
from django.utils.timezone import template_localtime

DEEPEST = 8  # templates included in each other; one that includes itself is left to Django


class Templates(DjangoTemplates):
    """Django's engine, whose templates are compiled when they are first asked for."""

    def get_template(self, template_name: str) -> Wrapped:
        """The template of this name. Raises TemplateDoesNotExist, TemplateSyntaxError."""
        wrapped = super().get_template(template_name)
        template = wrapped.template
        if not isinstance(template.nodelist, Compiled):
            template.nodelist = Compiled(template, self.engine)
        return wrapped


class Compiled(NodeList):
    """A template's nodes, which render as one function where they can."""

    def __init__(self, template, engine) -> None:
        super().__init__(template.nodelist)
        self.contains_nontext = template.nodelist.contains_nontext
        self.function: Callable | None = None
        self.alone = False  # whether the function needs nothing but names
        if (
            engine.autoescape
            and not engine.string_if_invalid
            and not settings.USE_THOUSAND_SEPARATOR
        ):
            with suppress(Unwritable):
                writer = _Writer(engine)
                self.function = writer.function(template)
                self.alone = not writer.called

    def render(self, context: Context) -> SafeString:
        """The page, as any list of nodes gives it."""
        # Drawn by Django as the parent of a template that was left to it, whose blocks wait in the
        # context: they stand there, not in the function.
        parent = loader_tags.BLOCK_CONTEXT_KEY in context.render_context
        if self.function is None or parent or not context.autoescape:
            return super().render(context)
        names = context.flatten()
        # Tags that were not written out find the same names here, and set theirs here.
        context.dicts.append(names)
        try:
            return mark_safe(self.function(names, context))
        finally:
            context.dicts.pop()


class Unwritable(Exception):
    """The template uses something that cannot be written out as statements."""


# --- What the written functions call ----------------------------------------------------------


class _Missing:
    """A name that means nothing: false, and shown as nothing."""

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()
_plain: set[type] = set()  # classes whose things have attributes, but no keys


class _Engine:
    string_if_invalid = ""


class _Template:
    engine = _Engine


class _It:
    """As much of a context as Django's lookup asks for, holding one thing."""

    __slots__ = ("it",)
    template, template_name = _Template, "unknown"

    def __init__(self, it) -> None:
        self.it = it

    def __getitem__(self, name: str):
        return self.it


def _first(names: dict, name: str):
    value = names.get(name, MISSING)
    return _looked_up(names, name) if callable(value) else value


def _step(current, bit: str):
    """`current.bit` as templates mean it: a key, an attribute, an index; called if need be."""
    kind = type(current)
    if kind in _plain:
        try:
            value = getattr(current, bit)
        except Exception:  # whatever it is, Django's own lookup decides what it means
            return _looked_up(current, bit)
    elif kind is dict:
        value = current.get(bit, MISSING)
        if value is MISSING:
            return _looked_up(current, bit)
    elif current is MISSING or current is None:
        return MISSING
    elif hasattr(kind, "__getitem__"):
        return _looked_up(current, bit)
    else:
        _plain.add(kind)
        return _step(current, bit)
    return _looked_up(current, bit) if callable(value) else value


def _looked_up(current, bit: str):
    """The same by Django's own rules, for all that is not a plain value."""
    try:
        return _variable(bit).resolve(_It(current))
    except VariableDoesNotExist:
        return MISSING


@cache
def _variable(bit: str) -> Variable:
    variable = Variable("it")
    variable.lookups = ("it", bit)
    return variable


def _needed(value):
    if value is MISSING:
        raise VariableDoesNotExist("an argument of a filter")
    return value


def _tried(ask: Callable):
    try:
        return ask()
    except VariableDoesNotExist:
        return None


def _shown(value, context) -> str:
    """What stands on the page for a value."""
    kind = type(value)
    if kind is str:
        return escape(value)
    if kind is SafeString:
        return value
    if kind is int:
        return str(value)
    return "" if value is MISSING else render_value_in_context(value, context)


COMPARED: dict[str, Callable] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda first, second: first in second,
    "not in": lambda first, second: first not in second,
    "is": operator.is_,
    "is not": operator.is_not,
}


def _ask(comparison: Callable, first, second) -> bool:
    """A comparison: what cannot be compared is not so."""
    try:
        return comparison(
            None if first is MISSING else first, None if second is MISSING else second
        )
    except Exception:
        return False


def _listed(values):
    """What a loop runs over: something with a length."""
    if values is None or values is MISSING:
        return ()
    return values if hasattr(values, "__len__") else list(values)


def _round(loop: dict, at: int, length: int) -> None:
    loop.update(
        counter0=at,
        counter=at + 1,
        revcounter=length - at,
        revcounter0=length - at - 1,
        first=at == 0,
        last=at == length - 1,
        length=length,
    )


def _restore(names: dict, before: dict) -> None:
    for name, value in before.items():
        if value is MISSING:
            names.pop(name, None)
        else:
            names[name] = value


def _safely(done, given):
    """What a filter gave, safe if it was given something safe and keeps that."""
    return mark_safe(done) if isinstance(given, SafeData) else done


_addresses: dict[tuple, str] = {}


def _address(name: str) -> str:
    """The address with this name and without arguments."""
    key = (name, get_script_prefix(), get_urlconf(), settings.ROOT_URLCONF)
    if (found := _addresses.get(key)) is None:
        found = _addresses[key] = escape(reverse(name))
    return found


_around: dict[tuple, tuple[str, str]] = {}
_STAND_IN = 7_000_000_007  # a number that stands in no address


def _address_with(name: str, value) -> str:
    """The address with this name and one argument. What stands before and after a number is the
    same for all numbers."""
    if type(value) is not int or value < 0:
        return escape(reverse(name, args=["" if value is MISSING else value]))
    key = (name, get_script_prefix(), get_urlconf(), settings.ROOT_URLCONF)
    if (found := _around.get(key)) is None:
        before, _, after = escape(reverse(name, args=[_STAND_IN])).partition(str(_STAND_IN))
        found = _around[key] = before, after
    return f"{found[0]}{value}{found[1]}"


_files: dict[str, str] = {}


def _file(path: str) -> str:
    """The address of a static file. Where names hold a digest of the content they are settled."""
    if (found := _files.get(path)) is None:
        found = escape(staticfiles_storage.url(path))
        if hasattr(staticfiles_storage, "hashed_files") and not settings.DEBUG:
            _files[path] = found
    return found


_ALWAYS = {"True": True, "False": False, "None": None}
_BARE = Context()  # says how values are shown, and holds none


def filling(name: str) -> Callable[[dict], SafeString]:
    """How to fill the template of this name for a part of a page, with nothing at hand but the
    names that it is given: no request, no context processors. Saves what Django does around each
    page, which for a line of HTML takes longer than to fill it."""
    wrapped = get_template(name)
    nodes = wrapped.template.nodelist
    function = nodes.function if isinstance(nodes, Compiled) else None
    if function is None:
        return wrapped.render

    def fill(given: dict) -> SafeString:
        names, context = {**_ALWAYS, **given}, _BARE
        if not nodes.alone:  # tags that render themselves look for names here
            context = Context()
            context.dicts.append(names)
            context.template = wrapped.template
        return mark_safe(function(names, context))

    return fill


# --- Writing a template out -------------------------------------------------------------------


class _Writer:
    """Writes one function: its lines, and the objects that they name."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.lines = ["def function(names, context):", " out = []", " w = out.append"]
        self.depth = 1
        self.objects: dict[str, object] = {
            function.__name__: function
            for function in (
                *(_first, _step, _needed, _tried, _shown, _ask, _listed, _round, _restore, _safely),
                *(_address, _address_with, _file, template_localtime),
            )
        }
        self.objects |= {"MISSING": MISSING, "UNKNOWN": object()}
        self.text: list[str] = []
        self.including: list[str] = []
        # What loops and `with` name, by the variable of the function that holds it.
        self.local: dict[str, str] = {}
        # Of these variables, the attributes that were looked up: each has a variable of its own.
        self.known: dict[str, dict[str, str]] = {}
        self.called = False  # tags that render themselves
        self.within = False  # a function of its own, which cannot keep them

    def function(self, template) -> Callable:
        """The function that renders the template. Raises Unwritable."""
        self.template(template)
        self.flush()
        self.lines.append(" return ''.join(out)")
        exec(compile("\n".join(self.lines), f"<{template.name}>", "exec"), self.objects)
        return self.objects["function"]

    def line(self, text: str) -> None:
        self.flush()
        self.lines.append(" " * self.depth + text)

    def flush(self) -> None:
        if text := "".join(self.text):
            self.text.clear()
            self.lines.append(" " * self.depth + f"w({text!r})")

    @contextmanager
    def indented(self, head: str) -> Iterator[None]:
        self.line(head)
        self.depth += 1
        self.line("pass")
        yield
        self.flush()
        self.depth -= 1

    def named(self, thing) -> str:
        """The name under which the lines find an object."""
        name = f"o{len(self.objects)}"
        self.objects[name] = thing
        return name

    # Templates, and what stands in them

    def template(self, template) -> None:
        """A whole template: of a line of templates that extend each other the outermost, with the
        innermost's blocks."""
        blocks: dict[str, Node] = {}
        nodes, seen = list(template.nodelist), set()
        while True:
            found = [node for node in nodes if not isinstance(node, TextNode)]
            extends = found[0] if found and isinstance(found[0], loader_tags.ExtendsNode) else None
            if extends is None:
                for node in nodes:
                    for block in node.get_nodes_by_type(loader_tags.BlockNode):
                        blocks.setdefault(block.name, block)
                break
            for name, block in extends.blocks.items():
                blocks.setdefault(name, block)
            parent = extends.parent_name
            if parent.filters or not isinstance(parent.var, str) or parent.var in seen:
                raise Unwritable
            seen.add(parent.var)
            nodes = list(self.engine.get_template(parent.var).nodelist)
        self.nodes(nodes, blocks)

    def nodes(self, nodes: Iterable[Node], blocks: dict[str, Node]) -> None:
        for node in nodes:
            written = WRITTEN.get(type(node))
            if written is None or not written(self, node, blocks):
                self.foreign(node)

    def foreign(self, node: Node) -> None:
        """A tag that renders itself. Blocks within it would not know what extends them."""
        if node.get_nodes_by_type(loader_tags.BlockNode):
            raise Unwritable
        self.called = True
        self.line(f"w({self.named(node)}.render_annotated(context))")

    # Names and filters

    def variable(self, variable: Variable) -> str:
        if variable.translate:
            raise Unwritable
        if variable.literal is not None:
            return self.named(variable.literal)
        first, *rest = variable.lookups
        if first == "block":
            raise Unwritable
        local = self.local.get(first)
        text = local or f"_first(names, {first!r})"
        if local in self.known and rest and not self.within:
            # Looked up once for each round of the loop, when it is first asked for.
            bit = rest.pop(0)
            name = self.known[local].setdefault(bit, f"{local}_{bit}")
            text = f"({name} if {name} is not UNKNOWN else ({name} := _step({local}, {bit!r})))"
        for bit in rest:
            text = f"_step({text}, {bit!r})"
        return text

    def expression(self, expression: FilterExpression, missing: str = "''") -> str:
        """A name with its filters; `missing` is what they get if it means nothing."""
        if not expression.is_var:
            text = self.named(expression.var)
        else:
            text = self.variable(expression.var)
            if expression.filters:
                text = f"({missing} if (v := {text}) is MISSING else v)"
        for function, arguments in expression.filters:
            given = [
                f"_needed({self.variable(argument)})" if looked_up else self.named(argument)
                for looked_up, argument in arguments
            ]
            if getattr(function, "needs_autoescape", False):
                given.append("autoescape=True")
            if getattr(function, "expects_localtime", False):
                text = f"template_localtime({text}, context.use_tz)"
            name = self.named(function)
            if getattr(function, "is_safe", False):
                # Names of their own: an argument may hold another such expression.
                kept = f"k{len(self.objects)}"
                text = f"_safely({name}({', '.join([f'({kept} := {text})', *given])}), {kept})"
            else:
                text = f"{name}({', '.join([text, *given])})"
        return text

    def condition(self, condition) -> str:
        if isinstance(condition, defaulttags.TemplateLiteral):
            expression = condition.value
            if any(looked_up for _, given in expression.filters for looked_up, _ in given):
                # An argument that is missing makes it nothing.
                self.within = True
                text = self.expression(expression, missing="None")
                self.within = False
                return f"_tried(lambda: {text})"
            return self.expression(expression, missing="None")
        word = getattr(condition, "id", None)
        if word not in COMPARED and word not in ("or", "and", "not"):
            raise Unwritable
        first = self.condition(condition.first)
        if word == "not":
            return f"(not {first})"
        second = self.condition(condition.second)
        if word in ("or", "and"):
            return f"({first} {word} {second})"
        if word in ("==", "!=") and _is_word(condition.second):
            return f"({first} {word} {second})"  # cannot fail, and is not so for what is missing
        return f"_ask({self.named(COMPARED[word])}, {first}, {second})"

    # Tags

    def write_text(self, node: TextNode, _blocks) -> bool:
        self.text.append(node.s)
        return True

    def write_nothing(self, _node, _blocks) -> bool:
        return True

    def write_variable(self, node: VariableNode, _blocks) -> bool:
        self.line(f"w(_shown({self.expression(node.filter_expression)}, context))")
        return True

    def write_block(self, node: Node, blocks: dict[str, Node]) -> bool:
        self.nodes(blocks.get(node.name, node).nodelist, blocks)
        return True

    def write_if(self, node: defaulttags.IfNode, blocks: dict[str, Node]) -> bool:
        word = "if"
        for condition, nodes in node.conditions_nodelists:
            head = "else:" if condition is None else f"{word} {self.condition(condition)}:"
            with self.indented(head):
                self.nodes(nodes, blocks)
            word = "elif"
        return True

    def write_for(self, node: defaulttags.ForNode, blocks: dict[str, Node]) -> bool:
        at = len(self.objects)
        names = (*node.loopvars, "forloop")
        self.objects[f"n{at}"] = names
        self.line(f"s{at} = _listed({self.expression(node.sequence, missing='None')})")
        with self.indented(f"if len(s{at}):"):
            self.line(f"before{at} = {{name: names.get(name, MISSING) for name in n{at}}}")
            self.line(f"l{at} = {{'parentloop': names.get('forloop', {{}})}}")
            self.line(f"names['forloop'] = l{at}")
            run = f"reversed(s{at})" if node.is_reversed else f"s{at}"
            with self.indented(f"for i{at}, item{at} in enumerate({run}):"):
                self.line(f"_round(l{at}, i{at}, len(s{at}))")
                taken = ", ".join(f"names[{name!r}]" for name in node.loopvars)
                self.line(f"{taken} = item{at}")
                outer, self.local = self.local, {**self.local, "forloop": f"l{at}"}
                for number, name in enumerate(node.loopvars):
                    self.local[name] = f"v{at}_{number}"
                    self.line(f"v{at}_{number} = _first(names, {name!r})")
                with self.remembered(f"v{at}_{n}" for n in range(len(node.loopvars))):
                    self.nodes(node.nodelist_loop, blocks)
                self.local = outer
            self.line(f"_restore(names, before{at})")
        with self.indented("else:"):
            self.nodes(node.nodelist_empty, blocks)
        return True

    @contextmanager
    def remembered(self, variables: Iterable[str]) -> Iterator[None]:
        """Lines in which these variables mean the same, so that each attribute of theirs is looked
        up once."""
        mine: dict[str, dict[str, str]] = {name: {} for name in variables}
        self.known |= mine
        self.line("pass")
        at, depth = len(self.lines) - 1, self.depth
        yield
        self.flush()
        if names := [name for found in mine.values() for name in found.values()]:
            self.lines[at] = " " * depth + " = ".join([*names, "UNKNOWN"])
        for name in mine:
            del self.known[name]

    def write_with(self, node, blocks: dict[str, Node]) -> bool:
        with self.named_for_a_while(node.extra_context):
            self.nodes(node.nodelist, blocks)
        return True

    @contextmanager
    def named_for_a_while(self, given: dict[str, FilterExpression]) -> Iterator[None]:
        """Lines in which some names mean something else."""
        if not given:
            yield
            return
        at = len(self.objects)
        self.objects[f"n{at}"] = tuple(given)
        values = ", ".join(
            f"{name!r}: ('' if (v := {self.expression(value)}) is MISSING else v)"
            for name, value in given.items()
        )
        self.line(f"new{at} = {{{values}}}")
        self.line(f"before{at} = {{name: names.get(name, MISSING) for name in n{at}}}")
        self.line(f"names.update(new{at})")
        outer, self.local = self.local, dict(self.local)
        for number, name in enumerate(given):
            self.local[name] = f"v{at}_{number}"
            self.line(f"v{at}_{number} = _first(names, {name!r})")
        with self.remembered(f"v{at}_{n}" for n in range(len(given))):
            yield
        self.flush()
        self.local = outer
        self.line(f"_restore(names, before{at})")

    def write_include(self, node, _blocks) -> bool:
        name = node.template
        if node.isolated_context or name.filters or not isinstance(name.var, str):
            return False
        if name.var in self.including or len(self.including) >= DEEPEST:
            return False
        template = self.engine.get_template(name.var)
        if any(isinstance(inner, loader_tags.ExtendsNode) for inner in template.nodelist):
            return False
        self.including.append(name.var)
        with self.named_for_a_while(node.extra_context):
            self.template(template)
        self.including.pop()
        return True

    def write_url(self, node: defaulttags.URLNode, _blocks) -> bool:
        name = node.view_name
        if node.kwargs or node.asvar or name.filters or not isinstance(name.var, str):
            return False
        if len(node.args) > 1 or (node.args and ":" in name.var):
            return False
        if node.args:
            self.line(f"w(_address_with({name.var!r}, {self.expression(node.args[0])}))")
        else:
            self.line(f"w(_address({name.var!r}))")
        return True

    def write_static(self, node: StaticNode, _blocks) -> bool:
        path = node.path
        if node.varname or path.filters or not isinstance(path.var, str):
            return False
        self.line(f"w(_file({str(path.var)!r}))")
        return True


def _is_word(condition) -> bool:
    """Whether a condition is a word between quotation marks."""
    value = getattr(condition, "value", None)
    return isinstance(value, FilterExpression) and not value.is_var and not value.filters


WRITTEN: dict[type, Callable] = {
    TextNode: _Writer.write_text,
    VariableNode: _Writer.write_variable,
    defaulttags.CommentNode: _Writer.write_nothing,
    defaulttags.LoadNode: _Writer.write_nothing,
    defaulttags.IfNode: _Writer.write_if,
    defaulttags.ForNode: _Writer.write_for,
    defaulttags.WithNode: _Writer.write_with,
    defaulttags.URLNode: _Writer.write_url,
    loader_tags.BlockNode: _Writer.write_block,
    loader_tags.IncludeNode: _Writer.write_include,
    StaticNode: _Writer.write_static,
}
