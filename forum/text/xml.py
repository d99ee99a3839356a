"""What XML 1.0 can hold."""

import re

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fit(words: str) -> str:
    """The words without those signs that XML cannot hold, not even escaped: a post may have them,
    and whoever writes XML must not fail at it."""
    return _UNFIT.sub("", words)
