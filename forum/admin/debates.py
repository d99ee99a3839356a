"""Threads, posts and what belongs to them: to read, to search and to act upon."""

from math import ceil

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from forum import rendering, tree
from forum.moderation import states
from forum.text import markup

from ..models import (
    Answer,
    ChangeOfMind,
    DebateWords,
    Divergence,
    Draft,
    Post,
    PostBody,
    PostRevision,
    PostWords,
    Question,
    Quote,
    ReadMark,
    Submission,
    Thread,
)
from ..models.visibility import moderates_all, posts_visible_to
from ..permissions import may
from ..views.acts_offered import POST_OFFERS, THREAD_OFFERS
from .site import OwnBoards, ReadOnly, WithActs

TREE_ROWS = 200  # posts on one page of a thread's tree in the admin


@admin.register(Thread)
class ThreadAdmin(WithActs):
    list_display = (
        "title",
        "board",
        "kind",
        "opener",
        "state",
        "locked",
        "pinned",
        "reply_count",
        "last_post_at",
    )
    list_filter = ("state", "locked", "pinned", "kind", ("board", OwnBoards))
    list_select_related = ("board", "author")
    found_by = ("debates:pk",)
    straight = ("board",)
    act_name = "thread"
    offers = THREAD_OFFERS
    acts = {
        "lock": states.lock,
        "unlock": states.unlock,
        "archive": states.archive,
        "unarchive": states.unarchive,
        "demand approval": states.demand_approval,
        "waive approval": states.waive_approval,
        "pin": states.pin,
        "unpin": states.unpin,
        "hide": states.hide_thread,
        "restore": states.restore_thread,
    }
    fields = (
        "page",
        "board",
        "kind",
        "author",
        "byline",
        "state",
        "locked",
        "pinned",
        "created_at",
        "last_post_at",
        "reply_count",
        "key",
        "source",
        "reading_tree",
    )

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    @admin.display(description="debate")
    def page(self, thread):
        return format_html(
            '<a href="{}">{}</a>, <a href="/threads/{}/moderate/">move, split, merge</a>',
            thread.get_absolute_url(),
            thread.title,
            thread.pk,
        )

    def get_object(self, request, object_id, from_field=None):
        thread = super().get_object(request, object_id, from_field)
        if thread is not None:
            # With the thread and not with this page, which all threads of the server share.
            asked = request.GET.get("tree", "1")
            thread.tree_page = max(int(asked), 1) if asked.isdecimal() and len(asked) < 9 else 1
        return thread

    @admin.display(description="reply tree")
    def reading_tree(self, thread):
        """The thread in tree order, one line for each post, indented by depth; page by page, as
        `?tree=` asks."""
        pages = max(ceil(thread.numbered / TREE_ROWS), 1)
        page = min(thread.tree_page, pages)
        cut = tree.page(thread, page, TREE_ROWS)
        posts = Post.objects.select_related("author", "body").in_bulk(cut.ids)
        rows = format_html_join(
            "",
            '<li data-level="{}"><a href="../../../post/{}/change/">#{}</a> {} {} {}</li>',
            (
                (
                    min(cut.positions[pk].level, tree.MAX_LEVEL),
                    pk,
                    posts[pk].number,
                    posts[pk].writer,
                    "" if posts[pk].state == "visible" else f"[{posts[pk].get_state_display()}]",
                    markup.words_without_spoilers(posts[pk].body.html, 80),
                )
                for pk in cut.ids
            ),
        )
        links = format_html_join(
            " ",
            '<a href="?tree={}#reading-tree"{}>{}</a>',
            (
                (n, mark_safe(' aria-current="page"') if n == page else "", n)
                for n in range(max(page - 3, 1), min(page + 3, pages) + 1)
            ),
        )
        more = format_html('<p class="paginator">Pages {} of {}</p>', links, pages)
        return format_html(
            '<ol class="desk-tree" id="reading-tree">{}</ol>{}', rows, more if pages > 1 else ""
        )


@admin.register(Post)
class PostAdmin(WithActs):
    board_path = "thread__board_id"
    list_display = ("label", "thread", "state", "parent_basis", "loaded_at", "excerpt")
    list_filter = ("state", "parent_basis", "withdrawn", ("thread__board", OwnBoards))
    found_by = ("posts:pk",)
    straight = ("state",)
    act_name = "post"
    offers = POST_OFFERS
    acts = {
        "hide": states.hide,
        "remove": states.remove,
        "restore": states.restore,
        "approve": states.approve,
        "reject": states.reject,
        "lock branch": states.lock_branch,
        "unlock branch": states.unlock_branch,
    }
    fields = (
        "place",
        "state",
        "state_reason",
        "answers",
        "parent_basis",
        "written_at",
        "loaded_at",
        "key",
        "text",
    )

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("thread__board", "author", "parent", "body")

    def get_object(self, request, object_id, from_field=None):
        post = super().get_object(request, object_id, from_field)
        if post is not None:
            # With the post and not with this page, which all threads of the server share.
            post.reader = request.user
        return post

    @admin.display(description="post")
    def label(self, post):
        return str(post)

    @admin.display(description="text")
    def excerpt(self, post):
        return markup.words_without_spoilers(post.body.html, 100)

    @admin.display(description="post")
    def place(self, post):
        return format_html(
            '<a href="/posts/{}/">{}</a> in {}, <a href="/posts/{}/history/">history</a>, '
            '<a href="/posts/{}/moderate/">split, move, erase</a>',
            post.pk,
            post,
            post.thread,
            post.pk,
            post.pk,
        )

    @admin.display(description="answers")
    def answers(self, post):
        if post.parent_id is None:
            return "the debate" if not post.is_opening else "–"
        return format_html('<a href="../../{}/change/">{}</a>', post.parent_id, post.parent)

    @admin.display(description="text")
    def text(self, post):
        post_shown = Post.objects.for_reading().select_related("thread__board").get(pk=post.pk)
        html = rendering.render_post(post_shown, user=post.reader).html or ""
        return format_html('<div class="case"><div class="prose">{}</div></div>', html)


