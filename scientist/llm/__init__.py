"""Asking models: any OpenAI-compatible endpoint, with hard caps, a ledger, a cache that replays, and records for answers."""

from scientist.llm._budget import Budget, Ledger, Price, Spent, known_price
from scientist.llm._client import TRIES, Model
from scientist.llm._endpoint import LOCAL, PROVIDERS, Endpoint, endpoint, secrets_in
from scientist.llm._errors import (
    BudgetReached,
    ModelAnswerError,
    ModelError,
    ModelRefused,
    ModelRejected,
    ModelUnavailable,
    NoAnswer,
    NotRecorded,
    QuestionTooLong,
    ReplayMiss,
)
from scientist.llm._local import INSTALL, PACKAGED, LocalServer, LocalWire, model_file
from scientist.llm._prompts import data, prompt_names, render, variables
from scientist.llm._reading import read_record, schema_of
from scientist.llm._records import Ask, Conversation, Image, LedgerRow, Message, Reply, TokenUse
from scientist.llm._scripted import ScriptedWire
from scientist.llm._wire import HttpWire, Wire, estimate_tokens

__all__ = [
    "INSTALL",
    "LOCAL",
    "PACKAGED",
    "PROVIDERS",
    "TRIES",
    "Ask",
    "Budget",
    "BudgetReached",
    "Conversation",
    "Endpoint",
    "HttpWire",
    "Image",
    "Ledger",
    "LedgerRow",
    "LocalServer",
    "LocalWire",
    "Message",
    "Model",
    "ModelAnswerError",
    "ModelError",
    "ModelRefused",
    "ModelRejected",
    "ModelUnavailable",
    "NoAnswer",
    "NotRecorded",
    "Price",
    "QuestionTooLong",
    "ReplayMiss",
    "Reply",
    "ScriptedWire",
    "Spent",
    "TokenUse",
    "Wire",
    "data",
    "endpoint",
    "estimate_tokens",
    "known_price",
    "model_file",
    "prompt_names",
    "read_record",
    "render",
    "schema_of",
    "secrets_in",
    "variables",
]
