"""A debate is a variant of another one: said, changed and taken back by its author or a moderator,
shown on both to whoever sees both, and nothing of what one may not see."""

import json

import pytest

from forum.actions import composing, description, variants
from forum.actions.divergences import read_divergence
from forum.checking import check
from forum.models import AuditEntry, Board, Notice, State, Thread, ThreadWord, Upload
from forum.moderation import merging, moving, undoing
from forum.permissions import NotThere, Refused
from forum.transfer import exporting, loading, parsing, uploads
from tests.people import browser, fresh, reply, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(board, opener) -> Thread:
    return start(board, opener, title="The bridge holds")


@pytest.fixture
def other(board, answerer) -> Thread:
    return start(board, answerer, title="The bridge is never built")


def declare(user, thread, other, **more) -> Thread:
    return variants.declare(user=user, thread=thread, other=other, **more)


def of(thread) -> Thread | None:
    return fresh(thread).variant_of


def test_said_changed_and_taken_back(first, other, board, opener):
    third = start(board, opener, title="The bridge is blown up")
    declare(opener, first, other)
    assert of(first) == other
    declare(opener, first, third)
    assert of(first) == third
    declare(opener, first, None)
    assert of(first) is None
    said = AuditEntry.objects.filter(verb="variant").order_by("pk")
    assert [entry.detail["after"]["variant_of_id"] for entry in said] == [other.pk, third.pk, None]
    declare(opener, first, None)
    assert said.count() == 3, "what says nothing new is not logged"


def test_who_may(first, other, opener, stranger, moderator, guest):
    for user in (stranger, guest):
        with pytest.raises(Refused):
            declare(user, first, other)
    declare(moderator, first, other, reason="The same bridge.")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.verb, entry.reason) == (moderator, "variant", "The same bridge.")
    assert "variant" in Notice.objects.get(member=opener).sentence
    assert of(other) is None


def test_what_cannot_be(first, other, inner_board, opener, moderator):
    secret = start(inner_board, moderator, title="Behind closed doors")
    with pytest.raises(NotThere):
        declare(opener, first, secret)
    with pytest.raises(composing.Unacceptable):
        declare(opener, first, first)
    declare(opener, first, other)
    with pytest.raises(composing.Unacceptable):
        declare(moderator, other, first)
    Thread.objects.filter(pk=secret.pk).update(state=State.HIDDEN)
    with pytest.raises(composing.Unacceptable):
        declare(moderator, other, secret)


def test_one_that_is_out_of_sight_stays_until_another_is_named(
    first, other, inner_board, opener, moderator
):
    secret = start(inner_board, moderator, title="Behind closed doors")
    declare(moderator, first, secret)
    page = browser(opener).get(f"/threads/{first.pk}/variant/").content.decode()
    assert "Now a variant of no debate" in page and "closed doors" not in page
    browser(opener).post(f"/threads/{first.pk}/variant/", {"other": ""})
    assert of(first) == secret
    browser(opener).post(f"/threads/{first.pk}/variant/", {"other": str(other.pk)})
    assert of(first) == other


def test_versions_of_both_go_up(first, other, board, opener, django_capture_on_commit_callbacks):
    third = start(board, opener, title="The bridge is blown up")
    committed = django_capture_on_commit_callbacks

    def versions() -> list[int]:
        return [fresh(row).version for row in (first, other, third)]

    with committed(execute=True):
        declare(opener, first, other)
    before = versions()
    with committed(execute=True):
        declare(opener, first, third)
    assert all(now > then for now, then in zip(versions(), before, strict=True))


def test_undone_by_a_moderator(first, other, opener, moderator):
    declare(opener, first, other)
    said = AuditEntry.objects.latest("pk")
    undoing.undo(user=moderator, entry=said)
    assert of(first) is None
    declare(opener, first, other)
    declare(opener, first, None)
    Thread.objects.filter(pk=other.pk).update(state=State.REMOVED)
    with pytest.raises(Refused):
        undoing.undo(user=moderator, entry=AuditEntry.objects.latest("pk"))


