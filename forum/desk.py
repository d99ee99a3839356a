"""The admin site. It stands outside forum.admin: Django makes the site when the first app registers
a model, and a site in that package would be made twice, half of the registrations with each."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from .models.visibility import cases_visible_to
from .permissions import may


class Desk(admin.AdminSite):
    """The moderators' desk: its door follows the charter, its login is the site's own."""

    site_header = "Jonbar: the moderators' desk"
    site_title = "Desk"
    index_title = "What there is"

    def has_permission(self, request) -> bool:
        return may(request.user, "enter desk")

    def get_app_list(self, request, app_label=None):
        """The menu; the queue says how much waits."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            for model in app["models"]:
                if model["object_name"] == "Case":
                    waiting = cases_visible_to(request.user).open().count()
                    model["name"] = f"Queue: {waiting} waiting" if waiting else "Queue"
        return apps

    def password_change(self, request, extra_context=None):
        """Passwords are changed in one place, which asks for the old one and tells by mail."""
        return redirect("account_change_password")


Desk.login = method_decorator(secure_admin_login)(Desk.login)
