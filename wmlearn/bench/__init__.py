"""How fast, beside the ordinary way: everything in one report is measured in one run, on one machine."""
