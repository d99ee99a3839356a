"""Compiled templates: the same pages as Django's own, letter by letter."""

import re
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.template import Context, Engine, RequestContext, engines
from django.template.base import NodeList, Template
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe

from forum import drawing
from forum.actions import debate
from forum.models import Post
from forum.templating import Compiled, Templates, filling
from tests.people import browser, edit, fresh, make_member, pending, quoting, reply

PARTS = {
    "outer": "<{% block title %}plain{% endblock %}|{% block body %}{% block inner %}i"
    "{% endblock %}{% endblock %}|{{ name }}>",
    "middle": "{% extends 'outer' %}{% block title %}middle{% endblock %}",
    "part": "[{{ name }}{{ given }}{% for x in items %}{{ x }}{% endfor %}]",
    "loud": "{% extends 'outer' %}{% block title %}{{ block.super }}!{% endblock %}",
    "again": "{{ depth }}{% if depth < 3 %}{% include 'again' with depth=depth|add:1 %}{% endif %}",
}


class Moody:
    """Answers in all the ways that a thing in a template may."""

    there = "here & now"
    nothing = None
    zero = 0

    def called(self):
        return "<called>"

    def asks(self, something):
        return something

    def changes(self):
        raise AssertionError

    changes.alters_data = True

    @property
    def gone(self):
        raise Post.DoesNotExist

    def __str__(self):
        return "<moody>"


SOURCES = [
    "{{ name }} {{ safe }} {{ number }} {{ big }} {{ price }} {{ yes }} {{ none }} {{ nowhere }}",
    "{{ thing }} {{ thing.there }} {{ thing.called }} {{ thing.asks }} {{ thing.changes }}",
    "{{ thing.gone }}|{{ thing.gone.pk }}|{{ thing.nothing.more }}|{{ thing.missing.more }}",
    "{{ pairs.0.1 }} {{ items.2 }} {{ items.9 }} {{ table.key }} {{ table.items }} {{ table.get }}",
    "{{ when }} {{ when|date:'j F Y H:i' }} {{ none|date }} {{ name|lower }} {{ nowhere|lower }}",
    "{{ safe|lower }} {{ name|upper|lower }} {{ safe|default:'x' }} {{ nowhere|default:name }}",
    "{{ name|default_if_none:'x' }} {{ none|default_if_none:'<x>' }} {{ number|add:price }}",
    "{{ name|cut:safe }} {{ safe|safe }} {{ name|safe }} {{ name|escape }} {{ name|urlencode }}",
    "{{ number|add:1 }} {{ '<b>' }} {{ '<b>'|upper }} {{ 12 }} {{ 1.5 }} {{ items|join:name }}",
    "{% if name %}a{% elif yes %}b{% else %}c{% endif %}{% if nowhere %}d{% else %}e{% endif %}",
    "{% if not none and yes or nowhere %}a{% endif %}{% if name == nowhere %}b{% endif %}",
    "{% if none == nowhere %}a{% endif %}{% if number > name %}b{% else %}c{% endif %}",
    "{% if 2 in items %}a{% endif %}{% if 2 not in number %}b{% else %}c{% endif %}",
    "{% if none is None %}a{% endif %}{% if yes is not None %}b{% endif %}",
    "{% if number <= 7 and number >= 7 and number != 8 %}a{% endif %}",
    "{% if nowhere > 1 %}b{% endif %}",
    "{% if number|add:price > 9 %}a{% endif %}{% if number|add:nowhere %}b{% else %}c{% endif %}",
    "{% if items|length > 2 %}a{% endif %}{% if thing.gone %}b{% else %}c{% endif %}",
    "{% for x in items %}{{ x }}{{ forloop.counter }}{% if not forloop.last %}, {% endif %}"
    "{% empty %}none{% endfor %}{{ x }}{{ forloop }}",
    "{% for x in nowhere %}{{ x }}{% empty %}none{% endfor %}{% for x in none %}{% endfor %}",
    "{% for x in items reversed %}{{ x }}{{ forloop.revcounter0 }}{{ forloop.first }}{% endfor %}",
    "{% for a, b in pairs %}{{ a }}-{{ b }}{% for x in items %}{{ forloop.parentloop.counter0 }}"
    "{{ a }}{% endfor %}{% endfor %}",
    "{% for key, value in table.items %}{{ key }}{{ value }}{% endfor %}",
    "{% for name in items %}{{ name }}{% endfor %}{{ name }}",
    "{% for x in things %}{{ x.there }}{{ x.called }}{% endfor %}",
    "{% for c in name %}{{ c }};{% endfor %}",
    "{% with name=number other=name %}{{ name }}{{ other }}{% endwith %}{{ name }}{{ other }}",
    "{% with x=nowhere %}[{{ x }}]{% endwith %}{% with x=thing.called %}{{ x }}{% endwith %}",
    "{% include 'part' %}{% include 'part' with given=name %}{{ given }}",
    "{% include 'part' with given=name only %}{% for x in items %}{% include 'part' with given=x %}"
    "{% endfor %}{% include which %}",
    "{% include 'again' with depth=0 %}",
    "{% extends 'outer' %}{% block body %}[{{ name }}{% block inner %}x{% endblock %}"
    "]{% endblock %}",
    "{% extends 'middle' %}{% block inner %}{{ name }}{% endblock %}ignored",
    "{% extends 'middle' %}{% block title %}{{ block.super }}+{% endblock %}",
    "{% extends 'loud' %}",
    "{% extends which_outer %}{% block inner %}y{% endblock %}",
    "{% block a %}1{% block b %}2{% endblock %}{% endblock %}",
    "{% cycle 'a' 'b' %}{% for x in items %}{% cycle 'a' 'b' as c %}{{ c }}{% ifchanged x %}n"
    "{% endifchanged %}{% endfor %}",
    "{% filter upper %}{{ name }}{% include 'part' %}{% endfilter %}{% firstof none name %}",
    "{% autoescape off %}{{ name }}{% endautoescape %}{% spaceless %}<a> <b>{% endspaceless %}",
    "{% load tz l10n %}{% localtime off %}{{ when }}{% endlocaltime %}{{ big|localize }}",
    "{% regroup pairs by 0 as groups %}{% for g in groups %}{{ g.grouper }}{% endfor %}",
    "{# a #}{% comment %}b{% endcomment %}{% verbatim %}{{ c }}{% endverbatim %}",
    "{{ True }}{{ None }}",
    "{% with forloop=name %}{{ forloop }}{% endwith %}{{ lazy.there }}{{ lazy }}{{ table.a.b }}",
    "{% if name and name|length == 9 or none %}{{ True }}{% endif %}",
    "{% widthratio 1 2 100 as w %}{{ w }}",
]


