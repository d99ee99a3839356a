"""The two app configurations: the forum itself and its admin, called the desk."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ForumConfig(AppConfig):
    name = "forum"
    default = True

    def ready(self) -> None:
        from .operations import checks  # noqa: F401  (registers them)


class DeskConfig(admin_apps.AdminConfig):
    default = False
    default_site = "forum.desk.Desk"
