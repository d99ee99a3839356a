"""The admin site. It stands outside forum.admin: Django makes the site when the first app registers
a model, and a site in that package would be made twice, half of the registrations with each."""

from functools import partial

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject

from .models import Case, Job, Page
from .models.cases import MOST_COUNTED
from .models.visibility import cases_visible_to
from .permissions import may

# What moderators work with, most often first; everything else is a record to look up.
WORK = ("Case", "Thread", "Post", "Board", "Upload", "Term", "Page", "AuditEntry")
MOST_JOBS = 1_000  # of what failed for good, which are counted
# The ways through the desk, on each of its pages: label and address.
TABS = (
    ("Queue", "admin:index"),
    ("Members", "admin:forum_member_changelist"),
    ("Debates", "admin:forum_thread_changelist"),
    ("Posts", "admin:forum_post_changelist"),
    ("Boards", "admin:forum_board_changelist"),
    ("Log", "admin:forum_auditentry_changelist"),
    ("Records", "admin:records"),
)


def failed_jobs(user) -> int:
    """How many jobs failed for good and wait for `user`, if that is an administrator; as far as
    MOST_JOBS."""
    return Job.objects.failed()[:MOST_JOBS].count() if may(user, "administer") else 0


def up_to_most(waiting: int) -> str:
    """How many cases wait, as far as MOST_COUNTED; empty for none."""
    return f"{MOST_COUNTED}+" if waiting >= MOST_COUNTED else str(waiting or "")


def _waiting(user) -> str:
    return up_to_most(cases_visible_to(user).open().counted())


def _leads_to(tab: str, here: str) -> bool:
    """Whether the page with this name stands under the tab."""
    if tab == "admin:index":
        return here in (tab, "admin:forum_case_changelist", "admin:forum_case_change")
    return here == tab or here.rpartition("_")[0] == tab.rpartition("_")[0] != ""


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
    index_title = "Records"
    enable_nav_sidebar = False  # the ways stand above, the records behind one of them

    def has_permission(self, request) -> bool:
        return may(request.user, "enter desk")

    def get_urls(self):
        """Without the pages of Django's that nothing here uses: one leads to whatever has an
        address, by way of its title, the other searches for the rows of any relation."""
        unused = ("view_on_site", "autocomplete")
        kept = [url for url in super().get_urls() if getattr(url, "name", None) not in unused]
        return [path("records/", self.admin_view(self.records), name="records"), *kept]

    def each_context(self, request):
        """What each page of the desk shows: the ways through it, and how much waits."""
        context = super().each_context(request)
        if not context["has_permission"]:
            return context
        here = request.resolver_match.view_name if request.resolver_match else ""
        tabs = [
            {"label": label, "href": reverse(name), "here": _leads_to(name, here)}
            for label, name in TABS
        ]
        # Asked for where a page shows it: reasons where a form asks for one.
        return {
            **context,
            "tabs_of_desk": tabs,
            "waiting": SimpleLazyObject(partial(_waiting, request.user)),
            "reasons": Page.reasons,
            "failed_jobs": partial(failed_jobs, request.user),
        }

    def get_app_list(self, request, app_label=None):
        """All records: first what one works with, then what lies behind it. Django wants them for
        each page, and shows them on one: what each table asks of rights waits until then."""
        return SimpleLazyObject(partial(self._apps, request, app_label))

    def _apps(self, request, app_label: str | None) -> list[dict]:
        apps = super().get_app_list(request, app_label)
        if app_label is None:
            apps = [part for app in apps for part in _parted(app)]
        return apps

    def index(self, request, extra_context=None):
        """The front page is the queue."""
        return self._registry[Case].changelist_view(request)

    def records(self, request):
        """Every table that the desk shows, behind one link."""
        return super().index(request)

    def password_change(self, request, extra_context=None):
        """Passwords are changed in one place, which asks for the old one and tells by mail."""
        return redirect("account_change_password")


Desk.login = method_decorator(secure_admin_login)(Desk.login)  # type: ignore[method-assign]  # allauth says so