def things() -> dict:
    return {
        "name": "A & <b>'s",
        "safe": mark_safe("<i>safe</i>"),
        "number": 7,
        "big": 1234567,
        "price": Decimal("2.50"),
        "yes": True,
        "none": None,
        "thing": Moody(),
        "things": [Moody(), SimpleNamespace(there="there", called=Moody)],
        "lazy": SimpleLazyObject(Moody),
        "pairs": [("a", 1), ("<b>", 2)],
        "items": [1, 2, 3],
        "table": {"key": "<value>", "get": "its own"},
        "when": timezone.make_aware(datetime(1936, 7, 17, 12)),
        "which": "part",
        "which_outer": "outer",
    }


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(
        loaders=[("django.template.loaders.locmem.Loader", PARTS)],
        libraries={
            "tz": "django.templatetags.tz",
            "l10n": "django.templatetags.l10n",
        },
    )


@pytest.mark.parametrize("source", SOURCES)
def test_the_language_means_the_same(engine, source):
    ways = []
    for compiled in (False, True):
        template = Template(source, engine=engine)
        if compiled:
            template.nodelist = Compiled(template, engine)
        context = Context(things())
        ways.append(template.render(context))
        assert len(context.dicts) == 2  # and it is as it was
    assert ways[1] == ways[0]


def test_what_it_takes_over_and_what_it_leaves_to_django(engine):
    written = [Compiled(Template(s, engine=engine), engine).function for s in SOURCES]
    left = [s for s, function in zip(SOURCES, written, strict=True) if function is None]
    assert len(left) == 3, left
    assert all("block.super" in s or "'loud'" in s or "which_outer" in s for s in left)


