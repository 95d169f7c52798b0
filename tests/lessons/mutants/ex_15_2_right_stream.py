"""A stream instead of bytes, and a generator."""

import io
import pickletools

EXERCISE = "15.2"


def would_call(raw):
    def found():
        strings, kept = [], {}
        for opcode, argument, _ in pickletools.genops(io.BytesIO(raw)):
            if isinstance(argument, str) and opcode.name.endswith("UNICODE"):
                strings = [*strings, argument]
            if opcode.name == "BINGET":
                strings = [*strings, kept.get(argument, "")]
            if opcode.name == "MEMOIZE":
                kept = {**kept, len(kept): (strings or [""])[-1]}
            if opcode.name == "GLOBAL":
                yield ".".join(argument.split())
            if opcode.name == "STACK_GLOBAL":
                yield ".".join(strings[-2:])

    return tuple(found())
