"""Blocking calls beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """The result of `call`, run in a daemon thread: unlike asyncio's pool, it does not delay the exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = call()
        except Exception as error:  # noqa: BLE001  raised again in the caller
            settle = partial(_fail, future, error)
        else:
            settle = partial(_succeed, future, result)
        # A future belongs to its loop's thread.
        with contextlib.suppress(RuntimeError):  # the loop ended while the call ran
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, daemon=True).start()
    return await future


def _succeed(future: asyncio.Future[T], result: T) -> None:
    if not future.done():  # cancelled because its client has gone
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
