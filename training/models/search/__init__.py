"""The search for hyper-parameters: on time folds of the train window, seeded, with a report."""
