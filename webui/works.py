"""Work that takes longer than a visitor waits: done once, in a thread of its own, while pages say how far it is."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import nullcontext, suppress
from time import perf_counter
from typing import Any, Final

from webui.i18n.marking import N_

__all__ = ["NotReady", "Work"]

_WAITS: Final = N_("waiting until other work is done")
_BEHIND: Final = 10


class NotReady(Exception):  # noqa: N818 - it is an answer, not a fault
    """Something is still being made: `step` of `steps`, what is done now, and for how many seconds it has been."""

    def __init__(self, step: int, steps: int, says: str, seconds: float) -> None:
        super().__init__(says)
        self.step, self.steps, self.says, self.seconds = step, steps, says, seconds


class Work:
    """Something that is made once, while others wait for it or look how far it is.

    `make` is given a function that it calls with the number of each step that it begins; `steps` are these in words.
    With a `turn` no more works go on at once than that lets through. What works `behind` leaves the processor to all
    else: a search of minutes does not hold up the pages.
    """

    def __init__(
        self,
        make: Callable[[Callable[[int], None]], Any],
        steps: tuple[str, ...],
        turn: threading.Semaphore | None = None,
        *,
        behind: bool = False,
    ) -> None:
        self.done: Future[Any] = Future()
        self.step, self.steps, self.began, self._waits = 1, steps, perf_counter(), turn is not None
        threading.Thread(target=self._run, args=(make, turn, behind), name="graphkit-work", daemon=True).start()

    def _run(
        self, make: Callable[[Callable[[int], None]], Any], turn: threading.Semaphore | None, behind: bool
    ) -> None:
        try:
            if behind:
                _step_behind()
            with turn or nullcontext():
                self._waits = False
                self.done.set_result(make(self._at))
        except BaseException as error:  # noqa: BLE001 - who waits gets it
            self.done.set_exception(error)

    def _at(self, step: int) -> None:
        self.step = step

    @property
    def is_done(self) -> bool:
        """Whether it is there, and not a fault."""
        return self.done.done() and self.done.exception() is None

    @property
    def failed(self) -> bool:
        """Whether it ended with a fault."""
        return self.done.done() and self.done.exception() is not None

    def result(self, seconds: float | None) -> Any:  # noqa: ANN401 - what was made
        """Return what is made, `seconds` after the work began at the latest (None: whenever it is done)."""
        return self.within(None if seconds is None else max(0.0, seconds - (perf_counter() - self.began)))

    def within(self, seconds: float | None) -> Any:  # noqa: ANN401 - what was made
        """Return what is made, waiting for so many seconds from now; raises `NotReady` where it is not there then."""
        try:
            return self.done.result(seconds)
        except NotYet:
            if self.done.done():  # The work itself has ended with this error.
                raise
            says = _WAITS if self._waits else self.steps[self.step - 1]
            raise NotReady(self.step, len(self.steps), says, perf_counter() - self.began) from None


def _step_behind() -> None:
    """Lower the priority of the present thread where the system has one for each (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(_BEHIND, os.getpriority(os.PRIO_PROCESS, thread)))
