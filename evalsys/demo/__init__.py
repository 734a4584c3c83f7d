"""A simulated county, so that everything can be tried at once. No person, vendor or score in it is real."""
