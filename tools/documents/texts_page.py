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
    Section(TWO, "A matrix-based approach; the four equations and their proof", "slow-weights", BACK),
    Section(TWO, "The backpropagation algorithm, and its code", "full-matrix", BACK),
    Section(TWO, "In what sense is backpropagation a fast algorithm?", "why-backprop"),
    Section(TWO, "Backpropagation: the big picture, (47) to (53)", "path-sums"),
    Section(THREE, "The cross-entropy cost function", "neuron-quadratic-easy neuron-quadratic-stuck"),
    Section(THREE, "Introducing the cross-entropy", "neuron-cross-entropy", CROSS),
    Section(
        THREE,
        "Using the cross-entropy to classify MNIST digits",
        "quadratic-30 quadratic-100 cross-entropy-30 cross-entropy-100",
    ),
    Section(THREE, "What does the cross-entropy mean? (71) to (77)", "cross-entropy-derived"),
    Section(THREE, "Softmax", "softmax-values softmax-temperature sigmoid-or-softmax", SOFT),
    Section(THREE, "Overfitting and regularization", "overfit-1000 overfit-50000 early-stopping as-recorded"),
    Section(THREE, "Regularization", "smaller-network l2-1000 l2-50000 l2-100-hidden l2-100-hidden-60 stuck-runs"),
    Section(THREE, "Why does regularization help reduce overfitting?", "polynomial penalized-biases self-regularized"),
    Section(THREE, "Other techniques for regularization", "l1 dropout-mlp dropout-inside more-data simard-mlp", DATA),
    Section(THREE, "An aside on big data", "more-data-svm", DATA),
    Section(FIVE, "Circuits, and why depth should help", "nand-multiplier parity-gates parity-learned linear-regions"),
    Section(
        FIVE, "The vanishing gradient problem", "depth-1 depth-2 depth-3 depth-4 gradient-at-start speed-of-learning"
    ),
    Section(
        FIVE, "What's causing the vanishing gradient problem?", "one-neuron-chain", "exercises/unstable-gradient.md"
    ),
    Section(FIVE, "The prevalence of the problem", "narrow-window identity-neuron", "exercises/unstable-gradient.md"),
    Section(FIVE, "Other obstacles to deep learning", "saturation start-and-momentum"),
    Section(
        SIX, "Introducing convolutional networks", "parameters filters deconvnet conv-choices figure-network", CONV
    ),
    Section(
        SIX,
        "Convolutional neural networks in practice",
        "shallow shallow-l2 conv-1 conv-1-no-fc conv-2 conv-2-tanh tanh-settings lenet-5 conv-2-relu expanded "
        "expanded-fc-300 expanded-fc-1000 expanded-two-fc-100 expanded-two-fc-300 expanded-two-fc-1000 dropout "
        "dropout-where ensemble relu-speed",
        f"{CONV} exercises/tanh.md",
    ),
    Section(SIX, "Expanding the training data; going further", "simard-conv ciresan-mlp"),
    Section(
        SIX, "The code for our convolutional networks", pages="exercises/network3.md exercises/relu.md deviations.md"
    ),
    Section(
        SIX,
        "Recent progress in image recognition",
        "lrmd-edges lrmd-digit ksh-shapes ksh-small ksh-ablation googlenet-shapes inception-small numbers-whole "
        "adversarial-minimal adversarial-transfer adversarial-why fgsm-training fooling-evolved fooling-gradient",
        "pictures.md adversarial.md",
        "ImageNet itself is beyond what comes with the package; the lab has a human baseline on MNIST",
    ),
    Section(
        SIX,
        "Other approaches to deep neural nets: deep belief nets, generative models, and Boltzmann machines",
        "rbm-filters dbn-backprop dbn-generate autoencoder-30 autoencoder-2 denoising sparse variational",
        "backwards.md",
    ),
    Section(
        SIX,
        "Other approaches: recurrent networks, long short-term memory",
        "rows-mnist adding-problem vanishing-in-time shakespeare",
        "memory.md",
    ),
    Section(SIX, "Other approaches: learning to execute print(398345+42598)", "execute-add execute-program"),
    Section(SIX, "Other approaches: neural Turing machines", "ntm-copy ntm-repeat ntm-recall ntm-sort", "machines.md"),
    Section(SIX, "Other ideas: machine translation", "dates names-zh verses", "machines.md"),
    Section(SIX, "The future of neural networks: annotating photos", "captions", "machines.md"),
    Section(
        SIX,
        "Other approaches; the future of neural networks",
        "transfer-digits transfer-fashion",
        note="transfer learning is one of those named",
    ),
    Section(SIX, "Other approaches: raw pixels, and games", "catch minatar-breakout minatar-freeway pong", "games.md"),
    Section(GROKKING, "Reusing weights; the convolutional layer", "grokking-kernels"),
    Section(
        GROKKING,
        "A simple implementation in NumPy",
        "grokking-cnn grokking-dense grokking-stacked",
        "deviations.md",
        note="the listing letter by letter finds its data in `book/keras` and takes hours, one test image at a time; "
        "the study takes 500 at a time, from the same random numbers, and meets every printed accuracy",
    ),
    Section(GROKKING, "Summary", note="the structure trick: that is what all convolutional studies are about"),
    Section(REVIEW, "Introduction; background", note="history, and no claim that MNIST can answer"),
    Section(REVIEW, "Introduction: question answering", "stories-1 stories-2 stories-3", "machines.md"),
    Section(REVIEW, "Backpropagation: pre-training where labels are few", "few-labels", "backwards.md"),
    Section(
        REVIEW,
        "Supervised learning",
        "review-figure-1 descent-lbfgs far-from-training selectivity-invariance",
        note="figure 1a is the lab's page Space bends, 1 b to d its page Backward",
    ),
    Section(REVIEW, "Convolutional neural networks (figure 2)", "review-figure-2", "pictures.md"),
    Section(REVIEW, "Distributed representations and language processing", "word-vectors"),
)

