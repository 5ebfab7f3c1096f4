"""`python -m jupyter_databricks_kernel -f FILE`: what the kernelspec starts."""

from jupyter_databricks_kernel._app import DatabricksKernelApp

if __name__ == "__main__":
    DatabricksKernelApp.launch_instance()
