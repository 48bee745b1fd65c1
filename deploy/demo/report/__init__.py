"""What a person sees: progress while the demo runs, and its facts and their summary at the end."""