@admin.register(PostRevision)
class PostRevisionAdmin(ReadOnly):
    board_path = "post__thread__board_id"
    list_display = ("post", "number", "format", "editor", "reason", "created_at")
    list_filter = ("format",)
    list_select_related = ("post__author", "editor")
    found_by = ("posts:post", "members:editor")
    fields = ("post", "number", "format", "text", "reason", "editor", "created_at", "sha256")

    def get_readonly_fields(self, request, obj=None):
        return self.fields

    @admin.display(description="text")
    def text(self, revision) -> str:
        """Without whom its quotes name: the post's page does that for who may know."""
        return markup.without_attributions(revision.source)


@admin.register(Quote)
class QuoteAdmin(ReadOnly):
    board_path = "post__thread__board_id"
    list_display = ("post", "ordinal", "source_post", "verdict", "words")
    list_filter = ("verdict", "whole")
    list_select_related = ("post__author", "source_post__author")
    found_by = ("posts:post", "posts:source_post")

    def get_queryset(self, request):
        """Without quotes of what one may not read: the page does not say whose they are either."""
        rows = super().get_queryset(request)
        if moderates_all(request.user):
            return rows
        seen = posts_visible_to(request.user).filter(pk=OuterRef("source_post"))
        return rows.filter(Q(source_post=None) | Exists(seen))


@admin.register(PostBody)
class PostBodyAdmin(ReadOnly):
    board_path = "post__thread__board_id"
    list_display = ("post", "revision_number", "renderer", "edited_at")
    list_select_related = ("post__author",)
    found_by = ("posts:post",)


@admin.register(Submission)
class SubmissionAdmin(ReadOnly):
    board_path = "post__thread__board_id"
    list_display = ("token", "user", "post", "created_at")
    list_select_related = ("user", "post__author")
    found_by = ("members:user",)


@admin.register(ReadMark)
class ReadMarkAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("user", "thread", "ranges", "count")
    list_select_related = ("user", "thread")
    found_by = ("members:user", "debates:thread")


@admin.register(Divergence)
class DivergenceAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("change", "edtf", "place", "spot", "actor", "thread", "by_editor")
    list_filter = ("by_editor", "thread__kind", ("thread__board", OwnBoards))
    list_select_related = ("thread",)
    found_by = ("debates:thread",)


@admin.register(Question)
class QuestionAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("text", "thread", "stands", "answer_count", "disputed_count")
    list_filter = ("stands",)
    list_select_related = ("thread",)
    found_by = ("debates:thread",)


@admin.register(Answer)
class AnswerAdmin(ReadOnly):
    board_path = "post__thread__board_id"
    list_display = ("post", "verdict", "passage", "question", "author", "created_at")
    list_filter = ("verdict",)
    list_select_related = ("post__author", "question", "author")
    found_by = ("posts:post", "debates:question__thread", "members:author")


@admin.register(ChangeOfMind)
class ChangeOfMindAdmin(ReadOnly):
    board_path = "post__thread__board_id"
    list_display = ("post", "member", "was", "now", "reason", "created_at")
    list_filter = ("was", "now")
    list_select_related = ("post__author", "member")
    found_by = ("posts:post", "members:member")


@admin.register(Draft)
class DraftAdmin(ReadOnly):
    """That there are drafts, not what they say: nobody has published them."""

    list_display = ("user", "label", "saved_at")
    list_select_related = ("user",)
    list_filter = ("saved_at",)
    found_by = ("members:user",)
    fields = ("user", "target", "label", "saved_at")

    def get_queryset(self, request):
        rows = admin.ModelAdmin.get_queryset(self, request)
        return rows if may(request.user, "administer") else rows.none()

    def get_readonly_fields(self, request, obj=None):
        return self.fields


@admin.register(PostWords)
class PostWordsAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("post", "thread", "at", "made")
    list_select_related = ("thread", "post__author")


@admin.register(DebateWords)
class DebateWordsAdmin(ReadOnly):
    board_path = "thread__board_id"
    list_display = ("thread", "made")
    list_select_related = ("thread",)
