"""What the markup gives out, read by a browser: nothing is moved, closed or added, and nothing is
there but what the markup may write. JONBAR_LONG=1 reads twenty thousand texts.
"""

import random

from forum.text.markup import MarkupError, render
from tests.text.markup.hostile import HOSTILE
from tests.text.markup.soundness import ALLOWED, LONG, PIECES, filled

TEXTS = 20_000 if LONG else 400
# An element that the markup leaves to the page, with what it puts there.
LAID_IN = {"blockquote": {"id"}, "sup": {"class"}, "a": {"class", "id", "aria-label"}}

READ = """([texts, allowed]) => texts.map((text) => {
  const page = new DOMParser().parseFromString("<!DOCTYPE html><body>", "text/html");
  page.body.innerHTML = `<div id=box>${text}</div><p id=after></p>`;
  const box = page.body.firstChild, found = [];
  if (page.body.children.length !== 2 || page.body.lastChild.id !== "after") found.push("left");
  if (box.innerHTML !== text) found.push("changed: " + box.innerHTML);
  for (const element of box.querySelectorAll("*")) {
    const may = allowed[element.localName];
    if (!may || element.namespaceURI !== "http://www.w3.org/1999/xhtml")
      found.push(element.outerHTML);
    else for (const attribute of element.attributes)
      if (!may.includes(attribute.name)) found.push(element.localName + " " + attribute.name);
  }
  for (const link of box.querySelectorAll("a"))
    if (!["http:", "https:", "mailto:"].includes(new URL(link.getAttribute("href"), "https://a.test/").protocol))
      found.push(link.href);
  const comments = page.createNodeIterator(page, NodeFilter.SHOW_COMMENT);
  if (comments.nextNode()) found.push("a comment");
  return found;
})"""


def texts() -> list[str]:
    """Every hostile source, and pieces of markup in any order, the same each time."""
    choice = random.Random("markup")
    found = [source for _, format, source in HOSTILE if format == "markdown"]
    found += ["".join(choice.choices(PIECES, k=choice.randint(2, 60))) for _ in range(TEXTS)]
    return found


def test_a_browser_reads_what_was_written(chromium, record_property):
    allowed = {tag: set(names) for tag, names in ALLOWED.items()}
    for tag, names in LAID_IN.items():
        allowed[tag] = allowed.get(tag, set()) | names
    for tag in allowed:
        allowed[tag].add("id")
    sent = {tag: sorted(names) for tag, names in allowed.items()}
    pages = []
    for text in texts():
        try:
            rendered = render(text, format="markdown")
        except MarkupError:
            continue
        pages.append((text, filled(rendered, members={"member-a": "/members/member-a/"})))
    assert len(pages) > TEXTS * 0.9
    page = chromium.new_page()
    wrong = []
    for start in range(0, len(pages), 200):
        part = pages[start : start + 200]
        told = page.evaluate(READ, [[html for _, html in part], sent])
        wrong += [(text, html, said) for (text, html), said in zip(part, told, strict=True) if said]
    page.close()
    assert wrong == []
    record_property("measured", f"{len(pages)} texts")
