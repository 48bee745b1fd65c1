"""Files that a command writes where a user says: their kind is what their name ends in, and no input is replaced."""

from __future__ import annotations

from pathlib import Path

from training.errors import TrainingError

TABLE = (".parquet",)
PAGE = (".html", ".htm")
TEXT_OR_PAGE = (".md", ".markdown", ".txt", *PAGE)
ARCHIVE = (".tar.gz", ".tgz")
_OTHER_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".arrow", ".feather", ".pq", ".xlsx")


def check_output(output: Path, kinds: tuple[str, ...], *inputs: Path | None) -> None:
    """Before anything is computed. kinds: what the name of the file may end in. inputs: files that the command reads.

    Raises TrainingError.
    """
    if not has_kind(output, kinds):
        raise TrainingError(
            f"The file {output} cannot be written. Its name ends in {output.suffix or output.name!r}. Give a name that "
            f"ends in {', '.join(kinds)}."
        )
    if output.is_dir():
        raise TrainingError(f"The file {output} cannot be written. It is a directory. Give the name of a file in it.")
    if output.exists() and any(each.exists() and output.samefile(each) for each in inputs if each is not None):
        raise TrainingError(
            f"The file {output} cannot be written. The command reads its rows from it, and would replace them. Give "
            "another name."
        )


def check_table_or_directory(output: Path) -> None:
    """Of an export to a directory or to a table. Raises TrainingError for the name of a table of another kind."""
    if has_kind(output, _OTHER_TABLES) and not output.is_dir():
        raise TrainingError(
            f"A dataset cannot be exported to {output}. Its name ends in {output.suffix!r}. Give a name that ends in "
            f"{', '.join(TABLE)} for a table, or the name of a new directory."
        )


def has_kind(output: Path, kinds: tuple[str, ...]) -> bool:
    """Whether the name of a file ends so, in upper or lower case."""
    return output.name.lower().endswith(kinds)
