"""Adding pictures while one writes: chosen, dropped, pasted; and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from forum.models import Picture, Post
from tests.operations.pictures import corpus

from . import world

pytestmark = pytest.mark.django_db(transaction=True)

DROP = """([text, kind, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "map.png", { type: "image/png" }));
    const given = kind === "paste" ? { clipboardData: data } : { dataTransfer: data };
    const Kind = kind === "paste" ? ClipboardEvent : DragEvent;
    text.dispatchEvent(new Kind(kind, { ...given, bubbles: true, cancelable: true }));
}"""


def png(seed: int) -> bytes:
    return corpus.packed(corpus.drawn(640, 360, "P", seed), "PNG")


@pytest.fixture
def debate(site):
    world.load_source_thread()  # brings the boards
    member = world.member("member-a")
    return world.start(member, "What if there were maps?", "Suppose that there were.")


def test_pictures_are_chosen_dropped_and_pasted(debate, sits_down):
    reader = sits_down(debate.author)
    page = reader.page
    reader.opens(f"/threads/{debate.pk}/reply/")
    text = page.locator("textarea[name=text]")
    text.fill("Look:")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture").click()
    chooser.value.set_files({"name": "map.png", "mimeType": "image/png", "buffer": png(1)})
    expect(text).to_have_value(re.compile("picture:"))
    page.keyboard.type("A map")  # where it asks what the picture shows
    assert re.fullmatch(r"Look:\n\n!\[A map\]\(picture:\w{12}\)\n", text.input_value())
    for n, kind in enumerate(("drop", "paste"), 2):
        text.press("Control+End")
        handle = text.element_handle()
        page.evaluate(DROP, [handle, kind, list(png(n))])
        expect(text).to_have_value(re.compile(rf"(picture:[\s\S]+){{{n}}}"))
    assert Picture.objects.count() == 3
    reader.presses("Post reply")
    images = page.locator(".post img")
    assert images.count() == 3
    images.first.scroll_into_view_if_needed()
    expect(images.first).to_have_js_property("naturalWidth", 640)
    assert images.first.get_attribute("alt") == "A map"


def test_what_is_not_taken_is_said_beside_the_text(debate, sits_down):
    reader = sits_down(debate.author)
    reader.careless = True
    page = reader.page
    reader.opens(f"/threads/{debate.pk}/reply/")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture").click()
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": b"<svg></svg>"})
    page.get_by_text("SVG is not taken").wait_for()
    (said,) = reader.trouble  # the browser's own word for a refusal
    assert "/pictures/: " in said and "422" in said
    reader.trouble.clear()
    assert page.locator("textarea[name=text]").input_value() == ""


def test_without_scripts_a_button_adds_one(debate, sits_down):
    reader = sits_down(debate.author, javascript=False)
    page = reader.page
    reader.opens(f"/threads/{debate.pk}/reply/")
    page.locator("textarea[name=text]").fill("Look:")
    page.locator("summary", has_text="Add a picture").click()
    page.set_input_files("input[name=picture]", {"name": "x", "mimeType": "", "buffer": png(1)})
    page.get_by_label("What it shows").fill("A map")
    reader.presses("Add it to the text")
    assert "![A map](picture:" in page.locator("textarea[name=text]").input_value()
    reader.presses("Post reply")
    assert page.locator(".post img").count() == 1
    assert Post.objects.filter(thread=debate).count() == 2
