"""What people edit: one file per feature group of an entity."""
