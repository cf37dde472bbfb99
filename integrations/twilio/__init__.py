"""Twilio: sending messages, checking who calls us, and the arithmetic of a text message."""
