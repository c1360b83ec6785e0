"""Write docs/texts.md: the sections of the texts in their order, and what here answers each.

    python tools/documents/texts_page.py            writes the page
    python tools/documents/texts_page.py --check    changes nothing; exits with 1 where the page is another

A section without an answer says that it is open, or why nothing is to be measured.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from firsthand.studies.catalogue import EXPERIMENTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "texts.md"


class Section(NamedTuple):
    """A section; `studies` are ids of experiments, `pages` files below docs/, `note` a reason or what is open."""

    text: str
    title: str
    studies: str = ""
    pages: str = ""
    note: str = ""


TWO, THREE, FIVE, SIX = (f"Nielsen, chapter {number}" for number in (2, 3, 5, 6))
GROKKING, REVIEW = "Grokking Deep Learning, chapter 10", "LeCun, Bengio and Hinton, Deep learning"
BACK, CROSS, SOFT, DATA = (
    f"exercises/{name}.md" for name in ("backpropagation", "cross-entropy", "softmax", "training-data")
)
CONV = "exercises/convolution.md"

SECTIONS = (
    Section(TWO, "A matrix-based approach; the four equations and their proof", pages=BACK),
    Section(TWO, "The backpropagation algorithm, and its code", "full-matrix", BACK),
    Section(TWO, "In what sense is backpropagation a fast algorithm?", "why-backprop"),
    Section(
        TWO, "Backpropagation: the big picture, (47) to (53)", note="open: the sum over all paths has no study yet"
    ),
    Section(THREE, "The cross-entropy cost function", "neuron-quadratic-easy neuron-quadratic-stuck"),
    Section(THREE, "Introducing the cross-entropy", "neuron-cross-entropy", CROSS),
    Section(
        THREE,
        "Using the cross-entropy to classify MNIST digits",
        "quadratic-30 quadratic-100 cross-entropy-30 cross-entropy-100",
    ),
    Section(THREE, "What does the cross-entropy mean? (71) to (77)", note="open: the derivation has no study yet"),
    Section(THREE, "Softmax", "softmax-values softmax-temperature", SOFT),
    Section(THREE, "Overfitting and regularization", "overfit-1000 overfit-50000 early-stopping as-recorded"),
    Section(THREE, "Regularization", "l2-1000 l2-50000 l2-100-hidden l2-100-hidden-60"),
    Section(THREE, "Why does regularization help reduce overfitting?", "polynomial"),
    Section(THREE, "Other techniques for regularization", "l1 dropout-mlp more-data simard-mlp", DATA),
    Section(THREE, "An aside on big data", "more-data-svm", DATA),
    Section(FIVE, "Circuits, and why depth should help", note="open: multiplier and parity have no study yet"),
    Section(
        FIVE, "The vanishing gradient problem", "depth-1 depth-2 depth-3 depth-4 gradient-at-start speed-of-learning"
    ),
    Section(
        FIVE, "What's causing the vanishing gradient problem?", "one-neuron-chain", "exercises/unstable-gradient.md"
    ),
    Section(FIVE, "The prevalence of the problem", "narrow-window identity-neuron", "exercises/unstable-gradient.md"),
    Section(FIVE, "Other obstacles to deep learning", note="open: Glorot and Bengio, and Sutskever, have no study yet"),
    Section(SIX, "Introducing convolutional networks", "parameters filters deconvnet", CONV),
    Section(
        SIX,
        "Convolutional neural networks in practice",
        "shallow conv-1 conv-1-no-fc conv-2 conv-2-tanh conv-2-relu expanded expanded-fc-300 expanded-fc-1000 "
        "expanded-two-fc-100 expanded-two-fc-300 expanded-two-fc-1000 dropout ensemble",
        f"{CONV} exercises/tanh.md",
    ),
    Section(SIX, "Expanding the training data; going further", "simard-conv ciresan-mlp"),
    Section(
        SIX, "The code for our convolutional networks", pages="exercises/network3.md exercises/relu.md deviations.md"
    ),
    Section(
        SIX,
        "Recent progress in image recognition",
        "adversarial-minimal adversarial-transfer adversarial-why fgsm-training fooling-evolved fooling-gradient",
        "adversarial.md",
        "ImageNet itself is beyond what comes with the package; the lab has a human baseline on MNIST",
    ),
    Section(
        SIX,
        "Other approaches; the future of neural networks",
        "transfer-digits transfer-fashion",
        note="transfer learning is one of those named",
    ),
    Section(GROKKING, "Reusing weights; the convolutional layer", "grokking-cnn"),
    Section(GROKKING, "Summary: stack several layers", "conv-2", note="open: on his 1,000 images"),
    Section(REVIEW, "Introduction; background", note="history, and no claim that MNIST can answer"),
    Section(REVIEW, "Supervised learning", note="open: figure 1 b-d with numbers, and the far classifier"),
)


def page(sections: tuple[Section, ...] = SECTIONS) -> str:
    """The page of these sections.

    Raises:
        ValueError: a section names a study or page that is not there, or a study is named by none.
    """
    titles = {each.id: each.title.en for each in EXPERIMENTS}
    named = [id for section in sections for id in section.studies.split()]
    if wrong := sorted(set(named) ^ set(titles)):
        raise ValueError(f"studies {', '.join(wrong)}: in the catalogue or in the texts, expected in both")
    lines = [
        "# The texts, section by section",
        "",
        "Generated by `tools/documents/texts_page.py`: do not edit. A study is run by `firsthand run ID`.",
    ]
    text = ""
    for section in sections:
        if not (section.studies or section.pages or section.note):
            raise ValueError(f"{section.title}: no answer found, a study, a page or a reason expected")
        if section.text != text:
            text = section.text
            lines += ["", f"## {text}", "", "| section | answered by |", "|---|---|"]
        answers = [f"`{id}`: {titles[id]}" for id in section.studies.split()]
        for name in section.pages.split():
            if not (ROOT / "docs" / name).exists():
                raise ValueError(f"docs/{name}: no such page")
            answers.append(f"[{name}]({name})")
        lines.append(f"| {section.title} | {'<br>'.join([*answers, *([section.note] if section.note else [])])} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare."""
    if sys.argv[1:] == ["--check"]:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
