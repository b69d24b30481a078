"""A session as a log has it."""


def log_of(count: int, sender: str = "BUY", target: str = "SELL") -> bytes:
    """A logon, orders, and one order sent again under a new number; one message a second."""
    terms = "54=1|55=EUR/USD|60=20261122-10:00:00"
    begins = ["A|98=0|108=30", *(f"D|11=c-{n}|38={n}|40=1|{terms}" for n in range(count))]
    begins.append(begins[1])
    lines = []
    for number, said in enumerate(begins, 1):
        kind, _, rest = said.partition("|")
        at = f"20261122-10:00:{number % 60:02}.000"
        body = f"35={kind}|34={number}|49={sender}|52={at}|56={target}|{rest}|".replace("|", "\x01")
        head = f"8=FIX.4.4\x019={len(body)}\x01{body}"
        lines.append(f"{at} {head}10={sum(head.encode()) % 256:03}\x01\n")
    return "".join(lines).encode()
