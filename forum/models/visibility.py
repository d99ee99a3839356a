"""Who may see what, as a query. `permissions` asks the same of one object; a test ties the two."""

from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from core.compiled_queries import CompiledQuery

from .boards import Board, BoardQuerySet
from .bookmarks import Bookmark
from .cases import Case, CaseQuerySet
from .listing import opening_stands
from .moderation import AuditEntry, AuditEntryQuerySet
from .notices import Notice, NoticeQuerySet
from .pictures import Picture, PictureUse
from .posts import Post, PostQuerySet
from .threads import NOWHERE, State, Thread, ThreadQuerySet

# From wide to narrow: words may be carried into an audience as narrow or narrower, never wider.
AUDIENCES = tuple(Board.Audience)
# Read by people who are named one by one.
NAMED = (Board.Audience.INVITED, Board.Audience.MODERATORS)


def moderates_all(user) -> bool:
    """Whether `user` (a member or AnonymousUser) moderates every board."""
    return user.is_authenticated and user.is_active and (user.is_superuser or user.is_moderator)


def moderated_board_ids(user) -> frozenset[int]:
    """The boards that name `user` as a moderator; asked once per request and only of staff."""
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return frozenset()
    if user._moderated_board_ids is None:
        user._moderated_board_ids = frozenset(user.moderated_boards.values_list("pk", flat=True))
    return user._moderated_board_ids


def invited_board_ids(user) -> frozenset[int]:
    """The boards that `user` is invited to; asked once per request, and by `permissions` only where
    a board for invited members is met."""
    if not user.is_authenticated:
        return frozenset()
    if user._invited_board_ids is None:
        user._invited_board_ids = frozenset(user.invited_boards.values_list("pk", flat=True))
    return user._invited_board_ids


def like_any_other(user) -> bool:
    """Whether `user` has no rights beyond those of any visitor or any member (but for invitations,
    which queries ask for themselves)."""
    return not (moderates_all(user) or moderated_board_ids(user))


def moderates(user, board_id: int | None) -> bool:
    """Whether `user` moderates the board with this id; what is in no board, moderators of all."""
    return moderates_all(user) or board_id in moderated_board_ids(user)


def _boards(user, prefix: str = "") -> Q:
    if moderates_all(user):
        return Q()
    seen = [Board.Audience.PUBLIC]
    if user.is_authenticated:
        seen.append(Board.Audience.MEMBERS)
    rule = Q(**{f"{prefix}audience__in": seen})
    if user.is_authenticated:
        # Within the query: a list costs no second one for most members, who are invited nowhere.
        invited = Board.invited.through.objects.filter(user=user).values("board_id")
        rule |= Q(**{f"{prefix}audience": Board.Audience.INVITED, f"{prefix}pk__in": invited})
    if own := moderated_board_ids(user):
        rule |= Q(**{f"{prefix}pk__in": own})
    return rule


def _states(user, board_path: str) -> Q:
    """Visible things; one's own while they wait; all on boards that one moderates, but never
    what is there for nobody."""
    if moderates_all(user):
        return ~Q(state__in=NOWHERE)
    rule = Q(state=State.VISIBLE)
    if user.is_authenticated:
        rule |= Q(state__in=(State.PENDING, State.REJECTED), author=user)
    if own := moderated_board_ids(user):
        rule |= Q(**{f"{board_path}__in": own}) & ~Q(state__in=NOWHERE)
    return rule


def boards_visible_to(user) -> BoardQuerySet:
    """The boards that `user` (a member or AnonymousUser) may see."""
    return Board.objects.filter(_boards(user))


def threads_visible_to(user) -> ThreadQuerySet:
    """The debates that `user` may read, on whatever board."""
    return Thread.objects.filter(_boards(user, "board__"), _states(user, "board_id"))


def openings_visible_to(user) -> ThreadQuerySet:
    """The debates whose opening `user` may read, and with it what are the opening's own words: the
    own answer, the questions, the divergences (`permissions.see_opening` of one debate)."""
    return threads_visible_to(user).filter(opening_rule(user))


def opening_rule(user) -> Q:
    """Of a debate that `user` may read in a query: they may read its opening, too."""
    if moderates_all(user):
        return Q()
    rule = Q(opening_stands())
    if own := moderated_board_ids(user):
        rule |= Q(board_id__in=own)
    return rule


