"""Stored HTML says which renderer drew it: so `check_forum --fix` finds what is out of date."""

from hashlib import sha256

from forum.text import markup

# One of each thing that a text can hold.
TEXT = """\
# A heading

Words with *emphasis*, **weight**, ~~a strike~~, `code`, ||a spoiler||, @member-a, #5 and
https://example.org/a?b=c&d, [a link](https://example.org "its title"), &amp; and a note.[^1]

> A quote of Markdown.

[quote="member-a, post:7, #3"]A quote with **its** source.[/quote]

[spoiler="The end"]What is folded.[/spoiler]

- one
- two
  1. inner

| Year | Event |
|:-----|------:|
| 1937 | May   |

```
code <b>
```

---

![A *map*](picture:abcdefghijkm "Of 1937")
![](picture:abcdefghijkn)

![A picture from elsewhere](https://example.org/x.png)

[^1]: The note.
"""
PLAIN = "A text as it came.\n. of a list\n. and its second\nA quote in it, #5\n"

# A text that is drawn otherwise than before needs a new version, and here its new sum: else
# stored texts stay as an older renderer drew them, and nothing says so.
DRAWN = {
    4: "8546d43b9854e3a3ddd6045cd8b9cbc20924d395f0d1eb8412bded745be35812",  # 0.2.0
    5: "ea9ba765f0788e1060f48411c303ba495b9d70511aff96bdf7291ea43a954fd1",
}


def drawn() -> str:
    texts = (
        markup.render(TEXT, format="markdown", numbered={5: 12}),
        markup.render(PLAIN, format="plain", quoted=[(4, 4)], numbered={5: 12}),
    )
    return sha256("\0".join(text.html for text in texts).encode()).hexdigest()


def test_what_draws_a_text_otherwise_has_a_new_version():
    assert drawn() == DRAWN[markup.RENDERER_VERSION]
