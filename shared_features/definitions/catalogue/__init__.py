"""All definitions of a domain: loading them, and what is said of them."""
