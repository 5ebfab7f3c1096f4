"""Ends of a command that are no errors."""


class EndOfCommand(BaseException):
    """Ends the running command as a success; not an `Exception`, so that user code rarely catches it."""
