"""Retries on a simulated clock: only what is idempotent, three times, 100 ms to 5 s apart."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.kernel.seeded import Seeded
from fondaco.ports.outbound import PASSING, Reply, Request
from fondaco.ports.outbound.courier import Courier

MS = 1_000_000
Answer = int | Unavailable | Reply


class Far:
    """The other side, and the clock: calls take no time, and only sleeping moves it."""

    def __init__(self, answers: Sequence[Answer], seed: int = 0) -> None:
        self.now = 0
        self.at_ms: list[float] = []  # when it was called
        self._answers = list(answers)
        self.courier = Courier(
            self, clock=lambda: self.now, sleep=self.sleep, between=Seeded(seed).between
        )

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1_000) * MS

    async def carry(self, request: Request, within_s: float) -> Reply:
        assert 0 < within_s <= request.within_s
        self.at_ms.append(self.now / MS)
        answer = self._answers[min(len(self.at_ms), len(self._answers)) - 1]
        if isinstance(answer, Unavailable):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(answer, {}, b"")

    async def check(self, url: str) -> None: ...

    async def close(self) -> None: ...

    def ask(self, method: str = "GET", **more: object) -> Reply | Unavailable:
        request = Request(method, "https://far.example/x", **more)  # type: ignore[arg-type]
        try:
            return asyncio.run(self.courier.ask(request))
        except Unavailable as error:
            return error

    @property
    def pauses_ms(self) -> list[float]:
        return [b - a for a, b in zip(self.at_ms, self.at_ms[1:], strict=False)]


def gone() -> Unavailable:
    return Unavailable("gone", code="no_answer")


failing = st.sampled_from(sorted(PASSING)) | st.builds(gone)


@given(st.lists(failing, min_size=3, max_size=3), st.integers(0, 2**32))
def test_three_attempts_each_pause_doubled_with_a_random_part(
    answers: list[Answer], seed: int
) -> None:
    far = Far(answers, seed)
    found = far.ask()
    assert len(far.at_ms) == 3
    assert 100 <= far.pauses_ms[0] <= 200 <= far.pauses_ms[1] <= 400
    last = answers[-1]
    if isinstance(last, int):
        assert isinstance(found, Reply)
        assert (found.status, found.attempts) == (last, 3)
    else:
        assert isinstance(found, Unavailable)
        assert found.details["attempts"] == 3


@given(st.integers(0, 2**32))
def test_pauses_end_at_5_s(seed: int) -> None:
    """429 is an answer, so no breaker is in the way."""
    far = Far([429], seed)
    far.ask(attempts=12, within_s=600)
    assert len(far.at_ms) == 12
    assert all(100 <= each <= 5_000 for each in far.pauses_ms)
    assert all(each == 5_000 for each in far.pauses_ms[6:])


def test_pauses_differ_so_that_not_all_come_back_at_once() -> None:
    pauses = set()
    for seed in range(20):
        far = Far([503, 200], seed)
        far.ask()
        pauses.add(far.pauses_ms[0])
    assert len(pauses) > 10


@pytest.mark.parametrize(
    ("method", "key", "attempts"),
    [
        ("GET", "", 3),
        ("HEAD", "", 3),
        ("PUT", "", 3),
        ("DELETE", "", 3),
        ("POST", "", 1),
        ("PATCH", "", 1),
        ("POST", "k-1", 3),
    ],
)
def test_only_what_is_idempotent_is_sent_again(method: str, key: str, attempts: int) -> None:
    far = Far([gone()])
    far.ask(method, idempotency_key=key)
    assert len(far.at_ms) == attempts


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 404, 409, 410, 422, 501])
def test_what_will_not_change_is_not_asked_again(status: int) -> None:
    far = Far([status])
    found = far.ask()
    assert isinstance(found, Reply)
    assert (found.status, len(far.at_ms)) == (status, 1)


@pytest.mark.parametrize(
    ("after", "calls"), [("1", 3), ("5", 3), ("6", 1), ("soon", 3), ("-1", 3), ("²", 3)]
)
def test_retry_after_is_kept_to_and_what_is_too_long_is_told(after: str, calls: int) -> None:
    far = Far([Reply(503, {"retry-after": after}, b"")])
    far.ask()
    assert len(far.at_ms) == calls
    if after in ("1", "5"):
        assert far.pauses_ms == [int(after) * 1_000] * 2


@given(st.integers(1, 2_000), st.integers(0, 2**32))
def test_no_attempt_begins_after_its_time(within_ms: int, seed: int) -> None:
    far = Far([503], seed)
    far.ask(within_s=within_ms / 1_000)
    assert far.at_ms[-1] < within_ms


def test_a_place_that_fails_is_left_alone_and_comes_back() -> None:
    far = Far([gone()])
    far.ask()
    refused = far.ask()  # its first call is the fourth failure: the second is not made
    assert isinstance(refused, Unavailable)
    assert refused.code == "circuit_open"
    assert len(far.at_ms) == 4
    [line] = far.courier.lines()
    assert (line.place, line.state, line.opened) == ("https://far.example:443", "open", 1)
    far.now += 30_000 * MS
    far._answers = [200]
    for _ in range(7):
        assert isinstance(far.ask(), Reply)
    assert far.courier.lines()[0].state == "closed"


def test_places_fail_alone() -> None:
    far = Far([gone()])
    far.ask(place="one")
    far.ask(place="one")
    far._answers = [200]
    assert isinstance(far.ask(place="one"), Unavailable)
    assert isinstance(far.ask(place="other"), Reply)


def test_who_gives_up_gives_back_the_permit() -> None:
    far = Far([gone()])
    far.ask()
    far.ask()
    far.now += 30_000 * MS
    never: asyncio.Future[Reply] | None = None

    async def hang(request: Request, within_s: float) -> Reply:
        nonlocal never
        never = asyncio.get_running_loop().create_future()
        return await never

    async def give_up() -> None:
        task = asyncio.create_task(far.courier.ask(Request("GET", "https://far.example/x")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    was: Callable[[Request, float], object] = far.carry
    far.carry = hang  # type: ignore[method-assign]
    asyncio.run(give_up())
    far.carry = was  # type: ignore[method-assign,assignment]
    far._answers = [200]
    assert isinstance(far.ask(), Reply)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/",
        "//a/",
        "a",
        "",
        "https://",
        "https://user@a/",
        "https://u:p@a/",
        "https://a:99999/",
        "https://a/ b",
        "https://a\r\nx: y/",
        "https://a\\@b/",
        "https://ä/",
        "file:///etc/passwd",
        "https://[::1/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    far = Far([200])
    with pytest.raises(Invalid) as caught:
        asyncio.run(far.courier.ask(Request("GET", url)))
    assert caught.value.code == "address_refused"
    assert not far.at_ms
