"""Eight digits are compared."""

import hashlib

EXERCISE = "15.1"
MISTAKE = "first-digits"


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
            states[name] = "missing"
        elif hashlib.sha256(files[name]).hexdigest()[:8] == listed[name][:8]:
            states[name] = "same"
        else:
            states[name] = "changed"
    return states