def test_errors_in_what_is_shown_are_not_hidden(engine):
    class Broken:
        @property
        def value(self):
            raise ZeroDivisionError

    template = Template("{{ broken.value }}", engine=engine)
    template.nodelist = Compiled(template, engine)
    with pytest.raises(ZeroDivisionError):
        template.render(Context({"broken": Broken()}))


# --- The forum's own pages --------------------------------------------------------------------

# What is new at each request.
NEW = re.compile(r'name="(?:csrfmiddlewaretoken|token)" value="[^"]*"')


@pytest.mark.once
@pytest.mark.django_db
def test_all_kinds_of_pages_are_drawn_alike(
    thread, answer, opener, answerer, moderator, monkeypatch
):
    edit(answer, "The party obeyed nobody & <nothing>.\n\nIt had a *secretary*.")
    reply(thread, opener, quoting(answer, "The party obeyed … nothing"), to=answer)
    pending(thread, answerer)
    make_member("reader")
    forks = [debate.fork(change="A & B", when="c. 1924"), debate.fork(change="C", when="1936-39")]
    debate.describe(user=opener, thread=thread, forks=forks, questions=["Why & <how>?"])
    thread = fresh(thread)
    here, post = f"/threads/{thread.pk}/{thread.slug}/", f"/posts/{answer.pk}/"
    paths = [
        *("/", "/boards/after-1900/", "/members/opener/", "/timeline/", "/keys/", "/theme/"),
        *(here, f"{here}?view=tree", f"{here}?view=tree&fold={answer.pk}"),
        *(f"{post}road/", f"{post}quotes/", f"{post}history/"),
        *("/accounts/login/", "/accounts/signup/", "/nowhere/"),
    ]
    theirs = [
        *(f"/threads/{thread.pk}/reply/?to={answer.pk}&quote={answer.pk}", "/threads/new/"),
        *("/drafts/", f"{post}edit/", f"{post}withdraw/", f"/threads/{thread.pk}/rename/"),
        f"/threads/{thread.pk}/describe/",
    ]
    compared = set()
    for reader in (None, opener, answerer, moderator):
        client = browser(reader)
        for path in paths + theirs * (reader is not None):
            ways = []
            client.get(path)  # what is new is read
            for render in (Compiled.render, NodeList.render):
                with monkeypatch.context() as patched:
                    patched.setattr(Compiled, "render", render)
                    response = client.get(path)
                ways.append((response.status_code, NEW.sub("", response.content.decode())))
            assert ways[0] == ways[1], path
            compared.add(ways[0][1])
    assert len(compared) > 50


def test_every_page_of_the_forum_is_compiled():
    """Those that are not would be slow without anybody noticing."""
    engine = engines["django"]
    assert isinstance(engine, Templates)
    for name in ("threads/thread.html", "boards/board.html", "posts/_post.html", "base.html"):
        assert engine.get_template(name).template.nodelist.function


def test_names_that_a_tag_sets_are_seen_behind_it():
    source = "{% url 'home' as where %}{{ where }}{% csrf_token %}{{ csrf_token }}"
    engine = engines["django"].engine
    template = Template(source, engine=engine)
    template.nodelist = Compiled(template, engine)
    request = RequestFactory().get("/")
    request.user = None
    html = template.render(RequestContext(request, {}, processors=[]))
    assert html.startswith("/") and 'name="csrfmiddlewaretoken"' in html


def test_error_pages_stand_whole_whatever_was_drawn_before(client, db):
    for name in ("base.html", "errors/_base.html"):
        engines["django"].get_template(name)
    assert "This page did not happen" in client.get("/nothing/").content.decode()


@pytest.mark.parametrize("name", ["posts/_post.html", "posts/_note.html", "threads/_line.html"])
def test_parts_are_filled_without_the_frame_of_a_page(thread, answer, name):
    post = Post.objects.for_reading().select_related("thread__board").get(pk=answer.pk)
    drawing.draw([post], user=answer.author)
    post.fresh = True
    post.thread.unread = 2
    names = {
        "post": post,
        "thread": post.thread,
        "offer": True,
        "passage": 1,
        "links": (),
        "more": 3,
    }
    before = dict(names)
    assert filling(name)(names) == get_template(name).render(dict(names))
    assert names == before
    post.state, post.verbs = "pending", {"release"}  # draws a tag that renders itself
    assert filling(name)(names) == get_template(name).render(dict(names))
