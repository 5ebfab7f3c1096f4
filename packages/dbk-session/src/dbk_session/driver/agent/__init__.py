"""The agent: what runs inside the user's interpreter on the driver, hooked into IPython's own seams."""