def test_a_merge_leads_variants_along_and_its_undoing_leads_them_back(
    first, other, board, opener, stranger, moderator
):
    into = start(board, stranger, title="The bridge falls")
    declare(opener, first, other)
    declare(moderator, into, other)
    merging.merge(user=moderator, thread=other, into=into)
    assert of(first) == into
    assert of(into) is None
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="merge"))
    assert of(first) == other
    assert of(into) == other


def test_a_split_that_is_undone_leads_variants_to_where_its_posts_went(
    first, other, answerer, moderator
):
    post = reply(first, answerer)
    new = moving.split(user=moderator, thread=first, chosen=[post.pk], title="The ford")
    declare(answerer, other, new)
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="split"))
    assert of(other) == first


def test_words_follow_a_merge(first, other, moderator, opener):
    divergences = [read_divergence(change="The ford is guarded.", when="1924", place="Riga")]
    description.describe(user=opener, thread=first, divergences=divergences, questions=[])
    merging.merge(user=moderator, thread=first, into=other)
    found = ThreadWord.objects.filter(thread=other, word="riga")
    assert found.exists()
    assert not [fault for fault in check() if fault.kind == "words"]
    undoing.undo(user=moderator, entry=AuditEntry.objects.get(verb="merge"))
    assert not found.exists()


def test_check_forum_leads_on_what_an_older_merge_has_left(first, other, board, opener, moderator):
    into = start(board, opener, title="The bridge falls")
    merging.merge(user=moderator, thread=other, into=into)
    Thread.objects.filter(pk=first.pk).update(variant_of=other)
    assert [fault.kind for fault in check(fix=True) if fault.thread_id == first.pk] == ["variant"]
    assert of(first) == into


def test_it_travels_and_a_newer_version_leaves_what_was_said_here(first, other, opener, guest):
    declare(opener, first, other)
    data = "".join(exporting.fixture(fresh(first), user=guest))
    declare(opener, first, None)
    first.posts.update(origin=first)  # as if it had been loaded
    Thread.objects.filter(pk=first.pk).update(fixture_version=1)
    (newer,) = parsing.read_all(data.encode(), "x.json")
    assert newer.version > 1
    loading.load(newer)
    assert of(first) is None


def test_a_newer_version_says_it_where_nobody_here_did(first, other, guest):
    Thread.objects.filter(pk=first.pk).update(variant_of=other)
    data = "".join(exporting.fixture(fresh(first), user=guest))
    first.posts.update(origin=first)  # as if it had been loaded
    Thread.objects.filter(pk=first.pk).update(variant_of=None, fixture_version=0)
    (newer,) = parsing.read_all(data.encode(), "x.json")
    loading.load(newer)
    assert of(first) == other


def _file(thread, variant_of: str, **fields) -> list[dict]:
    """A fixture of a debate like this one, which names another as the one that it varies."""
    objects = json.loads("".join(exporting.fixture(thread, user=thread.author)))
    for one in objects:
        name = "thread" if one["model"] != "forum.thread" else "key"
        one["fields"][name] = ["loaded"] if name == "thread" else "loaded"
        if one["model"] == "forum.post":
            one["fields"]["key"] += "-loaded"
    objects[0]["fields"] |= {"variant_of": [variant_of], **fields}
    return objects


