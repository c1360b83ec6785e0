"""`mnist_svm` of the book: a support vector machine on MNIST, the baseline of the networks.

    python -m firsthand.book.mnist_svm

scikit-learn's, with the settings that it had when the book was written: gamma was 1/784, which it now calls "auto".
It takes some ten minutes.
"""

from firsthand.book import mnist_loader
from firsthand.errors import FirsthandError

__all__ = ["mnist_loader", "svm_baseline"]


def svm_baseline() -> int:
    """Train on the 50,000 training images, and print how many of the test images are right, which is also returned.

    Raises:
        FirsthandError: scikit-learn is missing.
    """
    try:
        from sklearn import svm
    except ModuleNotFoundError:
        raise FirsthandError("mnist_svm: scikit-learn not found: pip install 'firsthand[sklearn]'") from None
    training_data, _, test_data = mnist_loader.load_data()
    clf = svm.SVC(gamma="auto")
    clf.fit(*training_data)
    num_correct = int((clf.predict(test_data[0]) == test_data[1]).sum())
    print("Baseline classifier using an SVM.")
    print(f"{num_correct} of {len(test_data[1])} values correct.")
    return num_correct


if __name__ == "__main__":
    svm_baseline()
