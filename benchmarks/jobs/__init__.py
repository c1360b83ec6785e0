"""The same job in firsthand and in its peers: lines, accuracy, and what each says of four mistakes.

The job: train 784-100-10 (rectified, softmax) on MNIST's first 10,000 images, for five epochs of mini-batches of 10, by
plain stochastic gradient descent at rate 0.1; keep the epoch of the best validation accuracy, save it, load it, and
measure the test accuracy.  Each module has it as its users would write it, in the function `job`, whose lines are
counted.  `python -m benchmarks.jobs` runs all that are installed.
"""
