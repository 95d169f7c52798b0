"""What makes notebooks, and the README's tables, out of masters and results."""
