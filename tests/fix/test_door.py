"""The door over FIX: a foreign client trades, disconnects, and recovers by resend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix.foreign import Foreign, agreements, free_port, order
from fondaco.domain.identity.model import digest_of, key_id_of
from running import Running, begin, house

KEY = key_id_of(digest_of("demo"))
WHICH = order("")[1:4]  # Symbol, Side and TransactTime
SESSIONS = (
    ("FIX.4.4", "BUYSIDE", "orders"),
    ("FIX.4.2", "OLD", "orders"),
    ("FIX.4.4", "WATCHER", "drop_copy"),
)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("door")
    agreements(data, KEY, *SESSIONS)
    with house(data, options=("--fix-port", str(port))) as found:
        yield found


@pytest.fixture(scope="module")
def buyer(running: Running, port: int) -> Foreign:
    found = Foreign(port, "BUYSIDE")
    assert found.log_on()[108] == "30"
    return found


def test_an_order_is_placed_replaced_and_canceled(buyer: Foreign) -> None:
    buyer.send("D", order("a-1"))
    new = buyer.report("0", t11="a-1", t39="0", t38="0.01", t151="0.01", t14="0", t44="1000")
    assert new[1] == "demo"
    buyer.send("H", [(11, "a-1"), (55, "BTC-USD"), (54, "1")])
    assert buyer.report("I", t39="0", t17="0")[37] == new[37]
    change = [(41, "a-1"), (11, "a-2"), (38, "0.02"), (44, "1001.00"), *WHICH, (40, "2")]
    buyer.send("G", [(21, "1"), *change])
    buyer.report("E", t11="a-2", t41="a-1", t39="E")
    buyer.report("5", t11="a-2", t41="a-1", t38="0.02", t44="1001", t37=new[37])
    buyer.send("F", [(41, "a-2"), (11, "a-3"), *WHICH])
    buyer.report("6", t11="a-3", t41="a-2", t39="6")
    buyer.report("4", t11="a-3", t41="a-2", t39="4", t151="0")
    buyer.send("F", [(41, "a-2"), (11, "a-4"), *WHICH])
    late = buyer.hear("9")
    assert (late[11], late[41], late[39], late[434], late[102]) == ("a-4", "a-2", "4", "1", "0")
    buyer.send("F", [(41, "nobody"), (11, "a-5"), *WHICH])
    unknown = buyer.hear("9")
    assert (unknown[37], unknown[39], unknown[102]) == ("NONE", "8", "1")


def test_a_market_order_executes_and_drop_copies_say_so(buyer: Foreign, port: int) -> None:
    watcher = Foreign(port, "WATCHER")
    watcher.log_on()
    buyer.send("D", order("b-1", t40="1", t44="", t59="3"))
    buyer.report("0", t11="b-1")
    fill = buyer.report("F", t11="b-1", t39="2", t32="0.01", t14="0.01", t151="0", t851="2")
    assert fill[31] == fill[6]
    assert float(fill[12]) > 0
    assert watcher.report("0", t797="Y", t11="b-1")[17] != "0"
    assert watcher.report("F", t797="Y")[17] == fill[17]
    watcher.send("D", order("b-2"))
    assert watcher.hear("j")[372] == "D"
    watcher.log_out()
    buyer.send("AD", [(11, "b-1"), (568, "t-1"), (569, "1")])
    asked = buyer.hear("AQ")
    assert (asked[568], asked[748], asked[749]) == ("t-1", "1", "0")
    trade = buyer.hear("AE")
    same = (11, 17, 31, 32, 37, 54, 55)
    assert {tag: trade[tag] for tag in same} == {tag: fill[tag] for tag in same}
    assert (trade[568], trade[552]) == ("t-1", "1")
    buyer.send("AD", [(568, "t-2"), (569, "1"), (263, "1")])
    assert buyer.hear("AQ")[749] == "8", "nobody is told of later ones"
    buyer.send("AD", [(11, "nobody"), (568, "t-3"), (569, "1")])
    assert buyer.hear("AQ")[748] == "0"


REFUSED = [  # what is changed in an order, and the OrdRejReason (103) it is refused with
    ({"t44": "1000.001"}, "99"),
    ({"t38": "0.0000000001"}, "99"),
    ({"t55": "NOT-HERE"}, "1"),
    ({"t38": "1000000"}, "3"),
    ({"t1": "another"}, "99"),
    ({"t54": "5"}, "99"),
    ({"t44": ""}, "11"),
    ({"t11": "no spaces"}, "99"),
]


@pytest.mark.parametrize(("more", "reason"), REFUSED)
def test_what_is_refused_says_why(buyer: Foreign, more: dict[str, str], reason: str) -> None:
    buyer.send("D", order(f"c-{reason}-{'-'.join(more)}", **more))
    refused = buyer.report("8", t39="8", t103=reason)
    assert refused[58]


def test_a_message_that_is_no_order_is_rejected_by_the_session(buyer: Foreign) -> None:
    buyer.send("D", order("d-1", t54=""))
    refused = buyer.hear("3")
    assert (refused[371], refused[373]) == ("54", "1")
    numbers = [(151, "1"), (14, "0"), (6, "0")]
    buyer.send("8", [(37, "x"), (17, "x"), (150, "0"), (39, "0"), *WHICH[:2], *numbers])
    assert buyer.hear("j")[380] == "3"


def test_the_same_cl_ord_id_is_the_same_order(buyer: Foreign) -> None:
    buyer.send("D", order("e-1"))
    first = buyer.report("0", t11="e-1")
    buyer.send("D", order("e-1"), header=[(97, "Y")])
    assert buyer.report("I", t11="e-1", t39="0")[37] == first[37]
    buyer.send("D", order("e-2"))  # and once more before the first is durable
    buyer.send("D", order("e-2"), header=[(97, "Y")])
    assert {buyer.hear("8")[150] for _ in range(2)} == {"0", "I"}
    buyer.send("D", order("e-1", t38="0.03"))
    buyer.report("8", t11="e-1", t103="6")


def test_all_orders_are_canceled_at_once(buyer: Foreign) -> None:
    buyer.send("D", order("f-1"))
    buyer.report("0", t11="f-1")
    buyer.send("AF", [(584, "all"), (585, "7")])
    asked = buyer.report("I", t584="all")
    for _ in range(int(asked[911]) - 1):
        asked = buyer.report("I", t584="all")
    assert asked[912] == "Y"
    buyer.send("q", [(11, "f-2"), (530, "7"), WHICH[2]])
    said: dict[str, list[dict[int, str]]] = {"8": [], "r": []}
    while len(said["8"]) < 2 * int(asked[911]) or not said["r"]:
        found = buyer.hear("8", "r")
        said[found[35]].append(found)
    assert said["r"][0][531] == "7"
    assert said["r"][0][533] == asked[911]
    assert sum(each[150] == "4" for each in said["8"]) == int(asked[911])


def test_a_list_is_placed_together_or_not_at_all(buyer: Foreign) -> None:
    def listed(name: str, px: str) -> list[tuple[int, str]]:
        entries = [
            [(11, f"{name}-{n}"), (67, str(n)), (55, "BTC-USD"), (54, "1"), (38, "0.01"), (40, "2"),
             (44, px if n == 2 else "900.00"), (59, "1")]
            for n in (1, 2)
        ]  # fmt: skip
        head = [(66, name), (394, "3"), (68, "2"), (73, "2")]
        return [*head, *(field for entry in entries for field in entry)]

    buyer.send("E", listed("g", "901.00"))
    new = [buyer.report("0", t39="0", t66="g") for _ in range(2)]
    assert [each[11] for each in new] == ["g-1", "g-2"]
    taken = buyer.hear("N")
    assert {tag: taken[tag] for tag in (66, 68, 73, 429, 431)} == {
        66: "g", 68: "2", 73: "2", 429: "1", 431: "3",
    }  # fmt: skip
    buyer.send("F", [(41, "g-1"), (11, "g-3"), *WHICH])
    buyer.report("6", t11="g-3", t66="g")
    buyer.report("4", t11="g-3")
    buyer.send("M", [(66, "g")])
    asked = buyer.hear("N")
    assert (asked[429], asked[431]) == ("2", "3"), "one still works"
    buyer.send("K", [(66, "g"), (60, "20260102-10:11:12")])
    said = [buyer.hear("8", "N") for _ in range(4)]
    assert [each[150] for each in said if each[35] == "8"] == ["6", "4"]
    assert [each[429] for each in said if each[35] == "N"] == ["2", "5"]
    assert said[-1][431] == "6", "all of it is done"
    assert (said[-1][84], said[-1][151]) == ("0.01", "0")
    buyer.send("M", [(66, "nobody's")])
    assert buyer.hear("j")[380] == "1"
    buyer.send("E", [*listed("none", "900.00")[:3], (73, "0")])
    assert buyer.hear("j")[380] == "5"
    buyer.send("E", listed("h", "901.001"))
    assert {buyer.report("8", t66="h")[11] for _ in range(2)} == {"h-1", "h-2"}
    refused = buyer.hear("N")
    assert (refused[66], refused[429], refused[431]) == ("h", "1", "7")
    assert refused[39] == "8"
    assert refused[444]


def test_the_market_is_shown_and_kept_up_to_date(buyer: Foreign) -> None:
    kinds = [(267, "2"), (269, "0"), (269, "1"), (146, "1"), (55, "BTC-USD")]
    buyer.send("V", [(262, "m-1"), (263, "1"), (264, "5"), (265, "1"), *kinds])
    shown = buyer.hear("W")
    assert (shown[262], shown[55], shown[268]) == ("m-1", "BTC-USD", "10")
    changed = buyer.hear("X")
    assert (changed[262], changed[55]) == ("m-1", "BTC-USD")
    buyer.send("V", [(262, "m-1"), (263, "2"), (264, "5"), *kinds])
    buyer.send("V", [(262, "m-2"), (263, "0"), (264, "1"), *kinds[:-1], (55, "NOT-HERE")])
    while (refused := buyer.hear("Y", "X"))[35] == "X":
        continue
    assert (refused[262], refused[281]) == ("m-2", "0")
    buyer.send("x", [(320, "s-1"), (559, "4")])
    listed = buyer.hear("y")
    assert (listed[320], listed[560]) == ("s-1", "0")
    assert int(listed[146]) >= 1
    buyer.send("c", [(320, "s-2"), (321, "1"), (55, "BTC-USD")])
    assert buyer.hear("d")[55] == "BTC-USD"


def test_fix_4_2_says_fills_by_status(buyer: Foreign, running: Running, port: int) -> None:
    old = Foreign(port, "OLD", "FIX.4.2")
    old.log_on()
    old.send("D", order("i-1", t40="1", t44="", t59="3"))
    assert old.report("0", t11="i-1", t20="0")[39] == "0"
    old.report("2", t11="i-1", t20="0", t39="2", t32="0.01")
    old.log_out()
    assert [buyer.hear("8")[150] for _ in range(2)] == ["0", "F"]  # every session of the account


def test_what_happened_while_we_were_away_is_asked_for(buyer: Foreign, running: Running) -> None:
    buyer.send("D", order("j-1"))
    placed = buyer.report("0", t11="j-1")
    buyer.drop()
    assert running.client().ask("DELETE", f"/api/orders/{placed[37]}").status == 200
    before = buyer.heard
    assert int(buyer.back()[34]) > before + 1
    buyer.heard = before
    buyer.missed()
    # What happens after the logon goes out at once, before what is asked for again.
    seen = sorted((buyer.hear("8") for _ in range(2)), key=lambda each: int(each[34]))
    assert [each[150] for each in seen] == ["6", "4"]
    assert seen[0][43] == "Y"


def test_after_kill_9_numbers_go_on_and_nothing_is_done_twice(tmp_path: Path) -> None:
    port = free_port()
    agreements(tmp_path, KEY, SESSIONS[0])
    options = ("--fix-port", str(port))
    with house(tmp_path, options=options) as first:
        buyer = Foreign(port, "BUYSIDE")
        buyer.log_on()
        buyer.send("D", order("k-1"))
        placed = buyer.report("0", t11="k-1")
        buyer.send("D", order("k-2"))
        first.kill()
    again = begin(tmp_path, options=options)
    try:
        again.wait()
        buyer.drop()
        before = buyer.heard
        assert int(buyer.back()[34]) > before
        buyer.heard = before
        buyer.missed()
        buyer.send("D", order("k-2"), header=[(97, "Y")])
        answers: list[dict[int, str]] = []
        while not answers or answers[-1][11] != "k-2":  # k-1 may have been asked for again
            answers.append(buyer.hear("8"))
        assert [each[11] for each in answers if each[150] == "0"] in ([], ["k-2"])
        buyer.send("H", [(11, "k-2"), (55, "BTC-USD"), (54, "1")])
        while answers[-1][150] != "I" or answers[-1][11] != "k-2":
            answers.append(buyer.hear("8"))
        buyer.send("H", [(11, "k-1"), (55, "BTC-USD"), (54, "1")])
        while answers[-1][11] != "k-1":
            answers.append(buyer.hear("8"))
        assert (answers[-1][37], answers[-1][39]) == (placed[37], "0")
        assert len({each[37] for each in answers if each[11] == "k-2"}) == 1
        # What was told at the logon may be among what is asked for again: it has the same number.
        assert len({each[34] for each in answers if each[150] == "0"}) <= 1, answers
    finally:
        again.kill()


def test_a_demo_house_has_sessions_to_try(tmp_path: Path) -> None:
    """In FIX 5.0 SP2 over FIXT.1.1, and without a file of agreements."""
    port = free_port()
    with house(tmp_path, options=("--fix-port", str(port))):
        demo = Foreign(port, "DEMO", "FIXT.1.1")
        assert demo.log_on((1137, "9"))[1137] == "9"
        demo.send("D", order("l-1", t40="1", t44="", t59="3"))
        demo.report("0", t11="l-1")
        demo.report("F", t11="l-1", t39="2", t32="0.01")
        demo.log_out()
