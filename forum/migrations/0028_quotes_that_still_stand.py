from django.db import migrations
from django.db.models import F

from forum.text import quoting


def note_what_stands(apps, schema_editor):
    """Whether the words of each quote of an edited source still stand there. What a page shows
    beside a quote is on the quote's own page until `check_forum --fix` has written it."""
    quotes = apps.get_model("forum", "Quote").objects.using(schema_editor.connection.alias)
    rows = (
        quotes.filter(verdict__in=("exact", "shortened"), source_revision__isnull=False)
        .exclude(source_revision=F("source_post__body__revision"))
        .select_related("source_revision", "source_post__body__revision")
    )
    for quote in rows.iterator(chunk_size=50):
        plain, now = quote.source_revision.plain, quote.source_post.body.revision.plain
        parts = quote.parts or [[quote.start, quote.end]]
        if not quoting.still_stands([plain[a:b] for a, b in parts], now):
            quotes.filter(pk=quote.pk).update(stands=False)


class Migration(migrations.Migration):
    # A row at a time, so that people read and write meanwhile: in one transaction with the columns,
    # the table of quotes would be closed to everybody until all of them were looked at.
    atomic = False

    dependencies = [("forum", "0027_mails")]

    operations = [migrations.RunPython(note_what_stands, migrations.RunPython.noop)]