# (where, in the text, correct, how it shows here)
SLIPS = (
    (
        "Nielsen 3, one neuron with the cross-entropy",
        "learning rate 0.005",
        "with it the neuron has hardly begun after 300 epochs; the curves fit 0.15",
        "`neuron-cross-entropy`",
    ),
    (
        "Nielsen 5, the identity neuron",
        "w₂ σ(w₁ x + b) ≈ x on [0, 1]",
        "only up to a constant, which the next bias takes",
        "`identity-neuron`",
    ),
    (
        "Nielsen 6, `network3`",
        "weights start with 1/√n_out",
        "1/√n_in was meant, says the author",
        "`nn.network3` beside `nn.scaled`",
    ),
    (
        "Nielsen 6, rectified linear units",
        "λ = 0.01 in the text, 0.1 in the listing",
        "0.1 is what was run",
        "`conv-2-relu`",
    ),
    (
        "Nielsen 6, Chinese, max-pooling",
        "它还会给出准确的位置信息 (it also gives the exact position)",
        "the English says the opposite: it throws the exact position away",
        "",
    ),
    (
        "Nielsen 6, Chinese, choosing a stride",
        "可靠的资料 (reliable material)",
        "validation data",
        "`conv-choices`",
    ),
    (
        "Nielsen 6, Chinese, the shallow network",
        "softmax 比 log-likelihood 使用得更为广泛 (softmax is more common than log-likelihood)",
        "softmax with log-likelihood is more common in image classification",
        "`sigmoid-or-softmax`",
    ),
    (
        "Grokking 10, first fragment",
        "`sub_section = ...`, `return subsection`",
        "one name for both, as in the long listing",
        "`grokking-cnn`",
    ),
    (
        "Grokking 10, the listing",
        "25 × 25 positions, `kernels -= alpha * k_update`, the slope behind dropout's factor",
        "26 × 26, `+=`, the slope before it",
        "`grokking-cnn`: corrected",
    ),
    (
        "The review, figure 1b",
        "Δx becomes Δz by the product of ∂y/∂x and ∂z/∂x",
        "of ∂y/∂x and ∂z/∂y",
        "`review-figure-1`",
    ),
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
    lines += [
        "",
        "## Slips of the texts",
        "",
        "Found in our copies; whether the originals still have them is unknown.",
        "",
        "| where | in the text | correct | here |",
        "|---|---|---|---|",
        *(f"| {' | '.join(slip)} |" for slip in SLIPS),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare."""
    if sys.argv[1:] == ["--check"]:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
