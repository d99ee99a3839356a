"""The parser of CommonMark with the forum's own rules."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, reference, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, link
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def, footnote_ref

from .addresses import BARE_URL, href_of, is_allowed, trimmed_url
from .limits import MAX_CELLS, MAX_NESTING, MAX_QUOTES, MarkupError, refuse_depth, refuse_more
from .pictures import pictures_rule


def _tag_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a paired tag and the blocks up to its partner."""
    tag = state.env["tags"].get(start)
    if tag is None or tag.end >= end or state.is_code_block(start):
        return False
    if silent:
        return True
    # In a list item the lines up to the closing tag belong to it, however far in they are.
    for line in range(start, tag.end + 1):
        state.sCount[line] = max(state.sCount[line], state.blkIndent)
    state.push(f"{tag.kind}_open", "", 1).meta = {"tag": tag}
    # Paragraphs look for their end up to lineMax, whatever range they are called with.
    outside = state.parentType, state.lineMax
    state.parentType, state.lineMax = "quote", tag.end
    state.md.block.tokenize(state, start + 1, tag.end)
    state.parentType, state.lineMax = outside
    state.line = tag.end + 1
    state.push(f"{tag.kind}_close", "", -1)
    return True


def _table_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a table, unless it would have too many cells."""
    if not table(state, start, end, True):
        return False
    if silent:
        return True
    rows = start + 1
    while rows < end and not state.isEmpty(rows):
        rows += 1
    columns = state.src.count("|", state.bMarks[start + 1], state.eMarks[start + 1]) + 1
    cells = state.env.get("cells", 0) + columns * (rows - start - 1)
    if cells > MAX_CELLS:
        raise MarkupError(f"The tables of a post hold at most {MAX_CELLS:,} cells.")
    state.env["cells"] = cells
    return table(state, start, end, False)


_FOOTNOTE = re.compile(r"\[\^([^\s\]]+)\]:")


def _footnote_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a footnote's text, at top level only. In a quote it would carry somebody else's
    words into the post's own. The next line may hold the next footnote. A second text of the same
    one is none, and so is read where it stands: the library would show it in place of the first."""
    found = _FOOTNOTE.match(state.src, state.bMarks[start] + state.tShift[start])
    known = state.env.get("footnotes", {}).get("refs", {})
    if found is None or f":{found[1]}" in known:
        return False
    if silent and state.env.get("in_footnote") and state.sCount[start] < state.blkIndent:
        return True  # it ends the paragraph in there, and is read when the footnote has ended
    if state.level:
        return False
    state.env["in_footnote"] = not silent
    is_one = footnote_def(state, start, end, silent)
    state.env["in_footnote"] = False
    return is_one


def _footnotes_rule(state: StateCore) -> None:
    """Core rule: footnotes that nothing refers to come after those that something does. The library
    would drop their words."""
    footnotes = state.env.get("footnotes", {"refs": {}})
    for name, number in footnotes["refs"].items():
        if number < 0:
            footnotes["list"][len(footnotes["list"])] = {"label": name[1:], "count": 0}


def _reference_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: `[label]: address`. A footnote that is none here is text, no address."""
    if state.src.startswith("[^", state.bMarks[start] + state.tShift[start]):
        return False
    return reference(state, start, end, silent)


_FOOTNOTE_REFERENCE = re.compile(r"\[\^[^\s\]]{1,50}\]")


def _footnote_reference_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `[^label]`. The library's own looks for the "]" from every "[^", to the end."""
    found = _FOOTNOTE_REFERENCE.match(state.src, state.pos, state.posMax)
    return found is not None and footnote_ref(state, silent)


def _image_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `![words](address)` is a link, and `![` without the rest is text."""
    if not state.src.startswith("![", state.pos):
        return False
    start = state.pos
    state.pos += 1
    if silent:  # the parser remembers how far this went; asking `link` would do it all again
        state.md.inline.skipToken(state)
        if state.pos == start + 2:
            state.pos = start
            return False
    elif not link(state, False):
        state.append_pending("![")
        state.pos = start + 2
    return True


def _url_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: a bare web address, where no link is open."""
    if silent or state.linkLevel or state.src[state.pos] not in "hH":
        return False
    found = BARE_URL.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    url = trimmed_url(found[0])
    if not url:  # not looked at again: "http://" in a row would be quadratic
        state.append_pending(found[0])
        state.pos = found.end()
        return True
    state.push("link_open", "a", 1).attrs = {"href": href_of(url)}
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos += len(url)
    return True


