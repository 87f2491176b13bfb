from __future__ import annotations

import pytest

from provisioner.centrex.codes import Case, Code, Disturb, Forward, Hide, LogIn, code_in
from provisioner.centrex.customer import FeatureCodes

CODES = FeatureCodes()


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("*67102", Hide("102", is_hidden=True)),
        ("*68102", Hide("102", is_hidden=False)),
        ("*67", Hide("", is_hidden=True)),
        ("*21*102#", Forward(Case.ALWAYS, enabled=True, to="102")),
        ("*21*102", Forward(Case.ALWAYS, enabled=True, to="102")),
        ("*21*+48223809887#", Forward(Case.ALWAYS, enabled=True, to="+48223809887")),
        ("*21*#", Forward(Case.ALWAYS, enabled=True)),
        ("*21*", Forward(Case.ALWAYS, enabled=True)),
        ("#21#", Forward(Case.ALWAYS, enabled=False)),
        ("*22*102#", Forward(Case.BUSY, enabled=True, to="102")),
        ("#22#", Forward(Case.BUSY, enabled=False)),
        ("*23*102#", Forward(Case.NO_ANSWER, enabled=True, to="102")),
        ("#23#", Forward(Case.NO_ANSWER, enabled=False)),
        ("*24*102#", Forward(Case.UNREACHABLE, enabled=True, to="102")),
        ("#24#", Forward(Case.UNREACHABLE, enabled=False)),
        ("*26", Disturb(dnd=True)),
        ("#26", Disturb(dnd=False)),
        ("#26#", Disturb(dnd=False)),
        ("*50", LogIn(logged_in=True)),
        ("*51", LogIn(logged_in=False)),
        ("*50600", LogIn(logged_in=True, group="600")),
    ],
)
def test_a_code_says_what_it_is_for(dialled: str, expected: Code):
    assert code_in(CODES, dialled) == expected


@pytest.mark.parametrize(
    "dialled", ["102", "", "*2", "#21#102", "*26102", "*21*10*2#", "*50*", "*21*abc", "*50\u0663"]
)
def test_what_begins_with_no_code_or_goes_on_wrongly_is_none(dialled: str):
    assert code_in(CODES, dialled) is None


def test_a_code_that_the_company_has_changed_is_read_as_it_changed_it():
    codes = FeatureCodes(dnd_on="*78")
    assert code_in(codes, "*78") == Disturb(dnd=True)
    assert code_in(codes, "*26") is None
