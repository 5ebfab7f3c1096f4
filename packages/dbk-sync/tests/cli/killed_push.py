"""Run by `test_killed_push.py`: the command, in a process that dies before or after its n-th request.

With `before-HUP` and the like it gets that signal instead; with `during-HUP`, while the request is on its way.
"""

import os
import signal
import sys
import threading

from dbk_sync.__main__ import main
from dbk_sync._http import Http

left = [int(sys.argv[1])]
moment, _, how = sys.argv[2].partition("-")
once = Http._once
counting = threading.Lock()


def die():
    if not how:
        os._exit(9)
    os.kill(os.getpid(), signal.Signals[f"SIG{how}"])


def dying(self, *arguments):
    with counting:
        left[0] -= 1
        is_it = left[0] == 0
    if is_it and moment == "during":
        threading.Thread(target=once, args=(self, *arguments)).start()
    if is_it and moment in ("before", "during"):
        die()
    answer = once(self, *arguments)
    if is_it and moment == "after":
        die()
    return answer


Http._once = dying
sys.exit(main(sys.argv[3:]))
