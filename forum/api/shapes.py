"""What the answers look like: every field that leaves the forum this way stands here."""

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema


class BoardShape(Schema):
    """A board, in the order that its moderators gave them."""

    slug: str
    name: str
    description: str
    parent: str | None = Field(description="The slug of the board that it stands in.")
    audience: str = Field(description="Who sees it: public, members, invited, moderators.")
    read_only: bool
    threads: int = Field(description="Debates in it that everybody who sees it may read.")


class DivergenceShape(Schema):
    """Where a debate leaves history."""

    thread: int
    title: str = Field(description="Of the debate.")
    change: str
    actor: str
    place: str
    edtf: str = Field(description="The date in EDTF, as “1914~” for “about 1914”.")
    by_editor: bool


class QuestionShape(Schema):
    """Something that the opening of a debate asks."""

    id: int
    thread: int
    title: str = Field(description="Of the debate.")
    text: str
    answers: int
    disputed: int


class LineShape(Schema):
    """A debate as lists name it."""

    id: int
    address: str = Field(description="Of its page.")
    title: str
    board: str = Field(description="The slug of its board.")
    kind: str
    policy: str = Field(description="Whether the premise may be challenged: open or granted.")
    state: str
    opener: str = Field(description="The name to show for who opened it.")
    member: str | None = Field(description="The member who opened it, if one did.")
    created_at: datetime
    last_post_at: datetime
    replies: int
    unread: int = Field(description="Posts that the member of the token has not read; else 0.")
    open: bool = Field(description="Whether it takes answers.")
    pinned: bool
    archived: bool


class ThreadShape(LineShape):
    """A debate with what its opening says beside its text, as far as the reader may read that."""

    numbered: int = Field(description="The highest number of a post in it.")
    own_answer: str
    divergences: list[DivergenceShape]
    questions: list[QuestionShape]
    lanes: dict[str, int] = Field(description="Standing replies by lane.")
    variant_of: int | None
    may: list[str] = Field(description="What the reader may do: reply, rename, …")


class SourceShape(Schema):
    """What a quote quotes. `parts` are the spans of characters in the plain text of the source's
    revision that it repeats."""

    post: int
    number: int | None
    revision: int | None
    passage: int | None
    start: int | None
    end: int | None
    parts: list[tuple[int, int]]


class QuoteShape(Schema):
    """A quote, as it was judged against its source, and how the source stands by now."""

    ordinal: int
    passage: int = Field(description="The passage of the quoting post in which it stands.")
    words: str
    status: str = Field(
        description="exact, shortened, altered, edited (its source was, since), removed (its "
        "source is), or unverifiable."
    )
    stance: str
    whole: bool
    source: SourceShape | None = Field(description="None where the reader may not know of it.")


class PreviewQuoteShape(Schema):
    """A quote of a text that is not sent yet, as it would be judged."""

    ordinal: int
    passage: int
    words: str
    status: str = Field(description="exact, shortened, altered or unverifiable.")
    post: int | None = Field(description="The post that is quoted, if one was found.")


class PreviewShape(Schema):
    """How a text would look and how its quotes would be judged. Nothing of it is kept."""

    html: str
    plain: str
    quotes: list[PreviewQuoteShape]


class PollShape(Schema):
    """The poll of a post. Numbers are told to who has voted, and to everybody once it is closed."""

    question: str
    choices: list[str]
    most: int = Field(description="How many choices one may take.")
    open: bool = Field(description="Whether who sees the results sees who chose what.")
    closes_at: datetime | None
    chosen: list[int] = Field(description="What the reader took, by place from 0 on.")
    voters: int | None = None
    counts: list[int] | None = None


class PostShape(Schema):
    """A post. Of one that does not stand only its place is told: its words and its writer are
    null."""

    id: int
    thread: int
    number: int | None = Field(description="None while it waits for approval.")
    parent: int | None = Field(description="The post it answers; null for the debate as a whole.")
    basis: str = Field(description="How that is known: opening, reply, quote, editor, unknown.")
    level: int
    state: str
    gone: bool = Field(description="Whether only a placeholder is shown.")
    writer: str | None = None
    member: str | None = Field(None, description="The member who wrote it, if one did.")
    ignored: bool = Field(False, description="Whether the reader ignores its writer.")
    lane: str | None = None
    stance: str | None = None
    minds_changed: int = 0
    written_at: datetime | None = None
    loaded_at: datetime | None = Field(None, description="When it arrived here.")
    edited_at: datetime | None = None
    revision: int | None = None
    plain: str | None = Field(None, description="Its own words, without quotes.")
    passages: list[tuple[int, int]] | None = Field(None, description="Spans of `plain`.")
    html: str | None = Field(None, description="As the page shows it to this reader.")
    quotes: list[QuoteShape] | None = None
    poll: PollShape | None = None
    may: list[str] = Field([], description="What the reader may do: answer, edit, …")
    base: str | None = Field(None, description="To be sent with an edit of it, by who may edit.")


class NodeShape(Schema):
    """The place of a post in the tree."""

    id: int
    number: int
    parent: int | None
    level: int
    state: str


class RevisionShape(Schema):
    """A text that a post had. Who its quotes say they are of is left out where the reader may not
    know all of them."""

    number: int
    created_at: datetime
    editor: str | None
    reason: str
    source: str


class HitShape(Schema):
    """A post that a search found. `excerpt` is in parts, each with whether it was searched for."""

    post: int
    number: int | None
    thread: int
    title: str
    board: str
    writer: str
    ignored: bool
    written_at: datetime | None
    excerpt: list[tuple[str, bool]]


class Boards(Schema):
    boards: list[BoardShape]


class Page(Schema):
    """A part of a list; `next` leads on, as the parameter `after`; null at the end. Of what is
    unread a part may hold few or none, and yet lead on."""

    next: str | None


class Lines(Page):
    threads: list[LineShape]


class Posts(Page):
    posts: list[PostShape]


class Nodes(Page):
    posts: list[NodeShape]


class Revisions(Page):
    revisions: list[RevisionShape]


class Divergences(Page):
    divergences: list[DivergenceShape]


class Questions(Page):
    questions: list[QuestionShape]


class Quoters(Page):
    """Where a post is quoted, newest first."""

    quotes: list["QuoterShape"]


class QuoterShape(Schema):
    """A quote of a post, and the post in which it stands."""

    post: int
    number: int | None
    thread: int
    title: str
    ordinal: int
    words: str
    verdict: str
    stance: str


class Found(Page):
    """What a search found. `count` is exact unless `more` says that there are more."""

    count: int
    more: bool
    hits: list[HitShape]
    debates: list[LineShape]


class Failure(Schema):
    """Why something was not done: a sentence, and the number of the answer."""

    status: int
    error: str
    field: str | None = None


class DraftShape(Schema):
    """A draft; the form at `target` opens with it."""

    token: UUID
    target: str
    label: str
    title: str
    text: str
    saved_at: datetime


class Drafts(Schema):
    drafts: list[DraftShape]


class CurrentText(Schema):
    """The text that a post has by now."""

    number: int
    base: str
    text: str


class Conflict(Failure):
    """An edit that came too late: what stands there now, and what was sent."""

    current: CurrentText | None = None
    yours: str | None = None
