"""The name stands before its module."""

import pickletools

EXERCISE = "15.2"
MISTAKE = "exchanged"


def would_call(raw):
    names, strings, kept = [], [], []
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE"):
            strings.append(argument)
        elif opcode.name == "MEMOIZE":
            kept.append(strings[-1] if strings else "")
        elif opcode.name == "BINGET":
            strings.append(kept[argument] if argument < len(kept) else "")
        elif opcode.name == "GLOBAL":
            names.append(argument.replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.append(strings[-1] + "." + strings[-2])
    return names
