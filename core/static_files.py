"""Style sheets, scripts and pictures as they are served: under names made of what they hold."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Also what one script imports from another is asked for under its hashed name."""

    support_js_module_import_aggregation = True
