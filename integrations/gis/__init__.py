"""Outage areas from the utility's GIS."""
