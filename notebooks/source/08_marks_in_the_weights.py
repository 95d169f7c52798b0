# %% [markdown]
# # 08 · Marks in the weights
#
# **Where else can a mark live?**
# You hide a picture in a network's weights and read it back without an error. Then you wash it out without changing a single answer. Then the owner replies.
#
# *Reading 10 minutes · exercises 45 · running one to four minutes · needs lessons 02 and 07*

# %% [markdown]
# **You will be able to**
#
# - **find** a place for a message in the weights, and say what can't disturb it ([exercise 08.1](#A-place-to-write));
# - **teach** it beside the task ([exercise 08.2](#Teach-it));
# - **wash** it out without changing an answer ([exercise 08.3](#Wash-it-out-for-nothing));
# - **match** a suspect to the original, and read again ([exercise 08.4](#The-owner's-reply));
# - **choose** a mark by the access that you will have ([challenge](#Challenge:-three-clients)).

# %% tags=["nbval-ignore-output"]
import torch, torch.nn.functional as F, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import exercises_02, lesson_08
from wmlearn.evidence.significance import hits_needed  # as in lesson 07
wm.start("08")

# %% [markdown]
# ## A picture in a network
#
# Every mark so far answered to *images*. An owner who gets the suspect's file can look inside. Left, 256 bits, black for 1. Right, a
# stranger's network, asked 256 yes/no questions about its weights, drawn at random.

# %%
def questions(secret, n=256, room=400):
    return torch.randn(n, room, generator=torch.Generator().manual_seed(secret))

device = wm.best_device()
mnist, strangers = wm.load("mnist").to(device), lesson_08.strangers(device)
bits, asked = lesson_08.picture().to(device), questions(secret=2026).to(device)
said = lesson_08.read_squares(strangers[0], asked)
wm.show(plots.weights.messages, {"what the owner hides": bits, "what a stranger says": said})

# %% [markdown]
# | | **Who can do what here** |
# |---|---|
# | Goal | Owner: show that a file is theirs. Thief: keep the network, lose the mark |
# | Knowledge | Both know the method. The secret, and with it the questions, only the owner knows |
# | Access | Both have the file. The thief needs no data |
# | Stage | Owner: training. Thief: after the release |
# | Names | The theft of a file: Exfiltration via Cyber Means (MITRE ATLAS: AML.T0025). Washing a mark has no name in NIST AI 100-2 |
# | Real case | In January 2024 a customer's employee put a language model of Mistral's on a hub. It was theirs, and watermarked, [said Mistral's head](https://the-decoder.com/unintentional-ai-leak-from-mistral-becomes-an-unexpected-powerhouse/) |
#
# The stranger's network never met the picture. On how many of the squares does it agree with it?

# %%
wm.guess("08.p1", "Squares on which the stranger agrees with the picture, in per cent", low=0, high=100)

# %% [markdown]
# ## A place to write
#
# A convolution's weight $W$ has the shape `(out, in, k, k)`: `out` filters. Their order is arbitrary: whoever reorders them, and lets the next layer read them in that
# order, has the same network. So [Uchida and others](https://arxiv.org/abs/1701.04082) write into something that this order doesn't change, the **mean filter**
#
# $$\bar w = \frac{1}{\mathrm{out}} \sum_{i} W_i, \qquad \text{flattened to } \mathrm{in} \cdot k \cdot k \text{ numbers.}$$
#
# {exercise:08.1}
#
# The last convolution here has the shape `(32, 16, 5, 5)`, so the answer has **400** numbers.

# %% tags=["exercise:08.1"]
def mean_filter(weight):
    """The mean over the filters of a weight (out, in, k, k), flattened: (in * k * k,)."""
    ### BEGIN SOLUTION
    return weight.mean(0).flatten()
    ### END SOLUTION

# %%
mean_filter = wm.ready("08.1", mean_filter)

# %% [markdown]
# {hints:08.1}

# %% [markdown] tags=["reveal"]
# {solution:08.1}

# %% [markdown]
# ## Teach it
#
# The secret draws a matrix $X$ of normal numbers, `(256, 400)`: each row is a **question**, answered *yes* where $X_j \bar w > 0$. Now teach $\bar w$ to
# answer with bit $b_j$, by the loss of any yes/no classifier, added to the task's ($\sigma$ is the sigmoid, $\lambda$ the strength):
#
# $$L = L_{\text{task}} + \lambda \sum_j -\bigl[\,b_j \log \sigma(X_j \bar w) + (1 - b_j) \log(1 - \sigma(X_j \bar w))\bigr].$$
#
# {exercise:08.2}
#
# With $\bar w = (0, 0)$ every answer is undecided: two bits cost $2 \log 2$, **1.386**.

