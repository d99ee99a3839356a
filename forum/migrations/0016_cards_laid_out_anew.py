"""Cards of debates that came before questions could be answered named them by their words alone."""

from django.db import migrations


def lay_out_questions(apps, schema_editor):
    Thread = apps.get_model("forum", "Thread")
    Question = apps.get_model("forum", "Question")
    for thread in Thread.objects.exclude(card={}).only("card").iterator():
        if not any(isinstance(one, str) for one in thread.card.get("questions", ())):
            continue
        questions = [
            {"id": question.pk, "text": question.text, "answers": 0, "disputed": 0, "by": []}
            for question in Question.objects.filter(thread=thread, stands=True).order_by("order")
        ]
        thread.card = {**thread.card, "questions": questions}
        thread.save(update_fields=["card"])


class Migration(migrations.Migration):
    dependencies = [("forum", "0015_numbering")]
    operations = [migrations.RunPython(lay_out_questions, migrations.RunPython.noop)]
