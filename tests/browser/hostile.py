"""Strings that want to be programs: those of hostile.txt, and as many more as are asked for.

Each leaves its mark by RUN if it ever runs. `strings` are always the same; `mutations` are made of
tags, events, addresses, encodings and the forms of the forum's own markup, put into one another.
"""

import random
from collections.abc import Iterable
from pathlib import Path

RUN = "window.ran=1"
EVENTS = """onerror onload onclick onfocus onmouseover onanimationstart onbeforetoggle onscroll
    onpointerenter ontransitionend onwheel oncut onpaste ondrag oncanplay oninvalid""".split()
ADDRESSES = """javascript:RUN JaVaScRiPt:RUN javascript%3ARUN &#106;avascript:RUN \\x6aavascript:RUN
    &#x6A&#x61;vascript:RUN data:text/html,<script>RUN</script> data:text/html;base64,PHNjcmlwdD4=
    data:image/svg+xml,<svg/onload=RUN> vbscript:RUN javascript://%0aRUN javascript://x.test/%250aRUN
    view-source:javascript:RUN feed:javascript:RUN jar:javascript:RUN!/ blob:RUN file:///etc/passwd
    \x01javascript:RUN //javascript:RUN ///x.test/%0d%0aRUN""".split()
TAGS = """a abbr animate area audio base body br button details dialog div embed form frame
    frameset iframe img image input isindex keygen li link marquee math meta mglyph mi noembed
    noscript object option p param picture plaintext portal pre script select set slot source style
    svg table td template textarea title track use video xmp xss""".split()
NAMES = """action background cite data form formaction href poster ping src srcdoc srcset style to
    values xlink:href xml:base manifest content codebase longdesc""".split()
MORE_EVENTS = """onactivate onafterprint onauxclick onbegin onblur onchange oncontextmenu oncopy
    oncontentvisibilityautostatechange oncuechange ondblclick onend onfocusin onformdata
    onhashchange oninput onkeydown onload onloadstart onmessage onmousemove onpageshow onplay
    onpointerrawupdate onrepeat onreset onresize onscrollend onsecuritypolicyviolation onselect
    onslotchange onsubmit onsuspend ontoggle ontouchstart onunload onwebkitanimationend""".split()
SEPARATORS = (" ", "/", "\t", "\x0c", " / ", "//", " x=y ", "\u00a0", "⏎")
MARKS = ('"', "'", "`", "", "&quot;", "&#39;", "%22", "\u201d", '\\"', "\uff02")
# What a string can be put into, so that something else reads it: {} is its place.
AROUND = (
    *(
        "{}",
        "{}",
        "{}",
        "[x]({})",
        "[x](<{}>)",
        '[x](/y "{}")',
        "![{}]({})",
        "<{}>",
        "[x][1]⏎⏎[1]: {}",
    ),
    *(
        "[{}]: /x⏎⏎[{}]",
        '[quote="{}, post: 1"]x[/quote]',
        "[quote={}]x[/quote]",
        "[quote]{}[/quote]",
    ),
    *('[spoiler="{}"]x[/spoiler]', "[spoiler]{}[/spoiler]", "||{}||", "@{}", "x[^{}]⏎⏎[^{}]: {}"),
    *(
        "```{}⏎{}⏎```",
        "`{}`",
        "    {}",
        "# {}",
        "> {}",
        "- {}",
        "1. {}⏎   {}",
        "|{}|{}|⏎|-|-|⏎|{}|",
    ),
    *(
        "**{}**",
        "~~{}~~",
        "</textarea>{}",
        "</title>{}",
        "</script>{}",
        "</style>{}",
        "-->{}",
        "]]>{}",
    ),
    *('">{}', "'>{}", "<!--p1-->{}<!--m1-->", "<!--@{}-->", "<!--q1-->{}<!--/q1-->", "&lt;{}&gt;"),
    *("{{{}}}", "${{}}", "{% {} %}", "<svg>{}</svg>", "<math><mtext>{}", "<table>{}", "<!--{}"),
    *(
        "<p title='{}'>",
        '<a href="{}">x</a>',
        "<style>{}",
        "https://x.test/{}",
        "#({})",
        "[{}]",
        "{}",
    ),
)


