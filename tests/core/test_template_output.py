"""What templates show, held against what Jinja2 and MarkupSafe would show."""

from decimal import Decimal

import pytest
from django.utils.functional import lazystr
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError
from markupsafe import Markup, escape

from core.template_output import EscapingEnvironment, Unindented, escaped


class Named(str):
    """Text of a kind of its own, as choices of a model are."""


class Drawn:
    def __html__(self):
        return "<b>drawn</b>"

    def __repr__(self):
        return "Drawn()"  # the same in each worker, which name tests by it


VALUES = [
    *("", "plain", "ünï", "<script>", "a & b", "\"'", "&lt;", "\0"),
    *(0, -1, 2**70, True, False, None, 1.5, Decimal("1.50"), [1, "<"], {"<": "'"}),
    *(SafeString("<i>safe</i>"), mark_safe("<i>"), Markup("<u>safe</u>"), Drawn()),
    *(Named("<named>"), Named("named"), lazystr("<lazy>"), gettext_lazy("<lazy>")),
]
WAYS = [
    "{{ value }}",
    "<p title='{{ value }}'>{{ value }}{{ value }}</p>",
    "{% macro m(v) %}[{{ v }}]{% endmacro %}{{ m(value) }}{{ m(m(value)) }}",
    "{% set kept %}<b>{{ value }}</b>{% endset %}{{ kept }}{{ kept|upper }}",
    "{{ '<' ~ value ~ value }}{{ value|string }}{{ value|safe }}{{ [value, '<']|join(', ') }}",
    "{% for one in [value] %}{{ one }}{% endfor %}{% filter upper %}{{ value }}{% endfilter %}",
    "{% autoescape false %}{{ value }}{% endautoescape %}",
    "{% block part %}{{ value }}{% endblock %}{{ self.part() }}",
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("way", WAYS)
def test_a_template_shows_what_it_would_without_the_fence(way, value, settings):
    ours = EscapingEnvironment(autoescape=True).from_string(way)
    plain = Environment(autoescape=True).from_string(way)
    assert ours.render(value=value) == plain.render(value=value)
    settings.PLAIN_TEMPLATES = True
    assert EscapingEnvironment(autoescape=True).from_string(way).render(
        value=value
    ) == plain.render(value=value)


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none())
def test_escaped_is_what_markupsafe_escapes(value):
    assert str(escaped(value)) == str(escape(value))


def test_a_name_that_means_nothing_fails_where_it_shall():
    made = EscapingEnvironment(autoescape=True, undefined=StrictUndefined)
    with pytest.raises(UndefinedError):
        made.from_string("{{ nothing }}").render()


def test_the_fence_holds_and_opens(settings):
    """Jinja2 still asks the hook; else pages would be right, and a tenth dearer."""
    written = EscapingEnvironment(autoescape=True).compile("{{ value }}", raw=True)
    assert "environment.escaped(" in written
    settings.PLAIN_TEMPLATES = True
    written = EscapingEnvironment(autoescape=True).compile("{{ value }}", raw=True)
    assert "environment.escaped(" not in written


def test_other_environments_are_as_jinja2_makes_them():
    assert "environment.escaped(" not in Environment(autoescape=True).compile(
        "{{ value }}", raw=True
    )


def test_pages_are_not_indented_and_values_are_left_as_they_are():
    made = Environment(autoescape=True, extensions=[Unindented])
    source = (
        "<ul>\n\n    <li>{{ value }}</li>  \n   {% if 1 %}\n"
        "      <li>two  words</li>{% endif %}\n</ul>"
    )
    text = "a\n\n    b  \n"
    assert made.from_string(source).render(value=text) == (
        f"<ul>\n<li>{text}</li>\n\n<li>two  words</li>\n</ul>"
    )
    assert made.from_string("<textarea>\n{{ value }}</textarea>").render(value="\n  a") == (
        "<textarea>\n\n  a</textarea>"  # whose first line break browsers take away
    )
    with pytest.raises(TemplateSyntaxError) as problem:
        made.from_string("a\n\n   b\n {% if %}")
    assert problem.value.lineno == 4  # errors still name the line of the source
