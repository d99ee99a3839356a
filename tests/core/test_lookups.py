"""How values stand in statements."""

import pytest

from forum.models import Post
from tests.people import reply

pytestmark = pytest.mark.django_db


def test_thousands_of_ids_are_one_parameter(thread, opener):
    ids = [reply(thread, opener, f"Answer {n}.").pk for n in range(3)]
    for among in (ids[:2], {*ids, *range(10**9, 10**9 + 40_000)}, [], [-1]):
        rows = Post.objects.filter(pk__among=among)
        assert set(rows.values_list("pk", flat=True)) == set(ids) & set(among)
        assert len(rows.query.sql_with_params()[1]) == 1
    assert list(Post.objects.filter(pk__in=ids).exclude(pk__among=ids[1:])) == [
        Post.objects.get(pk=ids[0])
    ]
    with pytest.raises(ValueError):
        list(Post.objects.filter(pk__among=["1) OR (1=1"]))
