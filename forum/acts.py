"""The one table of acts that the log records: what each is called wherever people meet it.

Who acts presses `label` and has read `effect`; the log says `log`, whoever is concerned is told
`notice`, reads `own` on their own page; whoever reported a post is told `outcome`. Functions in
`actions/` do the acts, and record them under the same verb (`actions/audit.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType


class Gravity(IntEnum):
    """How much an act takes."""

    ORDER = 0  # keeps the house in order
    TAKES = 1  # takes something away: it needs a reason
    FINAL = 2  # cannot be brought back


@dataclass(frozen=True, slots=True)
class Act:
    """One verb.

    `log` is the line of the log, "{}" standing for what was acted upon; "" where it is not in the
    public log. `effect` and `notice` differ by what is acted upon: they are sentences by "post" or
    "thread"; a notice to who asked for a decision stands under "asker". `undo` says how it is taken
    back: "undo", from the log (moderation/undoing.py), or the verb that does it; "" if nothing
    does. `members`: it is about a member, whatever post gave the occasion. `opener`: it is
    moderation only where somebody else opened the debate.
    """

    verb: str
    log: str = ""
    label: str = ""
    effect: Mapping[str, str] = field(default_factory=dict)
    notice: Mapping[str, str] = field(default_factory=dict)
    own: str = ""
    outcome: str = ""
    undo: str = ""
    gravity: Gravity = Gravity.ORDER
    members: bool = False
    opener: bool = False

    @property
    def name(self) -> str:
        """What addresses and forms call it: lock-branch."""
        return self.verb.replace(" ", "-")


_TABLE = (
    Act(
        "hide",
        "hid {}",
        label="Hide",
        effect={
            "post": "A placeholder with your reason keeps its place and number; moderators still "
            "read it.",
            "thread": "Only moderators see it, and it is gone from every list.",
        },
        notice={"post": "Your post was hidden.", "thread": "Your debate was hidden."},
        own="Hidden",
        outcome="The post that you reported was hidden.",
        undo="undo",
        gravity=Gravity.TAKES,
    ),
    Act(
        "remove",
        "removed {}",
        label="Remove",
        effect={
            "post": "As hiding, and readers are told that it was removed. It can be brought back."
        },
        notice={"post": "Your post was removed.", "thread": "Your debate was removed."},
        own="Removed",
        outcome="The post that you reported was removed.",
        undo="undo",
        gravity=Gravity.TAKES,
    ),
    Act(
        "restore",
        "restored {}",
        label="Bring back",
        effect={
            "post": "It stands again in its place, with its number and the quotes of it.",
            "thread": "Everybody who sees its board sees it again.",
        },
        notice={"post": "Your post was brought back.", "thread": "Your debate was brought back."},
        own="Brought back",
        outcome="The post that you reported was looked at; it stands again.",
        undo="undo",
    ),
    Act(
        "approve",
        "approved {}",
        label="Approve",
        effect={"post": "It appears now, with the next number of the debate."},
        notice={"post": "Your post was approved and stands now."},
        own="Let in",
        undo="undo",
    ),
    Act(
        "reject",
        "turned away {}",
        label="Do not approve",
        effect={
            "post": "It does not appear. Its author reads the reason and finds the text among "
            "their drafts."
        },
        notice={"post": "Your post was not taken. Its text is in your drafts."},
        own="Not let in",
        outcome="The post that you reported was not let in.",
        undo="undo",
        gravity=Gravity.TAKES,
    ),
    Act(
        "no action",
        "looked at {}, which was reported, and left it as it is",
        label="No action",
        outcome="The post that you reported was looked at; it stays as it is.",
    ),
    Act(
        "uphold",
        "read an answer about {} and let the act stand",
        label="The act stands",
        notice={"asker": "Your answer was read: the act stands."},
        own="The act stands",
    ),
    Act(
        "warn",
        "warned {}",
        label="Warn only",
        own="Warned",
        outcome="The writer of the post that you reported was warned.",
        undo="lift warning",
        gravity=Gravity.TAKES,
        members=True,
    ),
    Act("lift warning", "took back a warning of {}", own="Warning taken back", members=True),
    Act(
        "suspend",
        "suspended {}",
        own="Suspended",
        undo="lift suspension",
        gravity=Gravity.TAKES,
        members=True,
    ),
    Act("lift suspension", "lifted a suspension of {}", own="Suspension lifted", members=True),
    Act(
        "take emblem",
        "took the emblem of {} away",
        own="Emblem taken away",
        gravity=Gravity.FINAL,
        members=True,
    ),
    Act(
        "clean up",
        "cleaned up after {}",
        own="Posts hidden",
        undo="undo clean up",
        gravity=Gravity.TAKES,
    ),
    Act("undo clean up", "undid a clean-up after {}", own="Posts brought back"),
    Act(
        "rename member",
        "gave another name to {}",
        label="Give the name",
        notice={"asker": "You have the name that you asked for."},
        own="Another name given",
        members=True,
    ),
    Act("leave", own="Account closed by yourself"),
    Act(
        "close account",
        "closed the account of {}",
        own="Account closed",
        gravity=Gravity.FINAL,
        members=True,
    ),
    Act(
        "refuse name",
        "refused another name to {}",
        label="Refuse the name",
        notice={"asker": "The name that you asked for was refused."},
        own="Another name refused",
        members=True,
    ),
    # Not in the public log: who was turned away is nobody's affair.
    Act("admit", label="Let in", own="Let in by the moderators"),
    Act("turn away", label="Turn away"),
    Act(
        "lock",
        "locked {}",
        label="Lock",
        effect={
            "thread": "It takes no more answers, and members edit nothing in it; moderators do."
        },
        notice={"thread": "Your debate was locked: no more answers are taken."},
        undo="undo",
    ),
    Act(
        "unlock",
        "unlocked {}",
        label="Unlock",
        effect={"thread": "It takes answers again."},
        notice={"thread": "Your debate takes answers again."},
        undo="undo",
    ),
    Act(
        "lock branch",
        "locked the branch below {}",
        label="Lock the branch",
        effect={
            "post": "Neither this post nor what hangs below it takes answers or edits, but by "
            "moderators."
        },
        notice={"post": "The branch below your post was locked."},
        undo="undo",
    ),
    Act(
        "unlock branch",
        "unlocked the branch below {}",
        label="Unlock the branch",
        effect={"post": "The branch takes answers and edits again."},
        notice={"post": "The branch below your post takes answers again."},
        undo="undo",
    ),
    Act(
        "archive",
        "archived {}",
        label="Archive",
        effect={"thread": "It takes no answers, edits or reports, by nobody, and says so."},
        notice={"thread": "Your debate was archived: no answers, no edits."},
        undo="undo",
    ),
    Act(
        "unarchive",
        "took {} out of the archive",
        label="Take out of the archive",
        effect={"thread": "It goes on as before."},
        notice={"thread": "Your debate was taken out of the archive."},
        undo="undo",
    ),
    Act(
        "pin",
        "pinned {}",
        label="Pin",
        effect={"thread": "It stays at the top of its board."},
        notice={"thread": "Your debate was pinned to the top of its board."},
        undo="undo",
    ),
    Act(
        "unpin",
        "unpinned {}",
        label="Unpin",
        effect={"thread": "It takes its ordinary place in its board."},
        notice={"thread": "Your debate is no longer pinned."},
        undo="undo",
    ),
    Act(
        "slow",
        "set the pace of {}",
        label="Slow mode",
        effect={
            "thread": "Each member may write here once in so many minutes. One reply that comes "
            "too early waits, until its writer lets it appear in time or a moderator does sooner."
        },
        notice={"thread": "The slow mode of your debate was changed."},
        undo="undo",
    ),
    Act(
        "move",
        "moved {} to another board",
        label="Move to another board",
        effect={
            "thread": "All its addresses stay. Who may not see that board does not see it any more."
        },
        notice={"thread": "Your debate was moved to another board."},
        undo="undo",
    ),
    Act(
        "split",
        "split {} off into a debate of its own",
        label="Split the branch off",
        effect={
            "post": "This post opens a debate of its own, and all that hangs below it goes along."
        },
        undo="undo",
    ),
    Act(
        "move branch",
        "moved {} and what answers it to another debate",
        label="Move the branch to another debate",
        effect={
            "post": "This post goes to another debate, and all that hangs below it goes along."
        },
        undo="undo",
    ),
    Act(
        "merge",
        "let another debate go into {}",
        label="Merge into another debate",
        effect={
            "thread": "All its posts go into the other debate, numbered as they came; the earlier "
            "opening opens, the other one answers it. Its addresses lead there."
        },
        undo="undo",
    ),
    Act(
        "merge duplicates",
        "let a double go into {}",
        label="Merge with its twin",
        effect={
            "thread": "For a debate that was loaded twice: posts with the same text become one, "
            "quotes of them stay right, and what was written here goes along."
        },
        undo="undo",
    ),
    Act(
        "undo",
        "took back an act on {}",
        label="Take the act back",
        notice={"asker": "Your answer was read: the act was taken back."},
    ),
    Act("load", "loaded {}"),
    Act(
        "erase",
        "erased words of {} for a legal reason",
        label="Erase words for a legal reason",
        effect={
            "post": "Words are blackened for good, in every text of every post, in quotes, titles, "
            "drafts and the log. This cannot be undone."
        },
        gravity=Gravity.FINAL,
    ),
    Act(
        "demand approval",
        "asked for approval of new posts in {}",
        label="Let answers wait for approval",
        effect={"thread": "Answers of members appear when a moderator lets them in."},
        notice={"thread": "Answers in your debate wait for approval now."},
        undo="undo",
    ),
    Act(
        "waive approval",
        "let new posts appear at once in {}",
        label="Let answers appear at once",
        effect={"thread": "New answers appear at once. Those that wait go on waiting."},
        notice={"thread": "Answers in your debate appear at once again."},
        undo="undo",
    ),
    Act(
        "rename",
        "renamed {}",
        notice={"thread": "Your debate was given another title."},
        undo="undo",
        opener=True,
    ),
    Act(
        "set lane",
        "put {} into another lane",
        notice={"post": "Your post was put into another lane."},
        undo="undo",
        opener=True,
    ),
    Act(
        "tie answer",
        "said what {} answers",
        notice={"post": "It was said anew what your post answers."},
        undo="undo",
        opener=True,
    ),
    Act(
        "describe",
        "described {} anew",
        notice={"thread": "It was said anew what your debate is about."},
        undo="undo",
        opener=True,
    ),
    Act(
        "close poll",
        "closed the poll of {}",
        label="Close its poll",
        effect={"post": "Nobody votes in it any more, and everybody sees the results."},
        notice={"post": "The poll of your post was closed."},
        undo="undo",
    ),
    Act(
        "remove poll",
        "took the poll out of {}",
        label="Take its poll out",
        effect={"post": "The post stays, its poll is gone with all votes. It can be brought back."},
        notice={"post": "The poll of your post was taken out."},
        undo="undo",
        gravity=Gravity.TAKES,
    ),
    Act("mark picture", "said what a picture in {} is"),
    Act(
        "variant",
        "said of which debate {} is a variant",
        notice={"thread": "A moderator said which debate yours is a variant of."},
        undo="undo",
        opener=True,
    ),
    Act("mark", "made {} part of the story", undo="undo", opener=True),
    Act("unmark", "took {} out of the story", undo="undo", opener=True),
    Act("make board", "made {}"),
    Act("change board", "changed {}"),
    Act("place board", "moved {} to another place"),
    Act("remove board", "took out {}, which was empty", gravity=Gravity.FINAL),
    Act("invite", "changed who is invited to {}"),
    Act("appoint", "gave {} rights", members=True),
    Act("edit page", "wrote {}"),
    Act("define", "said in the glossary what {} means"),
    Act("forget", "took {} out of the glossary"),
    # Members' acts on their own posts, and what stays between moderators: not in the public log.
    Act("withdraw", outcome="The post that you reported was taken back by its writer."),
    Act("release"),
    Act("close"),
    Act("reopen"),
    Act("note"),
    Act("forget two steps"),
    Act("retry work", label="Try anew"),
    Act("drop work", label="Drop", gravity=Gravity.TAKES),
)
ACTS: Mapping[str, Act] = MappingProxyType({act.verb: act for act in _TABLE})
# Verbs in the public log, in the order in which it offers them.
PUBLIC = tuple(act.verb for act in _TABLE if act.log)
PRIVATE = tuple(act.verb for act in _TABLE if not act.log)
ON_MEMBERS = tuple(act.verb for act in _TABLE if act.members)
OPENERS = tuple(act.verb for act in _TABLE if act.opener)
