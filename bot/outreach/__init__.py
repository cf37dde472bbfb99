"""Notices that we start: what became of an outage that a customer asked to hear about."""
