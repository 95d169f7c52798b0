"""Compare the raw scores, one by one."""

EXERCISE = "01.1"
MISTAKE = "compares-logits"


def disagreement(a, b):
    pairs = list(zip(a.flatten().tolist(), b.flatten().tolist()))
    return sum(p != q for p, q in pairs) / len(pairs)
