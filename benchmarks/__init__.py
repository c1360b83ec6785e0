"""The cost of firsthand beside its peers: the same networks, weights, data, order and precision, in the same run.

    python -m benchmarks                 everything, about a quarter of an hour
    python -m benchmarks --quick         everything, briefly; the numbers go to a scratch folder and mean little
    python -m benchmarks steps --nets conv-2 --batches 10

speed/ measures time beside the peers, quality/ what is read and learned; both write to results/.  Measuring and drawing
are separate programs, joined by the JSON files.
"""
