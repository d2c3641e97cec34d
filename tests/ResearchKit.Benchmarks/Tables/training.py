"""References of the table "training": steps of PyTorch's own modules. Usage: training.py gpt|lstm|gru|resnet18

Prints "ready", then the milliseconds of one round of steps for each line on standard input.
"""
import math
import sys
import time


def refuse(reason):
    print("refused", reason, flush=True)
    sys.exit(0)


try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    refuse("This Python has no torch.")

torch.manual_seed(1)


class Block(nn.Module):
    def __init__(self, context, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("later", torch.ones(context, context, dtype=torch.bool).triu(1)[None, None])

    def forward(self, x):
        batch, time, width = x.shape
        query, key, value = (part.view(batch, time, self.heads, -1).transpose(1, 2)
                             for part in self.attention(self.norm1(x)).split(width, 2))
        scores = query @ key.transpose(-2, -1) / math.sqrt(width / self.heads)
        pattern = scores.masked_fill(self.later[:, :, :time, :time], -math.inf).softmax(-1)
        x = x + self.projection((pattern @ value).transpose(1, 2).contiguous().view(batch, time, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary=65, context=256, width=384, heads=6, layers=6):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(context, width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.blocks(x)))


class LastState(nn.Module):
    """A recurrent network and a linear layer on its last output."""

    def __init__(self, network):
        super().__init__()
        self.network, self.head = network, nn.Linear(network.hidden_size, 10)

    def forward(self, x):
        return self.head(self.network(x)[0][:, -1])


def trained(model, inputs, targets, steps, fused):
    """A function that takes so many steps of AdamW with clipped gradients."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, betas=(0.9, 0.99), weight_decay=0.1, foreach=fused)

    def take():
        for _ in range(steps):
            optimizer.zero_grad()
            logits = model(inputs)
            loss = functional.cross_entropy(logits.flatten(0, -2), targets.flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            loss.item()
    return take, steps


def case(name):
    if name == "gpt":
        tokens = torch.randint(65, (8, 257))
        return trained(Gpt(), tokens[:, :-1], tokens[:, 1:], 1, True)
    if name in ("lstm", "gru"):
        network = (nn.LSTM if name == "lstm" else nn.GRU)(40, 128, batch_first=True)
        return trained(LastState(network), torch.randn(16, 100, 40), torch.randint(10, (16,)), 4, True)
    if name == "resnet18":
        try:
            from torchvision.models import resnet18
        except ImportError:
            refuse("This Python has no torchvision.")
        return trained(resnet18(num_classes=10), torch.randn(4, 3, 224, 224), torch.randint(10, (4,)), 1, True)
    raise ValueError(name)


round_of_steps, count = case(sys.argv[1])
with open("/proc/self/maps") as maps:
    if "openblas" not in maps.read():
        refuse("Python's torch runs without OpenBLAS here (Debian: libopenblas0-pthread).")
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    round_of_steps()
    print((time.perf_counter() - start) * 1000 / count, flush=True)