@pytest.mark.parametrize("newer", [False, True])
def test_whoever_loads_a_fixture_names_no_debate_that_they_may_not_see(
    first, inner_board, board, moderator, board_moderator, newer, opener
):
    """And learns nothing of whether there is one: its key stays, as that of one not here yet."""
    secret = start(inner_board, moderator, title="Behind closed doors")

    def load(user, variant_of, version):
        read = _file(first, variant_of, version=version)
        sent = Upload.objects.create(user=user, board=board, name="x.json", objects_read=read)
        return uploads.load(user=user, upload=sent).thread

    def taken_along(thread, user):
        written = json.loads("".join(exporting.fixture(fresh(thread), user=user)))
        return written[0]["fields"].get("variant_of")

    if newer:
        loading.load(parsing.read_all(json.dumps(_file(first, "none")).encode(), "x.json")[0])
        Thread.objects.filter(key="loaded").update(variant_key="")
    thread = load(board_moderator, secret.key, version=1002)
    assert of(thread) is None
    assert taken_along(thread, board_moderator) == [secret.key]
    Thread.objects.filter(pk=thread.pk).update(variant_key="", fixture_version=1002)
    assert of(load(board_moderator, first.key, version=1003)) == first
    Thread.objects.filter(pk=thread.pk).update(variant_of=None, fixture_version=1003)
    assert of(load(moderator, secret.key, version=1004)) == secret


def test_a_debate_that_is_loaded_into_a_private_board_is_named_in_no_other(
    first, other, inner_board, board
):
    Thread.objects.filter(pk=other.pk).update(variant_key="loaded")
    inside = _file(first, "none", board=[inner_board.slug])
    loading.load(parsing.read_all(json.dumps(inside).encode(), "x.json")[0])
    assert of(other) is None
    assert fresh(other).variant_key == "loaded"


# --- On pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["{pk}", "/threads/{pk}/", "https://forum.example/threads/{pk}/the-bridge/?view=tree"]
)
def test_named_by_number_or_address(first, other, opener, typed):
    client = browser(opener)
    page = f"/threads/{first.pk}/variant/"
    client.post(page, {"other": typed.format(pk=other.pk), "reason": "The same bridge."})
    assert of(first) == other
    for here, there in ((first, other), (other, first)):
        shown = client.get(fresh(here).get_absolute_url()).content.decode()
        assert f'href="{there.get_absolute_url()}"' in shown
    assert f'value="{other.get_absolute_url()}"' in client.get(page).content.decode()


def test_one_that_went_into_another_is_that_one(first, other, board, opener, moderator):
    into = start(board, opener, title="The bridge falls")
    merging.merge(user=moderator, thread=other, into=into)
    browser(opener).post(f"/threads/{first.pk}/variant/", {"other": str(other.pk)})
    assert of(first) == into


@pytest.mark.parametrize("typed", ["999999", "the bridge", "0", "9" * 30, "{secret}", "{own}"])
def test_what_is_not_there_is_told_and_kept(first, inner_board, opener, moderator, typed):
    secret = start(inner_board, moderator, title="Behind closed doors")
    typed = typed.format(secret=secret.pk, own=first.pk)
    sent = {"other": typed, "reason": "Because."}
    answer = browser(opener).post(f"/threads/{first.pk}/variant/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'value="{typed}"' in page and 'value="Because."' in page
    assert 'id="other-error"' in page and "closed doors" not in page
    assert of(first) is None


def test_debates_like_it_are_proposed(first, board, opener, answerer):
    same = start(board, answerer, title="The bridge holds")
    page = browser(opener).get(f"/threads/{first.pk}/variant/").content.decode()
    assert f'name="other" value="{same.pk}"' in page
    assert f'name="other" value="{first.pk}"' not in page


def test_a_draft_keeps_the_variant(first, opener, stranger):
    client = browser(stranger)
    sent = {
        "board": first.board.slug,
        "title": "The bridge holds longer",
        "kind": "WI",
        "text": "It holds.",
        "token": "7e40c9d2-1f6b-4f5e-9c55-8f0e3f0c0b9c",
        "variant_of": str(first.pk),
    }
    client.post("/threads/new/", {**sent, "do": "draft"})
    chosen = f'name="variant_of" value="{first.pk}" checked'
    assert chosen in client.get("/threads/new/").content.decode()
    for do in ("more", "preview", "similar"):
        page = client.post("/threads/new/", {**sent, "do": do}).content.decode()
        assert page.count(f'name="variant_of" value="{first.pk}"') == 1 and chosen in page, do
    Board.objects.update(audience=Board.Audience.MODERATORS)
    page = client.get("/threads/new/").content.decode()
    assert "variant_of" not in page
