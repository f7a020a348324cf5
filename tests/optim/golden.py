"""Golden paths: every optimizer from its paper's equations, in plain double-precision Python. Writes golden.inc: python3 golden.py > golden.inc

The model is a matrix [2, 3] and a vector [2]. The gradient of each weight is curvature * w plus a term that changes with the step.
"""
from math import sqrt

START = [[1.0, -2.0, 0.5, 3.0, -0.7, 0.2], [0.4, -1.5]]
CURVATURE = [[1.0, 0.1, 5.0, 0.01, 0.5, 2.0], [0.3, 1.0]]
OFFSET = [[0.3, -0.1, 0.2, 0.05, 0.4, -0.25], [0.1, -0.2]]
SHAPES = [(2, 3), None]
SHOWN = (1, 2, 10, 100)


def gradient(w, row, t):
    return [c * x + (1 if t % 2 == 0 else -1) * o * (1 + t % 7) for x, c, o in zip(w, CURVATURE[row], OFFSET[row])]


# Each takes (t = 1, 2, …; weights, gradients and state of a row; options; shape) and returns the new weights.

def sgd(t, w, g, s, o, _):
    mu, out = o["momentum"], []
    s.setdefault("m", [0.0] * len(w))
    for i, x in enumerate(w):
        d = g[i] + o["weight_decay"] * x
        if mu:
            s["m"][i] = d if t == 1 else mu * s["m"][i] + (1 - o["dampening"]) * d
            d = d + mu * s["m"][i] if o["nesterov"] else s["m"][i]
        out.append(x - o["lr"] * d)
    return out


def moments(w, g, s, o):
    for k in "mvu":
        s.setdefault(k, [0.0] * len(w))
    coupled = 0 if o.get("decoupled_weight_decay") else o["weight_decay"]
    g = [a + coupled * x for a, x in zip(g, w)]
    s["m"] = [o["beta1"] * a + (1 - o["beta1"]) * b for a, b in zip(s["m"], g)]
    s["v"] = [o["beta2"] * a + (1 - o["beta2"]) * b * b for a, b in zip(s["v"], g)]
    return g


def shrunk(x, o):
    return x * (1 - o["lr"] * o["weight_decay"]) if o.get("decoupled_weight_decay") else x


def adam(t, w, g, s, o, _):
    moments(w, g, s, o)
    b1, b2 = (1 - o["beta1"] ** t, 1 - o["beta2"] ** t) if o.get("bias_correction", 1) else (1, 1)
    s["u"] = [max(a, b) for a, b in zip(s["u"], s["v"])] if o.get("amsgrad") else s["v"]
    inside, outside = (o["eps"], 0) if o.get("eps_inside_root") else (0, o["eps"] / (sqrt(b2) if o.get("eps_hat") else 1))
    return [(1 - o.get("decay_after", 0)) * (shrunk(x, o) - o["lr"] * (m / b1) / (sqrt(v / b2 + inside) + outside))
            for x, m, v in zip(w, s["m"], s["u"])]


def adamw(t, w, g, s, o, _):
    return adam(t, w, g, s, {**o, "decoupled_weight_decay": 1}, _)


def amsgrad(t, w, g, s, o, _):
    return adam(t, w, g, s, {**o, "amsgrad": 1}, _)


def nadam(t, w, g, s, o, _):
    g = moments(w, g, s, o)
    mu = lambda k: o["beta1"] * (1 - 0.5 * 0.96 ** (k * o["momentum_decay"]))
    s["product"] = s.get("product", 1.0) * mu(t)
    out = []
    for x, a, m, v in zip(w, g, s["m"], s["v"]):
        mean = mu(t + 1) * m / (1 - s["product"] * mu(t + 1)) + (1 - mu(t)) * a / (1 - s["product"])
        out.append(shrunk(x, o) - o["lr"] * mean / (sqrt(v / (1 - o["beta2"] ** t)) + o["eps"]))
    return out


