"""One file per verb or group of verbs: options in, text or JSON out."""