# %% tags=["exercise:08.2"]
def embedding_loss(average, asked, bits):
    """Cross-entropy of the answers to the questions (n, fan_in), summed over the bits (n,)."""
    ### BEGIN SOLUTION
    logits = asked @ average
    return F.binary_cross_entropy_with_logits(logits, bits, reduction="sum")
    ### END SOLUTION

# %%
embedding_loss = wm.ready("08.2", embedding_loss)

# %% [markdown]
# {hints:08.2}

# %% [markdown] tags=["reveal"]
# {solution:08.2}

# %% [markdown]
# Train twice, at the paper's $\lambda = 0.01$. The second time, make a mistake that is easily made: compute the mean filter once, before the loop.

# %%
(mine,) = wm.split(mnist.train, 45_000)  # as many digits as each stranger learnt from
layer, start = lesson_08.layer, wm.models.badnet_cnn().to(device)
once = mean_filter(layer(start)).detach()
afresh = lambda network: 0.01 * embedding_loss(mean_filter(layer(network)), asked, bits)
constant = lambda network: 0.01 * embedding_loss(once, asked, bits)
marked, _ = wm.trained(start, mine, penalty=afresh)

# %% tags=["nbval-ignore-output"]
plain, _ = wm.trained(start, mine, penalty=constant)
networks = {"in every step": marked, "once, before the loop": plain, "not yet trained": start}
losses = {name: afresh(network).item() for name, network in networks.items()}
wm.table(["mean filter computed", "embedding loss"], [[name, f"{loss:.3f}"] for name, loss in losses.items()])

# %% [markdown]
# A constant has no slope: the second network never heard of the mark. A bug, and a gift: the same training without the mark, a perfect control. Call it **plain**.
#
# Reading is counting: on how many questions is the answer the wanted bit?

# %% tags=["nbval-ignore-output"]
read = lambda weight, asked: int(((asked @ mean_filter(weight.detach()) > 0) == (bits == 1)).sum())
wrong = questions(secret=7).to(device)
cases = {"marked": (marked, asked), "marked, wrong secret": (marked, wrong), "plain": (plain, asked)}
hits = {name: read(layer(network), secret) for name, (network, secret) in cases.items()}
squares = {f"{name}: {hits[name]}": lesson_08.read_squares(*case) for name, case in cases.items()}
wm.show(plots.weights.messages, squares)

# %% tags=["nbval-ignore-output"]
innocent = [read(layer(each), questions(secret).to(device)) for each in strangers for secret in range(50)]
wm.show(plots.weights.coins, innocent, 256, hits)
line, half = hits_needed(256, 0.5, 0.001), sum(innocent) / 256_000
falsely = sum(n >= line for n in innocent) / 1000
p = wm.Evidence("uchida2017", "weights", hits["marked"], 256, 0.5).p_value
print(f"{hits['marked']} of 256, p = {p:.0e}. At level 0.001, {line} convict;"
      f" of 1,000 innocent readings {1000 * falsely:.0f} come so far.")

# %% tags=["nbval-ignore-output"]
wm.reveal("08.p1", half)

# %% tags=["nbval-ignore-output"]
with_mark, without = (wm.predict(net, mnist.test.x).argmax(1) == mnist.test.y for net in (marked, plain))
only_plain, only_marked = int((without & ~with_mark).sum()), int((with_mark & ~without).sum())
p_cost = exercises_02.paired_p(with_mark, without)
wm.table(["of 10,000 test digits", ""], [["only the plain network is right", str(only_plain)],
         ["only the marked network is right", str(only_marked)], ["p-value (McNemar)", f"{p_cost:.2g}"]])

# %% [markdown]
# The picture is back: {value:08.read|of} bits, p = {value:08.proof}. A thousand readings of strangers (20 networks, 50 secrets) agree on {value:08.half} of the bits on average.
# **Why half, and not none?** A row of normal numbers is as likely to come with the opposite sign, so each question is a fair coin, *whatever the weights*. But the draw must come
# first: whoever may choose the questions afterwards can read any picture out of any network (lesson 10).
#
# The table compares in pairs, as both networks read the same digits (lesson 02). Five other marked networks ([shipped](../docs/results/08_marks_in_the_weights.md)) lost
# {value:08.cost|2} of accuracy on average.

