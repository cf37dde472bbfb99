"""The customer information system: who lives where."""
