import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0047_joining_by_approval")]

    operations = [
        migrations.AddIndex(
            model_name="quote",
            index=models.Index(fields=["source_post", "id"], name="quote_of_post"),
        ),
        migrations.AlterField(
            model_name="quote",
            name="source_post",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="quoted_by",
                to="forum.post",
            ),
        ),
    ]
