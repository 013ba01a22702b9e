"""Events of topics as files: the same bytes, however often the work was killed on the way."""
