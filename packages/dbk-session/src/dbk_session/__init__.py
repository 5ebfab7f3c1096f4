"""Run code on a Databricks cluster from any script: live output, cancel, reconnect, clean up."""
