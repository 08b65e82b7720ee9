"""How weights change: schedules, the optimiser, losses, averages, the learning-rate finder."""
