"""A questionnaire tried beside itself, in the very chat that people see; nothing of it is kept."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.questionnaires import media_of
from desk.roles import May
from surveys.forms.form import Form
from surveys.forms.label_media import Media
from surveys.lint.rules import Use
from surveys.people import Address
from surveys.reply import Medium, Opened
from surveys.words import LANGUAGES
from web.console.areas.questionnaires import (
    PLACE,
    about,
    examined_of,
    kept_version,
    uploaded,
)
from web.console.console import Trial, Trials
from web.console.context import Context
from web.console.doors import Door
from web.media import served
from web.posted import Posted
from web.site import rendered
from web.talking import Booth

PATH = f"{PLACE}/trial"


async def begin(at: Context) -> Response:
    """Begin anew with a version that is kept, or with one just brought."""
    form, media, origin = await _wanted(at)
    trial = await _room(at).begin(at.account.id, form, media.get, at.now, origin)
    language = at.fields.get("language", "")
    hint = language if language in LANGUAGES else at.language
    return await _booth(at, trial, hint).enter(Opened(trial.payload))


async def _wanted(at: Context) -> tuple[Form, Media, str]:
    """What is to be asked, with its files, and the page that tells of it."""
    if brought := at.fields.get("upload", ""):
        upload = await uploaded(at, brought)
        use = Use.CONCERN if at.fields.get("for") == Use.CONCERN else Use.RATING
        examined = await examined_of(at, upload, use, media=True)
        if examined.form is None or examined.errors:
            raise HTTPException(404)
        return examined.form, examined.media, f"{PLACE}/upload/{upload.id}?for={use}"
    kept = await kept_version(at, at.fields.get("version", ""))
    media = await at.read(lambda tx: media_of(tx, kept.form))
    return kept.form, media, f"{PLACE}/{kept.form.hash}"


async def show(at: Context) -> Response:
    """The questionnaire, and the chat beside it; a word about it where no trial is under way."""
    trial = _room(at).under_way(at.account.id, at.now)
    if trial is None:
        return at.page("questionnaires/trial.html", about=None)
    booth = _booth(at, trial, at.language)
    turn = await booth.turn()
    chat = rendered(at.request, "talk.html", booth.values(turn), booth.spoken(turn))
    upload = trial.origin.startswith(f"{PLACE}/upload/")
    asking = urlsplit(trial.origin)
    return at.page(
        "questionnaires/trial.html",
        about=about(trial.form, at.language),
        chat=Markup(chat),  # noqa: S704 - our own template has escaped what is in it
        origin=trial.origin,
        again={
            "upload" if upload else "version": asking.path.rsplit("/", 1)[-1],
            "for": asking.query.partition("=")[2],
        },
        spoken=booth.spoken(turn),
    )


async def say(at: Context) -> Response:
    """Something was said in the trial."""
    trial = _room(at).under_way(at.account.id, at.now)
    if trial is None:  # an hour has passed, or the server was started anew
        if at.request.headers.get("hx-request"):
            return Response(headers={"HX-Redirect": PATH})
        return RedirectResponse(PATH, 303)
    return await _booth(at, trial, at.language).answer(Posted(at.fields, at.file))


async def again(at: Context) -> Response:
    """Somebody opened the form's own address, from a page of trouble."""
    return RedirectResponse(PATH, 303)


async def medium(at: Context) -> Response:
    """A file that belongs to a label of what is being tried."""
    trial = _room(at).under_way(at.account.id, at.now)
    if trial is None:
        raise HTTPException(404)
    return await served(at.request, trial, "no-store")


def _room(at: Context) -> Trials:
    if at.console.trials is None:
        raise HTTPException(404)
    return at.console.trials


def _booth(at: Context, trial: Trial, hint: str) -> Booth:
    return Booth(
        request=at.request,
        talker=trial,
        who=Address("trial", at.account.id),
        proof=at.proof,
        path=PATH,
        address=_address,
        now=at.now,
        hint=hint,
        shown=at.language,
    )


def _address(medium: Medium) -> str:
    return f"{PATH}/media/{quote(medium.form, safe='')}/{quote(medium.name, safe='')}"


DOORS = (
    Door("/questionnaires/trial", show, May.FORMS_WRITE),
    Door("/questionnaires/trial", begin, May.FORMS_WRITE, "POST"),
    Door("/questionnaires/trial/say", say, May.FORMS_WRITE, "POST", files=True),
    Door("/questionnaires/trial/say", again, May.FORMS_WRITE),
    Door("/questionnaires/trial/media/{form}/{name:path}", medium, May.FORMS_WRITE),
)
