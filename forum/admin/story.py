"""Threadmarks and the words of debates, to look at."""

from django.contrib import admin

from ..models import Threadmark, ThreadWord
from .site import OwnBoards, ReadOnly


@admin.register(Threadmark)
class ThreadmarkAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("label", "category", "thread", "post", "marked_by")
    list_filter = ("category", ("thread__board", OwnBoards))
    list_select_related = ("thread", "post__author", "marked_by")
    found_by = ("posts:post", "debates:thread")


@admin.register(ThreadWord)
class ThreadWordAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("word", "role", "thread")
    list_filter = ("role",)
    list_select_related = ("thread",)
    search_fields = ("=word",)