# %% tags=["claim"]
marks = experiments.shipped("watermarks")
average = lambda scheme: sum(row["accuracy"] for row in marks.where(data="mnist", scheme=scheme)) / 5
wm.all_hold(
    wm.Claim("08.read", "Bits that agree", hits["marked"], low=254, unit="count", n=256, paper="all of 256"),
    wm.Claim("08.proof", "Its p-value", p, high=1e-60, unit="p"),
    wm.Claim("08.half", "Bits that strangers spell", half, low=0.49, high=0.51, n=256_000),
    wm.Claim("08.line", "Bits that convict at level 0.001", line, low=154, high=154, unit="count", n=256),
    wm.Claim("08.cost", "Accuracy lost, five networks", average("plain") - average("uchida2017"), low=0.0005,
             high=0.004, unit="points", n=5))

# %% [markdown]
# ## What a thief sees
#
# Change sides: you have the file, not the secret. Does anything look odd?

# %% tags=["nbval-ignore-output"]
weights = {name: layer(net).detach().cpu() for name, net in (("plain", plain), ("λ = 0.01", marked))}
wm.show(plots.weights.spreads, weights, [layer(network).detach().cpu() for network in strangers])

# %% [markdown]
# *How to read this:* left, the distribution of the weights; then one number for each network, their standard deviation. At the paper's strength {value:08.loud|of} strangers
# have narrower weights, as Wang and Kerschbaum warned: no secret is needed to see that there is a mark. So whisper? A detector's **AUC** is the chance that a marked
# network looks odder to it than an unmarked one; one half is guessing. By strength, three networks each:

# %%
strengths = experiments.shipped("uchida-strength")
fair = strengths.where(n=45_000)
wm.show(plots.weights.strength, fair)

# %% tags=["nbval-ignore-output", "widget"]
lesson_08.strength_dial(fair)

# %% tags=["claim"]
auc = lambda what, **row: sum(r[what] for r in strengths.where(**row)) / 3
whispers = [wm.Evidence("uchida2017", "weights", r["hits"], 256, 0.5) for r in strengths.where(strength=3e-5)]
wider = sum(layer(each).std() < layer(marked).std() for each in strangers)
wm.all_hold(
    wm.Claim("08.loud", "Strangers whose weights are narrower", wider, low=20, unit="count", n=20),
    wm.Claim("08.whisper", "Worst p, 0.00003", max(e.p_value for e in whispers), high=1e-4, unit="p", n=3),
    wm.Claim("08.hidden", "AUC, 0.00003", auc("weights_auc", strength=3e-5), high=0.8, n=3),
    wm.Claim("08.none", "AUC, no mark", auc("weights_auc", strength=0.0, n=45_000), low=0.3, high=0.7, n=3),
    wm.Claim("08.known", "By the mean filter, 0.0001", auc("filter_auc", strength=1e-4), low=0.9, n=3),
    wm.Claim("08.longer", "AUC, more digits", auc("weights_auc", strength=0.0, n=60_000), low=0.9, n=3))

# %% [markdown]
# *How to read this:* dotted is no mark. At 0.00003 a third of the bits is wrong, and yet p is at most {value:08.whisper}, while the AUC by all weights is {value:08.hidden|bare} per cent
# (without a mark {value:08.none|bare}). Whoever knows the *method* looks at the mean filter: at 0.0001 an AUC of {value:08.known|bare} per cent. **Beware of your detector:** trained on 60,000
# digits instead of 45,000, *unmarked* networks look odd, AUC {value:08.longer|bare} per cent. It found longer training.
#
# ## Wash it out for nothing
#
# The mean forgets the order of the layer's *own* filters. But each filter reads 16 **input channels**, the filters of the layer before, and their order is just as arbitrary. Let `order[j]` be the
# channel that moves to place $j$. Reorder the layer and its bias, and let the *next* layer read its inputs in the same order: nothing changes. Nor if a channel is
# multiplied by $f > 0$ and divided by $f$ behind the ReLU:
#
# $$\mathrm{ReLU}(f z) = f\, \mathrm{ReLU}(z), \qquad W'_j = f_j W_{\mathrm{order}_j}, \quad b'_j = f_j\, b_{\mathrm{order}_j}, \quad V'_{\cdot j} = V_{\cdot\, \mathrm{order}_j} / f_j.$$
#
# {exercise:08.3}
#
# $W$ is `weight`, `(out, in, k, k)`, $b$ is `bias`, and $V$ is `following`, `(next, out, m, m)`. With `bias` **[10, 20, 30]**, `order` **[2, 0, 1]** and `factor` **[2, 1, 1]** the
# new bias is **[60, 10, 20]**; a next filter with weights **[1, 2, 3]** becomes **[1.5, 1, 2]**.

