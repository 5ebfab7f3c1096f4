"""What a kernel costs the machine it runs on (check 50)."""

import psutil

MIB = 2**20
LIMIT_MIB = 90


def test_check_50_memory_after_the_first_cell(workspace, environment, start_kernel, make_project):
    with start_kernel(environment(workspace), make_project()) as kernel:
        assert kernel.client.run("1").status == "ok"

        resident = psutil.Process(kernel.pid).memory_info().rss

    assert resident / MIB <= LIMIT_MIB
