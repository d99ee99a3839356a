"""The words of debates that were opened before they were kept."""

from django.db import migrations

from forum.search.similarity import words_by_role


def index(apps, schema_editor):
    Thread, ThreadWord = (apps.get_model("forum", name) for name in ("Thread", "ThreadWord"))
    for thread in Thread.objects.prefetch_related("divergences").iterator(chunk_size=200):
        found = words_by_role(thread.title, thread.divergences.all())
        ThreadWord.objects.bulk_create(
            (
                ThreadWord(thread_id=thread.pk, word=word, role=str(role))
                for role, words in found.items()
                for word in sorted(words)
            ),
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("forum", "0021_variants_not_here_yet")]

    operations = [migrations.RunPython(index, migrations.RunPython.noop)]
