"""Face to emotion: networks, the zoo they lie in, calibration, and the engine that runs them."""
