"""The equations, in NumPy, to be read: what the engine is tested against, and what `firsthand.book` runs on.

Read in this order:

    functions        activation and cost functions with their derivatives
    fully_connected  chapters 2 and 3: backpropagation, (BP1) to (BP4), regularization, initialization, momentum
    conv_pool        chapter 6: convolution and max-pooling, and how the four equations change
    recurrent        chapter 6's other approaches: states, gates, backpropagation through time
    memory           neural Turing machines and memory networks: a memory that is read and written by attention
    attention        translation: a sum over the places of what has been read
    boltzmann        networks run backwards: energy, contrastive divergence, exact likelihood of tiny machines
    grokking         *Grokking Deep Learning*, chapter 10: convolution as a batch of small linear layers

Nothing here imports more than NumPy, and SciPy for one BLAS call.  All randomness is handed in.
"""

from . import attention, boltzmann, conv_pool, fully_connected, functions, grokking, memory, recurrent

__all__ = [
    "attention",
    "boltzmann",
    "conv_pool",
    "fully_connected",
    "functions",
    "grokking",
    "memory",
    "recurrent",
]
