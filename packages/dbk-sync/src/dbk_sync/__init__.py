"""Put exactly the files git would take on a Databricks cluster or workspace, incrementally."""
