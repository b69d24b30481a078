import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.model import (
    SCOPES,
    Role,
    Scope,
    digest_of,
    key_id_of,
    scopes_of,
    token_of,
)
from fondaco.kernel.errors import Invalid

SECOND = 1_000_000_000
roles = st.sets(st.sampled_from(Role))


def test_every_role_has_scopes_and_every_scope_a_role() -> None:
    assert set(SCOPES) == set(Role)
    assert scopes_of(Role) == frozenset(Scope)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Scope.ORDERS_WRITE, Scope.LIMITS_WRITE),
        (Scope.ORDERS_WRITE, Scope.HOUSE_WRITE),
        (Scope.ORDERS_WRITE, Scope.ACCOUNTS_WRITE),
        (Scope.LIMITS_WRITE, Scope.KEYS_WRITE),
    ],
)
def test_no_single_role_holds_both_halves(one: Scope, other: Scope) -> None:
    assert not [role for role in Role if {one, other} <= SCOPES[role]]


@given(roles, roles)
def test_more_roles_never_mean_less(some: set[Role], more: set[Role]) -> None:
    assert scopes_of(some) <= scopes_of(some | more)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_tokens_differ_as_their_secrets_do_and_their_names_tell_nothing(a: bytes, b: bytes) -> None:
    assert (token_of(a) == token_of(b)) == (a == b)
    assert len(token_of(a)) == 46
    assert token_of(a)[3:] not in key_id_of(digest_of(token_of(a)))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_token_takes_256_bits(size: int) -> None:
    with pytest.raises(Invalid):
        token_of(b"x" * size)
