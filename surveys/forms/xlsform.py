"""An author's table (XLSForm) to the standard XForm, by pyxform. Slow to import, so only here."""

from __future__ import annotations

import io
from pathlib import Path

from surveys.forms.form import Form, FormError
from surveys.forms.soundness import check_logic
from surveys.forms.xform import read_xform
from surveys.lint.complaints import complaints

_NO_TABLE = "this file cannot be read as an XLSForm. Save the sheet as .xlsx and try again."
SUFFIXES = (".md", ".xlsx", ".xls", ".csv")


def load_form(path: Path) -> Form:
    """Read the questionnaire at ``path``: an XLSForm, or an XForm already made (``.xml``).

    Every expression has been computed once. Raises FormError with the file, and the row where
    pyxform knows it.
    """
    source, suffix = read_source(path)
    xform = source if suffix == ".xml" else compile_xlsform(source, suffix, path.name)
    form = read_xform(xform, path.name)
    check_logic(form, path.name)
    return form


def read_source(path: Path) -> tuple[bytes, str]:
    """The file's bytes and its type (``.md``); FormError where it is none of ours."""
    suffix = path.suffix.lower()
    if suffix not in (*SUFFIXES, ".xml"):
        raise FormError(
            f"{path.name}: a questionnaire is one of {', '.join(SUFFIXES)} or .xml, "
            f"not '{path.suffix}'. Save the sheet as .xlsx and try again."
        )
    return _bytes(path), suffix


def compile_xlsform(
    table: bytes, suffix: str, name: str, warnings: list[str] | None = None
) -> bytes:
    """XLSForm bytes of the file type ``suffix`` to XForm XML; raises FormError with the row.

    What pyxform warns of is added to ``warnings``.
    """
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    said: list[str] = [] if warnings is None else warnings
    try:
        source = table.decode("utf-8-sig") if suffix == ".md" else io.BytesIO(table)
        result = convert(source, file_type=suffix, form_name="data", warnings=said)
    except UnicodeDecodeError as error:
        raise FormError(
            f"{name}: this text is not UTF-8. Save it as UTF-8, or as .xlsx."
        ) from error
    except PyXFormError as error:
        if "'definition'" in str(error):  # what pyxform says of a file that is no table at all
            raise FormError(f"{name}: {_NO_TABLE}") from error
        raise FormError(
            f"{name}: {str(error).rstrip('.')}. Mend that and try again.", complaints(str(error))
        ) from error
    except Exception as error:  # pyxform lets KeyError and the like out for broken workbooks
        raise FormError(f"{name}: {_NO_TABLE} ({error})") from error
    return bytes(result.xform.encode("utf-8"))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
