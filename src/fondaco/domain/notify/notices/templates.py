"""What notices say. A template is ours, and what is put into it is data: it adds no line to a
subject and no tag to a page. Pure."""

from collections.abc import Mapping
from html import escape
from typing import Final, NamedTuple

VALUE_MAX: Final = 300
_FOOT: Final = (
    "You get this because of your notifications in {house}; change them on its page Notices."
)


class Template(NamedTuple):
    """`{name}` stands for a field of that name."""

    subject: str
    text: str


class Rendered(NamedTuple):
    """`leads_to` is what it is about, as "order/demo.57" or "you"; "" where nothing is."""

    subject: str
    text: str
    html: str
    leads_to: str = ""


TEMPLATES: Final[Mapping[str, Template]] = {
    "security.new_device": Template(
        "New sign-in to {user}",
        "Somebody, we hope you, has signed in as {user} in {tenant} from a device that was not "
        "used before, at {at}.\n\nIf it was not you: end that session, change your password, and "
        "tell whoever runs the house.",
    ),
    "security.password_changed": Template(
        "The password of {user} was changed",
        "The password of {user} in {tenant} was changed at {at}, by {by}. Other sessions have "
        "ended.\n\nIf it was not you, tell whoever runs the house at once.",
    ),
    "security.payout_destination_set": Template(
        "{user} is paid elsewhere from now on",
        "At {at} {by} said where payouts to {user} of {tenant} go from now on, at {provider}.\n\n"
        "If it was not you, say the right one again, end that key or session, and tell whoever "
        "runs the house.",
    ),
    "security.second_factor": Template(
        "The second factor of {user} was changed",
        "At {at} the second factor of {user} in {tenant} was {change}.\n\nIf it was not you, tell "
        "whoever runs the house at once.",
    ),
    "security.passkey_added": Template(
        "A passkey was added to {user}",
        "A passkey was added to {user} in {tenant} at {at}.\n\nIf it was not you: remove it, and "
        "change your password.",
    ),
    "security.recovery_code_used": Template(
        "A recovery code of {user} was used",
        "Somebody, we hope you, has signed in as {user} in {tenant} with a recovery code at {at}. "
        "There are {left} left.",
    ),
    "security.held_up": Template(
        "Somebody guesses the password of {user}",
        "There were so many wrong passwords or codes for {user} in {tenant} that whoever tries "
        "must wait now. Your own devices are not held up. It was at {at}.",
    ),
    "security.key_created": Template(
        "A key of {user} was made",
        "The key {name} of {user} in {tenant} was made at {at} by {by}. It may: {scopes}.\n\nIf "
        "nobody should have made it, revoke it.",
    ),
    "orders.filled": Template(
        "{side} {cum_qty} {symbol} filled at {last_px}",
        "Order {order_id} of account {account_id} is {ord_status}: {side} {cum_qty} {symbol}, the "
        "last {last_qty} at {last_px}, at {at}.",
    ),
    "orders.rejected": Template(
        "{symbol} order rejected",
        "Order {cl_ord_id} of account {account_id}, {side} {order_qty} {symbol}, was rejected at "
        "{at}: {text}",
    ),
    "margin.warned": Template(
        "Margin of {account_id}: {used} used",
        "The maintenance requirement of account {account_id} is {maintenance} {currency}, of an "
        "equity of {equity} {currency}: {used} used, at {at}.",
    ),
    "margin.liquidation_began": Template(
        "Account {account_id} is being liquidated",
        "Equity of {equity} {currency} does not cover the maintenance requirement of "
        "{maintenance} {currency} of account {account_id}. Working orders are canceled, and "
        "positions are closed, since {at}.",
    ),
    "margin.liquidation_ended": Template(
        "The liquidation of {account_id} has ended",
        "Account {account_id} has an equity of {equity} {currency} since {at}.",
    ),
    "margin.state_set": Template(
        "Account {account_id} is {state}",
        "Account {account_id} is {state} since {at}: {reason}",
    ),
    "approvals.waiting": Template(
        "{by} asks for {operation}",
        "{by} asks for {operation}{of_account} in {tenant}, and a second person must agree: "
        "{approval_id}, until {until}. What was asked in detail is on the page Approvals.",
    ),
    "approvals.glass_broken": Template(
        "{by} has broken the glass",
        "{by} acts without a second person in {tenant} until {until}: {reason}\n\nSomebody else "
        "must review it afterwards.",
    ),
    "kyc.documents_needed": Template(
        "Documents are needed",
        "To verify {user} in {tenant} we need: {kinds}. Add them on the page You.",
    ),
    "kyc.approved": Template(
        "{user} is verified", "{user} in {tenant} is verified, until {until}."
    ),
    "kyc.refused": Template(
        "{user} could not be verified",
        "We could not verify {user} in {tenant}. The page You says what can be done.",
    ),
    "kyc.expired": Template(
        "The verification of {user} has ended",
        "Verify {user} in {tenant} again: the page You says how.",
    ),
    "kyc.review_waiting": Template(
        "Case {case_id} waits for a review",
        "The case {case_id} of somebody in {tenant} waits for a reviewer since {at}.",
    ),
    "surveillance.alert": Template(
        "{severity}: {title}",
        "{title} ({pattern}), {severity}, subject {subject}, at {at}: alert {alert}.",
    ),
    "house.check_failed": Template(
        "Standing check {name} fails",
        "The standing check {name} fails since {at}: {wrong}\n\nA person must look.",
    ),
    "house.check_cleared": Template(
        "Standing check {name} holds again", "The standing check {name} holds again since {at}."
    ),
    "house.killed": Template(
        "The kill switch was thrown", "{by} has thrown the kill switch at {at}: {reason}"
    ),
    "house.unkilled": Template(
        "The kill switch was taken back", "{by} has taken the kill switch back at {at}: {reason}"
    ),
    "house.webhook_disabled": Template(
        "The webhook to {host} was disabled",
        "The webhook {webhook_id} to {host} of {tenant} was disabled at {at}: {reason}",
    ),
    "test": Template(
        "A test from {house}", "This is a test of the way {way}, asked for by {by} at {at}."
    ),
}