_MENTION = re.compile(r"@(\w(?:[\w.-]{0,28}\w)?)(?![.-]{0,30}[\w@]|://)")


def _mention_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: @name, not in a word, a mail address or a link."""
    before = state.src[state.pos - 1] if state.pos else " "
    if state.src[state.pos] != "@" or state.linkLevel or before.isalnum() or before in "_./@+-":
        return False
    found = _MENTION.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("mention", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _spoiler_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: two bars that may begin or end a spoiler, paired later as emphasis is."""
    if silent or not state.src.startswith("||", state.pos):
        return False
    run = state.scanDelims(state.pos, True)
    state.push("text", "", 0).content = "|" * run.length
    if run.length == 2:
        state.delimiters.append(
            Delimiter(ord("|"), 0, len(state.tokens) - 1, -1, run.can_open, run.can_close)
        )
    state.pos += run.length
    return True


def _spoiler_pairs(state: StateInline) -> None:
    """Turn the bars that found each other into tokens."""
    metas = (meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta)
    for delimiters in (state.delimiters, *metas):
        for first in delimiters:
            if first.marker == ord("|") and first.end >= 0:
                second = delimiters[first.end]
                for token, side, nesting in (
                    (state.tokens[first.token], "open", 1),
                    (state.tokens[second.token], "close", -1),
                ):
                    token.type, token.nesting, token.content = f"hidden_{side}", nesting, ""


def _parser() -> MarkdownIt:
    options = {"html": False, "typographer": False, "linkify": False, "maxNesting": MAX_NESTING}
    md = MarkdownIt("js-default", options)
    md.use(footnote_plugin, inline=False)
    breaks_in: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    md.block.ruler.before("table", "tag", _tag_rule, breaks_in)
    md.block.ruler.before("table", "pictures", pictures_rule, breaks_in)
    md.block.ruler.at("table", _table_rule, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("footnote_def", _footnote_rule, {"alt": ["paragraph", "reference"]})
    md.block.ruler.at("reference", _reference_rule)
    md.core.ruler.before("footnote_tail", "footnotes", _footnotes_rule)
    md.inline.ruler.at("image", _image_rule)
    md.inline.ruler.at("footnote_ref", _footnote_reference_rule)
    md.inline.ruler.after("text", "url", _url_rule)
    md.inline.ruler.after("url", "mention", _mention_rule)
    md.inline.ruler.before("emphasis", "spoiler", _spoiler_rule)
    md.inline.ruler2.before("emphasis", "spoiler", _spoiler_pairs)
    md.disable(["html_block", "html_inline", "linkify"])
    md.disable(["replacements", "smartquotes"])
    # Where text may end: the beginnings of what the inline rules read, and no other sign, since
    # every stop costs a call of each rule.
    md.inline.terminator_re = re.compile(
        r"[\n*<\[\]\\_`@]|&(?=[#\w])|!(?=\[)|~~|\|\||(?<![\w\\])https?://", re.IGNORECASE
    )
    # The library's own way to say which addresses a link may lead to.
    setattr(md, "normalizeLink", href_of)  # noqa: B010
    setattr(md, "normalizeLinkText", str)  # noqa: B010
    setattr(md, "validateLink", is_allowed)  # noqa: B010
    return md


MARKDOWN = _parser()
_BOXES = {"list_item_open", "blockquote_open", "quote_open", "spoiler_open"}


def check_nesting(tokens: Sequence[Token]) -> None:
    """Refuse what nests too deeply, before the parser's silent cut becomes a loss of words."""
    quotes = depth = 0
    for token in tokens:
        if token.type in _BOXES and token.level + 1 >= MAX_NESTING:
            raise MarkupError(f"Lists and quotes stand at most {MAX_NESTING // 2 - 1} deep.")
        if token.type in ("quote_open", "blockquote_open"):
            quotes += 1
            depth += 1
            refuse_depth(depth)
        elif token.type in ("quote_close", "blockquote_close"):
            depth -= 1
    refuse_more("quotes", quotes, MAX_QUOTES)
