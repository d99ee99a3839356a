"""What programs ask every site: which crawlers may come, which debates there are, whom to tell of a
hole (RFC 9116), where a password is changed."""

from datetime import timedelta
from xml.sax.saxutils import escape

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from ..models import Thread
from ..models.visibility import threads_visible_to

# Pages that only say otherwise what others say, or that nobody finds by searching.
NOT_FOR_CRAWLERS = (
    *("/accounts/", "/admin/", "/api/", "/drafts/", "/notices/", "/standing/", "/theme/"),
    *("/threads/*/reply/", "/threads/new/", "/posts/*/history/", "/posts/*/quotes/"),
    *("/posts/*/report/", "/report/"),
)
# Crawlers that gather texts for models, by the names that their makers say they read here.
GATHERERS = (
    *("GPTBot", "ClaudeBot", "anthropic-ai", "Google-Extended", "Applebot-Extended", "CCBot"),
    *("Bytespider", "Meta-ExternalAgent", "Amazonbot", "cohere-ai", "PerplexityBot"),
)
# Debates of one part of the sitemap, by number: parts stay the same when debates come and go.
PART = 10_000
XMLNS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
HOUR = 3600


def robots(request: HttpRequest) -> HttpResponse:
    """robots.txt, as the setting CRAWLERS says: "all", "search" (none that gathers texts for
    models) or "none"."""
    lines = []
    if settings.CRAWLERS == "none":
        lines += ["User-agent: *", "Disallow: /"]
    else:
        if settings.CRAWLERS == "search":
            lines += [*(f"User-agent: {name}" for name in GATHERERS), "Disallow: /", ""]
        lines += ["User-agent: *", *(f"Disallow: {path}" for path in NOT_FOR_CRAWLERS)]
        lines += ["", f"Sitemap: {_base(request)}/sitemap.xml"]
    return _kept(HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8"))


def sitemap(request: HttpRequest) -> HttpResponse:
    """The parts of the sitemap, each with the newest answer in it."""
    last = Thread.objects.aggregate(last=Max("pk"))["last"] or 0
    parts = "".join(
        f"<sitemap><loc>{escape(_base(request))}/sitemap-{part}.xml</loc></sitemap>"
        for part in range(last // PART + 1)
    )
    return _xml(f"<sitemapindex {XMLNS}>{parts}</sitemapindex>")


def sitemap_part(request: HttpRequest, part: int) -> HttpResponse:
    """The debates of one range of numbers that everybody may read, with their newest answer."""
    if part > 2**31:
        raise Http404
    threads = threads_visible_to(AnonymousUser()).filter(
        pk__gte=part * PART, pk__lt=(part + 1) * PART
    )
    rows = threads.only("pk", "slug", "last_post_at").order_by("pk")
    base = _base(request)
    entries = "".join(
        f"<url><loc>{escape(base + thread.get_absolute_url())}</loc>"
        f"<lastmod>{thread.last_post_at.isoformat(timespec='seconds')}</lastmod></url>"
        for thread in rows
    )
    return _xml(f"<urlset {XMLNS}>{entries}</urlset>")


def security(request: HttpRequest) -> HttpResponse:
    """security.txt (RFC 9116); not there unless the setting SECURITY_CONTACT names somebody."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    # It must say until when it holds; what is asked for anew each day may say half a year.
    expires = (timezone.now() + timedelta(days=182)).replace(hour=0, minute=0, second=0)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {_base(request)}{request.path}",
    ]
    return _kept(HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8"))


def change_password(request: HttpRequest) -> HttpResponse:
    """Where password managers send people: to the page on which a password is changed."""
    return redirect("account_change_password")


def _base(request: HttpRequest) -> str:
    return settings.SITE_URL or f"{request.scheme}://{request.get_host()}"


def _xml(body: str) -> HttpResponse:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return _kept(HttpResponse(head + body + "\n", content_type="application/xml"))


def _kept(answer: HttpResponse) -> HttpResponse:
    """The answer, which may be an hour old: whoever comes does so once a day."""
    answer.headers["Cache-Control"] = f"max-age={HOUR}"
    return answer
