"""Why a place of a workspace does not take files."""

from __future__ import annotations


class Refused(Exception):
    """The place is closed to whoever asks, or altogether: another one may do. Its text is a sentence for the user."""