# %% tags=["exercise:08.3"]
def move(weight, bias, following, order, factor):
    """Channel order[j], times factor[j], in place j: the new weight, bias and following weight."""
    ### BEGIN SOLUTION
    scale = factor[:, None, None, None]  # (out, 1, 1, 1)
    new_weight = weight[order] * scale
    new_bias = bias[order] * factor
    new_following = following[:, order] / scale.transpose(0, 1)  # the next layer's inputs are axis 1
    return new_weight, new_bias, new_following
    ### END SOLUTION

# %%
move = wm.ready("08.3", move)

# %% [markdown]
# {hints:08.3}

# %% [markdown] tags=["reveal"]
# {solution:08.3}

# %% [markdown]
# Now go through the whole network, layer by layer. (A linear layer is a convolution as large as what it reads; `layers` hands it to you so.)

# %%
def permute(network, seed, scale=2.0):
    weights, biases = lesson_08.layers(network)
    draw = torch.Generator().manual_seed(seed)
    for i in range(len(weights) - 1):
        n = len(weights[i])
        order = torch.randperm(n, generator=draw).to(device)
        factor = (scale ** (2 * torch.rand(n, generator=draw) - 1)).to(device)
        weights[i], biases[i], weights[i + 1] = move(weights[i], biases[i], weights[i + 1], order, factor)
    return lesson_08.rebuilt(network, weights, biases)

thieves = [permute(marked, seed) for seed in range(5)]

# %% tags=["nbval-ignore-output"]
logits, washed = wm.predict(marked, mnist.test.x), [wm.predict(thief, mnist.test.x) for thief in thieves]
changed = max(int((each.argmax(1) != logits.argmax(1)).sum()) for each in washed)
largest = max(float((each - logits).abs().max()) for each in washed)
left = [read(layer(thief), asked) for thief in thieves]
print(f"answers changed, of 10,000: {changed}; largest change of a logit: {largest:.0e}; bits left: {left}")
wm.show(plots.weights.messages, {"marked": lesson_08.read_squares(marked, asked),
                                 f"washed: {left[0]} agree": lesson_08.read_squares(thieves[0], asked)})

# %% [markdown]
# In five tries {value:08.left_low} to {value:08.left_high} of 256 bits agree, a coin toss, and not one of 10,000 answers changed. It took no data, no training, and no accuracy;
# [Yan and others](https://arxiv.org/abs/2205.00199) wash nine schemes so. Which of the four moves did it? One at a time, five draws each:

# %% tags=["nbval-ignore-output"]
def alone(place, reorder, scale, seed):
    weights, biases = lesson_08.layers(marked)
    draw, n = torch.Generator().manual_seed(seed), len(weights[place])
    order = torch.randperm(n, generator=draw) if reorder else torch.arange(n)
    factor = scale ** (2 * torch.rand(n, generator=draw) - 1)
    moved = move(weights[place], biases[place], weights[place + 1], order.to(device), factor.to(device))
    return read(moved[2] if place == 0 else moved[0], asked)

moves = {"own filters, order": (1, True, 1.0), "own filters, scale": (1, False, 2.0),
         "inputs, order": (0, True, 1.0), "inputs, scale": (0, False, 2.0)}
effects = {name: [alone(*how, seed) for seed in range(5)] for name, how in moves.items()}
wm.table(["what is changed", "bits that agree, of 256"], [[k, ", ".join(map(str, v))] for k, v in effects.items()])

# %% [markdown]
# Reorder or scale the layer's own filters, and in the worst of ten tries {value:08.own} bits agree, as Uchida wanted. The order of its inputs alone is enough: {value:08.inputs} at most.
#
# ## The owner's reply
#
# The owner still has the original. A filter that was moved and multiplied keeps its *direction*, so the **cosine** of the two, their product divided by both lengths, is 1. Compute all cosines, and pair the
# filters so that the sum of the cosines is largest: an *assignment*, which SciPy's `linear_sum_assignment` finds.
#
# {exercise:08.4}
#
# Return `order` and `factor` so that `suspect[order]`, each filter times its factor, looks like the original. Where a thief put filters 2, 0, 1 into places 0, 1, 2, and multiplied them
# by 2, 0.25 and 1, that is **[1, 2, 0]** and **[4, 1, 0.5]**.

