"""Test calls that somebody has asked for on a page: made in the background, looked at while they go on."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from db.errors import StorageError
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import CentralkaError
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.operations.proofs import Begun, ProvedCall
from provisioner.operations.test_calls import prove
from provisioner.operations.twins import TooManyTestCalls
from sip.testcall.scenario import Kind

logger = logging.getLogger(__name__)

_MOST_GOING = 20
_MOST_KEPT = 200
"Those that are over included: the pages of older ones are gone."


@dataclass(slots=True, eq=False)
class Run:
    """Test calls to one number."""

    customer: str
    number: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    calls: int | None = None
    "How many there will be; None: that is not known yet."
    done: int = 0
    wrong: int = 0
    "Of these."
    kind: Kind | None = None
    "Of the call that began last."
    made: int | None = None
    "The number of what was kept, when they are over."
    problem: str | None = None
    "The code of what has stopped them."
    is_over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    "Set at the next piece of news, and replaced by another one."

    def tell(self) -> None:
        """Wakes whoever looks."""
        self.news.set()
        self.news = asyncio.Event()


class Going:
    """All of them."""

    def __init__(self, installation: Installation, switchboard: Switchboard) -> None:
        self._installation = installation
        self._switchboard = switchboard
        self._runs: dict[str, Run] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def serving(self, _: web.Application) -> AsyncIterator[None]:
        """Makes them while the application is up (`cleanup_ctx`); what goes on then is cut off."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            yield
            self._tasks = None
            for task in tuple(self._under_way):
                task.cancel()

    def begin(self, login: str, number: str, actor: Actor) -> Run:
        """Begins with test calls, or gives those that go on to that number. Raises `TooManyTestCalls`."""
        live = [run for run in self._runs.values() if not run.is_over]
        same = next((run for run in live if (run.customer, run.number) == (login, number)), None)
        if same is not None:
            return same
        if len(live) >= _MOST_GOING or self._tasks is None:
            raise TooManyTestCalls(_MOST_GOING)
        run = Run(login, number)
        self._runs[run.id] = run
        while len(self._runs) > _MOST_KEPT:
            del self._runs[next(each.id for each in self._runs.values() if each.is_over)]
        task = self._tasks.create_task(self._make(run, actor), name="test calls")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return run

    def run(self, run_id: str) -> Run | None:
        """One of them; None: there is none, or not any more."""
        return self._runs.get(run_id)

    async def _make(self, run: Run, actor: Actor) -> None:
        async def tell(what: Begun | ProvedCall) -> None:
            if isinstance(what, Begun):
                run.calls, run.kind = what.calls, what.scenario
            else:
                run.done += 1
                run.wrong += not what.passed
            run.tell()

        try:
            proof = await prove(self._installation, self._switchboard, run.number, run.customer, tell, actor)
            run.made, run.problem = proof.id, None if proof.id is not None else "not-found"
        except CentralkaError as error:
            run.problem = error.code
        except StorageError:
            logger.exception("test calls broke off number=%s customer=%s", run.number, run.customer)
            run.problem = "database-away"
        except Exception:
            logger.exception("test calls broke off number=%s customer=%s", run.number, run.customer)
            run.problem = "internal"
        finally:
            run.is_over = True
            run.tell()
