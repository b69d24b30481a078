"""A ring in a token that speaks PKCS#11: an HSM, or SoftHSM.

Masters are AES-256 keys that the token makes and does not give away: it wraps and unwraps itself,
with AES-GCM. Secrets are private data objects, which are seen by who has the PIN alone.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as wrong

from fondaco.kernel.errors import Corrupt, Denied, NotFound, Unavailable
from fondaco.ports.secrets import NAME_MAX
from fondaco.ports.secrets.sealed_file import check

MASTER: Final = "fondaco-master-"
APPLICATION: Final = "fondaco"
NONCE: Final = 12
TAG_BITS: Final = 128


class Pkcs11Secrets:
    """`module` is the library of the token's maker."""

    def __init__(self, module: str, token: str, pin: Callable[[], bytes]) -> None:
        self._lock = RLock()
        self._token = token
        self._session: Any = None
        with _translated(token):
            found = pkcs11.lib(module).get_token(token_label=token)
            try:
                self._session = found.open(rw=True, user_pin=pin().decode())
            except wrong.UserAlreadyLoggedIn:  # by this process, with the right PIN
                self._session = found.open(rw=True)
            if not self._masters():
                self._new_master(1)

    def wrap(self, key: bytes, about: str) -> bytes:
        with self._asking():
            number, master = self._newest()
            nonce = os.urandom(NONCE)
            param = GCMParams(nonce, about.encode(), TAG_BITS)
            text = master.encrypt(key, mechanism=Mechanism.AES_GCM, mechanism_param=param)
            return b"%d:" % number + nonce + bytes(text)

    def unwrap(self, wrapped: bytes, about: str) -> bytes:
        number, _, rest = wrapped.partition(b":")
        with self._asking():
            master = self._masters().get(int(number) if number.isdigit() else 0)
            if master is None:
                raise Unavailable("its master is not in this token any more", code="master_gone")
            param = GCMParams(rest[:NONCE], about.encode(), TAG_BITS)
            try:
                return bytes(
                    master.decrypt(rest[NONCE:], mechanism=Mechanism.AES_GCM, mechanism_param=param)
                )
            except (
                wrong.EncryptedDataInvalid,
                wrong.EncryptedDataLenRange,
                wrong.GeneralError,
            ) as e:
                raise Corrupt(f"what is wrapped about {about} is of something else") from e

    def is_current(self, wrapped: bytes) -> bool:
        with self._asking():
            return wrapped.partition(b":")[0] == b"%d" % self._newest()[0]

    def rotate(self) -> str:
        with self._asking():
            number = self._newest()[0] + 1
            self._new_master(number)
            return f"{MASTER}{number}"

    def retire(self) -> Sequence[str]:
        with self._asking():
            newest, masters = self._newest()[0], self._masters()
            gone = [number for number in sorted(masters) if number != newest]
            for number in gone:
                masters[number].destroy()
            return [f"{MASTER}{number}" for number in gone]

    def get(self, name: str) -> bytes:
        with self._asking():
            return bytes(self._found(name)[Attribute.VALUE])

    def put(self, name: str, value: bytes) -> None:
        check(name, value)
        with self._asking():
            old = list(self._objects(name))
            self._session.create_object(
                {
                    Attribute.CLASS: ObjectClass.DATA,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: True,
                    Attribute.APPLICATION: APPLICATION,
                    Attribute.LABEL: name,
                    Attribute.VALUE: value,
                }
            )
            for each in old:
                each.destroy()

    def remove(self, name: str) -> None:
        with self._asking():
            self._found(name)
            for each in list(self._objects(name)):
                each.destroy()

    def names(self) -> list[str]:
        with self._asking():
            return sorted({str(each[Attribute.LABEL]) for each in self._objects()})

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _objects(self, name: str = "") -> Iterator[Any]:
        wanted = {Attribute.CLASS: ObjectClass.DATA, Attribute.APPLICATION: APPLICATION}
        if name:
            wanted[Attribute.LABEL] = name
        return iter(list(self._session.get_objects(wanted)))

    def _found(self, name: str) -> Any:
        for each in self._objects(name):
            return each
        raise NotFound(f"there is no secret {name[:NAME_MAX]} in this ring")

    def _masters(self) -> dict[int, Any]:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES}
        return {
            int(each.label.removeprefix(MASTER)): each
            for each in list(self._session.get_objects(wanted))
            if each.label.startswith(MASTER)
        }

    def _newest(self) -> tuple[int, Any]:
        masters = self._masters()
        if not masters:
            raise Unavailable(f"there is no master in the token {self._token}", code="master_gone")
        return max(masters), masters[max(masters)]

    def _new_master(self, number: int) -> None:
        self._session.generate_key(
            KeyType.AES,
            256,
            label=f"{MASTER}{number}",
            store=True,
            template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with self._lock:
            if self._session is None:
                raise Unavailable(f"the token {self._token} is closed", code="sealed")
            with _translated(self._token):
                yield


@contextmanager
def _translated(token: str) -> Iterator[None]:
    try:
        yield
    except (wrong.PinIncorrect, wrong.PinLocked, wrong.PinLenRange, wrong.PinInvalid) as error:
        raise Denied(f"the token {token} refuses the PIN: {error!r}", code="sealed") from error
    except (wrong.PKCS11Error, RuntimeError) as error:
        raise Unavailable(f"the token {token} cannot be used: {error!r}") from error
