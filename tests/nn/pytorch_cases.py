"""PyTorch's side of pytorch_test.cpp.

    pytorch_cases.py write FOLDER GROUP   computes every case of a group and writes FOLDER/f32.safetensors and FOLDER/f64.safetensors
    pytorch_cases.py read FOLDER GROUP    checks that what the other side saved as FOLDER/CASE.f32 and .f64 are the weights that it was given

A case has a line here and one of the same name in the C++ tables. Tensors are named case|kind|name, where kind is state (weights and buffers before),
in, out, dout (the gradient that flows in), din, grad (of parameters) or after (buffers afterwards); case|training is 1 or 0.
"""
import copy
import sys
import warnings

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

cases = {}


class Margin(TorchDispatchMode):
    """The least distance, in standard deviations, of any value from a kink of relu, relu6 or maximum pooling."""

    least = float("inf")

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        name, x = op.overloadpacket.__name__, args[0] if args else None
        distances = []
        if name in ("relu", "hardtanh"):
            distances = [x.abs()] + [(x - 6).abs()] * (name == "hardtanh")
        elif name == "max_pool2d_with_indices":
            (k, l), (s, t) = args[1], args[2] if len(args) > 2 else args[1]
            first, second = x.unfold(2, k, s).unfold(3, l, t).flatten(-2).topk(2).values.unbind(-1)
            distances = [(first - second)[first > second]]
        for d in distances:
            self.least = min(self.least, (d.min() / x.std()).item())
        return op(*args, **(kwargs or {}))


def clear_of_kinks(name, model, shape):
    """An input at which rounding in single precision doesn't carry any value past a kink: there the gradients would jump."""
    exact = copy.deepcopy(model).double()
    for attempt in range(300):
        x = torch.randn(shape)
        with Margin() as margin, torch.no_grad():
            exact(x.double())
        if margin.least > 1e-5:
            return x
    raise SystemExit(f"{name}: no input is clear of kinks; a smaller one may be")


def case(name, model, *inputs, call=None, clear=False):
    """A module, or a function, and the shapes of its inputs (normal values) or the inputs themselves; how it is called, where not plainly with them. "_eval"
    in the name puts it in evaluation."""
    assert name not in cases, name
    if isinstance(model, nn.Module):
        model.train("_eval" not in name)
        with torch.no_grad():
            for key, value in model.state_dict().items():
                if "running_var" in key:
                    value.uniform_(0.5, 1.5)
                elif value.is_floating_point() and value.dim() == 1:  # biases and scales that are all the same at first hide mistakes
                    value.add_(0.2 * torch.randn_like(value))
    make = (lambda shape: clear_of_kinks(name, model, shape)) if clear else torch.randn
    cases[name] = model, [make(x) if isinstance(x, tuple) else x for x in inputs], call or (lambda model, *x: model(*x))


def layers():
    convolutions()
    norms()
    pools()
    others()


def convolutions():
    case("linear", nn.Linear(7, 5), (4, 7))
    case("linear_without_bias", nn.Linear(7, 5, bias=False), (2, 3, 7))
    case("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), (3, 4, 11))
    case("conv2d", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), (3, 4, 9, 8))
    case("conv2d_groups", nn.Conv2d(4, 6, 3, padding=1, groups=2, bias=False), (3, 4, 6, 5))
    case("conv2d_depthwise", nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6), (2, 6, 7, 5))
    case("conv2d_wide", nn.Conv2d(32, 48, 3, padding=1), (2, 32, 10, 9))
    case("conv2d_pointwise", nn.Conv2d(24, 40, 1, bias=False), (2, 24, 6, 7))
    case("conv2d_same", nn.Conv2d(3, 5, (4, 3), padding="same"), (2, 3, 7, 6))
    case("conv2d_reflect", nn.Conv2d(3, 5, 3, padding=(1, 2), padding_mode="reflect"), (2, 3, 7, 6))
    case("conv2d_replicate", nn.Conv2d(3, 5, 3, padding=2, padding_mode="replicate"), (2, 3, 7, 6))
    case("conv2d_circular", nn.Conv2d(3, 5, 3, padding=(2, 1), padding_mode="circular"), (2, 3, 7, 6))
    case("conv_transpose1d", nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1), (2, 4, 5))
    case("conv_transpose2d", nn.ConvTranspose2d(4, 6, (3, 2), (2, 3), (1, 0), (1, 0), groups=2, dilation=2), (2, 4, 5, 4))


