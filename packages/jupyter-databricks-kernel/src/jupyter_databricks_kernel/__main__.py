"""`python -m jupyter_databricks_kernel -f FILE`: what the kernelspec starts."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] in (["install"], ["uninstall"]):  # meant for `python -m jupyter_databricks_kernel.install`
        from jupyter_databricks_kernel.install import main

        sys.exit(main(sys.argv[1:]))
    from jupyter_databricks_kernel._app import DatabricksKernelApp

    DatabricksKernelApp.launch_instance()
