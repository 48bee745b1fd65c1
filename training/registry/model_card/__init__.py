"""The model card: what a version is, for people, as Markdown and as one page of HTML."""
