"""Tests of the window, offscreen, with real widgets and a real temporary database."""
