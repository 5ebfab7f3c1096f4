"""A Jupyter kernel that runs every line of a notebook on a Databricks cluster."""
