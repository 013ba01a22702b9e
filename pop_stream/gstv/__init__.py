"""The partner: a client that POSTs events to GSTV, and a mock of GSTV."""
