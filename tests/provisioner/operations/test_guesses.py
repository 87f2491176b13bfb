"""Guessing passwords gets slow, and locks nobody out."""

from __future__ import annotations

from provisioner.operations.guesses import Guesses

HERE, THERE = "192.0.2.1", "192.0.2.2"


def fail(guesses: Guesses, times: int, now: float, login: str = "anna", source: str = HERE) -> None:
    for _ in range(times):
        guesses.tried(login, source, now)


def test_a_few_mistakes_cost_nothing_and_then_each_costs_twice_as_much():
    guesses = Guesses()
    fail(guesses, 5, 0)
    assert guesses.wait_s("anna", HERE, 0) == 0
    waits = []
    for _ in range(4):
        fail(guesses, 1, 0)
        waits.append(guesses.wait_s("anna", HERE, 0))
    assert waits == [2, 4, 8, 16]
    assert guesses.wait_s("anna", HERE, 10) == 6
    assert guesses.wait_s("anna", HERE, 16) == 0


def test_nobody_waits_for_ever_however_long_it_goes_on():
    guesses = Guesses()
    fail(guesses, 5_000, 0)
    assert guesses.wait_s("anna", HERE, 0) == 300
    assert guesses.wait_s("anna", THERE, 0) == 30
    assert guesses.wait_s("anna", HERE, 300) == 0


def test_a_source_waits_whatever_login_it_tries_and_others_do_not():
    guesses = Guesses()
    for number in range(7):
        guesses.tried(f"user{number}", HERE, 0)
    assert guesses.wait_s("anna", HERE, 0) > 0
    assert guesses.wait_s("anna", THERE, 0) == 0


def test_who_has_logged_in_from_somewhere_is_not_kept_out_by_guesses_from_elsewhere():
    guesses = Guesses()
    guesses.tried("anna", HERE, 0)
    guesses.succeeded("anna", HERE)
    for number in range(100):
        guesses.tried("anna", f"198.51.100.{number}", 1)
    assert guesses.wait_s("anna", HERE, 1) == 0
    assert guesses.wait_s("anna", THERE, 1) > 0


def test_a_success_makes_good_what_was_mistyped_and_an_hour_does_too():
    guesses = Guesses()
    fail(guesses, 6, 0)
    guesses.succeeded("anna", HERE)
    fail(guesses, 5, 1)
    assert guesses.wait_s("anna", HERE, 1) == 0
    fail(guesses, 5, 4000)
    assert guesses.wait_s("anna", HERE, 4000) == 0


def test_an_ipv6_network_is_one_source():
    guesses = Guesses()
    for number in range(10):
        guesses.tried("anna", f"2001:db8::{number}", 0)
    assert guesses.wait_s("x", "2001:db8::ffff", 0) > 0
    assert guesses.wait_s("x", "2001:db8:0:1::1", 0) == 0
