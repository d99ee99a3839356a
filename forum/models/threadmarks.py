"""Threadmarks: the posts in which a thread tells its story, named and sorted by category."""

from django.conf import settings
from django.db import models

from .posts import Post
from .threads import State, Thread


class ThreadmarkQuerySet(models.QuerySet["Threadmark"]):
    def story_of(self, thread_id: int) -> "ThreadmarkQuerySet":
        """The marks of a thread whose posts everybody who sees it may read, in order, each with
        the `number` of its post."""
        return (
            self.filter(
                thread_id=thread_id,
                post__thread_id=thread_id,
                post__state=State.VISIBLE,
                post__number__isnull=False,
            )
            .annotate(number=models.F("post__number"))
            .order_by("number")
        )


class Threadmark(models.Model):
    """One marked post. `thread` repeats the post's own, so that a thread of any length finds its
    marks by an index; whatever moves a post moves it too. Their order is the order of the posts."""

    class Category(models.TextChoices):
        STORY = "story", "Story"
        SIDE = "side", "Side story"
        INFORMATIONAL = "info", "Informational"
        MEDIA = "media", "Media"

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="threadmarks")
    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="threadmark")
    category = models.CharField(max_length=5, choices=Category.choices, default=Category.STORY)
    label = models.CharField(max_length=120)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    number: int  # of its post: brought along by `story_of`

    objects = ThreadmarkQuerySet.as_manager()

    def __str__(self) -> str:
        return self.label
