"""Orders that are by chance are believed to be, and others are not."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, permutations, product
from math import prod
from random import Random

import pytest

from sip.testcall.chance import chance
from sip.testcall.drawn import Drawn, judge_drawn
from sip.testcall.findings import Code

MEMBERS = ("101", "102", "103")
ORDERS = tuple(permutations(MEMBERS))


def found(*orders: tuple[str, ...], members: tuple[str, ...] = MEMBERS) -> list[Code]:
    return [each.code for each in judge_drawn([Drawn("600", members, order) for order in orders])]


def even_by_counting(history: list[int], orders: int) -> Fraction:
    """The multinomial test by going through every history that there may be."""

    def ways(each: tuple[int, ...] | list[int]) -> int:
        counts = [each.count(order) for order in range(orders)]
        return prod(prod(range(1, count + 1)) for count in counts)

    worse = sum(ways(each) >= ways(history) for each in product(range(orders), repeat=len(history)))
    return Fraction(worse, orders ** len(history))


@pytest.mark.parametrize("history", [[0, 0, 1, 0, 0], [0, 1, 2, 0, 1], [2, 2, 2, 2, 2], [0, 1, 1, 2, 2]])
def test_the_exact_test_is_exact(history: list[int]):
    repeats = sum(before == after for before, after in pairwise(history))
    share = Fraction(1, 3)
    odds = [
        Fraction([1, 4, 6, 4, 1][count]) * share**count * (1 - share) ** (4 - count) for count in range(5)
    ]
    binomial = sum(each for each in odds if each <= odds[repeats])
    expected = min(Fraction(1), 2 * min(even_by_counting(history, 3), binomial))
    assert chance(history, 3).p == pytest.approx(float(expected))


def test_honest_shuffling_is_not_suspected():
    for seed in range(300):
        random = Random(seed)  # noqa: S311
        assert found(*(random.choice(ORDERS) for _ in range(40))) == []


def test_an_order_that_is_shuffled_once_and_kept_is_found():
    assert found(*[ORDERS[4]] * 11) == [Code.NOT_RANDOM]


def test_members_that_take_turns_are_found():
    pair = ("101", "102")
    turns = [pair, pair[::-1]] * 13
    assert found(*turns, members=pair) == [Code.NOT_RANDOM]
    circle = [("101", "102", "103"), ("102", "103", "101"), ("103", "101", "102")]
    assert found(*circle * 13) == [Code.NOT_RANDOM]


def test_one_who_is_always_first_is_found_though_the_others_are_shuffled():
    random = Random(1)  # noqa: S311
    first = [order for order in ORDERS if order[0] == "101"]
    assert found(*(random.choice(first) for _ in range(15))) == [Code.NOT_RANDOM]


def test_calls_that_were_answered_by_the_first_count_as_well():
    assert found(*[("102",)] * 16) == [Code.NOT_RANDOM]


def test_few_calls_prove_nothing():
    assert found() == []
    assert found(ORDERS[0]) == []
    assert found(*[ORDERS[0]] * 5) == []


def test_draws_among_other_members_do_not_count():
    before = [Drawn("600", ("101", "102"), ("101",))] * 40
    assert list(judge_drawn([*before, Drawn("600", MEMBERS, MEMBERS)])) == []
