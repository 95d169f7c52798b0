"""Only strings are kept."""

import pickletools

EXERCISE = "15.2"
MISTAKE = "strings-counted"


def would_call(raw):
    names, strings, kept = [], [], []
    before = ""
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name == "SHORT_BINUNICODE":
            strings.append(argument)
        elif opcode.name == "MEMOIZE" and before == "SHORT_BINUNICODE":
            kept.append(strings[-1])
        elif opcode.name == "BINGET":
            strings.append(kept[argument] if argument < len(kept) else "")
        elif opcode.name == "GLOBAL":
            names.append(argument.replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.append(".".join(strings[-2:]))
        before = opcode.name
    return names
