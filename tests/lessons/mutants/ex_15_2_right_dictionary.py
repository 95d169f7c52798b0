"""What is kept has numbers, from a counter."""

import pickletools

EXERCISE = "15.2"


def would_call(raw):
    names = []
    kept = {}
    below, top = "", ""
    count = 0
    for opcode, argument, _ in pickletools.genops(raw):
        code = opcode.name
        if "UNICODE" in code:
            below, top = top, argument
        elif code == "MEMOIZE":
            kept[count] = top
            count += 1
        elif code == "BINGET":
            below, top = top, kept.get(argument, "")
        elif code == "GLOBAL":
            module, name = argument.split(" ")
            names.append(f"{module}.{name}")
        elif code == "STACK_GLOBAL":
            names.append(f"{below}.{top}")
    return names
