"""Books: well-formed whatever was typed, the same bytes twice, no more than one may read."""

import io
import os
import re
import subprocess
import zipfile
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

import dev
from forum.actions import pictures, threadmarks
from forum.models import Board, Picture, Post, Thread
from forum.moderation import states
from forum.operations import pictures as files
from forum.outbox.worker import Worker
from forum.rendering import books
from forum.text import epub, markup
from tests.operations.pictures import corpus
from tests.people import browser, edit, fresh, pending, quoting, reply, start
from tests.text.markup.hostile import HOSTILE

BASE = "https://forum.example/"
GUEST = AnonymousUser()

# One of everything that markup can draw.
ALL_OF_IT = """# A heading

A [link](https://example.org/a?b=c&d=e#f "title"), a [path](/rules/), [mail](mailto:a@example.org),
an [odd one](https://example.org/a#b#c), `code`, *em*, **strong**, ~~gone~~, ||a spoiler||, @opener,
an image ![of a map](https://example.org/map.png) and a note.[^1]\u000b Again.[^1]

[spoiler="The end"]
It was the cook.
[/spoiler]

| Year | What |
|:-----|-----:|
| 480  | ships |

1. one
2. two
   - deeper

5. five

---

    indented code & <tags>

```
fenced\u00a0code
```

> quoted by nobody

Line one  
line two

[^1]: The note.
"""  # noqa: W291


