"""The laboratory: data sets, training, evaluation and packaging, on files and never on the database."""
