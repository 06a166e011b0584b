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
_PARALLEL = 2
_COST = slice(4, 6)
"""Where a bcrypt hash says how much work it is: the second number of $2b$10$…"""


class Users:
    """The users with access. A correct password costs a tenth of a second for bcrypt once, and then a look-up."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._hashes = {name.encode(): hashed.encode() for name, hashed in users.items()}
        cost = max((hashed[_COST] for hashed in self._hashes.values()), default=b"10")
        self._dummy_hash = b"$2b$" + cost + b"$" + b"." * 53

        # Passwords are remembered as digests with a key of this process, which keeps them out of a memory dump.
        self._key = secrets.token_bytes(32)
        self._digests: set[bytes] = set()
        self._slots = asyncio.Semaphore(_PARALLEL)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def hash_of(self, user: bytes) -> bytes:
        """The hash to check a password against; unknown users have one too, as the time must not reveal which exist."""
        return self._hashes.get(user, self._dummy_hash)

    async def admits(self, header: bytes | None) -> bool:
        """Whether an Authorization header holds a user and the right password."""
        credentials = _credentials(header or b"")
        if credentials is None:
            return False

        user, password = credentials
        digest = hmac.digest(self._key, hashlib.sha256(user).digest() + password, "sha256")
        if digest in self._digests:
            return True

        # Few in parallel: guessing passwords may keep two cores busy, but not all of them.
        async with self._slots:
            is_right = await in_thread(partial(_check, password, self.hash_of(user)))
        if not is_right or user not in self._hashes:
            return False

        if len(self._digests) >= _REMEMBERED:
            self._digests.clear()
        self._digests.add(digest)
        return True


def _credentials(header: bytes) -> tuple[bytes, bytes] | None:
    """User and password; None if the header is not basic authentication."""
    scheme, _, encoded = header.partition(b" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None

    user, colon, password = decoded.partition(b":")
    if scheme.lower() != b"basic" or not colon:
        return None
    return user, password


def _check(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:72], hashed)  # bcrypt reads 72 bytes; its newer versions refuse more
    except ValueError:
        return False
