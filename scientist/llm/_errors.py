"""How asking a model can fail. :class:`NoAnswer` costs one step of one role; everything else ends the campaign in good
order, and `scientist resume` goes on when it is mended."""

from __future__ import annotations

from scientist.errors import ScientistError


class ModelError(ScientistError):
    """A model could not be asked, or gave nothing that can be used."""

    exit_code = 9


class ModelUnavailable(ModelError):
    """Nobody answers, or only with rate limits and server errors, and the bounded retries are used up."""


class ModelRejected(ModelError):
    """The server will not take our requests: a wrong key, an unknown model, a request that it calls malformed."""


class NoAnswer(ModelError):
    """The model was asked and gave nothing that can be used. A role takes the step by rules then; the loop lives on."""


class ModelRefused(NoAnswer):
    """The model declined to answer."""


class ModelAnswerError(NoAnswer):
    """Every bounded try ended in an answer that breaks the rules; `message` quotes the last problem."""


class QuestionTooLong(NoAnswer):
    """The question does not fit into the model's context."""


class ReplayMiss(ModelError):
    """A recording lacks an answer to this question."""


class NotRecorded(NoAnswer):
    """The same, where the settings want the step taken by rules then."""


class BudgetReached(ScientistError):
    """The next call could pass a cap. Nothing was sent; everything done so far is kept."""

    exit_code = 10
