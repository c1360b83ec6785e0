"""The review, distributed representations: words as vectors, learned from the words that stand near them."""

# Fixed before any vector was trained: what is to the third word as the second is to the first.
ANALOGIES = (
    ("man", "woman", "king", "queen"),
    ("father", "mother", "son", "daughter"),
    ("go", "went", "come", "came"),
    ("father", "mother", "brother", "sister"),
    ("he", "she", "him", "her"),
    ("see", "saw", "hear", "heard"),
    ("day", "days", "year", "years"),
    ("hand", "hands", "eye", "eyes"),
)