def norms():
    case("batch_norm1d", nn.BatchNorm1d(5), (7, 5))
    case("batch_norm1d_sequence", nn.BatchNorm1d(5, affine=False), (4, 5, 3))
    case("batch_norm2d", nn.BatchNorm2d(5, eps=1e-3, momentum=0.2), (3, 5, 4, 3))
    case("batch_norm2d_eval", nn.BatchNorm2d(5), (3, 5, 4, 3))
    case("batch_norm2d_untracked", nn.BatchNorm2d(5, track_running_stats=False), (3, 5, 4, 3))
    case("batch_norm2d_mean_of_all", nn.BatchNorm2d(5, momentum=None), (3, 5, 4, 3))
    case("instance_norm1d", nn.InstanceNorm1d(3, affine=True), (2, 3, 7))
    case("instance_norm2d", nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (2, 3, 5, 4))
    case("instance_norm2d_eval", nn.InstanceNorm2d(3, track_running_stats=True), (2, 3, 5, 4))
    case("layer_norm", nn.LayerNorm(6, eps=1e-6), (4, 5, 6))
    case("layer_norm_two_axes", nn.LayerNorm((3, 4), bias=False), (5, 3, 4))
    case("group_norm", nn.GroupNorm(2, 6), (3, 6, 4, 5))
    case("rms_norm", nn.RMSNorm(6), (4, 5, 6))
    case("local_response_norm", nn.LocalResponseNorm(3, alpha=0.1), (2, 7, 3, 4))


def pools():
    case("max_pool1d", nn.MaxPool1d(3, 2, 1), (2, 3, 9))
    case("max_pool2d", nn.MaxPool2d((3, 2), 2, (1, 0), ceil_mode=True), (2, 3, 8, 7))
    case("max_pool2d_dilated", nn.MaxPool2d(2, 1, dilation=(2, 3)), (2, 3, 6, 7))
    case("avg_pool1d", nn.AvgPool1d(3, 2, 1, count_include_pad=False), (2, 3, 9))
    case("avg_pool2d", nn.AvgPool2d((3, 2), 2, (1, 0), ceil_mode=True), (2, 3, 8, 7))
    case("avg_pool2d_divisor", nn.AvgPool2d(2, divisor_override=3), (2, 3, 6, 4))
    case("lp_pool1d", nn.LPPool1d(2, 3, 2), (2, 3, 9))
    case("lp_pool2d", nn.LPPool2d(2, 2), (2, 3, 6, 4))
    case("adaptive_avg_pool1d", nn.AdaptiveAvgPool1d(3), (2, 3, 8))
    case("adaptive_avg_pool2d", nn.AdaptiveAvgPool2d((3, 5)), (2, 3, 7, 8))
    case("adaptive_max_pool1d", nn.AdaptiveMaxPool1d(3), (2, 3, 8))
    case("adaptive_max_pool2d", nn.AdaptiveMaxPool2d((2, 3)), (2, 3, 7, 8))


