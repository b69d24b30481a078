"""Y1: the signature of Standard Webhooks, as its specification and its libraries give it."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.notify.signatures import (
    ID,
    SECRET_PREFIX,
    SIGNATURE,
    TIMESTAMP,
    headers_of,
    secret_of,
    sign,
    verify,
)
from fondaco.kernel.errors import Denied, Invalid

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MSG_ID: Final = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT_S: Final = 1_614_265_330
BODY: Final = b'{"test": 2432232314}'
PUBLISHED: Final = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

keys = st.binary(min_size=24, max_size=64)


def test_the_published_message_has_the_published_signature() -> None:
    assert sign(SECRET, MSG_ID, AT_S, BODY) == PUBLISHED
    assert sign(SECRET.removeprefix(SECRET_PREFIX), MSG_ID, AT_S, BODY) == PUBLISHED
    headers = {ID: MSG_ID, TIMESTAMP: str(AT_S), SIGNATURE: PUBLISHED}
    assert verify(SECRET, headers, BODY, AT_S) == MSG_ID


@pytest.mark.parametrize(
    ("change", "off_s", "code"),
    [
        ({SIGNATURE: f"v1,{'A' * 43}= {PUBLISHED}"}, 0, ""),  # one of several
        ({SIGNATURE: f"v2,xyz {PUBLISHED}"}, 300, ""),
        ({SIGNATURE: f"v1a,{PUBLISHED[3:]}"}, 0, "bad_signature"),  # of another kind
        ({SIGNATURE: PUBLISHED[:-2]}, 0, "bad_signature"),
        ({SIGNATURE: ""}, 0, "bad_signature"),
        ({ID: "msg_other"}, 0, "bad_signature"),
        ({TIMESTAMP: str(AT_S + 1)}, 0, "bad_signature"),
        ({TIMESTAMP: "hello"}, 0, "unsigned"),
        ({TIMESTAMP: f"{AT_S}.5"}, 0, "unsigned"),
        ({}, 301, "stale"),  # replayed later than the tolerance
        ({}, -301, "stale"),  # from the future
    ],
)
def test_what_a_receiver_takes_and_refuses(change: dict[str, str], off_s: int, code: str) -> None:
    headers = {ID: MSG_ID, TIMESTAMP: str(AT_S), SIGNATURE: PUBLISHED, **change}
    if not code:
        assert verify(SECRET, headers, BODY, AT_S + off_s) == MSG_ID
        return
    with pytest.raises(Denied) as refused:
        verify(SECRET, headers, BODY, AT_S + off_s)
    assert refused.value.code == code


@pytest.mark.parametrize("name", [ID, TIMESTAMP, SIGNATURE])
def test_a_header_that_is_missing_is_refused(name: str) -> None:
    headers = {ID: MSG_ID, TIMESTAMP: str(AT_S), SIGNATURE: PUBLISHED}
    del headers[name]
    with pytest.raises(Denied, match=name):
        verify(SECRET, headers, BODY, AT_S)


@given(keys, keys, st.binary(max_size=200), st.binary(max_size=200))
def test_each_secret_of_a_rotation_verifies_and_no_other_and_no_other_body(
    old: bytes, new: bytes, body: bytes, other: bytes
) -> None:
    before, after = secret_of(old), secret_of(new)
    headers = headers_of([after, before], MSG_ID, AT_S, body)
    assert verify(before, headers, body, AT_S) == verify(after, headers, body, AT_S) == MSG_ID
    stranger = secret_of(bytes(reversed(new)) + b"x" if len(new) < 64 else b"y" * 24)
    for secret, content in ((stranger, body), (after, body + b" "), (after, other + b"!")):
        if (content, secret) != (body, after):
            with pytest.raises(Denied):
                verify(secret, headers, content, AT_S)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "whsec_MfKQ", "whsec_" + "A" * 100])
def test_what_is_no_secret_is_told_so(secret: str) -> None:
    with pytest.raises(Invalid, match="whsec_"):
        sign(secret, MSG_ID, AT_S, BODY)
