"""What works are about: the controlled list of topics, how each reads in a sentence, and in which words abstracts tell it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from scientist.literature._reference import Reference


class Subject(NamedTuple):
    """One topic: its heading, its name within a sentence, and a pattern for the words in which a text tells it.

    A pattern is matched at the beginning of a word, in lower case; without one only a record's keywords tell the topic.
    """

    head: str
    noun: str
    words: str = ""


SUBJECTS = {
    "label-noise": Subject(
        "Wrong labels",
        "wrong labels",
        r"label(?:ling|ing)? (?:noise|error|corruption)|(?:noisy|wrong|incorrect|corrupt\w*|random|flipped) label|mislabel|class noise|noise in the class",
    ),
    "feature-noise": Subject(
        "Noisy inputs",
        "noisy inputs",
        r"(?:attribute|feature|input|measurement) noise|noisy (?:input|feature|attribute|measurement)|noise in (?:the )?(?:attribute|feature|input)|training with noise",
    ),
    "sample-size": Subject(
        "How much data is enough",
        "the amount of data",
        r"sample siz|size of the (?:sample|training)|training[- ]set siz|small (?:sample|training set|data ?set)|(?:limited|scarce|few|amount of) (?:training )?(?:data|example|sample)|sample complexity",
    ),
    "learning-curves": Subject("Learning curves", "learning curves", r"learning curve|scaling law"),
    "regularisation": Subject(
        "Regularisation",
        "regularisation",
        r"regulari[sz]|weight decay|ridge|lasso|shrinkage|dropout|early stopping|penal(?:ty|i[sz]ed)",
    ),
    "model-comparison": Subject(
        "Comparing families of models",
        "the comparison of families of models",
        r"compar\w+ (?:of )?(?:\w+ ){0,4}(?:classifiers|learners|algorithms|famil)|(?:empirical|large-scale|neutral) comparison",
    ),
    "random-forest": Subject("Forests", "forests", r"random(?:ised|ized)? (?:forest|tree)|extra[- ]trees|forests?\b"),
    "boosting-bagging": Subject("Ensembles", "ensembles", r"ensemble|boosting|bagging|adaboost"),
    "svm": Subject("Support vector machines", "support vector machines", r"support[- ]vector|svms?\b"),
    "knn": Subject("Nearest neighbours", "nearest neighbours", r"(?:k-)?nearest[- ]neighbou?r|k-?nn\b"),
    "naive-bayes": Subject("Naive Bayes", "naive Bayes", r"naive bayes|naïve bayes"),
    "logistic-regression": Subject("Logistic regression", "logistic regression", r"logistic regression"),
    "neural-networks": Subject(
        "Neural networks",
        "neural networks",
        r"neural net|deep (?:net|learning)|perceptron|convolutional|transformers?\b|backpropagation",
    ),
    "grokking": Subject("Late generalisation", "late generalisation", r"grok|delayed generali[sz]ation"),
    "language-models": Subject("Language models", "language models", r"language model|llms?\b"),
    "packing": Subject(
        "Packings and point sets",
        "packings",
        r"packing|circles in (?:a|the|an?) |heilbronn|point (?:set|configuration)",
    ),
    "global-optimisation": Subject(
        "Searching among many optima",
        "the search among many optima",
        r"global optimi[sz]|basin[- ]hopping|simulated annealing|multi-?start|local (?:minima|optima)|evolutionary|genetic algorithm",
    ),
    "augmentation": Subject("Augmentation", "augmentation", r"augment"),
    "calibration": Subject("Calibration", "calibration", r"calibrat|reliability diagram|probability estimat"),
    "hyperparameter-optimisation": Subject(
        "Tuning", "tuning", r"hyper-?parameter|tuning|tuned|random search|bayesian optimi[sz]"
    ),
    "imbalance": Subject(
        "Rare classes", "rare classes", r"imbalance|rare class|minority class|skewed class|cost-sensitive"
    ),
    "feature-scaling": Subject(
        "Scaling",
        "the scaling of inputs",
        r"(?:data|feature|input) (?:scaling|normali[sz]|standardi[sz])|normali[sz]ation method",
    ),
    "dimensionality-reduction": Subject(
        "Fewer dimensions",
        "reduced dimensions",
        r"dimension\w* reduction|principal component|reduc\w+ (?:the )?dimension|feature selection|curse of dimension",
    ),
    "transfer-across-datasets": Subject(
        "Beyond one data set",
        "several data sets",
        r"(?:many|several|multiple|across|over|large number of) (?:\w+ ){0,2}data ?sets?|cross-data ?set|dataset bias|benchmark suite",
    ),
    "interaction-of-factors": Subject(
        "Factors that interact",
        "factors that interact",
        r"interact(?:s|ion|ions)? (?:between|of|among|effect)|factorial",
    ),
    "statistics-of-comparison": Subject(
        "Comparing with statistics",
        "the statistics of comparisons",
        r"significance test|hypothesis test|statistical(?:ly)? (?:test|compar|significan)|confidence interval|equivalence test",
    ),
    "reproducibility": Subject(
        "Claims that do not last", "reproducibility", r"reproducib|replicab|random seed|preregist|pre-regist"
    ),
    "automated-science": Subject(
        "Automated science", "automated science", r"automat\w+ (?:scien|discover|research)|ai scientist|research agent"
    ),
    "datasets": Subject("Data", "the data"),
    "software": Subject("Software", "software"),
}
TOPICS = tuple(SUBJECTS)
"""The controlled list: what `keywords` may say."""
FIELDS = frozenset({"language-models", "grokking", "packing", "automated-science"})
"""Topics that are a field of their own: a work of one says little to a study of another."""

_PATTERNS = {topic: re.compile(rf"\b(?:{subject.words})") for topic, subject in SUBJECTS.items() if subject.words}
LONGEST = 6_000  # characters of a record that are read


def foreign(about: Sequence[str], topics: Collection[str]) -> bool:
    """Whether a work about `about` (the main topic first) is of a field that is not among the `topics` of a study, and shares
    fewer than two of them. Pure."""
    return bool(about) and about[0] in FIELDS and about[0] not in topics and len(set(about) & set(topics)) < 2


def topics_in(text: str) -> tuple[str, ...]:
    """The topics whose words a text uses, in the order of the list. Pure."""
    lower = text[:LONGEST].lower()
    return tuple(topic for topic, pattern in _PATTERNS.items() if pattern.search(lower))


def topics_told(work: Reference) -> tuple[str, ...]:
    """What a work is about: the keywords of its record in their order, then the topics whose words its title, gist and
    abstract use, those of the title first. Pure."""
    by_words = (*topics_in(work.title), *topics_in(f"{work.gist}\n{work.abstract}"))
    return tuple(dict.fromkeys([*work.topics, *by_words]))
