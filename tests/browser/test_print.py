"""On paper stands what was written, without what only a screen can use."""

from . import world


def test_a_printed_debate_holds_the_words_and_no_controls(site, sits_down):
    made = world.furnish()
    reader = sits_down(made.one)
    page = reader.page
    for thread in (made.source, made.quotes, made.forty_five):
        reader.opens(thread.get_absolute_url())
        page.emulate_media(media="print", color_scheme="dark")
        controls = page.locator(
            "nav, form, button, input, textarea, select, .acts, .foot, .skip, .btn, .pager, .tabs"
        )
        assert [
            one.evaluate("(e) => e.outerHTML") for one in controls.all() if one.is_visible()
        ] == []
        for words in page.locator(".prose p").all():
            assert words.is_visible()
        assert page.locator("h1").is_visible()
        for status in page.locator(".status").all():
            assert status.is_visible()
        colours = page.evaluate(
            "(({color, backgroundColor}) => [color, backgroundColor])"
            "(getComputedStyle(document.body))"
        )
        assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        page.emulate_media(media="screen")
