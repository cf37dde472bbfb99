"""Channels: each turns its wire format into a Turn, and a Reply into its wire format."""
