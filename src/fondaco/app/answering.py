"""A running house as its doors see it: what they ask, and what operations are answered from."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from fondaco.app.about import about
from fondaco.app.agents import AgentsDesk
from fondaco.app.approvals import ApprovalsDesk
from fondaco.app.assessments.desk import AssessmentsDesk
from fondaco.app.assessments.telling import AssessmentFeed
from fondaco.app.certificates import CertificatesDesk
from fondaco.app.chain import Chain
from fondaco.app.checks import Heard
from fondaco.app.erasure import ErasureDesk
from fondaco.app.fix.cases import CaseDesk
from fondaco.app.fix.desk import Desk
from fondaco.app.fix.messages import Messages
from fondaco.app.follower import Follower
from fondaco.app.health import Health
from fondaco.app.house import Kernel
from fondaco.app.kyc import KycPart, gated
from fondaco.app.leaderboard import LeaderboardDesk
from fondaco.app.lending import LendingDesk
from fondaco.app.notices.desk import NoticesDesk
from fondaco.app.oidc import Provider
from fondaco.app.own_records import OwnDesk
from fondaco.app.partners import PartnersDesk
from fondaco.app.payments.part import PaymentsPart
from fondaco.app.payments.shop import ShopDesk
from fondaco.app.people import PeoplePart
from fondaco.app.policies.authority import Authority
from fondaco.app.proofs import proofs
from fondaco.app.say import say, say_error
from fondaco.app.shipping import Shipping
from fondaco.app.test_clock.desk import TestClockDesk
from fondaco.app.tiers import TiersDesk
from fondaco.app.topics.publishing import TopicsPublisher
from fondaco.app.tracing import Tracer
from fondaco.app.vault import VaultDesk
from fondaco.app.views import POSTS
from fondaco.app.webhooks.desk import WebhooksDesk
from fondaco.domain.identity.directory import Directory
from fondaco.domain.ledger.events import RecordChecks
from fondaco.domain.ledger.model import CHECKS_STREAM
from fondaco.domain.trading.store.stops import at_work
from fondaco.gateway.graphql.serving import Graph
from fondaco.gateway.guard.rates import Rates
from fondaco.gateway.uses import KeptUses
from fondaco.kernel.errors import Corrupt, FondacoError, NotFound, Unavailable
from fondaco.kernel.event import Command, CommandId, StreamId
from fondaco.ports.cache import Cache
from fondaco.ports.outbound import Outbound
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import positions
from fondaco.runtime.tracing.looking import Beside
from fondaco.runtime.tracing.watch import HouseWatch

READY_POLL_S: Final = 0.02
VIEWS_WAIT_S: Final = 2.0
VIEWS_STILL_S: Final = 10.0  # a step under load takes far less
VIEWS_BEHIND_MAX: Final = 50_000  # entries; about a second of full load

# Parts of a house that operations are answered from.
_PARTS: Final = frozenset(
    {
        "agents",
        "applications",
        "approvals",
        "assessments",
        "certificates",
        "assessment_feed",
        "erasure",
        "fix",
        "fix_cases",
        "fix_messages",
        "kyc",
        "outbound",
        "own_data",
        "leaderboard",
        "lending",
        "notices",
        "partners",
        "payments",
        "people",
        "policy",
        "shop",
        "test_clock",
        "tiers",
        "simulations",
        "reports",
        "uses",
        "vault",
        "webhooks",
    }
)


class House:
    """What the gateway asks of us: `fondaco.gateway.house.House`."""

    health: Health  # once there are doors to be counted at
    graph: Graph  # likewise
    people: PeoplePart  # once there are records
    erasure: ErasureDesk
    applications: Provider  # likewise
    fix: Desk  # once its sessions are open
    payments: PaymentsPart  # once there are tiers to sell
    kyc: KycPart
    outbound: Outbound  # what calls others
    fix_messages: Messages
    own_data: OwnDesk
    uses: KeptUses
    webhooks: WebhooksDesk
    vault: VaultDesk
    notices: NoticesDesk
    leaderboard: LeaderboardDesk
    certificates: CertificatesDesk
    reports: Any  # app.reports.ReportsDesk, which knows us

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        rates: Rates,
        views: SqliteStore,
        follower: Follower,
        watch: HouseWatch,
    ) -> None:
        self.kernel = kernel
        self.directory = directory
        self.rates = rates
        self._shown = views
        self.follower = follower
        self.now = kernel.now
        self.authenticate = directory.authenticate
        self.redeem = directory.redeem
        self.signed = directory.signed
        self.changes = directory.changes
        self.tenant_of = kernel.accounts.get
        self.submit = kernel.submit
        self.pressure = kernel.pressure
        self.reading = views.reading
        self.draining = False
        self.failed = ""  # the part that died; then the house stops
        self.shared_cache: Cache | None = None  # one that is elsewhere
        self.proofs = proofs(kernel.files, kernel.journal)
        self.about = about(kernel)
        self.tape_lost: Callable[[], int] = int  # frames that the disk did not take
        self.feed_deaths = 0
        self.checked = Heard(kernel.files)
        self.watch = watch
        self.tracer: Tracer | None = None
        self.beside = Beside(kernel.files.traces, POSTS)
        self.shop = ShopDesk(kernel, views.reading)
        self.policy = Authority(kernel, directory)
        self.tiers = TiersDesk(kernel, directory, views.reading)
        self.simulations = self.tiers.simulations
        self.assessments = AssessmentsDesk(kernel, directory, self.reading, self.tiers, self.proofs)
        self.assessment_feed = AssessmentFeed(kernel, self.assessments)
        kernel.listeners.append(self.assessment_feed.note)
        self.partners = PartnersDesk(kernel, directory, lambda: self.uses)
        within = self.partners.authorising(self.policy.authorise)
        self.chain = Chain(kernel.settings, kernel, self.policy)
        within = gated(kernel.settings, within, lambda: self.kyc)
        self.authorise = self.chain.authorising(within)
        self.denied = self.policy.denied
        self.noted = self.policy.noted
        self.approvals = ApprovalsDesk(kernel, directory, self.source, self.authorise)
        self.agents = AgentsDesk(self.approvals, directory)
        self.lending = LendingDesk(self.approvals, directory, lambda: self.people.desk)
        self.shipping: Shipping | None = None
        self.topics: TopicsPublisher | None = None
        self.fix_cases = CaseDesk(kernel)
        self.test_clock = TestClockDesk(kernel, self.part_ended)
        self._views_were_at = self._views_moved_s = 0.0

    async def close(self) -> None:
        """Behind the doors, while the journal still takes entries."""
        await self.health.close()
        await self.tiers.close()
        await self.policy.close()

    def part_ended(self, task: "asyncio.Task[None]") -> None:
        """A part that nobody foresaw to end: stop, rather than go on without it."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failed:
            self.failed = task.get_name()
            say_error(f"the part that is called {self.failed} has died: we stop", error)
            os.kill(os.getpid(), signal.SIGTERM)

    def feed_died(self, error: BaseException | None) -> None:
        self.feed_deaths += 1
        if error is None:
            say("the feed has ended; it is begun again")
        else:
            say_error("the feed has died; it is begun again", error)

    def recheck(self, caller: Any) -> None:
        """Raises `Denied` once the key of somebody who stays connected is no longer valid."""
        found = self.directory.caller_named(caller.tenant, caller.name)
        if found.behind:
            self.directory.holder(found.key_id)  # it ends to the second

    def views_at(self) -> int:
        try:
            with self._shown.reading() as conn:
                return min(positions(conn).values(), default=0)
        except Corrupt:
            return 0  # the follower has not made its tables yet

    def look_after_views(self) -> None:
        """Called every second: who has died is started again, who stands still is seen."""
        self.follower.keep_alive()
        if self.tracer:
            self.tracer.keep_alive()
        self.fix_messages.keep_alive()
        self.webhooks.keep_alive()
        self.notices.keep_alive()
        for child in (self.shipping, self.topics):
            if child:
                child.keep_alive()
        now, views_at = time.monotonic(), self.seen_views_at()
        if views_at != self._views_were_at or views_at >= self.kernel.committer.position:
            self._views_moved_s = now
        self._views_were_at = views_at

    def seen_views_at(self) -> int:
        """Up to where the views are, as far as can be seen; 0 where nothing can."""
        try:
            return self.views_at()
        except FondacoError:
            return 0

    def _views(self) -> tuple[bool, str]:
        behind = max(self.kernel.committer.position - self.seen_views_at(), 0)
        still_s = time.monotonic() - self._views_moved_s if self._views_moved_s else 0.0
        if self.follower.trouble:
            return False, f"{self.follower.trouble}; {behind} entries behind"
        if behind and still_s > VIEWS_STILL_S:
            return False, f"{behind} entries behind, and nothing moves for {still_s:.0f} s"
        return behind <= VIEWS_BEHIND_MAX, f"{behind} entries behind"

    def _market(self) -> tuple[bool, str]:
        books, bad = self.kernel.board.books, self.kernel.board.not_ready
        source = self.kernel.feed
        label = source.label if source else "no feed"
        trouble = getattr(source, "trouble", "")  # of one that needs a network
        if bad:
            why = f" ({trouble})" if trouble else ""
            return False, f"{label}{why}: {', '.join(bad)}"
        return True, f"{label}: {len(books)} books are ok"

    def source(self, name: str) -> Any:
        """What operations are answered from."""
        match name:
            case "market":
                return self.kernel.board
            case "journal":
                return self.kernel.journal
            case "proofs":
                return self.proofs
            case "identity":
                return self.directory
            case "issuer":
                return self.applications.issuer
            case "house":
                return self
            case "about":
                return self.about
            case _ if name in _PARTS:
                return getattr(self, name)
            case _:
                raise NotFound(f"operations have no source called {name}")

    # --- What `Do`s and `Look`s of the trading room name as their House ---------------------------

    def peek(self, stream: StreamId) -> Any:
        """The state of a stream's owner, if it is in memory; None if not."""
        memory = self.kernel.peek(stream)
        return memory.state if memory else None

    def refs(self) -> Any:
        return self.kernel.refs

    @property
    def margins(self) -> Any:
        return self.kernel.margins

    @property
    def board(self) -> Any:
        return self.kernel.board

    @property
    def journal(self) -> Any:
        return self.kernel.journal

    async def wake(self, stream: StreamId) -> None:
        await self.kernel.wake(stream)

    def streams(self) -> list[StreamId]:
        return self.kernel.streams()

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None:
        self.kernel.ask_again_until_done(stream, command)

    async def accounts_at_work(self, symbol: str, position: int) -> list[str]:
        """Accounts with working orders in an instrument, once the views have reached `position`;
        all accounts, where they do not within a moment."""
        deadline = time.monotonic() + VIEWS_WAIT_S
        while await asyncio.to_thread(self.seen_views_at) < position:
            if time.monotonic() > deadline:
                return list(self.kernel.accounts)
            await asyncio.sleep(READY_POLL_S)

        def look() -> list[str]:
            with self.reading() as conn:
                return [account for account, _, _ in at_work(conn, None, symbol)]

        return await asyncio.to_thread(look)

    # --- Standing checks ------------------------------------------------------------------------

    def hear_checks(self) -> None:
        """A check that fails, or holds again, is written to the journal and to the log, once."""
        made = self.checked.read()
        if made is None:
            return
        failing = self.failing()
        for each in made.found:
            if bool(each.wrong) != (each.name in failing):
                say(f"standing check {each.name} {'; '.join(each.wrong) or 'holds again'}")
                command = RecordChecks(
                    CommandId(f"checks/{made.at}"), self.now(), made.found, made.position
                )
                self.kernel.ask_again_until_done(CHECKS_STREAM, command)
                return

    def failing(self) -> Mapping[str, tuple[str, ...]]:
        """Standing checks that fail, as the journal has them."""
        memory = self.kernel.peek(CHECKS_STREAM)
        return memory.state.failing if memory else {}

    def standing(self) -> Any:
        """The last round of standing checks, and which fail: what `ledger.checks` is made of."""
        return self.checked.last, self.failing()

    def _books(self) -> tuple[bool, str]:
        """Never a reason to be taken away from those who trade here: that would mend no book."""
        failing = self.failing()
        if failing:
            return True, f"FAILING: {', '.join(failing)}; see /api/checks"
        if self.checked.last is None:
            return True, "no standing check was made yet"
        return True, f"{len(self.checked.last.found)} standing checks hold"

    # --- Whether it is ready --------------------------------------------------------------------

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Each thing that must hold for `/ready`, and what it is now."""
        pressure = self.kernel.pressure()
        return {
            "serving": (not self.draining, "draining" if self.draining else "serving"),
            "journal": (pressure is None, pressure.message if pressure else "takes entries"),
            "views": self._views(),
            "market": self._market(),
            "books": self._books(),
            **self.approvals.checks(),
            **self.webhooks.checks(),
            **self.notices.checks(),
            **self.payments.checks(),
            **(self.topics.checks() if self.topics else {}),
            **self._elsewhere(),
        }

    def _elsewhere(self) -> dict[str, tuple[bool, str]]:
        """Nothing that a house must have to trade, so it is ready without."""
        if self.shared_cache is None:
            return {}
        try:
            self.shared_cache.get("ready")
        except Unavailable as error:
            return {"cache": (True, f"{error.message}; rates are counted by this process alone")}
        return {"cache": (True, "answers")}
