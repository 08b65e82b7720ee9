"""Fine-tuning: the whole network, from the fitted head on."""
