"""Which model, where it is, and with what key: `provider/name`, or any name at any OpenAI-compatible address."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from scientist.errors import UsageError


class Provider(NamedTuple):
    """Where a provider answers, and which environment variable holds its key; no variable: none is needed."""

    base_url: str
    key_env: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "anthropic": Provider("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "fireworks": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "google": Provider("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "llamacpp": Provider("http://127.0.0.1:8080/v1"),
    "local": Provider("http://127.0.0.1/v1"),  # the port is known when its server has started
    "lmstudio": Provider("http://127.0.0.1:1234/v1"),
    "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "ollama": Provider("http://127.0.0.1:11434/v1"),
    "openai": Provider("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "together": Provider("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "vllm": Provider("http://127.0.0.1:8000/v1"),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
}
"""Short names for addresses, no list of what is allowed: any other address works with `base_url` or OPENAI_BASE_URL."""

LOCAL = "local"
"""The provider whose models this program serves itself."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NO_KEY = "no-key-needed"


@dataclass(frozen=True)
class Endpoint:
    """A model at an address. `label` is how papers and ledgers name it; the key is read when it is used, and not kept."""

    provider: str
    name: str
    base_url: str
    key_env: str

    @property
    def label(self) -> str:
        # Of a model that is a file on this machine papers need the name, not the place.
        name = self.name.rpartition("/")[2] if self.provider == LOCAL else self.name
        return f"{self.provider}/{name}" if self.provider else name

    @property
    def local(self) -> bool:
        """Whether it answers on this machine; such calls cost no money."""
        return (urlsplit(self.base_url).hostname or "") in LOOPBACK

    def key(self, environment: Mapping[str, str] = os.environ) -> str:
        """The API key. Raises :class:`UsageError` when there is none and one is needed."""
        if found := environment.get(self.key_env, "").strip() if self.key_env else "":
            return found
        if self.local or not self.key_env:
            return NO_KEY
        raise UsageError(f"the model '{self.label}' needs a key", f"set {self.key_env} in the environment")


def endpoint(
    model: str, base_url: str = "", key_env: str = "", environment: Mapping[str, str] = os.environ
) -> Endpoint:
    """The endpoint that `model` means.

    `provider/name` with a provider of :data:`PROVIDERS` is that provider's. Anything else is the name of a model at
    `base_url`, or at OPENAI_BASE_URL; names may contain slashes. For `openai/...` OPENAI_BASE_URL replaces the address,
    as it does in OpenAI's own client. Raises :class:`UsageError`.
    """
    model, address = model.strip(), base_url or environment.get("OPENAI_BASE_URL", "").strip()
    if not model or any(character.isspace() for character in model):
        raise UsageError(f"'{model}' is no name of a model", "write provider/name, e.g. ollama/qwen3:8b")
    first, _, rest = model.partition("/")
    known = PROVIDERS.get(first.lower()) if rest else None
    if known is None and not address:
        raise UsageError(
            f"'{model}' does not say where the model is",
            f"write provider/name ({', '.join(sorted(PROVIDERS))}), or set base_url or OPENAI_BASE_URL",
        )
    if first.lower() == LOCAL and base_url:
        raise UsageError(
            f"'{model}' is served by this program and has no base_url", "take base_url out, or name another"
        )
    if known is not None:
        replaced = base_url or (address if first.lower() == "openai" else "")
        made = Endpoint(first.lower(), rest, replaced or known.base_url, key_env or known.key_env)
    else:
        made = Endpoint("", model, address, key_env or "OPENAI_API_KEY")
    parts = urlsplit(made.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"'{made.base_url}' is no address of a model", "write http://HOST:PORT/v1")
    if parts.username or parts.password:
        raise UsageError("a key does not belong in base_url, which is written to files", "use key_env")
    return made


def secrets_in(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Every key that could be in use: what must never reach a file. Short values are no secrets."""
    names = {provider.key_env for provider in PROVIDERS.values()} - {""}
    found = {environment[name].strip() for name in environment if name in names or name.upper().endswith("_API_KEY")}
    return sorted(secret for secret in found if len(secret) >= 8)
