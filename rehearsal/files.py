"""Photos, sounds, films and documents: sent, sent again by id, fetched back."""

from __future__ import annotations

from rehearsal.delivery import chat_of, deliver, marked_text
from rehearsal.limits import units
from rehearsal.messages import dump
from rehearsal.parameters import Parameters
from rehearsal.pictures import pixels
from rehearsal.refusals import bad_request
from rehearsal.stored import StoredFile
from rehearsal.telegram import Stage


def send_photo(stage: Stage, p: Parameters) -> str:
    return _send_file(stage, p, "photo")


def send_audio(stage: Stage, p: Parameters) -> str:
    return _send_file(stage, p, "audio")


def send_video(stage: Stage, p: Parameters) -> str:
    return _send_file(stage, p, "video")


def send_document(stage: Stage, p: Parameters) -> str:
    return _send_file(stage, p, "document")


def get_file(stage: Stage, p: Parameters) -> str:
    if not p.has("file_id"):
        raise bad_request("file_id not specified")
    file = stage.files.get(p.text("file_id"))
    if file is None:
        raise bad_request("invalid file_id")
    if len(file.content) > stage.limits.download_bytes:
        raise bad_request("file is too big")
    known = {
        "file_id": file.file_id,
        "file_unique_id": file.file_id[-12:],
        "file_size": len(file.content),
        "file_path": f"files/{file.file_id}",
    }
    return dump(known)


def _send_file(stage: Stage, p: Parameters, kind: str) -> str:
    chat = chat_of(stage, p)
    words = marked_text(p, "caption", "caption_entities")
    if units(words[0]) > stage.limits.caption_units:
        raise bad_request("message caption is too long")
    return deliver(stage, chat, p, words, _file(stage, p, kind))


def _file(stage: Stage, p: Parameters, kind: str) -> StoredFile:
    upload = p.upload(kind)
    if upload is None:
        given = p.text(kind)
        if not given or given.startswith("attach://"):
            raise bad_request(f"there is no {kind} in the request")
        if given.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")  # a stage never goes outside
        known = stage.files.get(given)
        if known is None or known.kind != kind:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return known
    if not upload.content:
        raise bad_request("file must be non-empty")
    size = pixels(upload.content) if kind == "photo" else (0, 0)
    if size is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    file_id = f"rehearsal-{kind}-{len(stage.files) + 1:012d}"
    file = StoredFile(file_id, kind, upload.name, upload.content_type, upload.content, *size)
    stage.files[file_id] = file
    return file
