"""`fondaco mcp` and `fondaco agents`: a door for agents on stdio, and who looks after them."""

import argparse
import json
import os
from collections.abc import Iterator
from typing import Any, TypeAlias

from fondaco.app.as_whom import token_for

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def with_agents(commands: Commands) -> None:
    text = "Be the server of an agent on stdio: carries its messages to a running house."
    mcp = commands.add_parser("mcp", help=text, description=text)
    _with_house(mcp)
    mcp.set_defaults(run=_mcp)
    text = "Agents of a running house: list, stop or start them, set what they may do alone."
    agents = commands.add_parser("agents", help=text, description=text)
    asks = agents.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("list", "Agents, what they may do without asking, and what they asked last."),
        ("allow", "Give an agent a budget within which it need not ask."),
        ("ask", "Take the budget back: a person agrees to everything."),
        ("stop", "Stop an agent at once: what waits is refused, and nothing new is asked."),
        ("start", "Let an agent that was stopped ask again."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        _with_house(sub)
        if name == "list":
            sub.add_argument("--json", action="store_true")
        else:
            sub.add_argument("agent", help="its key, as ada/agent")
            sub.add_argument("--reason", required=True, help="it is kept in the journal")
        if name == "allow":
            sub.add_argument("--currency", required=True, help="USD")
            sub.add_argument("--order-max", required=True, help="of one order")
            sub.add_argument("--day-max", required=True, help="of a UTC day")
            sub.add_argument("--symbol", action="append", default=[], help="repeatable [all]")
            sub.add_argument("--minutes", type=int, default=480)
        sub.set_defaults(run=_agents, what=name)


def _with_house(parser: argparse.ArgumentParser) -> None:
    url = os.environ.get("FONDACO_URL", "http://127.0.0.1:8000")
    parser.add_argument("--url", default=url, help="of the house [FONDACO_URL]")
    parser.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")


def _mcp(asked: argparse.Namespace) -> None:
    from fondaco.app.mcp_stdio import bridge

    bridge(asked.url, token_for(asked.token, asked.url))


def _agents(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking

    house = Asking(asked.url, token_for(asked.token, asked.url))
    if asked.what == "list":
        found = house.get("/api/agents")
        for line in [json.dumps(found, indent=2)] if asked.json else _table(found):
            print(line)
        return
    order: dict[str, Any] = {"agent": asked.agent, "reason": asked.reason}
    if asked.what in ("stop", "start"):
        shown = house.post(f"/api/agents/{asked.what}", order)
    else:
        order["mode"] = "auto" if asked.what == "allow" else "ask"
        if asked.what == "allow":
            order |= {
                "currency": asked.currency,
                "order_max": asked.order_max,
                "day_max": asked.day_max,
                "symbols": asked.symbol,
                "minutes": asked.minutes,
            }
        shown = house.put("/api/agents/budget", order)
    print(json.dumps(shown, indent=2))


def _table(found: dict[str, Any]) -> Iterator[str]:
    for each in found["items"]:
        budget = each["budget"]
        may = "asks for everything"
        if budget["mode"] == "auto":
            may = (
                f"{budget['order_max']} {budget['currency']} an order, {budget['day_left']} of "
                f"{budget['day_max']} left of the day's"
            )
        stopped = f", STOPPED by {each['stopped_by']}" if each["state"] == "stopped" else ""
        yield f"{each['agent']}  {may}{stopped}  {each['client']}"
        yield f"    asked {each['asked']}, waiting {each['waiting']}, refused {each['refused']}"
    if not found["items"]:
        yield "no agent has asked for anything yet"
