import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.model import (
    SCOPES,
    Role,
    Scope,
    TooMany,
    digest_of,
    key_id_of,
    scopes_of,
    token_of,
)
from fondaco.domain.identity.rate_limit import RateLimit
from fondaco.kernel.errors import Invalid
from fondaco.ports.cache.memory import MemoryCache

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


def test_users_and_addresses_have_buckets_of_their_own() -> None:
    now = 0
    limit = RateLimit(MemoryCache(lambda: now), user_per_s=10, user_burst=2, ip_per_s=5, ip_burst=3)
    for _ in range(2):
        limit.check_user("acme", "ada")
    with pytest.raises(TooMany) as refused:
        limit.check_user("acme", "ada")
    assert refused.value.code == "rate_limited"
    assert refused.value.details == {"limit_per_s": 10, "burst": 2, "retry_after_ms": 100}
    assert (refused.value.retryable, refused.value.reached_venue) == (True, "no")
    limit.check_user("rival", "ada")
    for _ in range(3):
        limit.check_ip("10.0.0.1")
    with pytest.raises(TooMany, match="200 ms"):
        limit.check_ip("10.0.0.1")
    now = SECOND // 10
    limit.check_user("acme", "ada")


def test_a_rate_of_nothing_limits_nothing() -> None:
    limit = RateLimit(MemoryCache(lambda: 0), user_per_s=0, user_burst=1, ip_per_s=0, ip_burst=1)
    for _ in range(1_000):
        limit.check_ip("10.0.0.1")
        limit.check_user("acme", "ada")
