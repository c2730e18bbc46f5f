"""Questionnaires: brought, checked in place, mended, kept; each version to be read and compared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.comparing import Comparison, compare, marked
from desk.questionnaires import Kept, QuestionnaireError, all_kept, keep, one_kept
from desk.roles import May
from desk.store import DeskTransaction, Upload
from surveys.conduct import FormShelf
from surveys.forms.form import Form, FormError
from surveys.forms.label_media import LIMIT
from surveys.lint.apart import TABLES
from surveys.lint.estimate import estimate
from surveys.lint.flow import draw
from surveys.lint.outline import Item, outline
from surveys.lint.rules import Use, asked
from surveys.reply import Medium
from web.console.checking import LARGEST, Examined, examiner_of
from web.console.context import Context
from web.console.doors import Door
from web.console.marking import drawn
from web.hearing import bare_name
from web.media import ALONE, address

PLACE = "/desk/questionnaires"
SHELF = FormShelf()


@dataclass(frozen=True, slots=True)
class About:
    """What a page tells of a questionnaire besides its questions. ``minutes`` by language."""

    form: Form
    questions: int
    minutes: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    flow: tuple[str, ...]


def about(form: Form, language: str) -> About:
    """``form`` told in ``language``."""
    spans = ((code, estimate(form, code).minutes()) for code in form.languages)
    minutes = tuple((code, str(a) if a == b else f"{a}–{b}") for code, (a, b) in spans)
    return About(
        form, len(asked(form)), minutes, outline(form, language), tuple(draw(form, language))
    )


async def listing(at: Context) -> Response:
    """Every version there is, and the way to bring one."""
    return await _listing(at)


async def _listing(
    at: Context, wrong: str = "", status: int = 200, **arguments: object
) -> Response:
    kept = await at.read(lambda tx: all_kept(tx, SHELF))
    return at.page(
        "questionnaires/list.html",
        status=status,
        kept=kept,
        wrong=at.say(f"questionnaires.wrong.{wrong}", **arguments) if wrong else "",
        use=_use(at.fields.get("for", "")),
        limits=_limits(),
    )


def _limits() -> dict[str, object]:
    return {
        "accept": ",".join((*TABLES, ".zip")),
        "largest": LARGEST // 1_000_000,
        "medium": LIMIT // 1_000_000,
    }


# ---- brought and checked


async def upload(at: Context) -> Response:
    """Take a file in. It stays for a day, so that nothing is lost while it is looked at."""
    name = bare_name(at.file.filename or "") if at.file is not None else ""
    if at.file is None or not name:
        return await _listing(at, "none", 422)
    content = await at.file.read(LARGEST + 1)
    if len(content) > LARGEST:
        return await _listing(at, "large", 422, name=name, limit=LARGEST // 1_000_000)
    brought = Upload(secrets.token_hex(16), at.account.id, name, content, at.now)

    def work(tx: DeskTransaction) -> None:
        earlier = tx.upload(at.fields.get("instead", ""))
        if earlier is not None and earlier.account == at.account.id:
            tx.drop_upload(earlier.id)
        tx.put_upload(brought)

    await at.write(work)
    return at.go(f"{PLACE}/upload/{brought.id}?for={_use(at.fields.get('for', ''))}")


async def checked(at: Context) -> Response:
    """What was found in an uploaded file, in its place; where it is good, what it asks."""
    brought = await uploaded(at, at.request.path_params["upload"])
    use = _use(at.request.query_params.get("for", ""))
    return await _checked(at, brought, use)


async def _checked(
    at: Context, brought: Upload, use: Use, problem: str = "", status: int = 200
) -> Response:
    examined = await examined_of(at, brought, use)
    form = examined.form
    return at.page(
        "questionnaires/checked.html",
        status=status,
        brought=brought,
        use=use,
        examined=examined,
        drawn=drawn(examined),
        about=about(form, at.language) if form is not None and not examined.errors else None,
        problem=problem,
        limits=_limits(),
    )


async def kept_now(at: Context) -> Response:
    """Keep an uploaded version, checked once more: what a page said may be old."""
    brought = await uploaded(at, at.request.path_params["upload"])
    use = _use(at.fields.get("for", ""))
    examined = await examined_of(at, brought, use, media=True)
    form = examined.form
    if form is None or examined.errors:
        return await _checked(at, brought, use, status=422)

    def work(tx: DeskTransaction) -> bool:
        new = keep(tx, at.act(), form, examined.media, brought.name, errors=examined.errors)
        tx.drop_upload(brought.id)
        return new

    try:
        new = await at.write(work)
    except (FormError, QuestionnaireError) as error:
        return await _checked(at, brought, use, str(error), 422)
    said = "questionnaires.said.kept" if new else "questionnaires.said.known"
    return at.go(f"{PLACE}/{form.hash}", said)


async def uploaded(at: Context, upload: str) -> Upload:
    """The reader's own upload; 404 for anything else."""
    found = await at.read(lambda tx: tx.upload(upload))
    if found is None or found.account != at.account.id:
        raise HTTPException(404)
    return found


