"""A small OpenID provider on loopback: its own process of signing in, codes, tokens and keys.

It checks what a provider checks (client, redirect address, PKCE, a code once) and lies where a
test tells it to.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT, SECRET = "minyi desk", "s:cret/+ü"  # both need the encoding that the standard asks for


@dataclass
class Provider:
    """Signs in ``person`` (claims) without asking. The other fields are how it lies."""

    clock: Callable[[], datetime]
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)  # over the honest ones; None: left out
    forge: Callable[[dict[str, Any]], str] | None = None  # makes the id_token instead
    document: dict[str, Any] = field(default_factory=dict)  # over the honest discovery
    down: set[str] = field(default_factory=set)  # paths that answer 500
    deny: bool = False
    thin: bool = False  # e-mail only from userinfo
    alg: str = "RS256"
    rsa: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "r1"}))
    ec: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "e1"}))
    asked: list[dict[str, str]] = field(default_factory=list)  # at the authorization endpoint
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)  # why the token endpoint refused
    issuer: str = ""

    def start(self) -> ThreadingHTTPServer:
        """Listen on loopback."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    # what it answers

    def discovery(self) -> dict[str, Any]:
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/who",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }
        return {k: v for k, v in (honest | self.document).items() if v is not None}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent."""
        self.asked.append(asked)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        answer = {"state": asked["state"], "iss": self.issuer}
        if self.deny:
            return f"{asked['redirect_uri']}?{urlencode(answer | {'error': 'access_denied'})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode(answer | {'code': code})}"

    def token(self, form: dict[str, str], client: tuple[str, str]) -> dict[str, Any] | None:
        """Tokens for a code; None where it refuses."""
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        for wrong, why in (
            (asked is None, "code"),
            (client != (CLIENT, SECRET), "client"),
            (asked and asked["redirect_uri"] != form.get("redirect_uri"), "redirect"),
            (asked and asked["code_challenge"] != challenge, "verifier"),
        ):
            if wrong:
                self.refused.append(why)
                return None
        assert asked is not None
        access = secrets.token_urlsafe(16)
        self.tokens[access] = self.person
        return {
            "token_type": "Bearer",
            "access_token": access,
            "id_token": self.id_token(asked["nonce"]),
        }

    def id_token(self, nonce: str) -> str:
        now = int(self.clock().timestamp())
        honest = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **{name: self.person[name] for name in self.person if not self.thin or name == "sub"},
        }
        claims = {k: v for k, v in (honest | self.claims).items() if v is not None}
        if self.forge is not None:
            return self.forge(claims)
        return self.signed(claims)

    def signed(self, claims: dict[str, Any]) -> str:
        key = self.rsa if self.alg == "RS256" else self.ec
        return jwt.encode({"alg": self.alg, "kid": key.kid}, claims, key)

    def keys(self) -> dict[str, Any]:
        return dict(KeySet([self.rsa, self.ec]).as_dict(private=False))


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path in provider.down:
                self._say(500, {"error": "server_error"})
            elif parts.path == "/.well-known/openid-configuration":
                self._say(200, provider.discovery())
            elif parts.path == "/keys":
                self._say(200, provider.keys())
            elif parts.path == "/who":
                bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
                self._say(200 if bearer in provider.tokens else 401, provider.tokens.get(bearer))
            elif parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path in provider.down:
                self._say(500, {})
                return
            scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
            name, _, secret = base64.b64decode(pair).decode().partition(":")
            client = (unquote(name), unquote(secret))
            if scheme != "Basic":
                client = (form.get("client_id", ""), form.get("client_secret", ""))
            found = provider.token(form, client)
            self._say(200 if found else 400, found or {"error": "invalid_grant"})

        def _say(self, status: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    return Handler
