"""Fixtures for tests against an embedded workspace."""
