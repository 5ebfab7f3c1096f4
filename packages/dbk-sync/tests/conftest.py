"""What the tests of several folders share. `project` is each folder's own."""

import pytest


@pytest.fixture
def write(project):
    """A function that writes files (text path to bytes) into the project, and removes those that are None."""

    def write(tree):
        for path, content in tree.items():
            whole = project / path
            whole.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                whole.unlink()
            else:
                whole.write_bytes(content)

    return write
