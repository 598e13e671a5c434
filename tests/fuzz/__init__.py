"""Fuzz targets."""
