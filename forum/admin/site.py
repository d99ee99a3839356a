"""The admin site: entered through the same limited door as everything else."""

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite

from ..permissions import may


class Desk(AdminSite):
    site_header = "Jonbar: the moderators' desk"
    site_title = "Desk"
    index_title = "What there is"
    enable_nav_sidebar = True

    def has_permission(self, request) -> bool:
        return may(request.user, "enter desk")


Desk.login = secure_admin_login(Desk.login)
