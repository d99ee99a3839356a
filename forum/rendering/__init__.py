"""What readers see: posts with the quotes in them, and the pages, pictures and books of them."""

from .posts import PostEntry, render_post, render_posts, render_preview
from .quotes import STATUS, ignored_by, judged, names_every_source, quoted_words, verdicts

__all__ = [
    "STATUS",
    "PostEntry",
    "ignored_by",
    "judged",
    "names_every_source",
    "quoted_words",
    "render_post",
    "render_posts",
    "render_preview",
    "verdicts",
]