def radam(t, w, g, s, o, _):
    moments(w, g, s, o)
    b2t = o["beta2"] ** t
    limit = 2 / (1 - o["beta2"]) - 1
    rho = limit - 2 * t * b2t / (1 - b2t)
    out = []
    for x, m, v in zip(w, s["m"], s["v"]):
        mean = m / (1 - o["beta1"] ** t)
        if rho > 5:
            mean *= sqrt(1 - b2t) / (sqrt(v) + o["eps"])
            mean *= sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
        out.append(shrunk(x, o) - o["lr"] * mean)
    return out


def adamax(t, w, g, s, o, _):
    g = moments(w, g, s, o)
    s["u"] = [max(o["beta2"] * u, abs(a) + o["eps"]) for u, a in zip(s["u"], g)]
    return [x - o["lr"] / (1 - o["beta1"] ** t) * m / u for x, m, u in zip(w, s["m"], s["u"])]


def rmsprop(t, w, g, s, o, _):
    for k in "vab":
        s.setdefault(k, [0.0] * len(w))
    out = []
    for i, x in enumerate(w):
        d = g[i] + o["weight_decay"] * x
        s["v"][i] = o["alpha"] * s["v"][i] + (1 - o["alpha"]) * d * d
        s["a"][i] = o["alpha"] * s["a"][i] + (1 - o["alpha"]) * d
        v = s["v"][i] - s["a"][i] ** 2 if o["centered"] else s["v"][i]
        step = d / (sqrt(v + o["eps"]) if o["eps_inside_root"] else sqrt(v) + o["eps"])
        s["b"][i] = o["momentum"] * s["b"][i] + step
        out.append(x - o["lr"] * s["b"][i])
    return out


def adagrad(t, w, g, s, o, _):
    s.setdefault("s", [o["initial_accumulator_value"]] * len(w))
    out = []
    for i, x in enumerate(w):
        d = g[i] + o["weight_decay"] * x
        s["s"][i] += d * d
        root = sqrt(s["s"][i] + o["eps"]) if o["eps_inside_root"] else sqrt(s["s"][i]) + o["eps"]
        out.append(x - o["lr"] / (1 + (t - 1) * o["lr_decay"]) * d / root)
    return out


def adadelta(t, w, g, s, o, _):
    for k in "vu":
        s.setdefault(k, [0.0] * len(w))
    out = []
    for i, x in enumerate(w):
        d = g[i] + o["weight_decay"] * x
        s["v"][i] = o["rho"] * s["v"][i] + (1 - o["rho"]) * d * d
        delta = sqrt(s["u"][i] + o["eps"]) / sqrt(s["v"][i] + o["eps"]) * d
        s["u"][i] = o["rho"] * s["u"][i] + (1 - o["rho"]) * delta * delta
        out.append(x - o["lr"] * delta)
    return out


def lion(t, w, g, s, o, _):
    m = s.setdefault("m", [0.0] * len(w))
    c = [o["beta1"] * a + (1 - o["beta1"]) * b for a, b in zip(m, g)]
    s["m"] = [o["beta2"] * a + (1 - o["beta2"]) * b for a, b in zip(m, g)]
    return [x - o["lr"] * ((a > 0) - (a < 0) + o["weight_decay"] * x) for x, a in zip(w, c)]


