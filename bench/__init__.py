"""Measures what one delivered event costs, beside other ways to do the same (`make bench`)."""