def posts_visible_to(user) -> PostQuerySet:
    """Posts whose words `user` may read. (A placeholder may be seen where its thread may.)"""
    rule = _boards(user, "thread__board__") & ~Q(thread__state__in=NOWHERE)
    if not moderates_all(user):
        thread = Q(thread__state=State.VISIBLE)
        if user.is_authenticated:
            thread |= Q(thread__state__in=(State.PENDING, State.REJECTED), thread__author=user)
        if own := moderated_board_ids(user):
            thread |= Q(thread__board_id__in=own)
        rule &= thread
    return posts_visible_within(user).filter(rule)


def posts_visible_within(user) -> PostQuerySet:
    """Posts that `user` may read if they may read the debate: half of `posts_visible_to`, for who
    asks `threads_visible_to` of the debates."""
    return Post.objects.filter(_states(user, "thread__board_id"))


def notices_visible_to(user) -> NoticeQuerySet:
    """The notices of `user` that are shown and counted: what tells of a post goes where the post
    goes, and with whoever is ignored. Acts are told whatever became of their place."""
    posts = posts_visible_to(user).filter(pk=OuterRef("post"), state=State.VISIBLE)
    posts = posts.exclude(author__in=user.ignoring)
    mine = Notice.objects.filter(member=user).exclude(change__member__in=user.ignoring)
    shown = Subquery(posts.values("pk"))  # as EXISTS, PostgreSQL may read all posts of the forum
    return mine.alias(shown=shown).filter(Q(post__isnull=True) | Q(shown__isnull=False))


def bookmarks_of(user) -> QuerySet[Bookmark]:
    """The bookmarks of `user` on posts that they may read: a bookmark goes where its post goes."""
    posts = posts_visible_to(user).filter(pk=OuterRef("post"))
    return Bookmark.objects.filter(Exists(posts), member=user)


def uses_visible_to(user) -> QuerySet[PictureUse]:
    """What the texts of posts show, or once showed, whose words `user` may read. Each use asks for
    its own post: of a set of posts, SQLite would read all of the forum first."""
    posts = posts_visible_to(user).filter(pk=OuterRef("post"))
    shown = Subquery(posts.values("pk"))  # as EXISTS, PostgreSQL may read all posts of the forum
    return PictureUse.objects.alias(seen=shown).filter(seen__isnull=False)


def pictures_visible_to(user) -> QuerySet[Picture]:
    """The pictures that `user` may see: those that a post shows, or once showed, whose words they
    may read; their own as long as no post shows it. What was erased nobody sees."""
    uses = PictureUse.objects.filter(picture=OuterRef("pk"))
    rule = Q(Exists(uses_visible_to(user).filter(picture=OuterRef("pk"))))
    if user.is_authenticated:
        rule |= Q(member=user) & ~Q(Exists(uses))
    return Picture.objects.filter(rule).exclude(state=Picture.State.ERASED)


def readers_of(board: Board) -> QuerySet[User]:
    """The members who may see `board` (`permissions.see_board` of each of them)."""
    if board.audience in (Board.Audience.PUBLIC, Board.Audience.MEMBERS):
        return User.objects.filter(is_active=True)
    rule = Q(is_superuser=True) | Q(is_moderator=True)
    rule |= Q(is_staff=True, pk__in=board.moderators.values("pk"))
    if board.audience == Board.Audience.INVITED:
        rule |= Q(pk__in=board.invited.values("pk"))
    return User.objects.filter(rule, is_active=True)


