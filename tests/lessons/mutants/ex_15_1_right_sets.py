"""Sets of names, one a state."""

import hashlib

EXERCISE = "15.1"


def compare(manifest, files):
    listed = {line[66:]: line[:64].lower() for line in manifest.splitlines() if line.strip()}
    there, known = set(files), set(listed)
    states = dict.fromkeys(there - known, "unlisted") | dict.fromkeys(known - there, "missing")
    for name in there & known:
        states[name] = {True: "same", False: "changed"}[hashlib.sha256(files[name]).hexdigest() == listed[name]]
    return states
