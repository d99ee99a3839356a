"""Explains the words of the trade where they stand in posts.

The terms are few and rarely change: each process keeps them compiled, under the number of the
site version, which every change of a term raises in its own transaction (actions/glossary.py).
A page has that number at hand (see views/fetch.py), so that explaining asks the database nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

from forum.models import Term

# Comments are the markers of forum.text.markup. Groups: a quote begins, a quote ends, a passage, an
# element.
_TOKEN = re.compile(
    r"<!--(q)[0-9]+-->|<!--(/q)[0-9]+-->|<!--p([0-9]+)-->|<!--.*?-->|<(/?[a-z]+[0-9]?)[^>]*>"
)
# What a link cannot stand in, and where words are no prose.
_NOT_IN = {"a", "code", "pre", "summary", "h4", "h5", "h6"}
_ENDS = {f"/{element}" for element in _NOT_IN}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word of a post means, for the margin; `id` is what the word names."""

    id: str
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Glossary:
    """The terms of one site version, ready to be found. `exact` and `folded` are spellings that
    tell with one look that a text holds no term at all."""

    site_version: int
    terms: Sequence[Term]
    exact: tuple[str, ...]
    folded: tuple[str, ...]
    pattern: re.Pattern[str] | None
    by_spelling: dict[str, Term]

    def explain(self, html: str, post_id: int) -> tuple[str, dict[int, list[Meaning]]]:
        """The stored HTML of a post in which the first use of each term is marked, and what they
        mean, by passage, for its margin; never in quotes, code, headings or links. Within a spoiler
        of some words the meaning stands there, since the margin would tell what is hidden.

        Not a button: its words could not be selected and so not be quoted in some browsers."""
        if not self._may_hold_one(html):
            return html, {}
        out: list[str] = []
        met: set[int] = set()
        meanings: dict[int, list[Meaning]] = {}
        closed = at = passage = hidden = 0
        for token in _TOKEN.finditer(html):
            words = html[at : token.start()]
            margin = None if hidden or not passage else meanings.setdefault(passage, [])
            out += (words if closed else self._mean(words, post_id, met, margin), token[0])
            at = token.end()
            passage = int(token[3] or passage)
            hidden += (token[4] == "span") - (token[4] == "/span")
            if token[1] or token[4] in _NOT_IN:
                closed += 1
            elif token[2] or token[4] in _ENDS:
                closed -= 1
        out.append(self._mean(html[at:], post_id, met, None))
        return "".join(out), {at: found for at, found in meanings.items() if found}

    def _may_hold_one(self, html: str) -> bool:
        if any(word in html for word in self.exact):
            return True
        small = html.lower()
        return any(word in small for word in self.folded)

    def _mean(self, words: str, post_id: int, met: set[int], margin: list[Meaning] | None) -> str:
        def mean(found: re.Match[str]) -> str:
            term = self.by_spelling.get(found[0]) or self.by_spelling[found[0].lower()]
            if term.pk in met:
                return found[0]
            met.add(term.pk)
            own = f"term-{post_id}-{term.pk}"
            marked = f'<dfn class="term" tabindex="0" aria-describedby="{own}">{found[0]}</dfn>'
            if margin is not None:
                margin.append(Meaning(own, unescape(found[0]), term.meaning))
                return marked
            return (
                f'{marked}<span class="meaning" id="{own}" dir="auto">{escape(term.meaning)}</span>'
            )

        return self.pattern.sub(mean, words) if self.pattern and words.strip() else words


def compiled(site_version: int, terms: Sequence[Term]) -> Glossary:
    """Make a glossary of terms. Spellings that hold a capital letter are found as they are written
    ("WI"), others in any case. Of two terms with one spelling the first has it; longer spellings
    are found before those that they begin with."""
    by_spelling: dict[str, Term] = {}
    for term in terms:
        for spelling in term.spellings:
            by_spelling.setdefault(escape(spelling, quote=False), term)
    exact = sorted((s for s in by_spelling if s != s.lower()), key=len, reverse=True)
    folded = sorted((s for s in by_spelling if s == s.lower()), key=len, reverse=True)
    parts = ["|".join(map(re.escape, exact))] if exact else []
    if folded:
        parts.append(f"(?i:{'|'.join(map(re.escape, folded))})")
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None
    return Glossary(site_version, terms, tuple(exact), tuple(folded), pattern, by_spelling)


_latest: Glossary | None = None


def for_reader(user, site_version: int) -> Glossary | None:
    """The glossary of this site version, or None for members who want no explanations."""
    if user.is_authenticated and not user.explain_terms:
        return None
    global _latest
    found = _latest
    if found is None or found.site_version != site_version:
        # Terms read now may be newer than the number; what is drawn with them is not kept longer.
        _latest = found = compiled(site_version, list(Term.objects.all()))
    return found


def forget() -> None:
    """Forget what was compiled, as a process that starts anew."""
    global _latest
    _latest = None
