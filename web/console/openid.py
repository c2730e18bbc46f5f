"""OpenID Connect as a relying party: the authorization code flow with PKCE, state and nonce.

What the issuer says is believed only where its signature, issuer, audience, time and nonce hold.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from desk.entry.outside import Claimed
from desk.entry.sessions import new_secret
from web.console.console import OpenId

PATIENCE = 10.0  # seconds for one answer of the issuer's
LARGEST = 500_000  # bytes of one answer
LEEWAY = 60  # seconds by which the issuer's clock may differ from ours
ALGORITHMS = ("RS256", "ES256")
LONGEST_SUBJECT = 255  # as the standard says
SCOPE = "openid email"


class SilentError(Exception):
    """The issuer cannot be reached, or does not answer as one."""


class UntrueError(Exception):
    """What came back does not hold; the text says what, without anybody's particulars."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Where the issuer's doors are, as it says itself."""

    name: str
    authorize: str
    token: str
    keys: str
    userinfo: str = ""
    posts_secret: bool = False  # the client's secret goes into the form, not into a header
    names_itself: bool = False  # its answers carry ``iss`` (RFC 9207)


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in under way; each of the three is 256 random bits."""

    state: str = field(default_factory=new_secret)
    nonce: str = field(default_factory=new_secret, repr=False)
    verifier: str = field(default_factory=new_secret, repr=False)


async def discover(setting: OpenId) -> Issuer:
    """Ask the issuer for its doors. SilentError where it does not answer as it should."""
    address = f"{setting.issuer}/.well-known/openid-configuration"
    async with _client() as client:
        try:
            found = await _answer(client, client.build_request("GET", address))
            return _issuer(setting, found)
        except UntrueError as error:
            raise SilentError(str(error)) from error


def ask(issuer: Issuer, setting: OpenId, flow: Flow, back: str) -> str:
    """The address at the issuer's where a person signs in; it sends them on to ``back``."""
    return str(
        prepare_grant_uri(
            issuer.authorize,
            setting.client_id,
            "code",
            redirect_uri=back,
            scope=SCOPE,
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.verifier),
            code_challenge_method="S256",
        )
    )


async def redeem(
    issuer: Issuer, setting: OpenId, flow: Flow, back: str, code: str, now: datetime
) -> Claimed:
    """Whom the issuer names for ``code``. SilentError, or UntrueError where that does not hold."""
    async with _client() as client:
        token = await _answer(client, _token_request(client, issuer, setting, flow, back, code))
        keys = await _answer(client, client.build_request("GET", issuer.keys))
        claims = _verified(issuer, setting, flow, token, keys, now)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise UntrueError("the token names nobody")
        if "email" not in claims and issuer.userinfo:
            claims = await _more(client, issuer, token, subject)
        return Claimed(issuer.name, subject, _verified_email(claims))


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False)


async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
    """The JSON object that answers ``request``, within bounds of time and size."""
    try:
        async with asyncio.timeout(PATIENCE):
            response = await client.send(request, stream=True)
            try:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise SilentError("the issuer's answer is too long")
            finally:
                await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise SilentError(type(error).__name__) from error
    if response.status_code >= 500:
        raise SilentError(f"the issuer answers {response.status_code}")
    if response.status_code != 200:
        raise UntrueError(f"the issuer answers {response.status_code}")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise SilentError("the issuer's answer is no JSON") from error
    if not isinstance(found, dict):
        raise SilentError("the issuer's answer is no JSON object")
    return found


def _issuer(setting: OpenId, found: Mapping[str, Any]) -> Issuer:
    name = found.get("issuer")
    if not isinstance(name, str) or name.rstrip("/") != setting.issuer.rstrip("/"):
        raise SilentError("the issuer calls itself something else")
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Issuer(
        name=name,
        authorize=_door(setting, found, "authorization_endpoint"),
        token=_door(setting, found, "token_endpoint"),
        keys=_door(setting, found, "jwks_uri"),
        userinfo=_door(setting, found, "userinfo_endpoint") if "userinfo_endpoint" in found else "",
        posts_secret="client_secret_basic" not in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def _door(setting: OpenId, found: Mapping[str, Any], name: str) -> str:
    """An address of the issuer's; as safe a one as its own."""
    address = found.get(name)
    schemes = ("https",) if setting.issuer.startswith("https:") else ("https", "http")
    if not isinstance(address, str) or urlsplit(address).scheme not in schemes:
        raise SilentError(f"the issuer names no fit {name}")
    return address


def _token_request(
    client: httpx.AsyncClient, issuer: Issuer, setting: OpenId, flow: Flow, back: str, code: str
) -> httpx.Request:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": flow.verifier,
    }
    headers = {"Accept": "application/json"}
    if not setting.client_secret:
        form["client_id"] = setting.client_id
    elif issuer.posts_secret:
        form |= {"client_id": setting.client_id, "client_secret": setting.client_secret}
    else:  # RFC 6749 2.3.1: both are form-encoded first
        pair = (quote(setting.client_id, safe=""), quote(setting.client_secret, safe=""))
        basic = httpx.BasicAuth(*pair)
        request = client.build_request("POST", issuer.token, data=form, headers=headers)
        return next(basic.auth_flow(request))
    return client.build_request("POST", issuer.token, data=form, headers=headers)


def _verified(
    issuer: Issuer,
    setting: OpenId,
    flow: Flow,
    token: Mapping[str, Any],
    keys: Mapping[str, Any],
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of the id_token, everything about them checked."""
    text = token.get("id_token")
    if not isinstance(text, str):
        raise UntrueError("the issuer gave no id_token")
    try:
        read = jwt.decode(text, _signing(keys), algorithms=ALGORITHMS)
        options = {
            "iss": {"essential": True, "value": issuer.name},
            "aud": {"essential": True, "value": setting.client_id},
            "nonce": {"essential": True, "value": flow.nonce},
        }
        parameters = {
            "client_id": setting.client_id,
            "nonce": flow.nonce,
            "access_token": token.get("access_token"),
        }
        claims = CodeIDToken(read.claims, read.header, options, parameters)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
    except (JoseError, ValueError, TypeError) as error:
        raise UntrueError(f"the id_token does not hold: {error}") from error
    return dict(claims)


def _signing(keys: Mapping[str, Any]) -> KeySet:
    """The issuer's public keys that signatures may be made with: never a shared secret."""
    listed = keys.get("keys")
    fit = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict)
        and key.get("kty") in {"RSA", "EC"}
        and key.get("use", "sig") == "sig"
    ]
    return KeySet.import_key_set({"keys": fit})


async def _more(
    client: httpx.AsyncClient, issuer: Issuer, token: Mapping[str, Any], subject: str
) -> Mapping[str, Any]:
    """What the issuer tells about ``subject`` beside the token, for those that keep it short."""
    headers = {"Authorization": f"Bearer {token.get('access_token', '')}"}
    found = await _answer(client, client.build_request("GET", issuer.userinfo, headers=headers))
    if found.get("sub") != subject:
        raise UntrueError("the issuer's particulars are somebody else's")
    return found


def _verified_email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    verified = claims.get("email_verified") is True
    return email.strip().lower() if verified and isinstance(email, str) else ""
