"""The statements that ask the index of words of debates. Each is bounded by how many rows it gives.
None asks for rights."""

from django.db import connections

from forum.models import DebateWords

from . import postgresql, sqlite
from .match import Match
from .probes import language_of


def debates(match: Match, limit: int) -> list[int]:
    """The ids of some debates that are found so."""
    connection = connections[DebateWords.objects.db]
    language = language_of(connection)
    names = {"table": "forum_debatewords", "key": "thread_id"}
    sql = (
        f"SELECT w.thread_id FROM {language.SOURCE.format(**names)}"
        f" WHERE {language.FOUND.format(**names)} LIMIT {limit}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [language.query(match)])
        return [pk for (pk,) in cursor.fetchall()]


def debates_titled(match: Match, in_title: Match, limit: int) -> list[tuple[int, bool]]:
    """The same, and of each whether it is one of those that are found by `in_title`, too."""
    connection = connections[DebateWords.objects.db]
    language = language_of(connection)
    names = {"table": "forum_debatewords", "key": "thread_id"}
    source, found = (part.format(**names) for part in (language.SOURCE, language.FOUND))
    titled = found if language is postgresql else sqlite.IS_FOUND.format(**names)
    sql = f"SELECT w.thread_id, {titled} FROM {source} WHERE {found} LIMIT {limit}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [language.query(in_title), language.query(match)])
        return [(pk, bool(titled)) for pk, titled in cursor.fetchall()]
