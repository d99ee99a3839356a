"""The shared cache's table, and PostgreSQL's own refusal to change the audit log."""

from django.core.management import call_command
from django.db import migrations

REFUSE = """
CREATE FUNCTION forum_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER forum_audit_append_only BEFORE UPDATE OR DELETE ON forum_auditentry
  FOR EACH ROW EXECUTE FUNCTION forum_audit_append_only();
"""
ALLOW = """
DROP TRIGGER forum_audit_append_only ON forum_auditentry;
DROP FUNCTION forum_audit_append_only();
"""


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


def protect(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(REFUSE)


def unprotect(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ALLOW)


class Migration(migrations.Migration):
    dependencies = [("forum", "0001_debates")]

    operations = [
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
        migrations.RunPython(protect, unprotect),
    ]
