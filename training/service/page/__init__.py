"""The page that people look at: written by the server from what is stored. It needs no build and no network."""
