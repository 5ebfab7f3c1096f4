"""Settings for remote Databricks sessions: where each value comes from, checked and typed."""