def others():
    case("dropout_eval", nn.Dropout(0.3), (4, 5))
    case("dropout2d_eval", nn.Dropout2d(0.3), (2, 3, 4, 5))
    case("alpha_dropout_eval", nn.AlphaDropout(0.3), (4, 5))
    case("prelu_module", nn.PReLU(3), (2, 3, 4))
    case("rrelu_eval", nn.RReLU(), (4, 5))
    case("softmax2d", nn.Softmax2d(), (2, 3, 4, 5))
    case("softmin", nn.Softmin(1), (4, 5))
    case("identity", nn.Identity(), (4, 5))
    case("flatten", nn.Flatten(1, 2), (2, 3, 4, 5))
    case("unflatten", nn.Unflatten(1, (2, 3)), (4, 6, 2))
    case("unfold", nn.Unfold((2, 3), stride=(2, 1), padding=1), (2, 3, 5, 4))
    case("fold", nn.Fold((4, 5), 2), (2, 12, 12))
    case("pixel_shuffle", nn.PixelShuffle(2), (2, 8, 3, 4))
    case("pixel_unshuffle", nn.PixelUnshuffle(2), (2, 3, 4, 6))
    case("upsample_nearest", nn.Upsample(scale_factor=2), (2, 3, 4, 5))
    case("upsample_bilinear", nn.Upsample((7, 5), mode="bilinear"), (2, 3, 4, 6))
    case("upsample_bilinear_corners", nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (2, 3, 4, 5))
    case("upsample_bicubic", nn.Upsample(scale_factor=2, mode="bicubic"), (2, 3, 4, 5))
    case("upsample_linear1d", nn.Upsample(scale_factor=3, mode="linear"), (2, 3, 4))
    case("constant_pad1d", nn.ConstantPad1d((1, 2), 0.5), (2, 3, 4))
    case("zero_pad2d", nn.ZeroPad2d((2, 4, 1, 3)), (2, 3, 4, 5))
    case("reflection_pad2d", nn.ReflectionPad2d((2, 2, 1, 3)), (2, 3, 4, 5))
    case("replication_pad2d", nn.ReplicationPad2d((2, 2, 1, 3)), (2, 3, 4, 5))
    case("circular_pad2d", nn.CircularPad2d((2, 2, 1, 3)), (2, 3, 4, 5))


def functions():
    activations()
    losses()
    positions()


def focal_loss(x, y):
    """Lin et al. 2017, equation 5, gamma 2 and alpha 0.25."""
    p = torch.where(y.detach() == 1, x.sigmoid(), (-x).sigmoid())
    return -torch.where(y.detach() == 1, 0.25, 0.75) * (1 - p) ** 2 * p.log()


def positions():
    def angle(x, pairs):  # of every position and pair
        rate = 10000 ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
        return torch.arange(x.shape[-2], dtype=torch.float64)[:, None] * rate

    def sinusoidal(x):
        turns = angle(x, 3)
        return x + torch.stack((turns.sin(), turns.cos()), -1).flatten(1).to(x.dtype)

    def rotary(x):  # pairs of neighbours as complex numbers
        turned = torch.view_as_complex(x.double().unflatten(-1, (3, 2))) * torch.exp(1j * angle(x, 3))
        return torch.view_as_real(turned).flatten(-2).to(x.dtype)

    case("sinusoidal_encoding", sinusoidal, (2, 5, 6))
    case("rotary_encoding", rotary, (2, 5, 6))


def activations():
    for name in ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign", "tanhshrink",
                 "logsigmoid", "hardtanh", "relu6", "hardswish", "hardshrink", "softshrink", "glu"):
        case(name, getattr(F, name), (5, 6))
    case("hardsigmoid", lambda x: F.relu6(x + 3) / 6, (5, 6))  # F.hardsigmoid's gradient has 1/6 in single precision only
    case("leaky_relu_slope", lambda x: F.leaky_relu(x, 0.3), (4, 5))
    case("elu_alpha", lambda x: F.elu(x, 0.7), (4, 5))
    case("celu_alpha", lambda x: F.celu(x, 0.5), (4, 5))
    case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), (4, 5))
    case("softplus_beta", lambda x: F.softplus(x, 2, 1), (4, 5))
    case("threshold", lambda x: F.threshold(x, 0.2, -1), (4, 5))
    case("prelu", F.prelu, (2, 3, 4), (3,))
    case("softmax", lambda x: F.softmax(x, 1), (4, 5, 2))
    case("log_softmax", lambda x: F.log_softmax(x, -1), (4, 5))


