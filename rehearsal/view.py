"""One person's chat as a page to look at: what would be on the telephone."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from rehearsal.keyboards import Keyboard
from rehearsal.messages import Chat, Message
from rehearsal.pictures import pixels
from rehearsal.stored import StoredFile

NOTE = "排练 · 不是 Telegram / Rehearsal, not Telegram"
_ICONS = {"voice": "🎤", "audio": "🎵", "video": "🎬", "video_note": "🎬", "animation": "🎞"}
_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name} · {note}</title>
<style>
*{{box-sizing:border-box}}
body{{margin:0 auto;max-width:480px;min-height:100vh;background:#d5e3ee;color:#111;
font:16px/1.45 system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC",sans-serif}}
header{{background:#fff;padding:.6rem .9rem;border-bottom:1px solid #bbc;font-weight:600}}
header small{{display:block;color:#555;font-weight:400}}
main{{padding:.7rem}}
article{{margin:0 0 .7rem;max-width:88%}}
article.person{{margin-left:auto;width:fit-content}}
.words{{background:#fff;border-radius:.9rem;padding:.5rem .8rem;white-space:pre-wrap;
overflow-wrap:anywhere}}
.person .words{{background:#e2f9c9}}
.words img{{display:block;max-width:100%;min-width:6rem;border-radius:.5rem;margin-bottom:.2rem}}
.words small{{color:#555}}
.row{{display:flex;gap:.3rem;margin-top:.3rem}}
.row span{{flex:1;min-width:0;background:#5f86a5;color:#fff;border-radius:.6rem;text-align:center;
padding:.5rem .3rem;overflow-wrap:anywhere}}
.notice{{text-align:center;color:#333;font-size:.9rem}}
</style>
<header>{name}<small>{note}</small></header>
<main>
{messages}
</main>
</html>"""


def page(chat: Chat) -> str:
    """The whole chat, top to bottom, as HTML that needs nothing else."""
    parts: list[str] = []
    notices = sorted(chat.notices, key=lambda notice: notice[0])
    for message in chat.messages.values():
        while notices and notices[0][0] < message.message_id:
            parts.append(_notice(notices.pop(0)[1]))
        parts.append(_article(message))
    parts += [_notice(text) for _, text in notices]
    return _PAGE.format(
        language=escape(chat.user.language, quote=True),
        name=escape(chat.user.name),
        note=NOTE,
        messages="\n".join(parts),
    )


def _article(message: Message) -> str:
    side = "bot" if message.from_bot else "person"
    inside = "" if message.file is None else _file(message.file)
    if message.place is not None:
        place = message.place
        inside += f"📍 {place.latitude:.4f}, {place.longitude:.4f}"
    inside += escape(message.text)
    if message.edited and not message.from_bot:
        inside += " <small>✎</small>"
    rows = "" if message.keyboard is None else _rows(message.keyboard)
    return f'<article class="{side}"><div class="words">{inside}</div>{rows}</article>'


def _file(file: StoredFile) -> str:
    """A picture as itself, anything else as a line with its name and size."""
    if pixels(file.content) is not None:
        kind = "png" if file.content.startswith(b"\x89PNG") else "jpeg"
        data = b64encode(file.content).decode()
        return f'<img alt="{escape(file.name, quote=True)}" src="data:image/{kind};base64,{data}">'
    size = f"{len(file.content) / 1000:.1f} kB"
    return f"{_ICONS.get(file.kind, '📄')} {escape(file.name or file.kind)} <small>{size}</small>\n"


def _rows(keyboard: Keyboard) -> str:
    return "".join(
        '<div class="row">' + "".join(f"<span>{escape(label)}</span>" for label in row) + "</div>"
        for row in keyboard.labels()
    )


def _notice(text: str) -> str:
    return f'<p class="notice">{escape(text)}</p>'
