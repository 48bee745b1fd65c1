"""The actions of the built-in steps: what is done from the offline store to a champion."""
