"""How often somebody may ask: token buckets, in whole nanoseconds.

A bucket is the moment at which it will be full; a request moves that on by its price. One request
takes from up to four: of its address (IPv6: of the /64, which one line has), of the user, of the
key and of the tier of the caller's firm. Who is refused for one of the latter three has taken from
none of these; from the address it takes nevertheless, since who asks too often costs us.

Where a cache is shared, buckets are there, so that several processes count together; while it does
not answer, this process counts alone.

What is left is told in the headers RateLimit-Policy and RateLimit, as in the drafts of the IETF's
httpapi group (draft-ietf-httpapi-ratelimit-headers, 08 and later): `q` requests at once, which `w`
seconds bring back; `r` are left, and after `t` seconds all of them are.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from fondaco.domain.identity.model import TooMany
from fondaco.kernel.errors import Unavailable
from fondaco.ports.cache import Cache

if TYPE_CHECKING:
    from fondaco.gateway.house import Caller

Whose = Literal["address", "user", "key"]
Headers = tuple[tuple[bytes, bytes], ...]
KNOWN_MAX: Final = 100_000  # callers at addresses, and buckets, that are remembered
_SWEPT_AT_ONCE: Final = 64
_SECOND: Final = 1_000_000_000


class Rate(NamedTuple):
    per_s: int
    burst: int  # what may come at once after a pause


class Tier(NamedTuple):
    """What a firm has agreed with the house."""

    name: str
    rate: Rate


class Limited(TooMany):
    """Who asked is told so in `headers`, too."""

    headers: Headers = ()


class Bucket:
    """One of a user, a key, an address or a firm."""

    __slots__ = (
        "full_at",
        "holds",
        "is_address",
        "key",
        "policy",
        "price",
        "rate",
        "said",
        "slack",
        "whose",
    )

    def __init__(self, whose: str, key: str, rate: Rate) -> None:
        self.is_address = whose == "address"
        self.key = key  # of the cache that is shared
        self.full_at = 0
        self.set(whose, rate)

    def set(self, whose: str, rate: Rate) -> None:
        self.whose = whose
        self.rate = rate
        self.said = whose.encode("ascii", "replace").replace(b'"', b"?")
        window_s = -(-rate.burst // rate.per_s)
        self.policy = b'"%b";q=%d;w=%d' % (self.said, rate.burst, window_s)
        self.price = -(-_SECOND // rate.per_s)  # rounded up: never more than the rate
        self.holds = rate.burst * self.price
        self.slack = self.holds - self.price

    def left(self, now: int) -> int:
        """Requests that may come at once."""
        ahead = max(self.full_at - now, 0)
        return max(self.rate.burst - -(-ahead // self.price), 0)


class Rates:
    """Belongs to the loop's thread. `clock` counts nanoseconds and never goes back."""

    def __init__(
        self,
        clock: Callable[[], int],
        rates: Mapping[Whose, Rate] | None = None,
        shared: Cache | None = None,
    ) -> None:
        """A rate of 0 requests a second is none."""
        self._clock = clock
        self._rates = {whose: rate for whose, rate in (rates or {}).items() if rate.per_s}
        self._shared = shared
        self._tier_of: Callable[[str, str], Tier | None] | None = None
        self._of: dict[tuple[str, str, str], tuple[Bucket, ...]] = {}
        self._buckets: dict[str, Bucket] = {}
        self.refused = 0  # requests, since the house began
        self.is_on = bool(self._rates)

    def tiers(self, tier_of: Callable[[str, str], Tier | None]) -> None:
        """`tier_of` says of a tenant and a caller's name what they have agreed, or None. It is
        asked once for each caller, until `forget`."""
        self._tier_of = tier_of
        self.is_on = True
        self.forget()

    def forget(self) -> None:
        """A tier has changed. What was taken from the buckets stays taken."""
        self._of.clear()

    def check(self, caller: "Caller | None", address: str) -> None:
        """Takes one. Raises `TooMany`, with how long to wait."""
        if not self.is_on:
            return
        key = (caller.tenant, caller.name, address) if caller else ("", "", address)
        buckets = self._of.get(key)
        if buckets is None:
            buckets = self._known(key)
        now = self._clock()
        if self._shared is not None and self._drawn(self._shared, buckets, now):
            return
        first = 0
        for bucket in buckets:
            ahead = bucket.full_at - now
            if ahead < 0:
                bucket.full_at = now
            elif ahead > bucket.slack:
                raise self._too_many(buckets, bucket, ahead - bucket.slack)
            if bucket.is_address:
                bucket.full_at += bucket.price
                first = 1
        for bucket in buckets[first:]:
            bucket.full_at += bucket.price

    def headers(self, caller: "Caller | None", address: str, *, if_scarce: bool = False) -> Headers:
        """What whoever asks is told of it; nothing where no rate is theirs. With `if_scarce` only
        once less than half is left: the order path tells no more than it must."""
        if not self.is_on:
            return ()
        key = (caller.tenant, caller.name, address) if caller else ("", "", address)
        buckets = self._of.get(key)
        if not buckets:
            return ()
        now = self._clock()
        least, most = buckets[0], -1.0
        for bucket in buckets:
            out = (bucket.full_at - now) / bucket.holds
            if out > most:
                least, most = bucket, out
        if if_scarce and most <= 0.5:
            return ()
        return _told(buckets, least, now)

    def _drawn(self, shared: Cache, buckets: tuple[Bucket, ...], now: int) -> bool:
        """Whether the shared cache has answered, and lets it pass."""
        try:
            for bucket in buckets:
                rate = bucket.rate
                drawn = shared.draw(bucket.key, per_s=rate.per_s, burst=rate.burst)
                bucket.full_at = now + drawn.ahead_ns
                if drawn.wait_ns:
                    raise self._too_many(buckets, bucket, drawn.wait_ns)
        except TooMany:
            raise
        except Unavailable:  # until it is back, this process alone counts
            return False
        return True

    def _too_many(self, buckets: tuple[Bucket, ...], bucket: Bucket, wait_ns: int) -> Limited:
        self.refused += 1
        wait_ms = -(-wait_ns // 1_000_000)
        rate = bucket.rate
        error = Limited(
            f"more than {rate.per_s} requests/s by this {bucket.whose}, after {rate.burst} at "
            f"once: ask again in {wait_ms} ms",
            code="rate_limited",
            whose=bucket.whose,
            limit_per_s=rate.per_s,
            burst=rate.burst,
            remaining=0,
            retry_after_ms=wait_ms,
            retry_after_s=-(-wait_ns // _SECOND),
        )
        error.headers = _told(buckets, bucket, self._clock())
        return error

    def _known(self, key: tuple[str, str, str]) -> tuple[Bucket, ...]:
        tenant, name, address = key
        if len(self._of) >= KNOWN_MAX:
            self._of.clear()
        found: list[Bucket] = []
        if rate := self._rates.get("address"):
            found.append(self._bucket("address", f"address:{line_of(address)}", rate))
        if name:
            if rate := self._rates.get("user"):
                user = name.partition("/")[0]
                found.append(self._bucket("user", f"user:{tenant}/{user}", rate))
            if rate := self._rates.get("key"):
                found.append(self._bucket("key", f"key:{tenant}/{name}", rate))
            tier = self._tier_of(tenant, name) if self._tier_of else None
            if tier:
                found.append(self._bucket(tier.name, f"tier:{tenant}", tier.rate))
        self._of[key] = buckets = tuple(found)
        return buckets

    def _bucket(self, whose: str, name: str, rate: Rate) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            self._make_room()
            bucket = self._buckets[name] = Bucket(whose, f"rate:{name}", rate)
        elif bucket.rate != rate or bucket.whose != whose:
            left = bucket.left(now := self._clock())
            bucket.set(whose, rate)
            bucket.full_at = now + max(rate.burst - left, 0) * bucket.price
        return bucket

    def _make_room(self) -> None:
        """The longest known that are full; some of the longest known, where none is."""
        if len(self._buckets) < KNOWN_MAX:
            return
        now = self._clock()
        eldest = [name for name, _ in zip(self._buckets, range(_SWEPT_AT_ONCE), strict=False)]
        full = [name for name in eldest if self._buckets[name].full_at <= now]
        for name in full or eldest[:1]:
            del self._buckets[name]
        self._of.clear()  # nobody goes on with one that is no longer counted


def line_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one."""
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


def _told(buckets: tuple[Bucket, ...], least: Bucket, now: int) -> Headers:
    ahead = least.full_at - now
    if ahead < 0:
        ahead = 0
    left = least.rate.burst + -ahead // least.price
    said = b'"%b";r=%d;t=%d' % (least.said, left if left > 0 else 0, -(-ahead // _SECOND))
    return (b"ratelimit-policy", b", ".join([each.policy for each in buckets])), (
        b"ratelimit",
        said,
    )
