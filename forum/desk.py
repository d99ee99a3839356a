"""The admin site. It stands outside forum.admin: Django makes the site when the first app registers
a model, and a site in that package would be made twice, half of the registrations with each."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Count, Min
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from .models import AuditEntry, Case, Job
from .models.visibility import cases_visible_to, entries_moderated_by
from .permissions import may

LATEST = 8  # entries of the log on the front page
# What moderators work with, most often first; everything else is a record to look up.
WORK = ("Case", "Thread", "Post", "Board", "Upload", "Term", "Page", "AuditEntry")


def waiting(user) -> list[dict]:
    """What waits for `user`, one line for each kind: label, count, the oldest moment, and where it
    is decided. Whatever else comes to wait adds its lines here."""
    rows = (
        cases_visible_to(user)
        .open()
        .order_by()
        .values("kind")
        .annotate(count=Count("pk", distinct=True), oldest=Min("opened_at"))
    )
    found = {row["kind"]: row for row in rows}
    queue = reverse("admin:forum_case_changelist")
    lines = [
        {"label": label, "href": f"{queue}?kind={kind}", **found[kind]}
        for kind, label in Case.Kind.choices
        if kind in found
    ]
    if may(user, "administer"):
        failed = Job.objects.failed().aggregate(count=Count("pk"), oldest=Min("failed_at"))
        jobs = reverse("admin:forum_job_changelist")
        if failed["count"]:
            label = "Work that failed for good"
            lines.append({"label": label, "href": f"{jobs}?failed_at__isnull=False", **failed})
    return lines


def latest(user) -> list[AuditEntry]:
    """The newest entries of the log about boards that `user` moderates."""
    return list(entries_moderated_by(user).select_related("actor").order_by("-pk")[:LATEST])


def _parted(app: dict) -> list[dict]:
    """The forum's part of the menu as two: what is worked with in its order, and the records."""
    if app["app_label"] != "forum":
        return [app]
    models = {model["object_name"]: model for model in app["models"]}
    work = [models.pop(name) for name in WORK if name in models]
    parts = (("Work", work), ("Records", list(models.values())))
    return [{**app, "name": name, "models": found} for name, found in parts if found]


class Desk(admin.AdminSite):
    """The moderators' desk: its door follows the charter, its login is the site's own."""

    site_header = "Jonbar: the moderators' desk"
    site_title = "Desk"
    index_title = "What there is"

    def has_permission(self, request) -> bool:
        return may(request.user, "enter desk")

    def get_urls(self):
        """Without the pages of Django's that nothing here uses: one leads to whatever has an
        address, by way of its title, the other searches for the rows of any relation."""
        unused = ("view_on_site", "autocomplete")
        return [url for url in super().get_urls() if getattr(url, "name", None) not in unused]

    def get_app_list(self, request, app_label=None):
        """The menu: first what one works with, then the records behind it; the queue says how much
        waits."""
        apps = super().get_app_list(request, app_label)
        if app_label is None:
            apps = [part for app in apps for part in _parted(app)]
        for app in apps:
            for model in app["models"]:
                if model["object_name"] == "Case":
                    waiting = cases_visible_to(request.user).open().count()
                    model["name"] = f"Queue: {waiting} waiting" if waiting else "Queue"
        return apps

    def index(self, request, extra_context=None):
        """The front page: what waits for this moderator, and what was done last in these boards."""
        context = {"waiting": waiting(request.user), "latest": latest(request.user)}
        return super().index(request, {**context, **(extra_context or {})})

    def password_change(self, request, extra_context=None):
        """Passwords are changed in one place, which asks for the old one and tells by mail."""
        return redirect("account_change_password")


Desk.login = method_decorator(secure_admin_login)(Desk.login)  # type: ignore[method-assign]  # allauth says so
