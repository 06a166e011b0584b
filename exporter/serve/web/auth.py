"""HTTP basic authentication against bcrypt hashes, off the event loop and remembered."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import partial

import bcrypt

from exporter.serve.web.threads import in_thread

_REMEMBERED = 100
_AT_ONCE = 2
_COST = slice(4, 6)
"""Where a bcrypt hash says how much work it is: the second number of $2b$10$…"""


class Users:
    """Who may come in. A right password costs bcrypt its tenth of a second once and a look-up after that."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = {name.encode(): hashed.encode() for name, hashed in users.items()}
        cost = max((hashed[_COST] for hashed in self._users.values()), default=b"10")
        self._nobody = b"$2b$" + cost + b"$" + b"." * 53
        self._key = secrets.token_bytes(32)
        self._known: set[bytes] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def __bool__(self) -> bool:
        return bool(self._users)

    def hash_of(self, user: bytes) -> bytes:
        """What a password is checked against; for unknown users too, so that time does not tell which names exist."""
        return self._users.get(user, self._nobody)

    async def admits(self, header: bytes | None) -> bool:
        """Whether an Authorization header holds a user and the right password."""
        scheme, _, encoded = (header or b"").partition(b" ")
        try:
            user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        except binascii.Error:
            return False
        if scheme.lower() != b"basic" or not colon:
            return False
        attempt = hmac.digest(self._key, hashlib.sha256(user).digest() + password, "sha256")
        if attempt not in self._known:
            async with self._slots:
                right = await in_thread(partial(_check, password, self.hash_of(user)))
            if not right or user not in self._users:
                return False
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known.add(attempt)
        return True


def _check(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:72], hashed)  # bcrypt reads 72 bytes; its newer versions refuse more
    except ValueError:
        return False
