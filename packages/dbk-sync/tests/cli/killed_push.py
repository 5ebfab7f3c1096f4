"""Run by `test_killed_push.py`: the command, in a process that dies before or after its n-th request."""

import os
import sys

from dbk_sync.__main__ import main
from dbk_sync._http import Http

left = [int(sys.argv[1])]
after = sys.argv[2] == "after"
once = Http._once


def dying(self, *arguments):
    left[0] -= 1
    if left[0] == 0 and not after:
        os._exit(9)
    answer = once(self, *arguments)
    if left[0] == 0:
        os._exit(9)
    return answer


Http._once = dying
sys.exit(main(sys.argv[3:]))