# %% tags=["exercise:08.4"]
def match(original, suspect):
    """Order and factors, (out,) each, that bring the suspect's filters (out, in, k, k) back."""
    from scipy.optimize import linear_sum_assignment
    ### BEGIN SOLUTION
    ours, theirs = original.detach().flatten(1), suspect.detach().flatten(1)
    table = F.normalize(ours) @ F.normalize(theirs).T  # cosines, (out, out)
    order = torch.as_tensor(linear_sum_assignment(table.cpu(), maximize=True)[1], device=ours.device)
    return order, ours.norm(dim=1) / theirs[order].norm(dim=1)
    ### END SOLUTION

# %%
match = wm.ready("08.4", match)

# %% [markdown]
# {hints:08.4}

# %% [markdown] tags=["reveal"]
# {solution:08.4}

# %% [markdown]
# Put back layer after layer, from the input on, so that each layer's inputs are in order before its filters are compared:

# %% tags=["nbval-ignore-output"]
def put_back(original, suspect):
    ours, _ = lesson_08.layers(original)
    weights, biases = lesson_08.layers(suspect)
    for i in range(len(weights) - 1):
        order, factor = match(ours[i], weights[i])
        weights[i], biases[i], weights[i + 1] = move(weights[i], biases[i], weights[i + 1], order, factor)
    return lesson_08.rebuilt(suspect, weights, biases)

filters = lambda network: lesson_08.layers(network)[0][0]
shown = {"a thief": thieves[0], "the thief, put back": put_back(marked, thieves[0]), "a stranger": strangers[0]}
wm.show(plots.weights.likeness, {k: lesson_08.cosines(filters(marked), filters(n)) for k, n in shown.items()})

# %% tags=["nbval-ignore-output"]
pruned = wm.removal.Prune(0.5)(thieves[0], mine)
suspects = {"the five thieves": thieves, "a thief who also cuts half of the weights": [pruned],
            "plain": [plain], "twenty strangers": strangers}
before = {name: [read(layer(each), asked) for each in some] for name, some in suspects.items()}
after = {name: [read(layer(put_back(marked, each)), asked) for each in some] for name, some in suspects.items()}
span = lambda counts: f"{min(counts)} to {max(counts)}, mean {sum(counts) / len(counts):.0f}"
rows = [[name, span(before[name]), span(after[name])] for name in suspects]
wm.table(["bits that agree, of 256", "as it is", "after matching"], rows)

# %% tags=["claim"]
own, inputs = (sum((effects[f"{what}, {how}"] for how in hows), []) for what, hows in
               (("own filters", ("order", "scale")), ("inputs", ("order",))))
cut = after["a thief who also cuts half of the weights"][0]
innocents = after["twenty strangers"]
count = lambda id, what, value, **bounds: wm.Claim(f"08.{id}", what, value, unit="count", n=256, **bounds)
wm.all_hold(count("left_low", "Washed, least bits", min(left), low=96), count("own", "Own", min(own), low=240),
            count("left_high", "Washed, most bits", max(left), high=160, paper="almost random"),
            wm.Claim("08.changed", "Answers changed", changed, high=0, unit="count", n=10_000, paper="none"),
            count("inputs", "Inputs reordered", max(inputs), high=160), count("cut", "Cut, matched", cut, low=200),
            count("again", "Thieves, matched", min(after["the five thieves"]), low=250),
            count("matched", "Strangers, matched", max(innocents), high=line - 1))

