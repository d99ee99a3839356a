"""What only some see: colours that the reader forces on a page, texts from right to left."""

from . import world

HEBREW = "האם הטיהורים היו באים בכל זאת?"


def test_forced_colours_keep_spoilers_closed(site, sits_down):
    world.load_source_thread()
    member = world.member("member-a")
    thread = world.start(member, "Does it hold?", "The first words. ||It *breaks* in the end||")
    reader = sits_down(member, forced_colors="active")
    reader.opens(thread.get_absolute_url())
    look = "(node) => [getComputedStyle(node).color, getComputedStyle(node).backgroundColor]"
    for hidden in reader.page.locator("span.spoiler, span.spoiler em").all():
        ink, ground = hidden.evaluate(look)
        assert ink == ground
    reader.page.locator("span.spoiler").focus()
    ink, ground = reader.page.locator("span.spoiler").evaluate(look)
    assert ink != ground


def test_marks_of_texts_from_right_to_left_stand_at_the_right(site, sits_down):
    """The line beside a quote, the number of a footnote, the sign before a name."""
    world.load_source_thread()
    member = world.member("member-a")
    thread = world.start(member, "Does it hold?", HEBREW)
    opening = thread.posts.get()
    post = world.reply(
        member,
        thread,
        f'[quote="post: {opening.pk}"]\n{HEBREW}\n[/quote]\n\n{HEBREW} @member-a[^1]\n\n'
        f"> {HEBREW}\n\n[^1]: {HEBREW}",
    )
    reader = sits_down(member)
    for width in (1280, 360):
        reader.page.set_viewport_size({"width": width, "height": 900})
        reader.opens(thread.get_absolute_url())
        lines = reader.page.evaluate(
            """(id) => [...document.querySelectorAll(`#post-${id} :is(.quote, blockquote)`)]
                .map((node) => getComputedStyle(node))
                .map(({ borderLeftWidth, borderRightWidth }) => [borderLeftWidth, borderRightWidth])
                .filter((one) => one.join() !== "0px,0px")""",
            post.pk,
        )
        assert lines == [["0px", "2px"]] * 2
        note = reader.page.locator(".footnotes li")
        assert note.evaluate("(node) => getComputedStyle(node).direction") == "rtl"
        name = reader.page.locator(".mention")
        assert name.evaluate("(node) => getComputedStyle(node).unicodeBidi") == "plaintext"
