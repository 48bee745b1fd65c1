"""Why a record differs: what still agrees, and what the lake lacks."""