# What a notice is about: of a kind where it stands here, else of its topic. The pages know where
# each is shown.
LEADS: Final[Mapping[str, str]] = {
    "security": "you",
    "security.key_created": "keys",
    "orders": "order/{order_id}",
    "margin": "account/{account_id}",
    "approvals": "approval/{approval_id}",
    "kyc": "papers",
    "kyc.review_waiting": "case/{case_id}",
    "surveillance": "alert/{alert}",
    "house": "house",
    "house.webhook_disabled": "webhook/{webhook_id}",
    "evaluation": "assessment/{assessment_id}",
    "reports": "report/{report_id}",
    "payments": "purchase/{purchase_id}",
}


def leads_to(kind: str, fields: Mapping[str, str]) -> str:
    """What a notice of a kind is about; "" where its fields do not say."""
    template = LEADS.get(kind, LEADS.get(kind.partition(".")[0], ""))
    try:
        found = template.format_map(fields)
    except KeyError:
        return ""
    return "" if found.endswith("/") else one_line(found)


def render(template: Template, fields: Mapping[str, str], house: str) -> Rendered:
    """Raises `KeyError` for a field that is missing."""
    clean = {name: one_line(value) for name, value in fields.items()}
    subject = template.subject.format_map(clean)
    text = template.text.format_map(clean)
    foot = _FOOT.format(house=house)
    return Rendered(subject, f"{text}\n\n-- \n{foot}\n", page(subject, text, foot))


def page(subject: str, text: str, foot: str = "") -> str:
    """Text as HTML; everything in it is text."""
    parts = "".join(
        f"<p>{escape(each).replace(chr(10), '<br>')}</p>" for each in text.split("\n\n") if each
    )
    end = f"<p style='color:#666;font-size:smaller'>{escape(foot)}</p>" if foot else ""
    return (
        "<!doctype html><html><head><meta charset='utf-8'>"
        f"<title>{escape(subject)}</title></head><body>{parts}{end}</body></html>"
    )


def one_line(value: str) -> str:
    """What somebody wrote, without signs that end a line, steer a terminal or turn text round."""
    shown = "".join(each if each.isprintable() else " " for each in value)
    return " ".join(shown.split())[:VALUE_MAX]
