"""One file per thing that `affect-tracker bench` measures."""