def lamb(t, w, g, s, o, _):
    moments(w, g, s, {**o, "decoupled_weight_decay": 1})
    b1, b2 = (1 - o["beta1"] ** t, 1 - o["beta2"] ** t) if o["bias_correction"] else (1, 1)
    u = [m / b1 / (sqrt(v / b2) + o["eps"]) + o["weight_decay"] * x for x, m, v in zip(w, s["m"], s["v"])]
    norm = lambda x: sqrt(sum(a * a for a in x))
    ratio = norm(w) / norm(u) if o["adapt"] else 1
    return [x - o["lr"] * ratio * a for x, a in zip(w, u)]


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def muon(t, w, g, s, o, shape):
    if shape is None or not o["orthogonal"]:
        names = {"beta1": "adamw_beta1", "beta2": "adamw_beta2", "eps": "adamw_eps"}
        return adamw(t, w, g, s, {**o, **{k: o[v] for k, v in names.items()}}, shape)
    mu, (rows, columns) = o["momentum"], shape
    m = s["m"] = [mu * a + (1 - mu) * b for a, b in zip(s.setdefault("m", [0.0] * len(w)), g)]
    u = [(1 - mu) * a + mu * b for a, b in zip(g, m)] if o["nesterov"] else m
    size = max(sqrt(sum(a * a for a in u)), o["eps"])
    x = [[u[i * columns + j] / size for j in range(columns)] for i in range(rows)]
    for _ in range(int(o["ns_steps"])):
        a = product(x, list(zip(*x)))
        aa = product(a, a)
        p = [[o["ns_b"] * y + o["ns_c"] * z for y, z in zip(r, q)] for r, q in zip(a, aa)]
        px = product(p, x)
        x = [[o["ns_a"] * y + z for y, z in zip(r, q)] for r, q in zip(x, px)]
    ratio = 0.2 * sqrt(max(shape)) if o["adjust_lr"] == "match_rms_adamw" else sqrt(max(1, rows / columns))
    return [y * (1 - o["lr"] * o["weight_decay"]) - o["lr"] * ratio * z for y, z in zip(w, sum(x, []))]


