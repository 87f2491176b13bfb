"""`/api/v1/test-schedules`: when numbers are tested by themselves."""

from __future__ import annotations

from functools import partial

from provisioner.app import Running
from provisioner.operations.installation import Installation
from tests.provisioner.operations.small import put, small
from tests.provisioner.web.streams import asked_of, token_for

asked = partial(asked_of, "test-schedules")

COMMON = {
    "customer": None,
    "nightly": True,
    "window": "01:00-05:00",
    "time_zone": "Europe/Warsaw",
    "full_length_day": "sunday",
    "after_changes": True,
    "own": {"nightly": None, "after_changes": None, "window": None},
}
SAMPLE = "nowyklienttestowy"


async def test_a_program_says_when_numbers_are_tested(sample: Installation, running: Running):
    token = await token_for(sample)
    assert await asked(running, token, "GET") == {"all": COMMON, "test_schedules": [], "next": None}
    assert await asked(running, token, "GET", f"/{SAMPLE}") == {**COMMON, "customer": SAMPLE}
    own = {"nightly": None, "after_changes": False, "window": "22:00-05:00"}
    late = await asked(running, token, "PUT", f"/{SAMPLE}", {**own, "nightly": True})
    assert late["own"] == {**own, "nightly": True}
    put_again = await asked(running, token, "PUT", f"/{SAMPLE}", own)
    assert put_again == {
        **COMMON, "customer": SAMPLE, "window": "22:00-05:00", "after_changes": False, "own": own
    }  # fmt: skip
    # A customer's program sees its own alone.
    await put(sample, small(test_calls={"nightly": False}))
    assert await asked(running, token, "GET", "?limit=1") == {
        "all": COMMON,
        "test_schedules": [{**COMMON, "customer": "firma", "nightly": False,
                            "own": {**COMMON["own"], "nightly": False}}],
        "next": "firma",
    }  # fmt: skip
    assert (await asked(running, token, "GET", "?cursor=firma"))["test_schedules"] == [put_again]
    mine = await token_for(sample, "firma")
    assert [each["customer"] for each in (await asked(running, mine, "GET"))["test_schedules"]] == ["firma"]
    for method in ("GET", "PUT"):
        assert (await asked(running, mine, method, f"/{SAMPLE}", {}, 404))["code"] == "not-found"
    assert (await asked(running, mine, "PUT", "/firma", {})) == {**COMMON, "customer": "firma"}


async def test_what_can_not_be_is_refused(sample: Installation, running: Running):
    token = await token_for(sample)
    refused: list[tuple[str, object, int]] = [
        (SAMPLE, {"window": "22-23"}, 422),
        (SAMPLE, {"nightly": "no"}, 422),
        (SAMPLE, {"weekly": True}, 422),
        (SAMPLE, [], 422),
        ("nobody", {}, 404),
        ("no%00body", {}, 404),
    ]
    for path, body, status in refused:
        await asked(running, token, "PUT", f"/{path}", body, status)
    assert await asked(running, token, "GET") == {"all": COMMON, "test_schedules": [], "next": None}