def losses():
    weight, labels, signs = torch.tensor([0.5, 2.0, 1.0, 0.1]), torch.tensor([0, 3, 1, 2, 3]), torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0])
    unit, more = torch.rand(5, 4) * 0.9 + 0.05, torch.rand(5, 4) * 0.9 + 0.05
    case("mse_loss", F.mse_loss, (5, 4), (5, 4))
    case("mse_loss_sum", lambda x, y: F.mse_loss(x, y, reduction="sum"), (5, 4), (5, 4))
    case("l1_loss", lambda x, y: F.l1_loss(x, y, reduction="none"), (5, 4), (5, 4))
    case("smooth_l1_loss", lambda x, y: F.smooth_l1_loss(x, y, beta=0.5), (5, 4), (5, 4))
    case("huber_loss", lambda x, y: F.huber_loss(x, y, delta=0.7), (5, 4), (5, 4))
    case("binary_cross_entropy", F.binary_cross_entropy, unit, more)
    case("bce_with_logits", lambda x, y, w, p: F.binary_cross_entropy_with_logits(x, y.detach(), w.detach(), pos_weight=p.detach()), (5, 4), more, unit, weight)
    case("kl_div", lambda x, y: F.kl_div(x, y, reduction="batchmean"), (5, 4), more)
    case("kl_div_log_target", lambda x, y: F.kl_div(x, y, log_target=True, reduction="sum"), (5, 4), (5, 4))
    case("gaussian_nll_loss", lambda x, y, v: F.gaussian_nll_loss(x, y, v, full=True), (5, 4), (5, 4), more)
    case("poisson_nll_loss", lambda x, y: F.poisson_nll_loss(x, y.detach(), full=True), (5, 4), 3 * more)
    case("sigmoid_focal_loss", focal_loss, (5, 4), (torch.arange(20).reshape(5, 4) % 3 == 0).float())
    case("hinge_embedding_loss", lambda x, y: F.hinge_embedding_loss(x, y.detach()), (5,), signs)
    case("margin_ranking_loss", lambda a, b, y: F.margin_ranking_loss(a, b, y.detach(), 0.5), (5,), (5,), signs)
    case("cosine_embedding_loss", lambda a, b, y: F.cosine_embedding_loss(a, b, y.detach(), 0.1), (5, 4), (5, 4), signs)
    case("soft_margin_loss", lambda x, y: F.soft_margin_loss(x, y.detach()), (5,), signs)
    case("multilabel_soft_margin_loss", lambda x, y: F.multilabel_soft_margin_loss(x, y.detach()), (5, 4), more)
    case("multi_margin_loss", lambda x, y: F.multi_margin_loss(x, y, 2), (5, 4), labels)
    case("triplet_margin_loss", lambda a, b, c: F.triplet_margin_loss(a, b, c, 0.5, swap=True), (5, 4), (5, 4), (5, 4))
    case("nll_loss", lambda x, y, w: F.nll_loss(x, y, w.detach()), (5, 4), labels, weight)
    case("cross_entropy", F.cross_entropy, (5, 4), labels)
    case("cross_entropy_ignored", lambda x, y, w: F.cross_entropy(x, y, w.detach(), ignore_index=3, label_smoothing=0.1), (5, 4), labels, weight)
    case("cross_entropy_soft", lambda x, y: F.cross_entropy(x, y, label_smoothing=0.2), (5, 4), unit / unit.sum(1, keepdim=True))
    case("cross_entropy_pixels", lambda x, y: F.cross_entropy(x, y, reduction="none"), (2, 4, 3, 2), torch.randint(4, (2, 3, 2)))


def sequences():
    recurrent()
    attention()


def with_lengths(model, x, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, state = model(packed)
    return nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0], state


def with_state(model, x, h, c):
    return model(x, (h, c))


def recurrent():
    case("rnn", nn.RNN(4, 5), (6, 3, 4))
    case("rnn_relu", nn.RNN(4, 5, 2, "relu", bias=False), (6, 3, 4))
    case("gru", nn.GRU(4, 5, 2, batch_first=True, bidirectional=True), (3, 6, 4))
    case("gru_state", nn.GRU(4, 5), (6, 3, 4), (1, 3, 5))
    case("lstm", nn.LSTM(4, 5), (6, 3, 4))
    case("lstm_wide", nn.LSTM(20, 48, batch_first=True), (9, 12, 20))
    case("lstm_state", nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True), (3, 6, 4), (4, 3, 5), (4, 3, 5), call=with_state)
    case("lstm_projected", nn.LSTM(4, 6, 2, proj_size=3), (6, 3, 4))
    case("lstm_lengths", nn.LSTM(4, 5, batch_first=True, bidirectional=True), (4, 6, 4), torch.tensor([6, 2, 5, 1]), call=with_lengths)
    case("rnn_cell", nn.RNNCell(4, 5), (3, 4), (3, 5))
    case("gru_cell", nn.GRUCell(4, 5), (3, 4), (3, 5))
    case("lstm_cell", nn.LSTMCell(4, 5), (3, 4), (3, 5), (3, 5), call=with_state)


