"""An offline kit: a folder from which the course is installed where there is no network."""
