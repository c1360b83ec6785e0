"""The names of the measured numbers, in both languages."""

import re

from firsthand.experiments.result import Text

__all__ = ["quantity_name"]

_WHOLE = {
    "test_accuracy": "测试准确度",
    "validation_accuracy": "验证准确度",
    "training_accuracy": "训练准确度",
    "best_epoch": "最好的回合",
    "epochs": "回合数",
    "output_before": "学习前的输出",
    "output_after": "学习后的输出",
    "digits_not_learned": "没有学会的数字",
    "largest_relative_difference": "最大相对差异",
    "times_as_fast": "速度的倍数",
    "backprop_in_forward_passes": "反向传播相当于前向传播的次数",
    "backprop_in_forward_passes_of_100": "反向传播相当于前向传播的次数，小批量为 100",
    "largest output at c=100": "c=100 时最大的输出",
    "all other outputs at c=100": "c=100 时其余的输出",
    "each of two largest at c=100": "c=100 时两个最大者的输出",
    "factor_at_weight_100": "权重为 100 时的因子",
    "largest_slope": "最大的斜率",
    "smallest_weight": "最小的权重",
    "best_weight": "最好的权重",
    "widest": "最大的宽度",
    "convolutional_layer": "卷积层的参数",
    "fully_connected_layer": "全连接层的参数",
    "network_784_30_10": "[784, 30, 10] 的参数",
    "errors": "错误数",
    "parameters": "参数",
    "feature_maps": "特征图",
    "hidden_feature_neurons": "隐藏特征神经元",
    "pooled_neurons": "池化后的神经元",
    "predictions_a_side": "一边的预测数",
    "members": "成员数",
    "highest_test_accuracy": "最高的测试准确度",
    "best_member": "最好的成员",
    "mean_member": "成员的平均值",
}
_BEFORE = {
    "highest": ("highest ", "最高的"),
    "last": ("last ", "最后的"),
    "first": ("iteration 0, ", "第 0 次迭代的"),
    "without": ("without dropout, ", "不用 dropout："),
    "dropout_l2": ("dropout and L2, ", "dropout 与 L2："),
    "plain": ("plain images, ", "原始图像："),
    "affine": ("affine distortions, ", "仿射变形："),
    "elastic": ("elastic distortions, ", "弹性变形："),
    "corrected": ("corrected, ", "修正："),
    "gradient_descent": ("gradient descent, ", "梯度下降："),
    "network3": ("network3's start, ", "network3 的初始化："),
    "easy": ("easy start, ", "容易的起点："),
    "stuck": ("stuck start, ", "困难的起点："),
    "overfitting": ("1,000 images, ", "1,000 幅图像："),
    "regularized": ("1,000 images with L2, ", "1,000 幅图像，L2："),
    "regularized_full": ("50,000 images with L2, ", "50,000 幅图像，L2："),
}


def quantity_name(name: str) -> Text:
    """The name of a number of a Result; an unknown one has its own name in both languages.

    Examples:
        >>> quantity_name("elastic_test_accuracy")
        Text(en='elastic distortions, test accuracy', zh='弹性变形：测试准确度')
    """
    if name in _WHOLE:
        return Text(_plain(name), _WHOLE[name])
    for word, (en, zh) in _BEFORE.items():
        rest = name.removeprefix(f"{word}_")
        if rest != name and rest in _WHOLE:
            return Text(en + _plain(rest), zh + _WHOLE[rest])
    if found := re.fullmatch(r"length_(\d)_of_(\d)", name):
        layer, layers = found.groups()
        return Text(f"length, hidden layer {layer} of {layers}", f"第 {layer} 个隐藏层的长度（共 {layers} 层）")
    return Text(_plain(name), _plain(name))


def _plain(name: str) -> str:
    return name.replace("_", " ")