def attention():
    def attend(model, x, y=None, padding=None, mask=None, causal=False):
        y = x if y is None else y
        return model(x, y, y, padding, False, mask, is_causal=causal)[0]

    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    padding = torch.tensor([[False] * 5, [False, False, True, True, False], [True] + [False] * 4])
    case("embedding", nn.Embedding(7, 3), torch.randint(7, (4, 5)))
    case("embedding_padding", nn.Embedding(7, 3, padding_idx=2), torch.randint(7, (4, 5)))
    case("attention_self", nn.MultiheadAttention(8, 2, batch_first=True), (3, 5, 8), call=attend)
    case("attention_causal", nn.MultiheadAttention(8, 2, batch_first=True), (3, 5, 8), call=lambda m, x: attend(m, x, mask=future))
    case("attention_masks", nn.MultiheadAttention(8, 2, batch_first=True), (3, 4, 8), (3, 5, 8), padding, torch.rand(4, 5) > 0.7, call=attend)
    case("attention_sizes", nn.MultiheadAttention(8, 4, bias=False, kdim=6, vdim=5), (4, 3, 8), (5, 3, 6), (5, 3, 5), call=lambda m, *x: m(*x)[0])
    case("transformer_layer", nn.TransformerEncoderLayer(8, 2, 12, 0), (5, 3, 8))
    case("transformer_layer_norm_first", nn.TransformerEncoderLayer(8, 2, 12, 0, "gelu", batch_first=True, norm_first=True), (3, 5, 8))
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0, batch_first=True)
    case("transformer", nn.TransformerEncoder(layer, 2, nn.LayerNorm(8)), (3, 5, 8), future, padding[:, [1, 2, 3, 4, 0]])
    case("scaled_dot_product_attention", F.scaled_dot_product_attention, (2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6))
    case("scaled_dot_product_attention_causal", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3), (3, 5, 4), (3, 5, 4), (3, 5, 4))
    case("scaled_dot_product_attention_mask", F.scaled_dot_product_attention, (3, 5, 4), (3, 7, 4), (3, 7, 4), torch.rand(5, 7) > 0.4)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        return self.fc2(F.relu(self.fc1(h.flatten(1))))


