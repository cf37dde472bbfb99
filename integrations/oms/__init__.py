"""The outage management system, by MultiSpeak."""
