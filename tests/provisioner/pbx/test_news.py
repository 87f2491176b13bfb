"""News are heard before memory is believed, and cost one question for all that comes together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from provisioner.pbx.news import News


class Said:
    """A watcher that tells what a test says."""

    trusts = True

    def __init__(self) -> None:
        self.scopes: list[str] = []
        self.asked = 0

    def news(self) -> Sequence[str]:
        self.asked += 1
        told, self.scopes = self.scopes, []
        return told


async def test_all_that_listen_are_told_what_is_new():
    watcher = Said()
    news, heard = News(watcher), []
    news.on_news(heard.append)
    news.on_news(heard.append)
    watcher.scopes = ["line:48111"]
    assert news.hear()
    assert heard == [["line:48111"]] * 2
    assert news.moment == 1


async def test_one_turn_of_the_loop_asks_once_and_the_next_one_asks_again():
    watcher = Said()
    news = News(watcher)
    for _ in range(10):
        news.hear()
    assert watcher.asked == 1
    await asyncio.sleep(0)
    watcher.scopes = ["all"]
    news.hear()
    assert (watcher.asked, news.moment) == (2, 1)


async def test_a_watcher_that_is_not_to_be_trusted_is_not():
    watcher = Said()
    watcher.trusts = False
    assert not News(watcher).hear()
