"""What a notebook needs of a project: its views, datasets, features, runs and models, one call each."""
