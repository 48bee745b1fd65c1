"""How a registry is written: in a folder by renames and a lock, on object storage by conditional writes."""
