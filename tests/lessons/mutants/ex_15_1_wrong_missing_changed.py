"""What is gone counts as changed."""

import hashlib

EXERCISE = "15.1"
MISTAKE = "missing-changed"


def compare(manifest, files):
    listed = {}
    for line in manifest.splitlines():
        if line:
            digest, name = line.split("  ", 1)
            listed[name] = digest.lower()
    states = {}
    for name in set(listed) | set(files):
        if name not in listed:
            states[name] = "unlisted"
        elif name not in files:
            states[name] = "changed"
        elif hashlib.sha256(files[name]).hexdigest() == listed[name]:
            states[name] = "same"
        else:
            states[name] = "changed"
    return states
