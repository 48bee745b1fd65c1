"""Programs in the background that never outlive the process that started them."""
