"""Boards in their order: dragged with the mouse, and moved with the keyboard alone."""

from forum.models import Board

from . import world


def order() -> list[str]:
    return ["." * board.level + board.name for board in Board.objects.in_order()]


def test_boards_are_put_in_order(site, sits_down):
    boards = [Board.objects.create(name=name, slug=name.lower()) for name in "ABC"]
    chief = world.member("member-c", is_staff=True, is_superuser=True)
    reader = sits_down(chief)
    page = reader.page
    reader.opens("/admin/forum/board/")

    handle = page.locator(f"#order-{boards[2].pk} .drag-handle").bounding_box()
    first = page.locator("#result_list tbody tr").first.bounding_box()
    page.mouse.move(handle["x"] + 5, handle["y"] + 5)
    page.mouse.down()
    page.mouse.move(handle["x"] + 20, first["y"] + 20)
    page.mouse.move(handle["x"] + 20, first["y"] + 3)
    with page.expect_navigation():
        page.mouse.up()
    assert order() == ["C", "A", "B"]

    # Return presses the button, though mptt's script would open the board.
    page.get_by_role("button", name="Move into the board above: B").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert order() == ["C", "A", ".B"]
    assert page.url.endswith(f"#order-{boards[1].pk}")
    with page.expect_navigation():  # the focus came along: the next press is one more
        page.keyboard.press("Enter")
    assert order() == ["C", "A", ".B"]

    still = sits_down(chief, javascript=False)
    still.opens("/admin/forum/board/")
    still.presses("Move out of its board: B")
    still.presses("Move up: B")
    assert order() == ["C", "B", "A"]
