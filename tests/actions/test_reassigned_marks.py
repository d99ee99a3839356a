"""Where what was read is found after posts went elsewhere."""

from random import Random

from forum.actions import read_state, reassigned_marks


def shuffled(random: Random) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """(thread, number) before and now, of two threads whose posts went to two others, mostly in
    their order."""
    queues = {source: list(range(1, random.randint(1, 30))) for source in (1, 2)}
    now, moves = {3: 0, 4: 0}, []
    while any(queues.values()):
        source = random.choice([one for one in queues if queues[one]])
        target = random.choice((3, 3, 3, 4))
        now[target] += 1
        number = queues[source].pop(0 if random.random() < 0.9 else -1)
        moves.append(((source, number), (target, now[target])))
    return sorted(moves)


def test_what_was_read_is_found_where_it_went():
    random = Random(11)
    for _ in range(400):
        moves = shuffled(random)
        read = [before for before, _ in moves if random.random() < random.choice((0.1, 0.5, 0.95))]
        ranges = {
            source: read_state.columns(
                reassigned_marks.united((n, n) for one, n in read if one == source)
            )["ranges"]
            for source in (1, 2)
        }
        found = reassigned_marks.Ways(moves).mapped(ranges)
        numbers = {
            (target, number)
            for target, there in found.items()
            for first, last in there
            for number in range(first, last + 1)
        }
        assert numbers == {now for before, now in moves if before in read}


def test_what_was_read_on_end_stays_in_few_ranges_however_many_posts_went():
    posts = range(1, 2001)
    went = [number for number in posts if number % 10 == 0]
    stayed = [number for number in posts if number % 10]
    moves = [((1, n), (2, at)) for at, n in enumerate(went, 1)]
    moves += [((1, n), (1, at)) for at, n in enumerate(stayed, 1)]
    assert reassigned_marks.Ways(sorted(moves)).mapped({1: "1-1500"}) == {
        1: [(1, 1350)],
        2: [(1, 150)],
    }
    back = sorted((now, before) for before, now in moves)
    found = reassigned_marks.Ways(back).mapped({1: "1-1350", 2: "1-150"})[1]
    assert len(found) < 4 and reassigned_marks.united(found) == [(1, 1500)]
