"""Only STACK_GLOBAL is read."""

import pickletools

EXERCISE = "15.2"
MISTAKE = "new-only"


def would_call(raw):
    names, strings, kept = [], [], []
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE"):
            strings.append(argument)
        elif opcode.name == "MEMOIZE":
            kept.append(strings[-1] if strings else "")
        elif opcode.name == "BINGET":
            strings.append(kept[argument] if argument < len(kept) else "")
        elif opcode.name == "STACK_GLOBAL":
            names.append(strings[-2] + "." + strings[-1])
    return names
