"""Members are found by their emblem: each file that is fetched, or that might go, asks for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_site_version")]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["emblem"], name="member_emblem"),
        ),
    ]