class SmallCnn(nn.Module):
    def __init__(self):
        super().__init__()
        for i, (a, b) in enumerate([(1, 32), (32, 64), (64, 64)], 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, 3, padding=1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.fc1, self.fc2 = nn.Linear(576, 128), nn.Linear(128, 10)

    def forward(self, x):
        for i in (1, 2, 3):
            x = F.max_pool2d(F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def conv_bn(a, b, kernel, stride=1, groups=1, *more):
    return nn.Sequential(nn.Conv2d(a, b, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(b), *more)


class Residual(nn.Module):
    """A basic block, or with four times the width at its end a bottleneck."""

    def __init__(self, a, width, stride, bottleneck=False, shortcut="downsample"):
        super().__init__()
        sizes = [(a, width, 1), (width, width, 3), (width, 4 * width, 1)] if bottleneck else [(a, width, 3), (width, width, 3)]
        self.count, self.name, self.stride = len(sizes), shortcut, stride
        for i, (c, d, kernel) in enumerate(sizes, 1):
            setattr(self, f"conv{i}", nn.Conv2d(c, d, kernel, stride if i == len(sizes) - 1 else 1, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(d))
        self.added = d - a
        if shortcut and (stride != 1 or a != d):
            setattr(self, shortcut, conv_bn(a, d, 1, stride))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = F.relu(y)
        if not self.name:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))
        elif hasattr(self, self.name):
            x = getattr(self, self.name)(x)
        return F.relu(x + y)


class ResNet(nn.Module):
    def __init__(self, stem, width, blocks, bottleneck=False, shortcut="downsample", classes=10):
        super().__init__()
        self.conv1, self.bn1, self.small = stem, nn.BatchNorm2d(width), stem.kernel_size == (3, 3)
        a = width
        for i, count in enumerate(blocks):
            stage = []
            for j in range(count):
                stage.append(Residual(a, width << i, 2 if i and not j else 1, bottleneck, shortcut))
                a = (width << i) * (4 if bottleneck else 1)
            setattr(self, f"layer{i + 1}", nn.Sequential(*stage))
        self.stages, self.fc = len(blocks), nn.Linear(a, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if not self.small:
            x = F.max_pool2d(x, 3, 2, 1)
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(x.mean((2, 3)))


def cifar_resnet(blocks, shortcut):
    return ResNet(nn.Conv2d(3, 16, 3, padding=1, bias=False), 16, blocks, shortcut=shortcut)


def resnet(blocks, bottleneck):
    return ResNet(nn.Conv2d(3, 64, 7, 2, 3, bias=False), 64, blocks, bottleneck, classes=5)


class InvertedResidual(nn.Module):
    def __init__(self, a, b, stride, expansion):
        super().__init__()
        hidden = a * expansion
        widen = [conv_bn(a, hidden, 1, 1, 1, nn.ReLU6())] if expansion > 1 else []
        self.conv = nn.Sequential(*widen, conv_bn(hidden, hidden, 3, stride, hidden, nn.ReLU6()), *conv_bn(hidden, b, 1))
        self.residual = stride == 1 and a == b

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, widths, classes):  # the widths of stem, stages and last convolution
        super().__init__()
        stages = zip(widths[1:], (1, 2, 3, 4, 3, 3, 1), (1, 2, 2, 2, 1, 2, 1))
        features, a = [conv_bn(3, widths[0], 3, 2, 1, nn.ReLU6())], widths[0]
        for b, count, stride in stages:
            for i in range(count):
                features.append(InvertedResidual(a, b, 1 if i else stride, 1 if len(features) == 1 else 6))
                a = b
        self.features = nn.Sequential(*features, conv_bn(a, 1280, 1, 1, 1, nn.ReLU6()))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Vgg11(nn.Module):
    def __init__(self, hidden, classes):
        super().__init__()
        features, a = [], 3
        for b in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
            features += [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()] if b else [nn.MaxPool2d(2)]
            a = b or a
        self.features = nn.Sequential(*features)
        sizes = (512 * 7 * 7, hidden, hidden)
        layers = [part for c, d in zip(sizes, sizes[1:]) for part in (nn.Linear(c, d), nn.ReLU(), nn.Dropout())]
        self.classifier = nn.Sequential(*layers, nn.Linear(hidden, classes))

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 7).flatten(1))


class CharLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm, self.head = nn.Embedding(11, 6), nn.LSTM(6, 7, 2, batch_first=True), nn.Linear(7, 11)

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0])


class Gpt(nn.Module):
    def __init__(self, gpt2=False):
        super().__init__()
        self.token, self.position = nn.Embedding(11, 8), nn.Embedding(9, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 32, 0, "gelu" if gpt2 else "relu", batch_first=True, norm_first=gpt2)
        self.blocks = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8) if gpt2 else None, enable_nested_tensor=False)
        if not gpt2:
            self.head = nn.Linear(8, 11)

    def forward(self, x):
        t = x.shape[1]
        h = self.blocks(self.token(x) + self.position.weight[:t], nn.Transformer.generate_square_subsequent_mask(t, dtype=self.token.weight.dtype))
        return self.head(h) if hasattr(self, "head") else F.linear(h, self.token.weight)


class VitBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2, self.self_attention = nn.LayerNorm(8, 1e-6), nn.LayerNorm(8, 1e-6), nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Dropout(0), nn.Linear(12, 8), nn.Dropout(0))

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.self_attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class VisionTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.class_token, self.conv_proj = nn.Parameter(torch.randn(1, 1, 8)), nn.Conv2d(3, 8, 4, 4)
        self.encoder, self.heads = nn.Module(), nn.Module()
        self.encoder.pos_embedding = nn.Parameter(torch.randn(1, 5, 8))
        self.encoder.layers = nn.Module()
        for i in range(2):
            setattr(self.encoder.layers, f"encoder_layer_{i}", VitBlock())
        self.encoder.ln, self.heads.head = nn.LayerNorm(8, 1e-6), nn.Linear(8, 5)

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1) + self.encoder.pos_embedding
        for block in self.encoder.layers.children():
            x = block(x)
        return self.heads.head(self.encoder.ln(x)[:, 0])


