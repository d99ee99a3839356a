// What keeps the page as it stands from being used by everybody, as sentences, and the looks whose
// contrast was asked for the first time; null where axe is needed and missing. Called by readers.faults.
async ({ ours, standards, rules, known, all }) => {
  // WCAG 2.5.8: 24 px, or inside a sentence, or with so much room around that circles of 24 px
  // about the centres of neighbours do not meet. axe measures that too, but leaves out what it
  // finds hidden.
  const small = () =>
    [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
      .filter((e) => e.checkVisibility() && e.type !== "hidden" && !e.closest(".trap, .skip, .vh"))
      .filter((e) => !(e.matches("a") && e.closest("p, li, dd, td, th, .prose, figcaption, label")
                       && getComputedStyle(e).display === "inline"))
      .map((e) => [e, (e.closest("label") || e).getBoundingClientRect()])
      .filter(([e, box]) => box.width < 23.5 || box.height < 23.5)
      .map(([e, box]) => `small target ${box.width.toFixed(1)} x ${box.height.toFixed(1)}: `
                         + e.outerHTML.slice(0, 120));
  // What sticks out to the side, if anything does; a list's bullet is no element.
  const wide = () =>
    document.documentElement.scrollWidth <= innerWidth ? [] :
      [...document.querySelectorAll("body :not(svg *)")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || e.matches(":has(> li)"))
        .map((e) => "too wide: " + e.outerHTML.slice(0, 120)).slice(-3);

  const scrolls = () => [...document.querySelectorAll("body *")].some((e) =>
    e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX));

  // How an element looks: its tag, classes, states and colours, and those of all it stands in.
  // What is equal in all that has the same contrast.
  const looked = new Map([[document, ""]]);
  const NAMES = /\b(app|column|field|model)-[\w-]+/g; // the admin writes out whose row it is
  const STATES = /^(data-|aria-(?!label|describedby|controls|owns)|type$|open$|disabled$|checked$)/;
  const look = (e) => {
    let known = looked.get(e);
    if (known === undefined) {
      const style = getComputedStyle(e);
      const states = [...e.attributes].filter((a) => STATES.test(a.name) && a.value.length < 40)
        .map((a) => `${a.name}=${/\d/.test(a.value) ? "" : a.value}`).sort();
      const classes = (e.className.baseVal ?? e.className).replace(NAMES, "");
      const own = [e.localName, classes, ...states, style.color,
        style.backgroundColor, style.backgroundImage.slice(0, 80), style.opacity, style.fontSize,
        style.fontWeight, style.position, style.textShadow].join("|");
      known = digest(look(e.parentNode instanceof ShadowRoot ? e.parentNode.host : e.parentNode)
                     + own);
      looked.set(e, known);
    }
    return known;
  };
  // FNV-1a, twice: 64 bits, short enough to be carried from page to page.
  const digest = (text) => {
    let one = 0x811c9dc5, two = 0x1000193;
    for (let at = 0; at < text.length; at++) {
      one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
      two = Math.imul(two ^ text.charCodeAt(at), 0x5bd1e995);
    }
    return (one >>> 0).toString(36) + (two >>> 0).toString(36);
  };
  const says = (e) => e.matches("input, select, textarea")
    || [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());

  const SIZE = ["link-in-text-block", "scrollable-region-focusable", "target-size"];
  const options = { resultTypes: ["violations"], preload: false }; // it writes inline style
  const axed = async (where, runOnly, rules = {}) =>
    (await axe.run(where, { ...options, runOnly, rules })).violations.flatMap((found) =>
      found.nodes.map((node) =>
        `${found.id}: ${node.target} ${node.html.slice(0, 200)} ${node.failureSummary || ""}`));

  const seen = new Set(known), fresh = new Map();
  for (const e of all ? [] : document.querySelectorAll("body *"))
    if (e.checkVisibility() && says(e) && !seen.has(look(e)) && !fresh.has(look(e)))
      fresh.set(look(e), e);
  // What depends on the size and theme alone is the same where nothing looks new and nothing scrolls.
  if (rules === "size" && ours && !fresh.size && !scrolls()) rules = "none";
  if (!window.axe && (rules !== "none" || fresh.size)) return null;

  const faults = [...(ours ? small() : []), ...wide()];
  const target = { "target-size": { enabled: !ours } };
  if (rules === "all")
    faults.push(...await axed(document, { type: "tag", values: standards },
                              { ...target, "color-contrast": { enabled: all } }));
  else if (rules === "size")
    faults.push(...await axed(document, { type: "rule", values: SIZE }, target));
  if (fresh.size)
    faults.push(...await axed({ include: [...fresh.values()] },
                              { type: "rule", values: ["color-contrast"] }));
  return { faults, looks: [...fresh.keys()] };
}
