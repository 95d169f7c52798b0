"""What is fetched from the memory is lost."""

import pickletools

EXERCISE = "15.2"
MISTAKE = "no-memory"


def would_call(raw):
    names, strings, kept = [], [], []
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE"):
            strings.append(argument)
        elif opcode.name == "MEMOIZE":
            kept.append(strings[-1] if strings else "")
        elif opcode.name == "GLOBAL":
            names.append(argument.replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.append(strings[-2] + "." + strings[-1])
    return names
