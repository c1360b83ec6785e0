"""A line about each named recipe: what `firsthand summary` lists without making a network of any."""

__all__ = ["ABOUT"]

# in the order in which they are listed
ABOUT = {
    "digit-reader": (
        "two ConvPool layers, ReLU, one hidden layer of 100: chapter 6's network, with a falling learning rate"
    ),
    "quick": "the digit reader in three epochs of one cycle: 99 % in seconds",
    "fully-connected": (
        "one hidden layer of 30 sigmoid units, cross-entropy, L2: chapter 3's network; 96.49 % in the book, "
        "95.97 ± 0.45 % here"
    ),
    "dropout": "chapter 6's last network, with dropout, on expanded data: 99.60 % in the book, five voting 99.67 %",
    "simard": "one hidden layer of 800 units on elastic distortions: 99.3 % in Simard et al. 2003",
    "smallest": "99 % with fewer than 2,000 parameters: three small ConvPool layers, batch normalization",
    "deep": "six convolutions, squeeze-and-excitation, global pooling instead of a hidden layer",
    "rows": "a GRU that reads the 28 rows of a digit one after the other, as 28 steps in time",
    "shakespeare": "one LSTM layer of 256 on eight plays, letter by letter: names the next character",
    "rbm": "a restricted Boltzmann machine of 500 units: features without labels, by contrastive divergence",
    "dbn": "784-500-500-1000 with label units: a deep belief net that draws the digit it is told",
    "autoencoder": "784-1000-500-250-30 and back, started by Boltzmann machines: an image in 30 numbers",
    "variational": "784-400-20 and back, with codes drawn at random: draws digits that nobody wrote",
    "ksh-small": (
        "the network of Krizhevsky, Sutskever and Hinton (AlexNet) in small: two groups, local response normalization, "
        "overlapping pooling; photos of clothes (Fashion-MNIST)"
    ),
    "inception-small": (
        "three Inception modules of GoogLeNet in small, with batch normalization and an auxiliary classifier; photos "
        "of clothes (Fashion-MNIST)"
    ),
    "catch": "a ball falls, a paddle catches it: Q-learning from the pixels, in seconds",
    "breakout": "Breakout on a board of 10 by 10, learned by playing: deep Q-learning with replay and target network",
    "freeway": "across eight lanes of traffic on a board of 10 by 10: the same network and settings as for breakout",
    "pong": (
        "Pong on the emulator of Atari's console, from four grey pictures of 42 by 40: deep Q-learning with replay, "
        "target network and rewards of five steps; needs the extra gym"
    ),
    "ntm-copy": "a neural Turing machine, memory 128 x 20: copies sequences of up to 20 vectors, and then longer ones",
    "ntm-repeat": "a neural Turing machine: says a sequence as many times as it is told, and then an end mark",
    "ntm-recall": "a neural Turing machine: given an item of a list, says the next",
    "ntm-sort": "a neural Turing machine with two heads of each kind: says vectors in the order of their priorities",
    "dates": "an encoder-decoder with attention: writes a date in any of nine forms as YEAR-MONTH-DAY",
    "stories": "an end-to-end memory network: where is anna, after a story of up to ten sentences",
    "captions": "an encoder-decoder with spatial attention: says in a sentence which two to four digits are on a scene",
}
