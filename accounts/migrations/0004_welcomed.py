"""Since when a member is no new one. Those who are here already have been welcomed."""

from django.db import migrations, models
from django.db.models import F


def welcome_all(apps, schema_editor):
    apps.get_model("accounts", "User").objects.update(welcomed_at=F("date_joined"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_notice_count")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="welcomed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(welcome_all, migrations.RunPython.noop),
    ]
