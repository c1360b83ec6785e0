"""Looking inside: what a network gets wrong, how far it can be believed, how its layers learn, what they see."""

from .adversarial import (
    distortion,
    fooled,
    gradient_sign,
    minimal_distortion,
    projected_gradient,
    same_size,
)
from .adversarial_source import Adversarial
from .arithmetic import Arithmetic, before_pooling, unit_arithmetic
from .calibration import (
    Reliability,
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from .deconvnet import Projected, deconvolved, project_strongest
from .diagnostics import Mistake, confusion_matrix, mistakes
from .filters import Field, Strongest, feature_maps, kernel_images, kernel_layers, receptive_field, strongest
from .fooling import Evolved, evolved, grown
from .gradients import LayerGradient, LayerUpdate, gradient_lengths, mean_gradient, update_lengths
from .in_time import Followed, Unrolled, follow, remembering, unrolled, unrolled_text
from .maps import map_of, share_of_neighbours
from .maximise import maximised, total_variation
from .neighbours import Nearest, Neighbours, last_hidden
from .parts import Part, layer_outputs, part_named, parts
from .saliency import gradient_saliency, input_gradient, occlusion
from .units import UnitUse, WeightHistogram, unit_use, weight_histograms
from .verdict import Verdict, accuracy_noise, cost_turn, overfitting

__all__ = [
    "Adversarial",
    "Arithmetic",
    "Evolved",
    "Field",
    "Followed",
    "LayerGradient",
    "LayerUpdate",
    "Mistake",
    "Nearest",
    "Neighbours",
    "Part",
    "Projected",
    "Reliability",
    "Strongest",
    "UnitUse",
    "Unrolled",
    "Verdict",
    "WeightHistogram",
    "accuracy_noise",
    "before_pooling",
    "brier_score",
    "confusion_matrix",
    "cost_turn",
    "deconvolved",
    "distortion",
    "evolved",
    "expected_calibration_error",
    "feature_maps",
    "follow",
    "fooled",
    "gradient_lengths",
    "gradient_saliency",
    "gradient_sign",
    "grown",
    "input_gradient",
    "kernel_images",
    "kernel_layers",
    "last_hidden",
    "layer_outputs",
    "map_of",
    "maximised",
    "mean_gradient",
    "minimal_distortion",
    "mistakes",
    "negative_log_likelihood",
    "occlusion",
    "overfitting",
    "part_named",
    "parts",
    "project_strongest",
    "projected_gradient",
    "receptive_field",
    "reliability",
    "remembering",
    "same_size",
    "share_of_neighbours",
    "strongest",
    "total_variation",
    "unit_arithmetic",
    "unit_use",
    "unrolled",
    "unrolled_text",
    "update_lengths",
    "weight_histograms",
]
