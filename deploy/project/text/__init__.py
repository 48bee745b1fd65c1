"""What is written into the folder of a project: its module of definitions, its notes and its pages."""
