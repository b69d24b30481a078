"""How often somebody may ask. A file of its own because the door asks it before anything else."""

from fondaco.domain.identity.model import TooMany
from fondaco.ports.cache import Cache


class RateLimit:
    """A bucket for each user and one for each address. A rate of 0 asks nothing."""

    def __init__(
        self, cache: Cache, *, user_per_s: int, user_burst: int, ip_per_s: int, ip_burst: int
    ) -> None:
        self._cache = cache
        self._user = (user_per_s, user_burst)
        self._ip = (ip_per_s, ip_burst)
        self.is_off = not (user_per_s or ip_per_s)

    def check_ip(self, ip: str) -> None:
        """Before anybody is authenticated. Raises `TooMany`, with how long to wait."""
        self._check("address", ip, self._ip)

    def check_user(self, tenant: str, user: str) -> None:
        """Raises `TooMany`, with how long to wait."""
        self._check("user", f"{tenant}/{user}", self._user)

    def _check(self, what: str, name: str, rate: tuple[int, int]) -> None:
        per_s, burst = rate
        if not per_s:
            return
        wait_ns = self._cache.take(f"rate:{what}:{name}", per_s=per_s, burst=burst)
        if wait_ns:
            wait_ms = -(-wait_ns // 1_000_000)
            raise TooMany(
                f"more than {per_s} requests/s by this {what}, after {burst} at once: "
                f"ask again in {wait_ms} ms",
                code="rate_limited",
                limit_per_s=per_s,
                burst=burst,
                retry_after_ms=wait_ms,
            )
