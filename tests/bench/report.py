"""Turns samples into the table: medians, ratios to the reference, and the figures to reach."""

import re
from collections import defaultdict
from statistics import median, quantiles

KILO = 1024
MS = 1_000_000
REFERENCE = "reference, visitor"


def table(results: dict, earlier: dict | None = None) -> str:
    """The results as Markdown: the figures to reach, then every page; with the ratios of an
    `earlier` run beside them if one is given."""
    lines = [] if results["only"] else summary(results)
    before = lines_of(earlier) if earlier else {}
    lines_now = lines_of(results)
    out = [
        f"{results['database']}, Python {results['python']}, Django {results['django']},"
        f" {results['machine']}.",
        "",
        "| to reach | at most | measured | |",
        "|---|---|---|---|",
        *lines,
        "",
        "| page | CPU ms (web + database) | × reference (quartiles) | "
        + ("earlier | " if before else "")
        + "wall ms | queries | HTML KB (gzip) |",
        "|---|---|---|---|---|---|" + "---|" * bool(before),
    ]
    for name, line in lines_now.items():
        fact = results["facts"].get(name, {})
        old = before.get(name)
        cells = [
            name,
            f"{line['cpu']:.1f} ({line['web']:.1f} + {line['database']:.1f})",
            f"{line['ratio']:.1f} ({line['low']:.1f}–{line['high']:.1f})",
            *([f"{old['ratio']:.1f}" if old else ""] if before else []),
            f"{line['wall']:.1f}",
            str(fact.get("queries", "")),
            f"{fact['html'] / KILO:.0f} ({fact['gzip'] / KILO:.1f})" if "html" in fact else "",
        ]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)


def lines_of(results: dict) -> dict[str, dict[str, float]]:
    """Of each page the medians of its samples, and its ratio to the reference of the same round."""
    reference = defaultdict(list)
    for sample in results["samples"]:
        if sample["page"] == REFERENCE:
            reference[sample["round"]].append(_cpu(sample))
    grouped = defaultdict(list)
    for sample in results["samples"]:
        grouped[sample["page"]].append(sample)
    found = {}
    for name in sorted(grouped, key=_order):
        samples = grouped[name]
        ratios = [_cpu(s) / median(reference[s["round"]]) for s in samples]
        low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        found[name] = {
            "cpu": median(map(_cpu, samples)),
            "web": median(s["web"] / s["requests"] / MS for s in samples),
            "database": median(s["database"] / s["requests"] / MS for s in samples),
            "ratio": median(ratios),
            "low": low,
            "high": high,
            "wall": median(wall / MS for s in samples for wall in s["wall"]),
        }
    return found


def _cpu(sample: dict) -> float:
    return (sample["web"] + sample["database"]) / sample["requests"] / MS


def _order(name: str) -> tuple:
    """Reference, lists, threads by view and size, the rest, writes."""
    kinds = ("reference", "home", "board", "flat", "tree", "road", "profile", "reply", "edit")
    kind = name.partition(" ")[0].rstrip(",")
    size = re.search(r"\d[\d,]*\d", name)
    number = int(size[0].replace(",", "")) if size else 0
    place = next((n for n, p in enumerate(("first", "middle", "last", "cold")) if p in name), 0)
    who = name.rpartition(", ")[2]
    return kinds.index(kind) if kind in kinds else len(kinds), number, place, -ord(who[0]), who


def summary(results: dict) -> list[str]:
    """The figures to reach, each with what was measured and whether it is met."""
    lines, facts, sizes = lines_of(results), results["facts"], results["sizes"]
    largest, usual = max(sizes), max(size for size in sizes if size <= 10_000)

    def worst(pattern: str, value: str = "ratio", source: dict = lines) -> float:
        return max(line[value] for name, line in source.items() if re.match(pattern, name))

    def mean(pattern: str) -> float:
        return lines[pattern]["ratio"]

    replies = [line["ratio"] for name, line in lines.items() if name.startswith("reply")]
    ends = f"last page of {largest:,} : first page of {min(sizes):,}"
    first, last = f"flat {min(sizes):,}, first page", f"flat {largest:,}, last page"
    queries = "query count: thread page,"
    thread = r"(flat|tree) [\d,]+, "
    wire = sum(results["first view"].values()) / KILO
    rows = [
        (
            f"thread page of {usual:,}, visitor, warm",
            1.5,
            worst(rf"(flat|tree) {usual:,}, (first|middle|last).*visitor"),
            "×",
        ),
        (
            f"thread page of {usual:,}, visitor, cold",
            4,
            worst(rf"(flat|tree) {usual:,}, cold.*visitor"),
            "×",
        ),
        ("thread page, member, warm", 4, worst(thread + r"(first|middle|last).*member"), "×"),
        ("thread page, member, cold", 4, worst(thread + r"cold pages, member"), "×"),
        ("board page, member", 3, lines["board, member"]["ratio"], "×"),
        (f"{ends}, visitor", 1.1, mean(f"{last}, visitor") / mean(f"{first}, visitor"), ""),
        (f"{ends}, member", 1.1, mean(f"{last}, member") / mean(f"{first}, member"), ""),
        ("a reply", 8, max(replies), "×"),
        ("a reply, dearest thread : cheapest", 1.2, max(replies) / min(replies), ""),
        (f"{queries} member", 8, worst(thread + ".*(member|newcomer)", "queries", facts), ""),
        (
            f"{queries} visitor, warm",
            2,
            worst(thread + "(first|middle|last).*visitor", "queries", facts),
            "",
        ),
        (
            f"{queries} visitor, cold",
            6,
            worst(thread + "cold.*visitor", "queries", facts),
            "",
        ),
        ("HTML of a page of 20 posts", 60, worst(thread, "html", facts) / KILO, " KB"),
        ("first view, all files, on the wire", 60, wire, " KB"),
        (
            "resident memory of a worker",
            120,
            max(results["memory"].values()) / KILO / KILO,
            " MB",
        ),
    ]
    return [
        f"| {what} | {limit:g}{unit} | {value:.4g}{unit} | "
        f"{'met' if value <= limit else '**missed**'} |"
        for what, limit, value, unit in rows
    ]