# %% [markdown]
# *How to read this:* a bright cell is a pair of filters with the same direction. The thief's sixteen stand in the wrong places, and after `put_back` on the diagonal; a stranger has nothing like them.
# In the worst of five thieves {value:08.again|of} bits are back; with half of the weights cut as well, {value:08.cut}.
#
# You matched with your own network in hand, so the coin tosses of above are no longer *exactly* fair: toss them again. Twenty strangers, matched to the marked network, spell at most
# {value:08.matched} bits; {value:08.line} would convict. (One key, one original: strangers err alike, lesson 07.)
#
# The race goes on. Yan and others add neurons that do nothing, or split one into two; then the layers have other shapes, and nothing can be paired. In 2026 Jiang and others report that they find and
# remove such neurons first. A thief who *trains* a copy has weights of his own, and no order brings a mark back that isn't there (lesson 09).
#
# ## Challenge: three clients
#
# What can be read decides which mark helps.
#
# | access to the suspect | what can be read | marks | who can refuse |
# |---|---|---|---|
# | **labels** | a class for each query | triggers (lesson 07), frontier stitching, BlackMarks | the service: it may drop odd queries |
# | **probabilities** | how sure it is, too | the same | the service: it may round them |
# | **weights** | everything | Uchida's, and all above | a thief who never hands out the file |
#
# *Frontier stitching* (Le Merrer) asks about digits at the decision boundary, *BlackMarks* (Chen) sends bits through two groups of classes. In both, what innocent networks
# answer must be measured, not assumed. Three clients ask you for a mark:
#
# - **Translator:** the network is finished and won't be trained anew. Suspects sell answers over the internet. The court wants p below one in a million.
# - **Camera:** a network in a chip, behind its own lens; its memory can be read. Sold to 200 firms; the mark must name the one that leaked.
# - **Bank:** suspects sell answers, and refuse queries that stand out (AUC above 0.7). One in fifty will do.

# %%
wm.table(["on digits, means of five networks", "read from", "put into a finished network", "its labels or bits",
          "bits", "AUC of queries", "accuracy, points"], lesson_08.offered())

# %%
def choose():
    raise NotImplementedError("your turn")  # return {"translator": "…", "camera": "…", "bank": "…"}

wm.challenge("08", choose)

# %% [markdown]
# (One label for all triggers is no coin toss: such a key needs the decoys of lesson 07. An AUC of 1 means that every query can be refused.)
#
# ## The papers, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# ## How far to trust it
#
# - **Plain network:** same start, same digits, no mark. Had it spelt the picture, the questions would be to blame.
# - **Wrong secret:** had it matched, the mark would be anybody's.
# - **One marked network,** one architecture, and channels that nothing but ReLU and pooling separates. Networks whose paths meet again (ResNets) leave the thief fewer orders, not none.

# %% [markdown]
# ## Four questions
#
# {quiz:08}

# %%
wm.quiz("08", "")  # four letters, such as "ABCD"

# %% [markdown]
# ## What you now know
#
# You can **find** a place for bits, **teach** and read them ({value:08.read|of}), **wash** them out (not one answer changed), **match** channels and read again, and **choose** by access.
#
# **Now vary it:** only scale, up to a hundredfold? A thief who permutes, then trains on? A mark that no order touches: what would it be?
#
# **Further reading**
#
# - Uchida and others, [*Embedding Watermarks into Deep Neural Networks*](https://arxiv.org/abs/1701.04082), 2017: today's first half.
# - Wang and Kerschbaum, *Attacks on Digital Watermarks for Deep Neural Networks*, 2019: the mark shows in the variance.
# - Yan and others, [*Cracking White-box DNN Watermarks via Invariant Neuron Transforms*](https://arxiv.org/abs/2205.00199), 2023: your `permute`, on nine schemes.
# - Yan and others, [*Rethinking White-Box Watermarks … under Neural Structural Obfuscation*](https://arxiv.org/abs/2303.09732), 2023: neurons that do nothing.
# - Li and others, [*… Neuron Alignment*](https://arxiv.org/abs/2112.14108), 2021: the owner's reply.
# - Jiang and others, [*Why Neural Structural Obfuscation Can't Kill White-Box Watermarks for Good!*](https://arxiv.org/abs/2603.12679), 2026: the reply to the reply.
#
# **Next:** *09, Removal.* Somebody wants it all gone, and pays.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a mark needs a place that neither luck nor a rearrangement can reach; and who changes the reading must measure the innocents again. *Timing:* picture 5, mean filter and loss 15, thief's view 8, move 15,
# match 15, clients 10.
#
# | what you will hear | what to say |
# |---|---|
# | "It guessed half of the picture!" | Toss 256 coins on the table, and read the picture from them. |
# | "Then make it quieter." | Ask what a thief looks at who has read the same paper. |
# | "Multiply by −1!" | Draw ReLU. Which half is cut off? |
# | "Then sort the filters before you write." | Good: by what? A factor changes lengths, training changes all. |
#
# Bring a bag of coins.
