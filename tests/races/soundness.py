"""An independent check of the whole forum that reads only the rows.

It imports nothing from the forum: what must hold is written out here a second time, from the
model's description, so that a mistake in forum.tree or forum.actions cannot hide itself.
"""

import hashlib
import json
from collections import defaultdict

from django.db import DatabaseError

CURLY = str.maketrans("‘’‚‛“”„‟", "''''\"\"\"\"")


def faults(connection) -> list[str]:
    """What is wrong in the forum behind a Django `connection`, one sentence each; best empty."""
    posts = _rows(
        connection,
        "SELECT id, thread_id, parent_id, parent_basis, number, state, origin_id, loaded_at,"
        " lft, rght, level, tree_id, merged_into_id, branch_locked, has_poll FROM forum_post",
    )
    threads = _rows(
        connection,
        "SELECT id, board_id, state, numbered, reply_count, last_post_id, last_post_at, created_at,"
        " branch_locks, merged_into_id, title FROM forum_thread",
    )
    by_thread = defaultdict(list)
    for post in posts:
        by_thread[post["thread_id"]].append(post)
    found = []
    for thread in threads:
        if thread["state"] != "loading":
            found += _thread_faults(thread, by_thread[thread["id"]])
    found += _merged_faults(threads, posts)
    found += _place_faults(posts)
    found += _repeated_faults(connection, threads, posts)
    found += _board_faults(connection, threads)
    found += _text_faults(connection, posts)
    found += _quote_faults(connection)
    found += _index_faults(connection)
    found += _poll_faults(connection, posts)
    return found


def _poll_faults(connection, posts: list[dict]) -> list[str]:
    """Every ballot is one of its poll, every member has one at most, and all of them are counted
    once; no post shows a poll that is not there."""
    polls = {poll["post_id"]: poll for poll in _rows(connection, "SELECT * FROM forum_poll")}
    ballots = _rows(connection, "SELECT poll_id, member_id, chosen FROM forum_ballot")
    shown = {post["id"] for post in posts if post["has_poll"]}
    found = [f"post {pk} has no poll" for pk in shown - polls.keys()]
    for pk, poll in polls.items():
        mine = [ballot for ballot in ballots if ballot["poll_id"] == pk]
        members = [ballot["member_id"] for ballot in mine if ballot["member_id"]]
        if len(set(members)) < len(members):
            found.append(f"somebody voted twice in the poll of post {pk}")
        chosen = [json.loads(ballot["chosen"]) for ballot in mine]
        if any(not one or len(one) > poll["most"] or len(set(one)) < len(one) for one in chosen):
            found.append(f"a ballot in the poll of post {pk} is none")
        brought = json.loads(poll["brought"]) or [0] * len(json.loads(poll["choices"]))
        counts = [before + sum(n in one for one in chosen) for n, before in enumerate(brought)]
        told = json.loads(poll["counts"]), poll["voters"]
        if told != (counts, poll["voters_brought"] + len(mine)):
            found.append(f"the poll of post {pk} counts {told}, its ballots say {counts}")
    return found


def _rows(connection, statement: str) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _thread_faults(thread: dict, posts: list[dict]) -> list[str]:
    """Numbers, counters, parents and trees of one thread."""
    found, name = [], f"thread {thread['id']}"
    planted = sorted((p for p in posts if p["number"] is not None), key=lambda p: p["number"])
    for post in posts:
        waits = post["state"] in ("pending", "rejected")
        # Who takes a waiting post back leaves it without a number.
        if (post["number"] is None) != waits and (post["number"], post["state"]) != (
            None,
            "removed",
        ):
            found.append(f"post {post['id']}: {post['state']} with number {post['number']}")
    numbers = [post["number"] for post in planted]
    if numbers != list(range(1, len(planted) + 1)):
        found.append(f"{name}: its numbers are {numbers}")
    if thread["numbered"] != len(planted):
        found.append(f"{name}: numbered {thread['numbered']}, has {len(planted)}")
    locks = sum(bool(post["branch_locked"]) for post in planted)
    if thread["branch_locks"] != locks:
        found.append(f"{name}: counts {thread['branch_locks']} locked branches, has {locks}")
    openings = [post["number"] for post in planted if post["parent_basis"] == "opening"]
    # A debate whose opening waits, or was taken back while it did, has nothing that arrived.
    waits = any(p["parent_basis"] == "opening" and p["number"] is None for p in posts)
    # Of a merged debate nothing is left, or all of it, as doubles.
    right = ([],) if waits else ([], [1]) if thread["state"] == "merged" else ([1],)
    if openings not in right:
        found.append(f"{name}: its openings are {openings}")
    standing = [post for post in planted if post["state"] == "visible"]
    answers = sum(post["parent_basis"] != "opening" for post in standing)
    if thread["reply_count"] != answers:
        found.append(f"{name}: counts {thread['reply_count']} replies, has {answers}")
    last = standing[-1] if standing else None
    if thread["last_post_id"] != (last and last["id"]):
        found.append(f"{name}: last post {thread['last_post_id']}, not {last and last['id']}")
    if not last:
        if thread["last_post_at"] != thread["created_at"]:
            found.append(f"{name}: nothing stands, yet last_post_at is not its beginning")
    elif last["origin_id"] is None and thread["last_post_at"] != last["loaded_at"]:
        found.append(f"{name}: last_post_at is not that of post {last['id']}")
    return found + _tree_faults(planted)


