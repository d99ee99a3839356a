"""Numbers with their nouns: one of a thing is "1 day", wherever a sentence is made."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from core.counting import counted

ROOT = Path(__file__).resolve().parents[2]
CODE = {
    name: path
    for app in ("accounts", "core", "forum")
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts
    and (name := str(path.relative_to(ROOT))) != "forum/acts.py"  # says names of things
}
TEMPLATES = {
    str(path.relative_to(ROOT)): path
    for folder in ("templates", "templates_django")
    for path in sorted((ROOT / folder).rglob("*.*"))
}
# What follows a number at once, or after an adjective or two, and is more than one of something.
_MANY = re.compile(
    r"(?:\s|</?\w+>)+(?:(?!an? |of |in |to )[a-z-]+ ){0,2}?(?P<noun>[a-z]+s|people)\b"
)
# Words that end as nouns do and are none.
_VERBS = set(
    "is was has does its this us as says means names stands takes holds comes shows counts knows "
    "looks runs invites gives leaves watches ends ms ".split()
)
# What is put in there is a name, or the number of one thing, and not how many there are.
_NAMES = set("name who title board number url pk reader.username post.pk user.username".split())
_NAMES |= {"named or 'A post that waits'"}
# Never one; what sees to that stands elsewhere.
_NEVER_ONE = {
    "len(choices)": "a poll has two choices at least",
    "limit": "what a post may hold, of each kind more than one",
    "frames": "more than what is allowed, which is one at least",
    "len(entries)": "more than what is allowed",
    "height": "the sides of a picture",
    '"{:,} × {:,}".format(picture.width, picture.height)': "the sides of a picture",
}


def _is_many(said: str, after: str) -> bool:
    """Whether what is `said`, as code, is a number before a noun that is more than one."""
    found = _MANY.match(after)
    if not found or found["noun"] in _VERBS or said in _NAMES or said in _NEVER_ONE:
        return False
    constant = said.rpartition(".")[2].isupper() and not said.startswith("settings.")
    return not constant and "count" not in re.split(r"\W+", said) and "counted(" not in said


def in_code(source: str) -> Iterator[str]:
    """The texts of this module that put a number before a noun that is always more than one."""
    tree = ast.parse(source)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def asked(node: ast.AST) -> bool:
        """Whether this is said of more than one only: `… if many > 1 else …`."""
        while node := above.get(node):
            if isinstance(node, ast.IfExp | ast.If) and re.search(
                r"(?:==|!=|>) 1\b", ast.unparse(node.test)
            ):
                return True
        return False

    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and not asked(node):
            for number, after in pairwise(node.values):
                if isinstance(number, ast.FormattedValue) and isinstance(after, ast.Constant):
                    if _is_many(said := ast.unparse(number.value), after.value):
                        yield f"{{{said}}}{after.value}"
            yield from _nouns_of_others(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for number in re.finditer(r"%(?:\(\w+\))?d|\{(?:\w*:,|)\}", node.value):
                if not isinstance(above[node], ast.Expr) and _is_many(
                    "", node.value[number.end() :]
                ):
                    yield node.value


def _nouns_of_others(text: ast.JoinedStr) -> Iterator[str]:
    """The places of a text where the noun after a number is somebody else's, as on the line of a
    terminal that counts whatever a command names: nobody there knows whether it is one."""
    for number, space, noun in zip(text.values, text.values[1:], text.values[2:], strict=False):
        if (
            isinstance(number, ast.FormattedValue)
            and isinstance(noun, ast.FormattedValue)
            and number.format_spec is not None
            and ast.unparse(number.format_spec).strip("f'\"") == ","
            and getattr(space, "value", "") == " "
            and ast.unparse(number.value) not in _NEVER_ONE
            and not re.search(r"(?:==|!=|>) 1\b", ast.unparse(noun.value))
        ):
            yield f"{{{ast.unparse(number.value)}}} {{{ast.unparse(noun.value)}}}"


def in_template(source: str) -> Iterator[str]:
    """The places of this template that do so."""
    for number in re.finditer(r"\{\{[-+]? (?P<said>[^}]*?) [-+]?\}\}", source):
        after = source[number.end() : number.end() + 80]
        plural = "{% plural %}" in source[: number.start()].rpartition("{% blocktranslate")[2]
        if not plural and _is_many(number["said"], after):
            yield f"{number[0]}{after}"


@pytest.mark.parametrize(
    "number, said", [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1500, "1,500 days")]
)
def test_a_number_stands_with_its_noun(number, said):
    assert counted(number, "day,days") == said


def test_no_sentence_of_the_code_says_one_days():
    found = {name: list(in_code(path.read_text())) for name, path in CODE.items()}
    assert {name: places for name, places in found.items() if places} == {}


def test_no_template_or_mail_says_one_days():
    found = {name: list(in_template(path.read_text())) for name, path in TEMPLATES.items()}
    assert {name: places for name, places in found.items() if places} == {}


def test_what_would_say_one_days_is_found():
    assert list(in_code("f'Within {days} more days.'"))
    assert list(in_code("x = '%d posts'"))
    assert list(in_code("x = 'That was {} requests'"))
    assert list(in_code("f'{settings.MOST} posts'"))
    assert list(in_code("f'{done:,} {what}'"))
    assert list(in_template("<b>{{ many }}</b> open drafts"))
    assert not list(in_code("f'{many} posts' if many > 1 else 'a post'"))
    assert not list(in_template('{{ many|count("draft,drafts") }} of members'))
