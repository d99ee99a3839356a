"""Sources made to be slow, to nest too deeply, or to break out of the HTML.

Each is (name, format, source). Builders get the length a post may have; `marks` is the number of
markup signs it may hold, since sources made of signs are refused beyond it.
"""

from forum.text.markup import MAX_BRACKETS, MAX_LINES, MAX_MARKS, MAX_SOURCE


def fill(piece: str, marks: int = 0) -> str:
    """Repeat a piece as often as length and markup signs allow."""
    signs = sum(piece.count(sign) for sign in "*_`~[]<>&\\|@")
    times = MAX_SOURCE // len(piece)
    if signs:
        times = min(times, (MAX_MARKS - marks) // signs)
    if "[" in piece:
        times = min(times, (MAX_BRACKETS - 2) // piece.count("["))
    if "\n" in piece:
        times = min(times, (MAX_LINES - 20) // piece.count("\n"))
    return piece * times


def spread(piece: str) -> str:
    """Repeat a piece with a line between, so that each is a block of its own."""
    return fill(piece + "\n\n")


MARKDOWN = {
    # Brackets, links, images
    "brackets": fill("["),
    "brackets closed": fill("[", MAX_MARKS // 2) + fill("]", MAX_MARKS // 2),
    "bracket letters": fill("[a"),
    "brackets empty": fill("[]"),
    "links": fill("[a](b)"),
    "links open": fill("[a](b"),
    "links parens": "[a](" + "(" * 50_000,
    "link destination": fill("[a](<b"),
    "link titles open": fill('[a](b "'),
    "link title single": fill("[a](b 'c"),
    "links nested": fill("[a](b", MAX_MARKS // 2) + ")" * 3000,
    "images": fill("![a](b)"),
    "images nested": fill("![", MAX_MARKS // 2) + fill("](a)", MAX_MARKS // 2)[:12_000],
    "images 15 deep": fill("![" * 15 + "x" + "](a)" * 15),
    "references": "[a]: /b\n\n" + fill("[a]", 9),
    "references long": "[a]: /" + "b" * 1990 + "\n\n" + fill("[a]", 9),
    "references too long": "[a]: /" + "b" * 50_000 + "\n\n" + "[a]" * 3000,
    "reference definitions": fill("[a]: b\n"),
    "reference unfinished": fill("[a\n"),
    "reference title open": fill('[a]: b "c\n'),
    "long URL": "http://" + "a" * 59_990,
    "URLs": fill("http://a.b/ "),
    "URLs joined": fill("http://"),
    "URLs refused": fill("http://?" * 200 + " "),
    "URL with parens": "http://a.b/" + ")" * 1900 + " " + "http://a.b/(" + "(" * 1900,
    "URLs with parens": fill("http://a.b/" + ")" * 1900 + " "),
    "URL host not ASCII": "[a](http://" + "\u00fc" * 50_000 + ")",
    "URL percent": "[a](http://a/" + "%" * 50_000 + ")",
    "control characters in link": "[a](java\x01script:alert(1)) [b](\x01javascript:alert(1))",
    "entity in scheme": "[a](javascript&colon;alert(1)) [b](&#106;avascript:alert(1))",
    "percent in scheme": "[a](javascript%3Aalert(1)) [b](javascript%253Aalert(1))",
    "data link": "[a](data:text/html;base64,PHNjcmlwdD4=) ![b](data:image/png;base64,AAAA)",
    "attribute break": '[a](http://x/"onmouseover="alert(1)) [b](<http://x/\'"><script>>)',
    "autolinks": fill("<a:b>"),
    "autolinks open": fill("<a:b"),
    "mail": fill("<a@b.c>"),
    # Emphasis and other pairs
    "stars": "a" + fill("*"),
    "stars 50k": "*" * 50_000,
    "stars and letters": fill("*a"),
    "stars open": fill("*a "),
    "stars nested": fill("*a ", MAX_MARKS // 2) + fill("a*", MAX_MARKS // 2),
    "strong nested": fill("**a ", MAX_MARKS // 2) + fill("a**", MAX_MARKS // 2),
    "stars and lines": fill("*_"),
    "mixed runs": fill("*a_ **b__ "),
    "rule of three": fill("a**b" + "c* "),
    "tildes": "a" + fill("~"),
    "tildes pairs": fill("~~a~~"),
    "tildes odd": fill("~~~a~~~ "),
    "bars": fill("|"),
    "bars open": fill("||a "),
    "bars pairs": fill("||a|| "),
    "bars nested": fill("||a ", MAX_MARKS // 2) + fill("a||", MAX_MARKS // 2),
    "bars and stars": fill("||*a ", MAX_MARKS // 2) + fill("a||*", MAX_MARKS // 2),
    "ticks": "a" + fill("`"),
    "ticks growing": "".join("`" * n + "a" for n in range(1, 120)),
    "ticks then pairs": fill("`a``b"),
    "backslashes": fill("\\"),
    "entities": fill("&amp;"),
    "entities open": fill("&a"),
    "entities numeric": fill("&#0;&#xD800;"),
    "less-than": fill("<"),
    "ats": fill("@"),
    "mentions": fill("@a "),
    "mentions different": " ".join(f"@m{n}" for n in range(7000)),
    "mentions long": fill("@" + "a" * 60 + " "),
    "mention dots": fill("@a" + "." * 40 + " "),
    # Blocks
    "quote marks": ">" * 5_000,
    "quote marks spread": spread("> a"),
    "quote marks deep lines": fill(">>>>>>>> a\n"),
    "quote mark lines": fill("> a\n"),
    "quote mark lazy": "> a\n" + fill("b\n", 4),
    "lists": fill("- a\n"),
    "lists numbered": fill("1. a\n"),
    "lists deep": "\n".join("  " * n + "- a" for n in range(200)),
    "lists deep one line": "- " * 3_000 + "a",
    "lists 9 deep": fill("".join("  " * n + "- a\n" for n in range(9))),
    "lists loose": fill("- a\n\n"),
    "list markers alternating": fill("- a\n+ b\n"),
    "list and quote marks": "> - " * 2_000,
    "list of stars": fill("* ") + "a",
    "headings": fill("# a\n"),
    "setext": fill("a\n=\n"),
    "rules": fill("***\n"),
    "paragraphs": spread("a"),
    "lines": fill("a\n"),
    "empty lines": fill("\n"),
    "spaces": " " * 60_000,
    "space lines": fill("   \n"),
    "tabs": fill("\ta\n"),
    "hard breaks": fill("a  \n"),
    "fences": fill("```\n"),
    "fences open growing": "\n".join("`" * n for n in range(3, 120)),
    "fences in lists": fill("- ```\n"),
    "indented code": fill("    a\n"),
    "table full": "|a" * 9 + "\n" + "|-" * 9 + "\n" + ("|c" * 9 + "\n") * 390,
    "table": "|a|b|\n|-|-|\n" + fill("|c|d|\n", 20),
    "table wide": "|" * 2000 + "\n" + "|-" * 2000 + "\n" + "|a\n" * 500,
    "table bomb": "a|" * 250 + "\n" + "-|" * 250 + "\n" + "a\n" * 4000,
    "tables": fill("a|b\n-|-\n\n"),
    "tables cut by rules": fill("a|b\n-|-\n***\n"),
    "table heads": fill("|-|\n"),
    "table escapes": "a|b\n-|-\n" + fill("\\|", 20),
    # Quotes and spoilers by tag
    "quote tags open": "[quote" * 10_000,
    "quote tags": fill("[quote]"),
    "quote tags closed": fill("[/quote]"),
    "quote tags nested": "[quote]" * 10 + "a" + "[/quote]" * 10,
    "quote tags paired": fill("[quote]a[/quote]"),
    "quote tags paired lines": fill("[quote]\na\n[/quote]\n"),
    "quote tags one closes": fill("[quote]", 2) + "[/quote]",
    "quote tags deep": fill("[quote]", MAX_MARKS // 2) + fill("[/quote]", MAX_MARKS // 2),
    "quote tags crossing": fill("[quote][spoiler][/quote][/spoiler]"),
    "quote tag value open": fill('[quote="'),
    "quote tag value long": '[quote="' + "a" * 50_000 + '"]a[/quote]',
    "quote tag values": fill('[quote="' + "a" * 290),
    "quote tag commas": '[quote="' + ", post: 1" * 33 + '"]a[/quote]',
    "quote tags nested in one": "[quote]" + "[quote]a[/quote]" * 2000 + "[/quote]",
    "quote tag breaking out": '[quote="a" onclick="x" <script>, post: 1"]a[/quote]',
    "quote tags in ticks": fill("`[quote]`") + "[/quote]",
    "quote tags and escapes": fill("\\[quote]\\[/quote]"),
    "spoilers": fill("[spoiler]a[/spoiler]"),
    "spoiler lines": fill("[spoiler]\na\n[/spoiler]\n"),
    "spoilers nested": "[spoiler]" * 2000 + "a" + "[/spoiler]" * 2000,
    "spoiler 8 deep in lists": "- a\n" + "  [spoiler]\n" * 8 + "  a\n" + "  [/spoiler]\n" * 8,
    "spoiler label": '[spoiler="<!--p1--></summary><script>"]a[/spoiler]',
    # Footnotes
    "footnotes": "[^1]: a\n\n" + fill("[^1]", 9),
    "footnote opens": "[^1]: a\n\n" + fill("[^", 9),
    "footnote definitions": fill("[^a]: b\n"),
    "footnotes each": "".join(f"[^{n}]" for n in range(900))
    + "\n\n"
    + "".join(f"[^{n}]: a\n" for n in range(900)),
    "footnotes unasked": "".join(f"[^{n}]: a\n" for n in range(2_000)),
    "footnote in itself": "[^1]: a [^1]\n\n[^1]",
    "footnotes in one another": fill("[^a]: [^a]: "),
    "footnotes inline": fill("^["),
    # Markers and HTML
    "markers": "<!--p1--> <!--m1--> <!--q1-->a<!--/q1--> <!--@member-a--> <!--n1--> <!--r1.0-->",
    "markers in code": "`<!--p1-->`\n\n    <!--q1-->\n\n```<!--m1-->\n<!--/q1-->\n```",
    "markers by entity": "&lt;!--p1--&gt; &#60;!--q1--&#62;",
    "markers in links": '[a](<<!--p1-->> "<!--p1-->") ![<!--m1-->](/<!--q1-->)',
    "markers in a name": '[quote="<!--p1-->, post: 1"]<!--/q1-->[/quote]',
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>",
    "comment ends": "--> --!> <!-- <!--> <![CDATA[ ]]> <?x ?> <!DOCTYPE x>",
    "style": "<style>@import 'x'</style><p style=\"x\">",
    "quotes of attributes": fill("\"'"),
    # Unicode
    "bidi": "\u202ea\u202c \u2066b\u2069 http://a.b/\u202egnp.exe [c](http://a/\u202ed)",
    "bidi name": '[quote="\u202e1 :tsop, post: 2"]a[/quote]',
    "combining": "a" + "\u0301" * 59_000,
    "zero width": fill("\u200b\u200d\ufeff"),
    "astral": "\U0001f600" * 59_000,
    "controls": "".join(map(chr, range(1, 32))) * 100 + "\x7f\x80\x9f\u2028\u2029\ufffe\uffff",
    "separators": fill("\u00a0\u3000\u2028\x0b\x0c\x85"),
    "surrogate": "a\ud800b",
    "surrogate pair": "\ud83d\ude00",
    "NUL": "a\0b",
    "too long": "a" * (MAX_SOURCE + 1),
}

PLAIN = {
    "plain lines": "a\n" * 30_000,
    "plain lists": ". a\n" * 15_000,
    "plain list and lines": ". a\nb\n" * 900,
    "plain ampersands": "&" * 60_000,
    "plain quotes": '"<>&' * 15_000,
    "plain URLs": "http://a.b/ " * 5_000,
    "plain URLs joined": "http://" * 8_000,
    "plain long URL": "http://" + "a" * 59_990,
    "plain URLs with parens": ("http://a.b/" + ")" * 1900 + " ") * 31,
    "plain spaces": " " * 60_000,
    "plain markers": "<!--p1-->\n. <!--m1-->\n<!--q1-->",
    "plain separator": "a\n\u00a0\nb",
    "plain surrogate": "\udfff",
    "plain NUL": "\0",
}

HOSTILE = [(name, "markdown", source) for name, source in MARKDOWN.items()] + [
    (name, "plain", source) for name, source in PLAIN.items()
]