def _tree_faults(planted: list[dict]) -> list[str]:
    """Compare the labels of a thread's posts, in order of their numbers, with those that follow
    from their parents: a walk through each tree that counts every arrival and every departure."""
    found = []
    by_id = {post["id"]: post for post in planted}
    answers = defaultdict(list)
    for post in planted:
        parent = by_id.get(post["parent_id"])
        if post["parent_id"] is None:
            continue
        answers[post["parent_id"]].append(post["id"])
        if parent is None:
            found.append(f"post {post['id']}: its parent is not a numbered post of its thread")
        elif parent["parent_basis"] == "opening":
            found.append(f"post {post['id']}: answers the opening, but is no root")
        elif parent["number"] >= post["number"]:
            found.append(f"post {post['id']}: came before the post that it answers")
        if post["parent_basis"] in ("opening", "unknown"):
            found.append(f"post {post['id']}: {post['parent_basis']} with a parent")
    reached = set()
    for root in planted:
        if root["parent_id"] is not None:
            continue
        count, level = 0, 0
        steps = [(root["id"], True)]
        arrived = {}
        while steps:
            pk, arriving = steps.pop()
            count += 1
            if arriving:
                arrived[pk] = count, level
                level += 1
                steps.append((pk, False))
                steps += [(child, True) for child in reversed(answers[pk])]
                continue
            level -= 1
            reached.add(pk)
            right = (root["id"], arrived[pk][0], count, arrived[pk][1])
            stored = tuple(by_id[pk][name] for name in ("tree_id", "lft", "rght", "level"))
            if stored != right:
                found.append(f"post {pk}: its place is {stored}, should be {right}")
    found += [f"post {pk}: no way leads to it" for pk in by_id if pk not in reached]
    return found


def _merged_faults(threads: list[dict], posts: list[dict]) -> list[str]:
    """A debate that went into another one holds doubles alone, and leads to one that is there; a
    double leads to a post that is none."""
    found = []
    there = {thread["id"]: thread for thread in threads}
    doubles = {post["id"]: post["merged_into_id"] for post in posts if post["merged_into_id"]}
    for thread in threads:
        if (thread["state"] == "merged") != (thread["merged_into_id"] is not None):
            found.append(
                f"thread {thread['id']}: {thread['state']} into {thread['merged_into_id']}"
            )
    for post in posts:
        merged = there[post["thread_id"]]["state"] == "merged"
        if merged != (post["id"] in doubles):
            found.append(f"post {post['id']}: double of {post['merged_into_id']}, merged: {merged}")
        if doubles.get(post["id"]) in doubles:
            found.append(f"post {post['id']}: is the double of a double")
    return found


def _repeated_faults(connection, threads: list[dict], posts: list[dict]) -> list[str]:
    """Rows that repeat the address of a post name the thread in which it stands."""
    found = []
    home = {post["id"]: post["thread_id"] for post in posts}
    numbered = {thread["id"]: thread["numbered"] for thread in threads}
    for table in ("forum_passagekey", "forum_pictureuse", "forum_threadmark"):
        for row in _rows(connection, f"SELECT DISTINCT thread_id, post_id FROM {table}"):
            if home[row["post_id"]] != row["thread_id"]:
                found.append(f"{table}: post {row['post_id']} in thread {row['thread_id']}")
    for row in _rows(connection, "SELECT id, target FROM forum_draft"):
        if row["target"].startswith("/threads/") and "?to=" in row["target"]:
            thread, post = int(row["target"].split("/")[2]), int(row["target"].split("=")[1])
            if home.get(post) != thread:
                found.append(f"draft {row['id']}: answers post {post} in thread {thread}")
    for row in _rows(connection, "SELECT id, thread_id, ranges, count FROM forum_readmark"):
        parts = [part.split("-") for part in row["ranges"].split(",") if part]
        count = sum(int(last) - int(first) + 1 for first, last in parts)
        merged = next(t["state"] for t in threads if t["id"] == row["thread_id"]) == "merged"
        if count != row["count"]:
            found.append(f"read mark {row['id']}: counts {row['count']}, holds {row['ranges']}")
        if parts and not merged and int(parts[-1][1]) > numbered[row["thread_id"]]:
            found.append(f"read mark {row['id']}: {row['ranges']} is past the end")
    return found


