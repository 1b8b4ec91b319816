"""A Scrapy project as a user might have it; it knows of the archiver by one line in its settings."""
