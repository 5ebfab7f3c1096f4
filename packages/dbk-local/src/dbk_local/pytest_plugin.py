"""Fixtures for tests against the embedded workspace; loaded by pytest wherever `dbk-local` is installed."""
