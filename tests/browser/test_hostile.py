"""Strings that want to be programs stay strings, wherever they are typed.

Each line is put into every place where somebody may write. Nothing may run (each would leave a
mark in the window or open a dialog), and the content policy must have had nothing to stop: it is
the second wall, not the first.
"""

import json
from contextlib import suppress
from pathlib import Path

from django.core.management import call_command

from accounts.models import User
from forum.actions import moderation
from forum.actions.composing import Unacceptable
from forum.actions.threads import rename
from forum.models import Board, Post, Thread

from . import world

RUN = "window.ran=1"
EVENTS = """onerror onload onclick onfocus onmouseover onanimationstart onbeforetoggle onscroll
    onpointerenter ontransitionend onwheel oncut onpaste ondrag oncanplay oninvalid""".split()
ADDRESSES = """javascript:RUN JaVaScRiPt:RUN javascript%3ARUN &#106;avascript:RUN \\x6aavascript:RUN
    &#x6A&#x61;vascript:RUN data:text/html,<script>RUN</script> data:text/html;base64,PHNjcmlwdD4=
    data:image/svg+xml,<svg/onload=RUN> vbscript:RUN javascript://%0aRUN javascript://x.test/%250aRUN
    view-source:javascript:RUN feed:javascript:RUN jar:javascript:RUN!/ blob:RUN file:///etc/passwd
    \x01javascript:RUN //javascript:RUN ///x.test/%0d%0aRUN""".split()


def strings() -> list[str]:
    """Those of hostile.txt, events on an element, and addresses in each of Markdown's links."""
    lines = Path(__file__).with_name("hostile.txt").read_text(encoding="utf-8").split("\n")
    found = [line for line in lines if line and not line.startswith("## ")]
    found += [f"<b style=animation:x {event}=RUN tabindex=1 autofocus>x</b>" for event in EVENTS]
    for address in ADDRESSES:
        found += [f"[x]({address})", f"![x](<{address}>)", f"[x][1]⏎⏎[1]: {address}"]
    return [line.replace("RUN", RUN).replace("⏎", "\n") for line in found]


# Everything that waits for a person is done at once, then it is asked whether anything ran.
POKE = """async () => {
  for (const e of document.querySelectorAll("main *, header *, footer *")) {
    for (const kind of ["mouseover", "pointerenter", "focus", "toggle", "animationstart"])
      e.dispatchEvent(new Event(kind, {bubbles: true}));
    if (e.matches("details")) e.open = true;
  }
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return {
    ran: window.ran,
    handlers: [...document.querySelectorAll("*")].filter((e) => [...e.attributes]
      .some((a) => a.name.startsWith("on") || a.name === "style" || a.name === "srcdoc"))
      .map((e) => e.outerHTML.slice(0, 200)),
    elements: [...document.querySelectorAll("iframe, object, embed, base, img, video, audio, frame,"
      + "main style, main script, main link, main meta, main svg script, main math")]
      .filter((e) => !e.closest("#container") || !e.matches("img[src^='/static/']"))
      .map((e) => e.outerHTML.slice(0, 200)),
    addresses: [...document.querySelectorAll("a[href], form[action], [src]")]
      .map((e) => e.href || e.action || e.src)
      .filter((href) => !/^https?:/.test(href)),
  };
}"""
HARMLESS = {"ran": None, "handlers": [], "elements": [], "addresses": []}


