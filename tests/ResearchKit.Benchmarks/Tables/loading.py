"""Reference of the table "loading": an epoch of torch's DataLoader with two workers.

Prints "ready", then the milliseconds of an epoch for each line on standard input.
"""
import sys
import time


def refuse(reason):
    print("refused", reason, flush=True)
    sys.exit(0)


try:
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader, Dataset
except ImportError:
    refuse("This Python has no torch.")

IMAGES, SIZE, BATCH, PADDING, WORKERS = 2048, 96, 64, 8, 2


class Changed(Dataset):
    """A random crop of the padded image, flipped in half of the cases, normalized."""

    def __init__(self):
        self.images = torch.randint(0, 256, (IMAGES, 3, SIZE, SIZE), dtype=torch.uint8)
        self.mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        self.deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def __len__(self):
        return IMAGES

    def __getitem__(self, number):
        image = functional.pad(self.images[number], (PADDING,) * 4)
        top, left = torch.randint(0, 2 * PADDING + 1, (2,)).tolist()
        image = image[:, top:top + SIZE, left:left + SIZE]
        if torch.rand(()) < 0.5:
            image = image.flip(-1)
        return (image.float() / 255 - self.mean) / self.deviation, 0


if __name__ == "__main__":
    loader = DataLoader(Changed(), BATCH, shuffle=True, drop_last=True, num_workers=WORKERS, persistent_workers=True)
    for _ in loader:
        pass
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in loader:
            pass
        print(1000 * (time.perf_counter() - start), flush=True)
