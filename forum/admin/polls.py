"""Polls and votes, to look at: how many voted, never who or what."""

from django.contrib import admin

from ..models import Ballot, Poll
from .site import ReadOnly


@admin.register(Poll)
class PollAdmin(ReadOnly):
    """Without its results, which are for whoever voted and for everybody once it is closed."""

    board_path = "post__thread__board_id"
    list_display = ("question", "post", "kind", "is_open", "closes_at", "voters")
    list_filter = ("kind", "is_open")
    list_select_related = ("post__author",)
    found_by = ("posts:post", "debates:post__thread")
    fields = ("post", "question", "choices", "kind", "most", "is_open", "closes_at", "voters")

    def get_readonly_fields(self, request, obj=None):
        return self.fields


@admin.register(Ballot)
class BallotAdmin(ReadOnly):
    """That somebody voted; not who, and not for what, be the poll open or secret."""

    board_path = "poll__post__thread__board_id"
    list_display = ("__str__", "poll")
    list_select_related = ("poll",)
    fields = ("poll",)

    def get_readonly_fields(self, request, obj=None):
        return self.fields
