"""The outline of a debate for other programs: as Argdown and as plain data."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping

from forum.models import Stance

from .outline import Entry, Outline, Passage

# What Argdown takes for the beginning of something else than text.
_SPECIAL = re.compile(r"[\\@#*_\[\]<>{}=]|[.:](?=\S)|/(?=[/*])|-(?=-)")


# Stances that are no relations of Argdown's: tags, and data that name what they are toward.
_TAGS = {Stance.ASKS: "asks", Stance.EVIDENCE: "evidence"}


def argdown(outline: Outline, *, address: str) -> str:
    """The outline in Argdown: a passage is a statement, a reply an argument. Argdown knows support
    and attack. Evidence is support with a tag; who asks neither supports nor attacks, and stands
    apart with a tag. Data say in either case toward which passages: `{asks: ["5.4"]}`."""
    lines = ["===", f"title: {_yaml(outline.thread.title)}", f"source: {_yaml(address)}", "==="]
    lines += ["", f"# {_escaped(outline.thread.title)}"]
    if outline.after:
        lines += ["", f"// Up to #{outline.after - 1} only: the debate goes on."]
    tags = _tags_by_post(outline)
    related = set()
    for passage in outline.passages:
        lines += ["", _argument(passage)]
        for entry in passage.entries:
            if entry.stance != Stance.ASKS:
                related.add(entry.post.pk)
                sign = "-" if entry.stance == Stance.DISPUTES else "+"
                lines.append(f"  {sign} {_reply(entry, tags)}")
    for entry in outline.entries():
        if entry.post.pk not in related:
            related.add(entry.post.pk)
            lines += ["", _reply(entry, tags)]
    return "\n".join(lines) + "\n"


def _tags_by_post(outline: Outline) -> dict[int, str]:
    """By post: the tags and data that stand behind a reply's words."""
    toward: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in outline.entries():
        if entry.stance in _TAGS:
            toward[entry.post.pk][_TAGS[Stance(entry.stance)]].append(entry.toward.title)
    return {
        pk: "".join(f" #{name}" for name in found)
        + " {"
        + ", ".join(f"{name}: {json.dumps(titles)}" for name, titles in found.items())
        + "}"
        for pk, found in toward.items()
    }


def _argument(passage: Passage) -> str:
    head = f"[{passage.title}]" if passage.passage else f"<{passage.title}>"
    return f"{head}: {_escaped(passage.text)}"


def _reply(entry: Entry, tags: Mapping[int, str]) -> str:
    return f"<{entry.post.number}>: {_escaped(entry.text)}{tags.get(entry.post.pk, '')}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text) or "(not shown)"


def _yaml(text: str) -> str:
    # A row of "=" would end the front matter.
    return json.dumps(text, ensure_ascii=False).replace("=", "\\u003d")


def as_json(outline: Outline, *, address: str) -> dict:
    """The outline as plain data."""
    return {
        "format": 1,
        "debate": {"title": outline.thread.title, "address": address},
        "goes_on_at": outline.after,
        "passages": [
            {
                "post": passage.post.pk,
                "number": passage.post.number,
                "passage": passage.passage,
                "writer": passage.writer,
                "text": passage.text,
                "stances": [_entry_data(entry) for entry in passage.entries],
            }
            for passage in outline.passages
        ],
        "questions": [
            {
                "text": text,
                "answers": [
                    {
                        "post": row.post_id,
                        "number": row.post.number,
                        "passage": row.passage,
                        "verdict": row.verdict,
                    }
                    for row in rows
                ],
            }
            for text, rows in outline.answers
        ],
    }


def _entry_data(entry: Entry) -> dict:
    return {
        "stance": entry.stance,
        "post": entry.post.pk,
        "number": entry.post.number,
        "writer": entry.post.writer,
        "text": entry.text,
        "changed_minds": [
            {"from": change.was, "to": change.now, "reason": change.reason}
            for change in entry.minds
        ],
    }
