"""One request to a real receiver: what becomes of it when that one is down, slow or sly."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from fondaco.app.outbound import outbound
from fondaco.app.webhooks.sender import Sender, check_url
from fondaco.kernel.errors import Invalid
from fondaco.settings import Settings
from notify.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    with closing(Sender(outbound(Settings(demo=True)), timeout_s=1.0)) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.mark.parametrize("status", [200, 204, 299, 400, 410, 500, 503])
def test_a_status_is_what_was_answered(sender: Sender, receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: (status, {"Retry-After": "7"}, 0.0)
    outcome = sender.post(f"status-{status}", receiver.url, {"webhook-id": "m"}, b"{}")
    assert (outcome.status, outcome.error, outcome.retry_after_s) == (status, "", 7)
    assert len(receiver.came) == 1  # the queue tries again, and nothing below it


def test_a_redirect_is_an_answer_and_is_not_followed(sender: Sender, receiver: Receiver) -> None:
    receiver.answer = lambda _: (307, {"Location": receiver.url}, 0.0)
    assert sender.post("redirect", receiver.url, {}, b"{}").status == 307
    assert len(receiver.came) == 1


def test_who_is_slow_or_down_gives_no_answer(sender: Sender, receiver: Receiver) -> None:
    receiver.answer = lambda _: (204, {}, 2.0)
    slow = sender.post("slow", receiver.url, {}, b"{}")
    assert (slow.status, bool(slow.error)) == (0, True)
    with receiving() as gone:
        url = gone.url
    down = sender.post("down", url, {}, b"{}")
    assert (down.status, bool(down.error)) == (0, True)


def test_a_place_that_is_shut_is_not_asked_and_that_is_no_failure_of_the_message(
    sender: Sender,
) -> None:
    with receiving() as gone:
        url = gone.url
    outcomes = [sender.post("shut", url, {}, b"{}") for _ in range(40)]
    assert outcomes[0].postponed_s == 0
    assert outcomes[-1].postponed_s > 0


def test_a_house_that_is_no_demo_sends_to_no_private_address(receiver: Receiver) -> None:
    with closing(Sender(outbound(Settings(demo=False)), timeout_s=1.0)) as strict:
        outcome = strict.post("private", receiver.url, {}, b"{}")
    assert (outcome.status, receiver.came) == (0, [])
    assert outcome.error


@pytest.mark.parametrize(
    ("url", "demo", "fine"),
    [
        ("https://hooks.example.com/x?token=1", False, True),
        ("https://8.8.8.8:8443/", False, True),
        ("http://hooks.example.com/", False, False),
        ("https://10.0.0.1/", False, False),
        ("https://169.254.169.254/latest/meta-data", False, False),
        ("https://[::1]/", False, False),
        ("https://[::ffff:127.0.0.1]/", False, False),
        ("https://localhost/", False, False),
        ("https://user:pass@hooks.example.com/", False, False),
        ("https://hooks.example.com/#x", False, False),
        ("ftp://hooks.example.com/", False, False),
        ("https:///x", False, False),
        ("https://hooks.example.com/ x", False, False),
        ("http://127.0.0.1:9000/", True, True),
        ("http://localhost:9000/", True, True),
        ("http://10.0.0.1/", True, False),
    ],
)
def test_which_addresses_a_webhook_may_have(url: str, demo: bool, fine: bool) -> None:
    if fine:
        check_url(url, Settings(demo=demo))
        return
    with pytest.raises(Invalid):
        check_url(url, Settings(demo=demo))