def strings() -> list[str]:
    """Those of hostile.txt, events on an element, and addresses in each of Markdown's links."""
    lines = Path(__file__).with_name("hostile.txt").read_text(encoding="utf-8").split("\n")
    found = [line for line in lines if line and not line.startswith("## ")]
    found += [f"<b style=animation:x {event}=RUN tabindex=1 autofocus>x</b>" for event in EVENTS]
    for address in ADDRESSES:
        found += [f"[x]({address})", f"![x](<{address}>)", f"[x][1]⏎⏎[1]: {address}"]
    return list(map(_armed, found))


def mutations(count: int) -> list[str]:
    """So many strings more, none twice, the same each time."""
    choice, known = random.Random("hostile"), strings()
    found = dict.fromkeys(known)
    while len(found) < len(known) + count:
        text = choice.choice((_element, _element, _address, _of_two))(choice, known)
        for _ in range(choice.choice((1, 1, 2, 3))):
            text = choice.choice(AROUND).replace("{}", text)
        if choice.random() < 0.4:
            text = _bent(choice, text)
        found[_armed(text)] = None
    return list(found)[len(known) :]


def _armed(text: str) -> str:
    return text.replace("RUN", RUN).replace("⏎", "\n")


def _element(choice: random.Random, known: list[str]) -> str:
    """A tag with something that runs, in one of the many ways to write it."""
    tag, gap, mark = choice.choice(TAGS), choice.choice(SEPARATORS), choice.choice(MARKS)
    if choice.random() < 0.6:
        name, value = choice.choice(EVENTS + MORE_EVENTS), "RUN"
    else:
        name, value = choice.choice(NAMES), choice.choice(ADDRESSES)
    if choice.random() < 0.2:
        tag, name = tag.upper(), name.title()
    text = f"{tag}{gap}{name}={mark}{value}{mark}"
    if choice.random() < 0.3:
        text += f"{choice.choice(SEPARATORS)}autofocus tabindex=1"
    return f"<{text}{choice.choice(('>', '/>', '>x</' + tag + '>', '', ' '))}"


def _address(choice: random.Random, known: list[str]) -> str:
    """An address that is none, its scheme spelled in some other way."""
    scheme = choice.choice(("javascript", "vbscript", "data", "livescript", "java\tscript"))
    spelled = [
        choice.choice(
            (sign, sign, sign, f"&#{ord(sign)};", f"&#x{ord(sign):x}", f"%{ord(sign):02x}")
        )
        for sign in scheme
    ]
    colon = choice.choice((":", "&colon;", "%3a", "&#58;", "\uff1a", "&#x0003a;", ":\\"))
    before = choice.choice(("", " ", "\x01", "&Tab;", "//", "http:", "\u202e", "&#1;"))
    return f"{before}{''.join(spelled)}{colon}RUN"


def _of_two(choice: random.Random, known: list[str]) -> str:
    """The beginning of one known string, and the end of another."""
    one, other = choice.choice(known), choice.choice(known)
    return one[: choice.randint(1, len(one))] + other[choice.randint(0, len(other) - 1) :]


def _bent(choice: random.Random, text: str) -> str:
    """A few of its signs doubled, left out, spelled as entities, or something unseen between."""
    signs = list(text)
    for _ in range(choice.randint(1, 4)):
        at = choice.randrange(len(signs))
        sign = signs[at][:1] or "x"
        signs[at] = choice.choice(
            (
                *(sign * 2, "", f"&#{ord(sign)};", f"&#x{ord(sign):X};", f"\\{sign}"),
                *(f"{sign}\u200b", f"{sign}\u202e", f"{sign}\x0b", f"{sign}⏎", f"%{ord(sign):02X}"),
            )
        )
    return "".join(signs)


def pieces(lines: Iterable[str], length: int) -> list[str]:
    """The strings in lines of at most `length` characters that can be shown, as many in each as
    fit; what is longer is cut."""
    found = [""]
    for line in lines:
        line = "".join(filter(str.isprintable, " ".join(line.split())))[:length]
        if len(found[-1]) + len(line) + 1 > length:
            found.append("")
        found[-1] = f"{found[-1]} {line}".strip()
    return [piece for piece in found if piece]
