"""The two app configurations: the forum itself and its admin, called the desk."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ForumConfig(AppConfig):
    name = "forum"
    default = True


class DeskConfig(AdminConfig):
    default = False
    default_site = "forum.admin.site.Desk"
