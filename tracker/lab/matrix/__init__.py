"""Train on one data set, test on another: the experiment of arXiv 2601.12402, for whoever has the data."""
