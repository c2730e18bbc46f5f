"""An author's table (XLSForm) to the standard XForm, by pyxform. Slow to import, so only here."""

from __future__ import annotations

import io
from pathlib import Path

from surveys.form import Form, FormError
from surveys.xform import read_xform

SUFFIXES = (".md", ".xlsx", ".xls", ".csv")


def load_form(path: Path) -> Form:
    """Read the questionnaire at ``path``: an XLSForm, or an XForm already made (``.xml``).

    Raises FormError with the file, and the row where pyxform knows it.
    """
    if path.suffix == ".xml":
        return read_xform(_bytes(path), path.name)
    if path.suffix not in SUFFIXES:
        raise FormError(
            f"{path.name}: a questionnaire is one of {', '.join(SUFFIXES)} or .xml, "
            f"not '{path.suffix}'. Save the sheet as .xlsx and try again."
        )
    return read_xform(compile_xlsform(_bytes(path), path.suffix, path.name), path.name)


def compile_xlsform(table: bytes, suffix: str, name: str) -> bytes:
    """XLSForm bytes of the file type ``suffix`` to XForm XML; raises FormError with the row."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    source = table.decode("utf-8") if suffix == ".md" else io.BytesIO(table)
    try:
        result = convert(source, file_type=suffix, form_name="data", warnings=[])
    except PyXFormError as error:
        raise FormError(f"{name}: {error}. Mend that row and try again.") from error
    except Exception as error:  # pyxform lets KeyError and the like out for broken workbooks
        raise FormError(f"{name}: this file cannot be read as an XLSForm ({error}).") from error
    return bytes(result.xform.encode("utf-8"))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