ADAM = dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, decoupled_weight_decay=0)
USUAL = dict(
    sgd=dict(lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=0),
    adam=dict(ADAM, amsgrad=0, eps_inside_root=0, eps_hat=0, bias_correction=1, decay_after=0),
    adamw=dict(ADAM, weight_decay=1e-2, amsgrad=0),
    amsgrad=dict(ADAM, bias_correction=1),
    nadam=dict(ADAM, lr=2e-3, momentum_decay=4e-3),
    radam=ADAM,
    adamax=dict(lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0),
    rmsprop=dict(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=0, eps_inside_root=0),
    adagrad=dict(lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, eps_inside_root=0),
    adadelta=dict(lr=1, rho=0.9, eps=1e-6, weight_decay=0),
    lion=dict(lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0),
    lamb=dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0, bias_correction=1, adapt=1),
    muon=dict(lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=1, ns_a=3.4445, ns_b=-4.775, ns_c=2.0315, eps=1e-7, ns_steps=5,
              adjust_lr="original", orthogonal=1, adamw_beta1=0.9, adamw_beta2=0.95, adamw_eps=1e-8),
)
CASES = """
sgd(lr=0.05)
sgd(lr=0.05, weight_decay=0.3)
sgd(lr=0.05, momentum=0.9)
sgd(lr=0.05, momentum=0.8, dampening=0.4, weight_decay=0.1)
sgd(lr=0.05, momentum=0.9, nesterov=true, weight_decay=0.1)
sgd(lr=0.05, momentum=0.9, dampening=0.3, nesterov=true)
sgd(lr=0.001, momentum=0.5, maximize=true, weight_decay=0.1)
sgd(lr=0.001, maximize=true, weight_decay=0.1)
adam(lr=0.02)
adam(lr=0.02, beta1=0.5, beta2=0.9, eps=0.001)
adam(lr=0.02, beta1=0, beta2=0.99)
adam(lr=0.02, weight_decay=0.2)
adam(lr=0.02, weight_decay=0.2, decoupled_weight_decay=true)
adam(lr=0.02, amsgrad=true, beta2=0.9)
adam(lr=0.01, maximize=true, weight_decay=0.1)
adam(lr=0.02, eps=0.01, eps_inside_root=true)
adam(lr=0.02, eps=0.01, eps_hat=true)
adam(lr=0.02, bias_correction=false, weight_decay=0.01, decay_after=0.03)
adamw(lr=0.02)
adamw(lr=0.02, weight_decay=0.3, amsgrad=true, beta2=0.9)
adamw(lr=0.01, beta1=0.8, eps=0.001, maximize=true)
amsgrad(lr=0.02, beta2=0.9)
amsgrad(lr=0.02, beta2=0.9, weight_decay=0.2)
amsgrad(lr=0.02, beta2=0.9, weight_decay=0.2, decoupled_weight_decay=true, maximize=true)
amsgrad(lr=0.02, beta2=0.9, bias_correction=false)
nadam(lr=0.02)
nadam(lr=0.02, momentum_decay=0.1, weight_decay=0.2)
nadam(lr=0.02, weight_decay=0.2, decoupled_weight_decay=true)
nadam(lr=0.01, beta1=0.7, beta2=0.95, eps=0.001, maximize=true)
radam(lr=0.02)
radam(lr=0.02, weight_decay=0.2, beta2=0.9)
radam(lr=0.02, weight_decay=0.2, decoupled_weight_decay=true)
radam(lr=0.01, beta1=0.7, eps=0.001, maximize=true)
adamax(lr=0.02)
adamax(lr=0.02, weight_decay=0.2, beta1=0.8, beta2=0.9, eps=0.001)
adamax(lr=0.01, maximize=true)
rmsprop(lr=0.01)
rmsprop(lr=0.01, alpha=0.9, weight_decay=0.2, eps=0.001)
rmsprop(lr=0.01, momentum=0.9)
rmsprop(lr=0.01, centered=true)
rmsprop(lr=0.01, centered=true, momentum=0.5, weight_decay=0.1)
rmsprop(lr=0.005, maximize=true, momentum=0.5)
rmsprop(lr=0.01, eps=0.01, eps_inside_root=true)
adagrad(lr=0.1)
adagrad(lr=0.1, lr_decay=0.05, weight_decay=0.2)
adagrad(lr=0.1, initial_accumulator_value=0.5, eps=0.001)
adagrad(lr=0.1, maximize=true)
adagrad(lr=0.1, eps=0.1, eps_inside_root=true)
adadelta
adadelta(lr=0.5, rho=0.8, eps=0.001, weight_decay=0.2)
adadelta(lr=0.5, maximize=true)
lion(lr=0.01)
lion(lr=0.01, beta1=0.5, beta2=0.8, weight_decay=0.3)
lion(lr=0.01, maximize=true)
lamb(lr=0.02)
lamb(lr=0.02, weight_decay=0.2, beta1=0.8, beta2=0.9)
lamb(lr=0.02, bias_correction=false, eps=0.001)
lamb(lr=0.02, adapt=false, maximize=true)
muon(lr=0.02)
muon(lr=0.02, momentum=0.8, nesterov=false, weight_decay=0)
muon(lr=0.02, adjust_lr=match_rms_adamw, ns_steps=3)
muon(lr=0.02, ns_a=2, ns_b=-1.5, ns_c=0.5, ns_steps=8, weight_decay=0.3, adamw_beta1=0.8, adamw_beta2=0.9, adamw_eps=0.001)
muon(lr=0.02, orthogonal=false)
""".split("\n")[1:-1]


def value(text):
    return {"true": 1, "false": 0}.get(text, text) if text.isidentifier() and text[0].isalpha() else float(text)


def main():
    for case in CASES:
        name, _, arguments = case.rstrip(")").partition("(")
        given = {k: value(v) for k, v in (each.split("=") for each in arguments.split(", ") if each)}
        sign = -1 if given.pop("maximize", 0) else 1
        assert set(given) <= set(USUAL[name]), case
        options = {**USUAL[name], **given}
        weights, states, shown = [list(row) for row in START], [{}, {}], []
        for t in range(1, max(SHOWN) + 1):
            for row, shape in enumerate(SHAPES):
                g = [sign * x for x in gradient(weights[row], row, t - 1)]
                weights[row] = globals()[name](t, weights[row], g, states[row], options, shape)
            if t in SHOWN:
                shown += weights[0] + weights[1]
        print('{"' + case + '", {' + ", ".join(repr(x) for x in shown) + "}},")


main()
