#!/usr/bin/env python3
"""Makes metrics/metrics.json: inputs, and the values that scikit-learn, sacrebleu and the definitions below give for them.

    apt-get install python3-sklearn                                   # Debian 12: scikit-learn 1.2.1
    PYTHONPATH=path/to/sacrebleu ./make_metrics.py                    # compares with the committed file
    PYTHONPATH=path/to/sacrebleu ./make_metrics.py --write            # writes it anew

sacrebleu (Apache-2.0) is a checkout of github.com/mjpost/sacrebleu at f615c728. Without it the BLEU and chrF values of the
committed file are kept.
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn import metrics as sk

HERE = Path(__file__).parent
FILE = HERE / "metrics/metrics.json"
IGNORED = -100
warnings.filterwarnings("ignore")                   # a class that is never predicted: zero_division=0 is meant


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def calibration(probability, targets, bins):
    """Guo et al., 2017, equation 3; a bin includes its upper bound."""
    confidence, right = probability.max(1), probability.argmax(1) == targets
    edges, error = np.linspace(0, 1, bins + 1), 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def classification(random, examples, classes, absent=None):
    """Logits with repeated rows, so that scores tie; some targets are to be ignored; one class may be never predicted."""
    logits = np.round(random.normal(size=(examples, classes)) * 1.5, 3)
    targets = random.integers(0, classes, examples)
    right = random.random(examples) < 0.5
    logits[np.arange(examples)[right], targets[right]] += 1.5
    if absent is not None:
        logits[:, absent] -= 9
    logits = np.round(logits, 3)
    logits[3], logits[7], logits[8] = logits[2], logits[2], logits[6]
    targets[[4, 9]] = IGNORED
    bytes_of = random.integers(1, 6, classes)
    kept = targets != IGNORED
    x, y = logits[kept], targets[kept]
    p, labels = softmax(x), list(range(classes))
    loss = sk.log_loss(y, p, labels=labels)
    wanted = {
        "accuracy": sk.accuracy_score(y, x.argmax(1)),
        "top-2 accuracy": sk.top_k_accuracy_score(y, x, k=2, labels=labels),
        "log loss": loss,
        "perplexity": np.exp(loss),
        "bits per byte": loss * len(y) / np.log(2) / bytes_of[y].sum(),
        "ROC AUC (one versus rest)": sk.roc_auc_score(y, p, multi_class="ovr", average="macro", labels=labels),
        "calibration error 15": calibration(p, y, 15),
        "calibration error 5": calibration(p, y, 5),
    }
    for average in ("micro", "macro", "weighted"):
        precision, recall, f1, _ = sk.precision_recall_fscore_support(y, x.argmax(1), average=average, zero_division=0)
        wanted |= {f"precision ({average})": precision, f"recall ({average})": recall, f"F1 ({average})": f1}
    return {"logits": logits.tolist(), "targets": targets.tolist(), "bytes": bytes_of.tolist(),
            "confusion": sk.confusion_matrix(y, x.argmax(1), labels=labels).tolist(), "expected": wanted}


def binary(random, examples, decimals):
    scores = np.round(random.normal(size=examples), decimals)
    targets = (scores + random.normal(size=examples) > 0).astype(int)
    return {"scores": scores.tolist(), "targets": targets.tolist(), "expected": {"ROC AUC": sk.roc_auc_score(targets, scores)}}


def regression(random, examples, offset):
    targets = np.round(random.normal(size=examples) + offset, 4)
    predictions = np.round(targets + random.normal(size=examples) * 0.4, 4)
    return {"predictions": predictions.tolist(), "targets": targets.tolist(), "expected": {
        "mean absolute error": sk.mean_absolute_error(targets, predictions),
        "root mean squared error": sk.mean_squared_error(targets, predictions) ** 0.5,
        "R²": sk.r2_score(targets, predictions)}}


def edits(one, other):
    """Wagner and Fischer, 1974: the whole matrix."""
    table = np.zeros((len(one) + 1, len(other) + 1), int)
    table[:, 0], table[0, :] = range(len(one) + 1), range(len(other) + 1)
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
    return int(table[-1, -1])


TEXTS = {
    "long": [
        ("The cat sat on the mat, and the dog (a big one) barked.", "The cat sat on the mat, while the dog (a large one) barked."),
        ("It cost 1,234.50 dollars in 2019-2020 - so they say.", "It cost 1,234.50 dollars in 2019-2020, or so they say."),
        ("He said &quot;no&quot; & left.", "He said \"no\" and left."),
        ("naïve café 🙂 über", "naïve cafés 🙂🙂 über alles"),
        ("the the the the the the the", "the cat is on the mat"),
    ],
    "short": [("yes", "yes sir"), ("a much longer answer than was asked for", "no"), ("", "ok then"), ("two words", "two words")],
    "apart": [("alpha beta gamma delta", "one two three four five")],
}


def texts(name, pairs, committed):
    words = [(p.split(), r.split()) for p, r in pairs]
    wanted = {
        "word error rate": sum(edits(p, r) for p, r in words) / sum(len(r) for _, r in words),
        "character error rate": sum(edits(p, r) for p, r in pairs) / sum(len(r) for _, r in pairs),
    }
    predictions, references = [p for p, _ in pairs], [[r for _, r in pairs]]
    try:
        from sacrebleu.metrics import BLEU, CHRF
        for label, options in {"BLEU words": ("none", "none"), "BLEU words smoothed": ("none", "exp"),
                               "BLEU 13a": ("13a", "none"), "BLEU 13a smoothed": ("13a", "exp")}.items():
            scorer = BLEU(tokenize=options[0], smooth_method=options[1], force=True)
            wanted[label] = scorer.corpus_score(predictions, references).score
        wanted["BLEU-2 words"] = BLEU(tokenize="none", smooth_method="none", max_ngram_order=2).corpus_score(predictions, references).score
        wanted["chrF"] = CHRF().corpus_score(predictions, references).score
        wanted["chrF 4 beta 1"] = CHRF(char_order=4, beta=1).corpus_score(predictions, references).score
    except ImportError:
        wanted |= {key: value for key, value in committed.get(name, {}).get("expected", {}).items() if key not in wanted}
    return {"pairs": pairs, "expected": wanted}


def made(committed):
    random = np.random.default_rng(17)
    return {
        "classification": {"five": classification(random, 40, 5), "absent": classification(random, 30, 4, absent=2)},
        "binary": {"ties": binary(random, 60, 1), "distinct": binary(random, 50, 9)},
        "regression": {"near zero": regression(random, 25, 0), "far from zero": regression(random, 25, 1000)},
        "texts": {name: texts(name, pairs, committed.get("texts", {})) for name, pairs in TEXTS.items()},
    }


def main(arguments):
    committed = json.loads(FILE.read_text()) if FILE.exists() else {}
    now = json.loads(json.dumps(made(committed)))
    if "--write" in arguments:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(now, ensure_ascii=False, separators=(",", ":")) + "\n")
        print(f"written   {FILE}")
        return 0
    wrong = 0
    for kind, cases in now.items():
        for name, case in cases.items():
            old = committed[kind][name]["expected"]
            off = max(abs(value - old[key]) for key, value in case["expected"].items())
            wrong += off > 1e-9
            print(f"{'DIFFERS ' if off > 1e-9 else 'equal   '}  {kind}, {name}: {len(old)} values, largest difference {off:.1e}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
