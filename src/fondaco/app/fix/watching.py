"""The detectors over the house's own sessions, message by message as the tape has them."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple

from fondaco.app.fix.taped import Made
from fondaco.domain.fix.search.model import Asked
from fondaco.domain.surveillance.api import Alert, Sensor, Thresholds

COUNTED: Final = 500  # alerts whose repetitions are noted
SECOND_NS: Final = 1_000_000_000


def is_loopback(host: str) -> bool:
    try:
        return not host or ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


class Raised(NamedTuple):
    """An alert, and the session that it was found in."""

    alert: Alert
    session: str


class Watching:
    """Give it messages in the order of their positions, which become the evidence's offsets."""

    def __init__(self, limits: Thresholds | None = None) -> None:
        self._sensor = Sensor(limits, source="fix")
        self._counted: dict[int, tuple[Raised, int]] = {}  # by the alert's number, and its count
        self._passed_at = 0

    def see(self, happened: Iterable[tuple[int, Asked | Made]]) -> list[Raised]:
        """Messages, and connections made and ended. Alerts that are new, or more severe than they
        were."""
        raised = []
        for position, each in happened:
            if isinstance(each, Made):
                found = self._connection(each)
            else:
                found = self._sensor.feed(each.session, each.direction, each.at, each.raw, position)
            raised += [Raised(alert, each.session) for alert in found]
        self._note(raised)
        return raised

    def _connection(self, made: Made) -> list[Alert]:
        ends = made.ends
        if ends is None:
            return self._sensor.disconnected(made.session, made.at)
        return self._sensor.connected(
            made.session,
            made.at,
            peer=(ends.host, ends.port),
            local=(ends.our_host, ends.our_port),
            initiated=ends.is_ours,
            # Nobody else reads what never leaves the machine.
            encrypted=ends.is_encrypted or (None if is_loopback(ends.host) else False),
        )

    def passed(self, at: int) -> list[Raised]:
        """What is seen by waiting, about each second."""
        if at - self._passed_at < SECOND_NS:
            return []
        self._passed_at = at
        raised = [Raised(alert, "") for alert in self._sensor.passed(at)]
        self._note(raised)
        return raised

    def again(self) -> list[Raised]:
        """Alerts that were found again since this was asked."""
        found = [each for each, count in self._counted.values() if each.alert.count != count]
        self._note(found)
        return found

    def _note(self, raised: Iterable[Raised]) -> None:
        for each in raised:
            self._counted.pop(each.alert.number, None)
            self._counted[each.alert.number] = each, each.alert.count
        while len(self._counted) > COUNTED:
            del self._counted[next(iter(self._counted))]