def test_nothing_runs(site, sits_down):
    lines = strings()
    assert len(lines) > 200
    world.load_source_thread()
    member = world.member("member-a")
    moderator = world.member("member-m", is_staff=True, is_moderator=True, is_superuser=True)
    thread = world.start(member, "Hostile", "A harmless opening.")
    addresses = ["/", "/boards/after-1900/", "/members/member-a/"]

    # Texts: one by one, so that what one leaves open does not shut another in.
    for line in lines:
        _says(member, thread, line)
    pages = -(-Post.objects.filter(thread=thread).count() // 20)
    assert pages > 8
    addresses += [f"{thread.get_absolute_url()}?page={page}" for page in range(1, pages + 1)]
    addresses += [f"{thread.get_absolute_url()}?view=tree&page={page}" for page in (1, pages)]

    # Everything else that is typed, in one line each, cut to what fits.
    short = " ".join(lines)
    for number, start in enumerate(range(0, 3000, 150)):
        piece = short[start : start + 150].replace("\n", " ")
        post = Post.objects.filter(thread=thread, number=number + 2).get()
        rename(user=moderator, thread=world.start(member, "x", piece or "x"), title=piece)
        world.edit(post, f"Edited {number}.", piece)
        moderation.hide(user=moderator, post=post, reason=piece)
        board = Board.objects.create(name=piece[:80], slug=f"b{number}", description=piece)
        addresses += [board.get_absolute_url(), f"/posts/{post.pk}/history/"]
        User.objects.filter(pk=member.pk).update(about=piece)
    for other in Thread.objects.filter(author=member).exclude(pk=thread.pk)[:20]:
        addresses += [other.get_absolute_url()]
    reader = sits_down(moderator)
    for address in addresses:
        reader.opens(address)
        assert reader.page.evaluate(POKE) == HARMLESS, address
    assert reader.trouble == []


def _says(member: User, thread: Thread, line: str) -> None:
    with suppress(Unacceptable):  # refused with a sentence: not stored, so it cannot run
        world.reply(member, thread, f"{line}\n\nand")


def test_nothing_runs_in_previews_and_forms(site, sits_down):
    """The text comes back into the form and into the preview, before anything is stored."""
    world.load_source_thread()
    member = world.member("member-a")
    thread = world.start(member, "Hostile", "A harmless opening.")
    reader = sits_down(member)
    reader.careless = True
    lines = strings()
    for start in range(0, len(lines), 20):
        text = "\n\n".join(lines[start : start + 20])
        reader.opens(f"/threads/{thread.pk}/reply/")
        reader.fills("Text", text)
        reader.presses("Preview")
        assert reader.page.get_by_label("Text").input_value() == text
        assert reader.page.evaluate(POKE) == HARMLESS, text
    assert reader.trouble == []


def test_nothing_runs_out_of_a_fixture(site, sits_down, tmp_path):
    """A thread from elsewhere: its title, source, bylines and texts are anybody's."""
    call_command("loaddata", "boards", verbosity=0)
    lines = [" ".join(line.split()) for line in strings()]
    fields = {"thread": ["hostile"], "reason": "", "written_at": None, "format": "markdown"}
    objects = [
        {
            "model": "forum.thread",
            "fields": {
                "key": "hostile",
                "format": 1,
                "version": 1,
                "board": ["after-1900"],
                "title": lines[0],
                "kind": "WI",
                "source": lines[1],
            },
        }
    ]
    objects += [
        {
            "model": "forum.post",
            "fields": {
                **fields,
                "key": f"hostile-{number}",
                "parent": None,
                "parent_basis": "unknown" if number else "opening",
                "byline": "".join(filter(str.isprintable, line))[:80],
                "text": "Harmless.",
            },
        }
        for number, line in enumerate(lines)
    ]
    fixture = tmp_path / "hostile.json"
    fixture.write_text(json.dumps(objects), encoding="utf-8")
    call_command("loaddata", str(fixture), verbosity=0)
    thread = Thread.objects.get(key="hostile")
    reader = sits_down(world.member("member-a"))
    for page in range(1, len(lines) // 20 + 1):
        reader.opens(f"{thread.get_absolute_url()}?page={page}")
        assert reader.page.evaluate(POKE) == HARMLESS
    first = Post.objects.filter(thread=thread, number=3).get()
    reader.opens(f"/threads/{thread.pk}/reply/?to={first.pk}&quote={first.pk}")
    assert reader.page.evaluate(POKE) == HARMLESS
    assert reader.trouble == []
