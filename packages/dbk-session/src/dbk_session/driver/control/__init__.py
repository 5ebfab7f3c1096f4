"""The control side: what runs in a second context on the same driver, beside a busy interpreter."""
