"""The composition root: its modules alone name concrete classes. `session` builds one run out of one configuration.

Nothing is imported here: a verb that reads a collection does not pay for what a crawl needs.
"""