async def examined_of(at: Context, brought: Upload, use: Use, *, media: bool = False) -> Examined:
    """What is found in an upload."""
    suffix = PurePath(brought.name).suffix.lower()
    known = suffix if suffix in (*TABLES, ".zip") else ".unknown"
    return await examiner_of(at.request).examine(brought.content, known, use, media=media)


def _use(given: str) -> Use:
    return Use(given) if given in tuple(Use) else Use.RATING


# ---- kept


async def version(at: Context) -> Response:
    """One version, to be read."""
    kept = await kept_version(at, at.request.path_params["version"])
    found = await at.read(lambda tx: all_kept(tx, SHELF))
    others = [each for each in found if each.form.hash != kept.form.hash]
    return at.page(
        "questionnaires/version.html",
        kept=kept,
        about=about(kept.form, at.language),
        others=sorted(others, key=lambda each: each.form.id != kept.form.id),
        media=lambda name: address(Medium("image", kept.form.hash, name)),
    )


async def kept_version(at: Context, wanted: str) -> Kept:
    """The version with the hash ``wanted``; 404 where there is none."""
    try:
        return await at.read(lambda tx: one_kept(tx, SHELF, wanted))
    except LookupError:
        raise HTTPException(404) from None


async def source(at: Context) -> Response:
    """The XForm, as a file to be saved and never to be opened in our name."""
    kept = await kept_version(at, at.request.path_params["version"])
    headers = {
        "Content-Disposition": f'attachment; filename="questionnaire-{kept.form.hash[:12]}.xml"',
        "Content-Security-Policy": ALONE,
    }
    return Response(kept.form.source, media_type="application/xml", headers=headers)


async def comparison(at: Context) -> Response:
    """Two versions side by side, or the choice of two."""
    kept = await at.read(lambda tx: all_kept(tx, SHELF))
    known = {each.form.hash: each for each in kept}
    a, b = (at.request.query_params.get(side, "") for side in ("a", "b"))
    if {a, b} - known.keys() - {""}:
        raise HTTPException(404)
    pair: Comparison | None = None
    if a and b:
        pair = compare(known[a].form, known[b].form, at.language)
    newest = [each.form.hash for each in kept[:2]] or [""]
    return at.page(
        "questionnaires/compare.html",
        kept=kept,
        known=known,
        a=a or newest[-1],
        b=b or newest[0],
        pair=pair,
        marked=marked,
    )


DOORS = (
    Door("/questionnaires", listing, May.FORMS_READ),
    Door("/questionnaires/upload", upload, May.FORMS_WRITE, "POST", files=True),
    Door("/questionnaires/upload/{upload}", checked, May.FORMS_WRITE),
    Door("/questionnaires/upload/{upload}", kept_now, May.FORMS_WRITE, "POST"),
    Door("/questionnaires/compare", comparison, May.FORMS_READ),
    Door("/questionnaires/{version}", version, May.FORMS_READ),
    Door("/questionnaires/{version}/xform", source, May.FORMS_READ),
)