def models():
    case("lenet", LeNet(), (2, 1, 28, 28), clear=True)
    case("mlp", nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10)), (6, 20), clear=True)
    case("small_cnn_eval", SmallCnn(), (2, 1, 28, 28), clear=True)
    case("resnet8", cifar_resnet([1, 1, 1], "shortcut"), (4, 3, 12, 12), clear=True)
    case("resnet20_eval", cifar_resnet([3, 3, 3], "shortcut"), (2, 3, 16, 16), clear=True)
    case("resnet20_padding_eval", cifar_resnet([3, 3, 3], None), (2, 3, 16, 16), clear=True)
    case("resnet_eval", resnet([2, 1, 1, 1], False), (1, 3, 32, 32), clear=True)
    case("resnet_bottleneck_eval", resnet([2, 1, 1, 1], True), (1, 3, 32, 32), clear=True)
    case("vgg11_eval", Vgg11(16, 5), (1, 3, 32, 32), clear=True)
    case("mobilenet_v2_eval", MobileNetV2([16, 8, 8, 16, 24, 32, 56, 112], 5), (1, 3, 32, 32), clear=True)
    case("char_lstm", CharLstm(), torch.randint(11, (3, 8)))
    case("gpt", Gpt(), torch.randint(11, (3, 8)))
    case("gpt2", Gpt(gpt2=True), torch.randint(11, (3, 9)))
    case("vision_transformer", VisionTransformer(), (3, 3, 8, 8))


def listed(value):
    return [value] if torch.is_tensor(value) else [x for part in value if part is not None for x in listed(part)]


def write(folder, name, dtype):
    model, inputs, call = cases[name]
    out = {}

    def keep(kind, tensors):
        out.update({f"{name}|{kind}|{key}": value.detach().clone(memory_format=torch.contiguous_format) for key, value in tensors})

    state = {}
    if isinstance(model, nn.Module):
        state = {key: value.clone() for key, value in model.state_dict().items()}
        model.to(dtype)
        keep("state", model.state_dict().items())
        out[f"{name}|training"] = torch.tensor(int(model.training))
    x = [v.to(dtype, copy=True).requires_grad_() if v.is_floating_point() else v for v in inputs]
    y = listed(call(model, *x))
    g = [torch.randn(v.shape).to(dtype) for v in y]
    torch.autograd.backward(y, g)
    keep("in", enumerate(x))
    keep("out", enumerate(y))
    keep("dout", enumerate(g))
    keep("din", ((i, v.grad) for i, v in enumerate(x) if v.grad is not None))
    if state:
        keep("grad", ((key, p.grad) for key, p in model.named_parameters() if p.grad is not None))
        keep("after", model.named_buffers())
        model.to(torch.float32).zero_grad()
        model.load_state_dict(state)
    return out


def read(folder, name, dtype):
    model = cases[name][0]
    if isinstance(model, nn.Module) and model.state_dict():
        theirs, ours = load_file(f"{folder}/{name}.{dtype}"), model.state_dict()
        assert theirs.keys() == ours.keys(), (name, dtype, theirs.keys() ^ ours.keys())
        for key, value in ours.items():
            assert torch.equal(theirs[key], value.to(theirs[key].dtype)), (name, dtype, key)
        model.load_state_dict(theirs)


mode, folder, group = sys.argv[1:]
for harmless in ("Using padding='same' with even kernel", "LSTM with projections is not supported with oneDNN"):
    warnings.filterwarnings("ignore", harmless)
torch.manual_seed(7)
torch.set_num_threads(1)
{"layers": layers, "functions": functions, "sequences": sequences, "models": models}[group]()
for dtype, short in ((torch.float32, "f32"), (torch.float64, "f64")):
    if mode == "write":
        torch.manual_seed(8)
        save_file({k: v for name in cases for k, v in write(folder, name, dtype).items()}, f"{folder}/{short}.safetensors")
    else:
        for name in cases:
            read(folder, name, short)
