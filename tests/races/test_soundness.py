"""The check by rows finds what is broken: one damage at a time, written with SQL."""

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from forum.actions import posts
from forum.models import Post
from tests.races.soundness import faults

# {name} stands for a post's id, {name.revision} for its first revision's. What the check is to
# say stands beside each.
DAMAGES = [
    ("UPDATE forum_post SET lft = 40, rght = 41 WHERE id = {leaf}", "its place is"),
    ("UPDATE forum_post SET rght = rght + 2 WHERE id = {root}", "its place is"),
    ("UPDATE forum_post SET level = level + 1 WHERE id = {leaf}", "its place is"),
    ("UPDATE forum_post SET tree_id = {other} WHERE id = {leaf}", "reaches into two threads"),
    ("UPDATE forum_post SET tree_id = 999 WHERE id = {root}", "its place is"),
    ("UPDATE forum_post SET lft = 2 WHERE id = {leaf}", "share a place"),
    ("UPDATE forum_post SET parent_id = {root} WHERE id = {leaf}", "its place is"),
    ("UPDATE forum_post SET parent_id = {leaf} WHERE id = {root}", "no way leads to it"),
    ("UPDATE forum_post SET parent_id = {other} WHERE id = {leaf}", "not a numbered post of its"),
    ("UPDATE forum_post SET parent_id = {opening} WHERE id = {root}", "but is no root"),
    ("UPDATE forum_post SET parent_basis = 'unknown' WHERE id = {leaf}", "unknown with a parent"),
    ("UPDATE forum_post SET parent_basis = 'opening' WHERE id = {root}", "openings are [1, 2]"),
    ("UPDATE forum_post SET number = 70 WHERE id = {leaf}", "its numbers are"),
    ("UPDATE forum_post SET number = 0 WHERE id = {leaf}", "came before the post"),
    ("UPDATE forum_post SET number = NULL WHERE id = {leaf}", "visible with number None"),
    (
        "UPDATE forum_post SET number = NULL, state = 'pending' WHERE id = {leaf}",
        "waits, but stands in tree",
    ),
    ("UPDATE forum_post SET state = 'hidden' WHERE id = {leaf}", "counts 4 replies, has 3"),
    ("UPDATE forum_thread SET numbered = numbered + 1", "numbered 6, has 5"),
    ("UPDATE forum_thread SET reply_count = reply_count + 1", "counts 5 replies, has 4"),
    ("UPDATE forum_thread SET last_post_id = {root}", "last post"),
    ("UPDATE forum_thread SET last_post_at = created_at", "last_post_at is not that of"),
    ("UPDATE forum_board SET thread_count = 3", "counts 3, has 2"),
    ("DELETE FROM forum_postbody WHERE post_id = {leaf}", "has no HTML"),
    ("UPDATE forum_postbody SET html = '' WHERE post_id = {leaf}", "has no HTML"),
    (
        "UPDATE forum_postbody SET revision_id = {edited.revision} WHERE post_id = {edited}",
        "shows revision 2 of 2",
    ),
    ("UPDATE forum_postbody SET edited_at = NULL WHERE post_id = {edited}", "edited_at does not"),
    ("UPDATE forum_postrevision SET number = 3 WHERE number = 2", "its revisions are [1, 3]"),
    ("UPDATE forum_postrevision SET source = 'Else.' WHERE post_id = {leaf}", "was summed"),
    ('UPDATE forum_quote SET start = start + 1, "end" = "end" + 1', "exact, but the source says"),
    ("UPDATE forum_quote SET words = 'ice is thick'", "exact, but the source says"),
    ('UPDATE forum_quote SET "end" = 9000', "its span lies outside"),
    ("UPDATE forum_quote SET source_post_id = {leaf}", "its source revision is of another"),
    ("UPDATE forum_quote SET post_id = {leaf}", "stands in a revision of another"),
    ("UPDATE forum_quote SET source_post_id = NULL, source_revision_id = NULL", "without a source"),
    ("UPDATE forum_quote SET verdict = 'unverifiable'", "yet it names a source"),
]


@pytest.fixture
def written(forum) -> dict[str, Post]:
    """Two debates: a tree of four posts in the first, a quote from it in the second."""
    opening = forum.start()
    root = forum.reply(opening, "I say the ice is thin there.")
    edited = forum.reply(root, "I doubt it.")
    leaf = forum.reply(edited, "So do I.")
    forum.reply(root, "How thin?")
    posts.edit(user=forum.members[1], post=edited, source="I doubt it much.", base=1)
    quote = f'[quote="member-b, post: {root.pk}"]the ice is thin[/quote]\n\nIs it?'
    other = forum.start("What if it thawed", quote)
    return {"opening": opening, "root": root, "edited": edited, "leaf": leaf, "other": other}


class _Id:
    """A post's id in a format string, or with `.revision` that of its first revision."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.revision = post.revisions.get(number=1).pk

    def __format__(self, _) -> str:
        return str(self.post.pk)


def test_what_the_forum_writes_is_sound(written):
    assert faults(connection) == []


@pytest.mark.django_db
def test_what_the_fixtures_bring_is_sound():
    call_command("loaddata", "boards", "trotsky-spain", verbosity=0)
    assert Post.objects.count() == 7
    assert faults(connection) == []


@pytest.mark.parametrize("damage, said", DAMAGES)
def test_damage_is_found(written, damage, said):
    statement = damage.format(**{name: _Id(post) for name, post in written.items()})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0
        found = faults(connection)
        transaction.set_rollback(True)  # PostgreSQL would refuse some of it at the end
    assert any(said in fault for fault in found), found


def test_an_index_that_lost_words_is_found(written):
    if connection.vendor == "sqlite":  # PostgreSQL's index is no table that one could damage
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM forum_postwords_fts_data WHERE id > 10")
        assert any("forum_postwords_fts" in told for told in faults(connection))
