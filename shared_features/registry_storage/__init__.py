"""Where a model registry lies: in a folder, or on object storage such as S3. It is read here, by every program."""