def entries(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def book(thread, user=GUEST, **more) -> dict[str, str]:
    return entries(epub.build(books.of_thread(thread, user=user, base=BASE, **more)))


@pytest.fixture
def seed(board) -> Thread:
    call_command("loaddata", "fixtures/threads/trotsky-spain.json", verbosity=0)
    return Thread.objects.get(key="trotsky-spain")


# --- The container --------------------------------------------------------------------------


def test_the_same_book_twice_is_the_same_bytes(seed):
    one = epub.build(books.of_thread(seed, user=GUEST, base=BASE))
    assert epub.build(books.of_thread(fresh(seed), user=GUEST, base=BASE)) == one
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        infos = archive.infolist()
    assert infos[0].filename == "mimetype"
    assert one[30:58] == b"mimetypeapplication/epub+zip"
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert not any(info.extra for info in infos)


def test_the_identifier_names_the_debate_and_the_date_its_last_change(seed):
    def said(data: dict, pattern: str) -> str:
        return re.search(pattern, data["OPS/package.opf"])[1]

    first = book(seed)
    post = seed.posts.get(number=2)
    road = entries(epub.build(books.of_road(post, user=GUEST, base=BASE)))
    names = [said(data, r"urn:uuid:([0-9a-f-]{36})") for data in (first, road)]
    assert len(set(names)) == 2
    newest = max(seed.posts.values_list("loaded_at", flat=True))
    assert said(first, 'modified">([^<]*)<') == f"{newest:%Y-%m-%dT%H:%M:%SZ}"


def test_the_words_of_the_source_debate_are_all_there(seed):
    pages = book(seed)
    assert sum(name.startswith("OPS/post-") for name in pages) == 7
    for post in seed.posts.select_related("body__revision"):
        page = "".join(ElementTree.fromstring(pages[f"OPS/post-{post.number}.xhtml"]).itertext())
        for passage in post.body.revision.plain.split("\n\n"):
            assert passage.removeprefix(". ") in page
    assert "about 1924" in pages["OPS/front.xhtml"]


# --- Quotes are footnotes -------------------------------------------------------------------


def test_quotes_are_footnotes_with_status_and_permalink(seed):
    page = book(seed)["OPS/post-5.xhtml"]
    source = seed.posts.get(number=4)
    quote = f"quote-{seed.posts.get(number=5).pk}-1"
    assert f'<a epub:type="noteref" href="#{quote}">Quote 1: Voice 4, #4</a>' in page
    assert f'epub:type="footnote" id="{quote}" data-status="exact"' in page
    assert f'Voice 4, #4: exact. <a href="{BASE}posts/{source.pk}/?p=1">' in page


def test_what_became_of_sources_is_said(thread, answer, opener, answerer, moderator):
    reply(thread, opener, quoting(answer, "The party obeyed nobody."))
    assert "#2: exact." in book(thread)["OPS/post-5.xhtml"]
    edit(answer, "Nobody was obeyed.")
    assert "#2: source edited since." in book(thread)["OPS/post-5.xhtml"]
    edit(answer, "The party obeyed nobody. So it is said.")
    assert "#2: exact." in book(thread)["OPS/post-5.xhtml"]
    states.hide(user=moderator, post=answer, reason="Spam")
    page = book(thread)["OPS/post-5.xhtml"]
    assert "#2: source removed." in page and f"posts/{answer.pk}/" not in page


def test_a_source_that_one_may_not_see_is_not_named(thread, opener, other_board, moderator):
    elsewhere = start(other_board, opener, text="Ships need coal, and coal needs ships.")
    reply(thread, moderator, quoting(elsewhere.posts.get(), "Ships need coal"))
    assert "opener, #1: exact" in book(thread)["OPS/post-5.xhtml"]
    Board.objects.filter(pk=other_board.pk).update(audience="moderators")
    page = book(thread)["OPS/post-5.xhtml"]
    assert "Source unknown: unverifiable." in page
    assert (
        "opener" not in page.replace("by opener", "")
        and f"/{elsewhere.posts.get().pk}/" not in page
    )
    assert "opener, #1: exact" in book(thread, moderator)["OPS/post-5.xhtml"]


# --- What is in it --------------------------------------------------------------------------


def test_a_book_of_the_marks_alone(thread, opener):
    for number, label in ((3, "A point & more"), (1, "The opening")):
        post = thread.posts.get(number=number)
        threadmarks.mark(user=opener, post=post, category="story", label=label)
    pages = book(thread)
    assert [name for name in pages if "post-" in name] == ["OPS/post-1.xhtml", "OPS/post-3.xhtml"]
    assert "A point &amp; more" in pages["OPS/nav.xhtml"]


def test_hidden_and_waiting_posts_stay_here_whoever_asks(thread, answer, answerer, moderator):
    pending(thread, answerer, "May I come in?")
    states.hide(user=moderator, post=answer, reason="Off the point")
    for user in (GUEST, answerer, moderator):
        pages = book(thread, user)
        assert "obeyed nobody" not in "".join(pages.values())
        assert "May I come in?" not in "".join(pages.values())
        assert "#2, hidden" in pages["OPS/post-2.xhtml"]


def test_the_road_to_a_post(seed):
    post = seed.posts.select_related("thread").get(number=7)
    pages = entries(epub.build(books.of_road(post, user=GUEST, base=BASE)))
    found = [name for name in pages if "post-" in name]
    assert found == [f"OPS/post-{number}.xhtml" for number in (1, 4, 5, 6, 7)]


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
def test_parts_hold_every_post_once(thread, monkeypatch, limit):
    monkeypatch.setattr(books, "MAX_POSTS", limit)
    for user in (GUEST,):
        first, found = 1, []
        while first:
            pages = book(thread, user, first=first)
            found += [name for name in pages if "post-" in name]
            more = re.search(r"next part begins with #(\d+)", pages["OPS/front.xhtml"])
            first = int(more[1]) if more else None
    assert found == [f"OPS/post-{number}.xhtml" for number in (1, 2, 3, 4)]


def test_a_part_is_bounded_in_length(thread, monkeypatch):
    monkeypatch.setattr(books, "MAX_CHARACTERS", 1)
    assert [n for n in book(thread) if "post-" in n] == ["OPS/post-1.xhtml"]


# --- Whatever was typed ---------------------------------------------------------------------


def drawn(source: str, format: str = "markdown") -> str:
    rendered = markup.render(source, format=format)
    laid = {
        quote.ordinal: ('<aside epub:type="footnote"><blockquote>', "</blockquote></aside>")
        for quote in rendered.quotes
    }
    return markup.fill_markers(rendered.html, post_id=1, quotes=laid, notes={}, members={})


def test_whatever_was_typed_is_well_formed():
    tried = 0
    for _, format, source in HOSTILE:
        try:
            html = drawn(source[:1_500], format)
        except markup.MarkupError:
            continue
        ElementTree.fromstring(epub.xhtml(html, BASE))
        tried += 1
    assert tried > 100


def test_addresses_are_whole_or_text():
    page = epub.xhtml(drawn(ALL_OF_IT), f"{BASE}posts/1/")
    assert set(re.findall('href="([^"#][^"]*)"', page)) == {
        "https://example.org/a?b=c&amp;d=e#f",
        f"{BASE}rules/",
        "mailto:a@example.org",
        "https://example.org/map.png",
    }
    assert "\u000b" not in page and "an <span>odd one</span>" in page


# --- Over the wire --------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_gets_the_file(thread, stranger, moderator):
    post = thread.posts.get(number=3)
    addresses = [f"/threads/{thread.pk}/epub/", f"/posts/{post.pk}/road/epub/"]
    for address in addresses:
        got = browser().get(address)
        assert got["Content-Type"] == "application/epub+zip"
        assert got["Content-Disposition"].startswith("attachment; filename*=UTF-8''what-if-lenin")
        assert got["Cache-Control"] == "private, no-cache"
        first, again = (b"".join(one.streaming_content) for one in (got, browser().get(address)))
        assert first == again
        for wrong in ("?from=x", "?from=9999999999", "?from=999"):
            assert browser().get(address + wrong).status_code == 404
    Board.objects.update(audience="moderators")
    for address in addresses:
        assert browser(stranger).get(address).status_code == 404
        assert browser(moderator).get(address).status_code == 200


def test_the_same_queries_for_a_long_book(thread, opener):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            browser().get(f"/threads/{thread.pk}/epub/")
        return len(context)

    few = queries()
    for _ in range(15):
        reply(fresh(thread), opener, "More.")
    assert queries() == few


# --- Pictures -------------------------------------------------------------------------------


def illustrate(thread: Thread, user) -> dict[str, Picture]:
    """A post with pictures of each kind, by what they are."""
    noise = Image.effect_noise((90, 60), 60).convert("RGB")
    glass = corpus.drawn(mode="RGBA", seed=4)
    glass.putalpha(128)
    large = Image.effect_noise((1300, 1300), 60).convert("RGB")
    made = {
        "map": corpus.packed(corpus.drawn(mode="P"), "PNG"),
        "photograph": corpus.packed(noise, "JPEG"),
        "lossy": corpus.packed(noise, "WEBP"),
        "lossless": corpus.packed(corpus.drawn(seed=3), "WEBP", lossless=True),
        "see-through": corpus.packed(glass, "WEBP"),
        "frames": corpus.moving(4),
        "large": corpus.packed(large, "PNG"),
    }
    found = {}
    for name, data in made.items():
        file = SimpleUploadedFile("x", data)
        alt = "" if name == "frames" else f'The "{name}" & <more>'
        one = pictures.send(user=user, file=file, alt=alt, credit="By <me>")
        found[name] = one
    Worker().drain()  # the large one waits to be decoded
    found = {name: fresh(one) for name, one in found.items()}
    text = "\n\n".join(f'![](picture:{one.key} "*No* mark-up")' for one in found.values())
    reply(fresh(thread), user, f"{text}\n\nThese.")
    return found


def test_books_hold_pictures_in_kinds_that_every_reader_of_books_shows(thread, opener):
    shown = illustrate(thread, opener)
    book = books.of_thread(fresh(thread), user=GUEST, base=BASE)
    images = {image.name.partition(".")[0]: image for image in book.images}
    kinds = {name: images[one.key].name.partition(".")[2] for name, one in shown.items()}
    assert kinds == {
        "map": "png",
        "photograph": "jpeg",
        "lossy": "jpeg",
        "lossless": "png",
        "see-through": "png",
        "frames": "gif",
        "large": "png",
    }
    for name, one in shown.items():
        image = images[one.key]
        with Image.open(io.BytesIO(image.data)) as drawn_image:
            drawn_image.load()
            assert f"image/{drawn_image.format.lower()}" == image.media_type
            assert drawn_image.width <= 1200
        with files.opened(files.name_of(one.sha256, one.kind)) as file:
            as_kept = file.read() == image.data
        assert as_kept == (name in ("map", "photograph", "frames"))
    body = book.chapters[-1].body
    words = "The &quot;map&quot; &amp; &lt;more&gt;"
    assert f'<img src="images/{shown["map"].key}.png" alt="{words}"' in body
    assert 'alt="A picture that nobody described"' in body
    assert "*No* mark-up · By &lt;me&gt;" in body
    assert epub.build(book) == epub.build(books.of_thread(fresh(thread), user=GUEST, base=BASE))


def test_no_book_holds_a_picture_of_what_its_reader_may_not_see(thread, opener, moderator):
    shown = illustrate(thread, opener)
    post = Post.objects.get(pk=fresh(thread).last_post_id)
    states.hide(user=moderator, post=post, reason="Off the point.")
    for user in (GUEST, opener, moderator):
        book = books.of_thread(fresh(thread), user=user, base=BASE)
        assert not book.images
        assert shown["map"].key.encode() not in epub.build(book)


def test_what_a_book_cannot_carry_stays_a_link(thread, opener, monkeypatch):
    shown = illustrate(thread, opener)
    monkeypatch.setattr("forum.rendering.book_pictures.MOST_BYTES", shown["map"].bytes)
    monkeypatch.setattr("forum.rendering.book_pictures.MOST_COPIES", 0)
    book = books.of_thread(fresh(thread), user=GUEST, base=BASE)
    assert [image.name for image in book.images] == [f"{shown['map'].key}.png"]
    assert f'href="{BASE}pictures/{shown["large"].key}/"' in book.chapters[-1].body


# --- As the checker of the trade sees it ----------------------------------------------------


@pytest.mark.whole
@pytest.mark.epubcheck
@pytest.mark.once
def test_epubcheck_finds_nothing(seed, thread, answer, opener, moderator, tmp_path):
    """One book of everything that books can hold, in one call: the checker starts slowly."""
    checker = dev.find_epubcheck()
    assert checker, "No epubcheck. Leave this test out: -m 'not epubcheck'"
    reply(thread, opener, ALL_OF_IT)
    gone = reply(thread, opener, quoting(answer, "The party obeyed nobody.", "Off the point."))
    reply(thread, opener, quoting(gone, "Off the point.", "Is it?"))
    states.hide(user=moderator, post=fresh(gone), reason="Off the point.")
    reply(thread, opener, quoting(answer, "The party … nobody.") + "\n\n> obeyed nobody\n\nSo.")
    text = (
        '[quote="nobody"]\nNever said.\n[/quote]\n\n- a list\n\n  > with a quote\n\nAnd \u202eso.'
    )
    reply(thread, opener, text)
    illustrate(thread, opener)
    road = Post.objects.select_related("thread").get(key="trotsky-spain-7")
    chapters = [
        epub.Chapter(f"{kind}-{chapter.name}", chapter.title, chapter.body)
        for kind, one in {
            "debate": books.of_thread(fresh(thread), user=GUEST, base=BASE),
            "seed": books.of_thread(seed, user=GUEST, base=BASE),
            "road": books.of_road(road, user=GUEST, base=BASE),
        }.items()
        for chapter in one.chapters
    ]
    for number, (_, format, source) in enumerate(HOSTILE):
        try:
            body = epub.xhtml(drawn(source[:400], format), BASE)
        except markup.MarkupError:
            continue
        chapters.append(epub.Chapter(f"odd-{number}", f"Odd {number}", body))
    # A long story, in a script from right to left.
    chapters += [
        epub.Chapter(f"mark-{n}", f"فصل {n}: «{'<&' * (n % 3)}»", "<p>\u202eسفن\u202c</p>")
        for n in range(1000 if os.environ.get("JONBAR_LONG") == "1" else 60)
    ]
    whole = books.of_thread(seed, user=GUEST, base=BASE)
    images = books.of_thread(fresh(thread), user=GUEST, base=BASE).images
    assert len(images) == 7
    path = tmp_path / "all.epub"
    path.write_bytes(
        epub.build(
            epub.Book(
                **{
                    **{name: getattr(whole, name) for name in epub.Book.__slots__},
                    "chapters": chapters,
                    "images": images,
                }
            )
        )
    )
    done = subprocess.run(
        ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", checker, path],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 fatals / 0 errors / 0 warnings" in done.stdout
