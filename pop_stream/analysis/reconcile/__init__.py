"""Compares what was delivered with GSTV's file, with orders and with playlists."""
