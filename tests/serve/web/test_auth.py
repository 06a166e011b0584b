"""Checking a password takes long on purpose; nobody else waits for it, and only once."""

from __future__ import annotations

import asyncio
import base64
import time

import bcrypt
import pytest

from exporter.serve.web.auth import Users, _check
from exporter.serve.web.threads import in_thread


def basic(user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


def hashed(password: str, rounds: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def test_the_event_loop_goes_on_during_a_check() -> None:
    """While bcrypt works on one request, the loop answers others."""

    async def check() -> int:
        users = Users({"alice": hashed("right", 12)})
        checking = asyncio.create_task(users.admits(basic("alice", "right")))
        turns = 0
        while not checking.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert await checking
        return turns

    assert asyncio.run(check()) > 10


def test_a_right_password_is_remembered() -> None:
    """The second request with the same password needs no thread: it is answered without giving up the loop once."""

    async def check() -> None:
        users = Users({"alice": hashed("right")})
        assert await users.admits(basic("alice", "right"))
        with pytest.raises(StopIteration) as answer:
            users.admits(basic("alice", "right")).send(None)
        assert answer.value.value is True
        assert not await users.admits(basic("alice", "wrong"))
        assert not await users.admits(basic("bob", "right"))

    asyncio.run(check())


def test_an_unknown_name_takes_as_long_as_a_known_one() -> None:
    """A refusal costs the work of the file's dearest hash, so that its time does not tell which names exist."""

    def seconds(users: Users, name: str) -> float:
        began = time.thread_time()
        _check(b"wrong", users.hash_of(name.encode()))
        return time.thread_time() - began

    users = Users({"alice": hashed("right", 4), "bob": hashed("right", 9)})
    unknown_user, known_user = (min(seconds(users, name) for _ in range(3)) for name in ("eve", "bob"))
    assert known_user / 2 < unknown_user < known_user * 2


def test_names_and_passwords_may_hold_any_character() -> None:
    """Colons belong to the password, and bytes beyond ASCII are compared as they come."""

    async def check() -> None:
        users = Users({"jörg": hashed("a:b:ü")})
        assert await users.admits(basic("jörg", "a:b:ü"))
        assert not await users.admits(basic("jörg", "a"))

    asyncio.run(check())


def test_what_a_call_raises_reaches_the_caller() -> None:
    """A failure in the thread is raised where it is waited for."""

    def fail() -> None:
        raise RuntimeError("in the thread")

    async def call() -> str:
        try:
            await in_thread(fail)
        except RuntimeError as error:
            return str(error)
        return "nothing was raised"

    assert asyncio.run(call()) == "in the thread"
