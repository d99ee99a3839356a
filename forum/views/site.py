"""What belongs to the site as a whole: the theme and the addresses for machines."""

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from accounts.models import User

from ..context import THEMES

YEAR = 365 * 24 * 3600


def theme(request):
    """Choose the theme: a member's setting, a visitor's cookie. Works without JavaScript."""
    if request.method == "POST":
        chosen = request.POST.get("theme")
        chosen = chosen if chosen in THEMES else "auto"
        back = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
            back = "/"
        response = redirect(back)
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


def keys(request):
    """The keys of the pages that have some, and the switch that turns them off."""
    return render(request, "site/keys.html")


@never_cache
def healthz(request):
    """Whether the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request):
    """Whether the database answers, so that a proxy may send people here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
