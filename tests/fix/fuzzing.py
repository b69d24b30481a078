"""What atheris drives: the kernels, compiled and from source, against the naive parser.

    python tests/fix/fuzzing.py -runs=100000 -max_len=400

Coverage of the source steers the mutations; any difference is a crash with the bytes that cause it.
"""

import sys

import atheris

with atheris.instrument_imports(include=["fondaco.domain.fix", "fix"]):
    from fix import naive
    from fix.test_message import KERNELS
    from fondaco.domain.fix import Framer, Garbled, dictionary, validate
    from fondaco.domain.fix.shown import decoded
    from fondaco.domain.fix.written import messages_in

OF = dictionary("FIX.4.4")


def once(raw: bytes) -> None:
    """One input, and the message that its body would make with a right length and checksum."""
    head = b"8=FIX.4.4\x019=%d\x01" % len(raw)
    for each in (raw, head + raw + b"10=%03d\x01" % (sum(head + raw) % 256)):
        fields = naive.fields_of(each)
        is_message = naive.is_message(each)
        for kernel in KERNELS.values():
            try:
                message = kernel.parse(each)
            except Garbled:
                assert not is_message
                continue
            assert is_message
            assert message.fields() == fields
            validate(message, OF)
        decoded(each)
    framer = Framer()
    frames = [*framer.feed(raw), *framer.rest()]
    assert b"".join(frame.raw for frame in frames) == raw
    list(messages_in(raw))


if __name__ == "__main__":
    atheris.Setup(sys.argv, once)
    atheris.Fuzz()
