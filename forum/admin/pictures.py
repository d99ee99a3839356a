"""Pictures that members sent, and which texts show them, for administrators."""

from django.contrib import admin

from ..models import Picture, PictureUse
from .mails import ForAdministrators


@admin.register(Picture)
class PictureAdmin(ForAdministrators):
    """What was sent, by whom, and what became of it; the picture itself is a link away."""

    list_display = ("key", "member", "created_at", "state", "kind", "width", "height", "bytes")
    list_filter = ("state", "kind", "shows")
    list_select_related = ("member",)
    fields = (
        *("key", "member", "created_at", "state", "why", "kind", "width", "height", "bytes"),
        *("sent_bytes", "sent_sha256", "sha256", "preview_sha256", "alt", "credit", "source"),
        *("shows", "title", "moment", "edtf", "legend", "projection", "template", "tiles"),
    )


@admin.register(PictureUse)
class PictureUseAdmin(ForAdministrators):
    """Which texts show which pictures."""

    list_display = ("picture", "post", "revision")
    list_select_related = ("picture", "post__author", "revision")
    fields = ("picture", "post", "revision", "thread")
