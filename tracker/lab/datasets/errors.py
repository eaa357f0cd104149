"""What is wrong with a data set."""


class DatasetError(ValueError):
    """A data file is missing, truncated or in another form than its official one."""
