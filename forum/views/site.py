"""What belongs to the site as a whole: the theme and the addresses for machines."""

from django.conf import settings
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from accounts.models import User
from forum.operations import replica_lag
from forum.operations.readiness import describe_clock, ready
from forum.own_data import retention
from forum.rendering import help_pages, rules_page
from forum.rendering.context import THEMES

from ..models import Job, Page, Term

YEAR = 365 * 24 * 3600


def theme(request: HttpRequest) -> HttpResponse:
    """Choose the theme: a member's setting, a visitor's cookie. Works without JavaScript."""
    if request.method == "POST":
        chosen = request.POST.get("theme")
        chosen = chosen if chosen in THEMES else "auto"
        back = request.POST.get("next", "")
        # A path of this site as it stands: Django would take a single word for a page's name.
        if not (back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)):
            back = "/"
        response = HttpResponseRedirect(back)
        if request.user.is_authenticated:
            request.user.theme = chosen
            request.user.save(update_fields=["theme"])
        else:
            response.set_cookie(
                "theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure()
            )
        return response
    context = {"next": request.GET.get("next", "/"), "themes": User.Theme.choices}
    return render(request, "site/theme.html", context)


def rules(request: HttpRequest) -> HttpResponse:
    """The rules: the site's own words, if there are some, and the charter as the code keeps it."""
    return render(
        request,
        "site/rules.html",
        {
            "page": Page.objects.filter(kind=Page.Kind.RULES).exclude(source="").first(),
            "house_rules": help_pages.page(help_pages.HOUSE_RULES),
            "roles": list(rules_page.roles()),
            "articles": rules_page.articles(),
            "readers": list(rules_page.readers()),
            "boards": rules_page.boards(),
            "new_member_posts": settings.NEW_MEMBER_POSTS,
            "edit_window": settings.EDIT_WINDOW_HOURS,
        },
    )


def help_contents(request: HttpRequest) -> HttpResponse:
    """All pages of the help, by reader."""
    return render(request, "site/help.html", {"contents": list(help_pages.contents())})


def help_page(request: HttpRequest, name) -> HttpResponse:
    """One page of the help."""
    try:
        found = help_pages.page(name)
    except KeyError:
        raise Http404 from None
    return render(request, "site/help_page.html", {"page": found})


def page(request: HttpRequest, kind) -> HttpResponse:
    """One of the site's own pages; not there as long as nobody has written it, but for that on
    privacy, which says in any case what is kept how long."""
    found = Page.objects.filter(kind=kind).exclude(source="").first()
    kept = retention.table() if kind == Page.Kind.PRIVACY else ()
    if found is None and not kept:
        raise Http404
    return render(request, "site/page.html", {"page": found or Page(kind=kind), "kept": kept})


def glossary(request: HttpRequest) -> HttpResponse:
    """All terms of the glossary, capitals among the small letters."""
    return render(request, "site/glossary.html", {"terms": Term.objects.order_by(Lower("name"))})


def keys(request: HttpRequest) -> HttpResponse:
    """The keys of the pages that have some, and the switch that turns them off."""
    return render(request, "site/keys.html")


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the database answers within a second, so that a proxy may send people here; how far
    replicas are behind, without which all pages are read from the primary; and a wrong clock."""
    if ready():
        text = f"ok\n{describe_clock()}{replica_lag.describe()}"
        return HttpResponse(text, content_type="text/plain")
    return HttpResponse("the database does not answer\n", content_type="text/plain", status=503)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The counts for Prometheus, for who shows the token; for everybody else not there."""
    shown = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(
        shown, f"Bearer {settings.METRICS_TOKEN}"
    ):
        raise Http404
    from forum.operations import (
        metrics as counts,  # the library costs memory, so only where it is used
    )

    counts.set_jobs(Job.objects.backlog())
    return HttpResponse(counts.text(), content_type=counts.CONTENT_TYPE)
