"""What the command lines of these packages share. A whole command looks like this:

```python
from dbk_config import cli

def _push(arguments):                                  # argparse.Namespace -> exit code, None for 0
    settings = cli.settings_of(arguments)              # load() with the options given, logging set up
    settings.require("host")
    ...

def main(argv=None):
    parser = cli.make_parser("dbk-sync", "Puts a project on a cluster.", example="dbk-sync push")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    push = cli.add_command(commands, "push", _push, package="dbk-sync", help="copy what has changed",
                           example="dbk-sync push --dry-run", settings=cli.CONNECTION)
    push.add_argument("--dry-run", action="store_true", help="only say what would be copied")
    cli.add_completion(commands, parser, package="dbk-sync")
    return cli.run_parser(parser, argv)
```

Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted. `--verbose`, `--debug` and `--version` work
before and after the subcommand. Errors are printed as `error:` and `hint:` lines on stderr, never as a bare stack
trace, and never with a secret in them.
"""

from __future__ import annotations

from dbk_config._completion import complete_with, completion_script
from dbk_config._logging import configure_logging
from dbk_config._manual import manual
from dbk_config._options import (
    CONNECTION,
    add_command,
    add_common_options,
    add_completion,
    add_setting_options,
    arguments_of,
    make_parser,
    settings_of,
)
from dbk_config._run import run_command, run_parser
from dbk_config._secret import redact
from dbk_config._signals import ending_in_order

__all__ = [
    "CONNECTION",
    "add_command",
    "add_common_options",
    "add_completion",
    "add_setting_options",
    "arguments_of",
    "complete_with",
    "completion_script",
    "configure_logging",
    "ending_in_order",
    "make_parser",
    "manual",
    "redact",
    "run_command",
    "run_parser",
    "settings_of",
]