def _place_faults(posts: list[dict]) -> list[str]:
    """No two posts of the forum stand in one place; a waiting post stands outside all trees."""
    found = []
    places, trees = {}, {}
    for post in posts:
        if post["number"] is None and (post["tree_id"], post["lft"], post["rght"]) != (
            -post["id"],
            1,
            2,
        ):
            found.append(f"post {post['id']}: waits, but stands in tree {post['tree_id']}")
        place = post["tree_id"], post["lft"]
        if place in places:
            found.append(f"posts {places[place]} and {post['id']} share a place")
        places[place] = post["id"]
        if trees.setdefault(post["tree_id"], post["thread_id"]) != post["thread_id"]:
            found.append(f"tree {post['tree_id']} reaches into two threads")
    return found


def _board_faults(connection, threads: list[dict]) -> list[str]:
    counts = defaultdict(int)
    for thread in threads:
        counts[thread["board_id"]] += thread["state"] == "visible"
    return [
        f"board {board['id']}: counts {board['thread_count']}, has {counts[board['id']]}"
        for board in _rows(connection, "SELECT id, thread_count FROM forum_board")
        if board["thread_count"] != counts[board["id"]]
    ]


def _text_faults(connection, posts: list[dict]) -> list[str]:
    """Every post has revisions 1..k and the HTML of the last."""
    found = []
    revisions = defaultdict(dict)
    for row in _rows(
        connection, "SELECT id, post_id, number, source, sha256 FROM forum_postrevision"
    ):
        revisions[row["post_id"]][row["number"]] = row["id"]
        if hashlib.sha256(row["source"].encode()).hexdigest() != row["sha256"]:
            found.append(f"revision {row['id']}: its text is not the one that was summed")
    bodies = {
        row["post_id"]: row
        for row in _rows(
            connection,
            "SELECT post_id, revision_id, revision_number, edited_at, html FROM forum_postbody",
        )
    }
    for post in posts:
        mine, body = revisions[post["id"]], bodies.get(post["id"])
        last = len(mine)
        if not mine or set(mine) != set(range(1, last + 1)):
            found.append(f"post {post['id']}: its revisions are {sorted(mine)}")
        elif body is None or not body["html"]:
            found.append(f"post {post['id']}: has no HTML")
        elif (body["revision_id"], body["revision_number"]) != (mine[last], last):
            found.append(f"post {post['id']}: shows revision {body['revision_number']} of {last}")
        elif (body["edited_at"] is None) != (last == 1):
            found.append(f"post {post['id']}: edited_at does not fit {last} revisions")
    return found


def _index_faults(connection) -> list[str]:
    """SQLite's index holds the words of its rows and no others; PostgreSQL sees to that itself."""
    found = []
    if connection.vendor == "sqlite":
        for table in ("forum_postwords_fts", "forum_debatewords_fts"):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"INSERT INTO {table}({table}, rank) VALUES('integrity-check', 1)"
                    )
            except DatabaseError as error:
                found.append(f"{table}: {error}")
    return found


def _quote_faults(connection) -> list[str]:
    """A quote belongs to a revision of its post and holds the words of the revision it names."""
    found = []
    for row in _rows(
        connection,
        'SELECT q.id, q.verdict, q.words, q.start, q."end" AS stop, q.parts, q.post_id,'
        " q.source_post_id, q.source_revision_id, mine.post_id AS of_post,"
        " source.post_id AS of_source, source.plain FROM forum_quote AS q"
        " JOIN forum_postrevision AS mine ON mine.id = q.revision_id"
        " LEFT JOIN forum_postrevision AS source ON source.id = q.source_revision_id",
    ):
        name = f"quote {row['id']}"
        if row["post_id"] != row["of_post"]:
            found.append(f"{name}: stands in a revision of another post")
        if row["source_post_id"] != row["of_source"]:
            found.append(f"{name}: its source revision is of another post")
        if row["verdict"] == "unverifiable":
            if row["source_post_id"] is not None:
                found.append(f"{name}: unverifiable, yet it names a source")
            continue
        if row["plain"] is None:
            found.append(f"{name}: {row['verdict']} without a source")
        elif not 0 <= row["start"] < row["stop"] <= len(row["plain"]):
            found.append(f"{name}: its span lies outside its source")
        elif row["verdict"] == "exact":
            said = row["plain"][row["start"] : row["stop"]]
            if _plain(said) != _plain(row["words"]):
                found.append(f"{name}: exact, but the source says {said!r}")
        elif row["verdict"] == "shortened":
            parts = json.loads(row["parts"]) if isinstance(row["parts"], str) else row["parts"]
            said = [_plain(row["plain"][start:end]) for start, end in parts]
            words, at = _plain(row["words"]), 0
            for part in said:
                at = words.find(part, at)
                if at < 0:
                    found.append(f"{name}: shortened, but {part!r} is not in it")
                    break
                at += len(part)
    return found


def _plain(text: str) -> str:
    """As quotes are compared: any white space is one space, quotation marks are straight."""
    return " ".join(text.translate(CURLY).split())