class ForReader:
    """A queryset of what a reader sees, which `build` makes out of the reader and values of these
    kinds (see CompiledQuery, also for `name`). It is compiled once for visitors and once for
    members without rights of their own. `counting`: it depends on since when a member counts what
    is new. `alike`: all who moderate every board are given the same, so that it is compiled for
    them too."""

    def __init__(
        self,
        name: str,
        build: Callable[..., QuerySet],
        *kinds: str,
        counting: bool = False,
        alike: bool = False,
    ) -> None:
        self.build, self.counting = build, counting
        self.moderator = None
        if alike:
            self.moderator = CompiledQuery(
                name, lambda *values: build(User(pk=0, is_moderator=True), *values), *kinds
            )
        self.visitor = CompiledQuery(name, lambda *values: build(AnonymousUser(), *values), *kinds)
        if counting:
            self.member = CompiledQuery(
                name,
                lambda pk, since, *values: build(User(pk=pk, read_until=since), *values),
                *("number", "moment", *kinds),
            )
        else:
            self.member = CompiledQuery(
                name, lambda pk, *values: build(User(pk=pk), *values), "number", *kinds
            )

    def __call__(self, user, *values) -> list:
        """The rows for `user` and these values, in one query."""
        if not like_any_other(user):
            if self.moderator is not None and moderates_all(user):
                return self.moderator(*values)
            return list(self.build(user, *values))
        if not user.is_authenticated:
            return self.visitor(*values)
        if self.counting:
            return self.member(user.pk, user.read_until or user.date_joined, *values)
        return self.member(user.pk, *values)


def entries_visible_to(user) -> AuditEntryQuerySet:
    """The entries of the moderation log that `user` may read: acts on the site itself and on the
    boards that `user` sees, or saw until they were taken out. What an entry is about may still be
    out of sight."""
    entries = AuditEntry.objects.public()
    if moderates_all(user):
        return entries
    seen = boards_visible_to(user)
    audiences = [Board.Audience.PUBLIC]
    if user.is_authenticated:
        audiences.append(Board.Audience.MEMBERS)
    return entries.filter(
        Q(board__isnull=True, other_board__isnull=True)
        | Q(board__in=seen)
        | Q(other_board__in=seen.values("pk"))
        | Q(verb="remove board", detail__audience__in=audiences)
    )


def entries_moderated_by(user) -> AuditEntryQuerySet:
    """The entries of the log about the boards that `user` moderates, private ones among them, as
    the desk shows them. What they are about may stand elsewhere by now, out of sight: `title` is
    the debate's, None where `user` may not see it; `post_seen` and `other_seen` whether they see
    where the post stands, and the debate that posts went to or came from."""
    if moderates_all(user):
        return AuditEntry.objects.annotate(
            title=F("thread__title"), post_seen=Value(True), other_seen=Value(True)
        )
    seen = threads_visible_to(user)
    return AuditEntry.objects.filter(board__in=moderated_board_ids(user)).annotate(
        title=Subquery(seen.filter(pk=OuterRef("thread")).values("title")),
        post_seen=Exists(seen.filter(pk=OuterRef("post__thread"))),
        other_seen=Exists(seen.filter(pk=OuterRef("other_thread"))),
    )


def cases_visible_to(user) -> CaseQuerySet:
    """The cases that `user` may decide: those of the boards one moderates (cases about no board
    are decided by moderators of all boards), but not a case about oneself, nor an answer to one's
    own act, while there is anybody else to decide it."""
    rows = Case.objects.all()
    if settings.CONFIRM_ADDRESS == "required":  # nobody can tell yet whether it is theirs
        known = EmailAddress.objects.filter(user=OuterRef("member"), verified=True)
        rows = rows.exclude(Q(kind=Case.Kind.JOIN) & ~Exists(known))
    if not (user.is_authenticated and user.is_superuser):
        rows = rows.exclude(kind=Case.Kind.NAME)
    if not moderates_all(user):
        rows = rows.filter(board__in=moderated_board_ids(user))
    others = (
        User.objects.filter(is_active=True)
        .exclude(pk=Coalesce(OuterRef("member"), 0))
        .exclude(pk=Coalesce(OuterRef("notice__entry__actor"), 0))
        .filter(
            Q(is_superuser=True)
            | Q(is_moderator=True)
            | Q(is_staff=True, moderated_boards=OuterRef("board"))
        )
    )
    own = Q(member=user.pk) | Q(notice__entry__actor=user.pk)
    return rows.exclude(own & Exists(others))


def wider(source: Board, target: Board) -> bool:
    """Whether `target` has, or may come to have, readers that `source` has not, so that words must
    not be carried. Of two boards with named readers nobody knows whom they will name."""
    if source.pk == target.pk:
        return False
    if source.audience in NAMED and target.audience in NAMED:
        return True
    return AUDIENCES.index(target.audience) < AUDIENCES.index(source.audience)
