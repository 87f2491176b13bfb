"""Calls, put where the recorder puts them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from provisioner.operations.installation import Installation
from provisioner.pbx.recorder import Recorder
from sip.call.ringing import Outcome
from sip.call.story import EndedBy
from tests.provisioner.pbx.story import ANNA, MEETING, RECEPTION, SALES, Story


async def record(installation: Installation, *told: Callable[[Story], object]) -> list[UUID]:
    """Each of them tells one call; all are stored. Calls begin now."""
    recorder = Recorder(installation, lambda: 1000.0)
    stories = [Story(recorder.tell) for _ in told]
    for tell, story in zip(told, stories, strict=True):
        tell(story)
    await recorder.close()
    return [story.id for story in stories]


def hunted(story: Story) -> None:
    """A call to a group: one is not registered, one does not answer, one answers."""
    story.begins(RECEPTION, "600").tries(MEETING, "600", phones=0).stops(MEETING, Outcome.UNREACHABLE)
    story.rings(SALES, "600").after(15).stops(SALES)
    story.rings(ANNA, "600", "601").after(4).answers(ANNA).after(61).ends(EndedBy.CALLEE)


def missed(story: Story) -> None:
    """A call that nobody answers."""
    story.begins(RECEPTION, "102").rings(ANNA).after(20).stops(ANNA).ends(EndedBy.NOBODY, 480)


def rings(story: Story) -> None:
    """A call that goes on; nobody has answered yet."""
    story.begins(SALES, "102").rings(ANNA)


def between_standard_lines(story: Story) -> None:
    """A call of lines whose product has no call logs."""
    story.begins(RECEPTION, "105").rings("48223809883").answers("48223809883").after(2).ends()
