"""A class: what an answer earns, whose network is whose, hand-ins and their marks."""
