"""Posts that members want to find again."""

from django.conf import settings
from django.db import models

from .posts import Post

MAX_NOTE = 200  # characters


class Bookmark(models.Model):
    """That a member keeps a post, with a note of their own; and on which day they want to be
    reminded of it, if they do and were not yet. Nobody else knows of it."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bookmarks", db_index=False
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+", db_index=False)
    note = models.CharField(max_length=MAX_NOTE, blank=True)
    remind_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "member"], name="bookmark_unique")]
        indexes = [models.Index(fields=["member", "-id"], name="bookmark_newest")]

    def __str__(self) -> str:
        # Without the note, which is nobody else's.
        return f"bookmark of post {self.post_id}"
