"""A Jupyter kernel that runs every line of a notebook on a Databricks cluster.

Nothing here is meant to be imported: Jupyter starts `python -m jupyter_databricks_kernel`, and
`python -m jupyter_databricks_kernel.install` makes it known to a Jupyter elsewhere. `errors` has what it fails with.
"""

__all__: list[str] = []
