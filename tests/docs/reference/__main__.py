"""Writes the pages of the reference into docs/reference/: `python -m tests.docs.reference`."""

from tests.docs.reference.all_pages import FOLDER, reference_pages

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in reference_pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
