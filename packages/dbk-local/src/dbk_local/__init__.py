"""An embedded Databricks-compatible workspace on 127.0.0.1: real interpreters, real Apache Spark, no account."""
