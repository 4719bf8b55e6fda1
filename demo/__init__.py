"""The whole pipeline on one machine, from the simulator to closed windows, checked to the cent."""
