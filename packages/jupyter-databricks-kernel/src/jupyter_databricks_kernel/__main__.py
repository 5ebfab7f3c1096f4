"""`python -m jupyter_databricks_kernel -f FILE`: what the kernelspec starts."""

import sys

if __name__ == "__main__":
    # `-m` puts the folder of the notebook first. Its modules are for the cluster: no code of a project runs where the
    # token is. The kernelspec has `-P` for this, but one that an earlier release wrote has not.
    if not sys.flags.safe_path:
        del sys.path[0]

    if sys.argv[1:2] in (["install"], ["uninstall"]):  # meant for `python -m jupyter_databricks_kernel.install`
        from jupyter_databricks_kernel.install import main

        sys.exit(main(sys.argv[1:]))
    from jupyter_databricks_kernel._app import DatabricksKernelApp

    DatabricksKernelApp.launch_instance()
