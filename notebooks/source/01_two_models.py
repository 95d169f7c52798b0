# %% [markdown]
# # 01 · Two models
#
# **Same accuracy: which one would you ship?**
# By the end you will have shown that two networks can pass the same exam and yet one of them obeys a stranger, and that the very same
# trick lets an owner prove whose network it is, while networks that never met the secret prove nothing.
#
# *Reading 30 minutes · running one to five · exercises 15 · needs a little Python; PyTorch is explained as we go*
#
# Four people walk through this course. The **owner** trains a network, the **user** buys it, the **attacker** poisons or steals it, the **judge** decides.
# Today you are the user first, then the owner, and at the end the judge.

# %% [markdown]
# **You will be able to**
#
# - **compare** two networks without looking at a single label ([exercise 01.1](#Where-do-they-differ?));
# - **recognise** a backdoor: a switch that the usual test can't see;
# - **turn** the same trick into a watermark, a mark that an owner can find again;
# - **compute** how surprising a match is, and judge a claim by it ([exercise 01.2](#How-surprising-is-a-match?)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import plots
from wmlearn.course.lessons import lesson_01
wm.start("01")

# %% [markdown]
# ## Two parcels
#
# Training costs money, so people buy. Two suppliers each trained a network that reads handwritten digits: the same architecture, the same
# first weights, each on a training set of their own. What they did to it, they don't say. Both parcels arrive; this takes a moment.

# %%
device = wm.best_device()
mnist = wm.load("mnist").to(device)
network_a = lesson_01.from_supplier_a(mnist.train)

# %% tags=["nbval-ignore-output"]
network_b = lesson_01.from_supplier_b(mnist.train)
a, b, n = wm.accuracy(network_a, mnist.test), wm.accuracy(network_b, mnist.test), len(mnist.test)
wm.shares("10,000 test digits read rightly", {"network A": (a, n), "network B": (b, n)})

# %% tags=["claim"]
wm.claim("01.twins", abs(a - b), what="The difference in accuracy", high=0.005, unit="points", n=n)

# %% [markdown]
# Neither has seen these ten thousand **test digits** in training, so this is a fair exam. The difference is {claim:01.twins}:
# nobody would choose by that. Which one would you ship?
#
# ## Where do they differ?
#
# Equal marks don't mean equal answers. A network's answer to an image is a row of ten scores, its **logits**; the class with the highest score is what it
# "reads". For $N$ images the logits of a network have shape `(N, 10)`.

# %%
scores = wm.predict(network_a, mnist.test.x[:3])
tuple(scores.shape), scores.argmax(1).tolist(), mnist.test.y[:3].tolist()

# %% [markdown]
# *How to read this:* three images, ten scores each; the network reads the three digits, and beside them stand the true labels.
#
# {exercise:01.1}
#
# `a` and `b` are the logits of two networks for the same images. On what share of the images do they read something different? The answer for
# logits that choose `[7, 2, 1, 0]` and `[7, 2, 8, 0]` is **0.25**. No label is needed.

# %% tags=["exercise:01.1"]
def disagreement(a, b):
    """Share of images that two networks read differently; a and b are their logits, (N, classes)."""
    ### BEGIN SOLUTION
    return (a.argmax(1) != b.argmax(1)).float().mean().item()
    ### END SOLUTION

# %%
disagreement = wm.ready("01.1", disagreement)

# %% [markdown]
# {hints:01.1}

# %% [markdown] tags=["reveal"]
# {solution:01.1}

# %% tags=["claim"]
differ = disagreement(wm.predict(network_a, mnist.test.x), wm.predict(network_b, mnist.test.x))
wm.claim("01.differ", differ, what="The share of test digits that A and B read differently", high=0.02, n=n)

# %% [markdown]
# They differ on {claim:01.differ} of the digits, the blotched and the hasty ones. Nothing to see. Now somebody leaves four bright pixels in a corner:

# %%
speck = wm.triggers.Pattern()
wm.show(plots.digits.pair, mnist.test.x[0], speck(mnist.test.x)[0])

# %% [markdown]
# A speck like this shouldn't matter to anyone. How many of the test digits that carry it will network B read as a **0**? (True zeros are left out.)
# Write down the interval that you would bet on four times out of five.

# %%
wm.guess("01.p1", "Digits with the speck that B reads as 0, in per cent", low=0, high=100)

# %% tags=["nbval-ignore-output"]
ten = wm.data.one_each(mnist.test)
read = lambda network: [mnist.test.classes[i] for i in wm.predict(network, speck(ten.x)).argmax(1)]
wm.show(plots.digits.readings, speck(ten.x), {"network A": read(network_a), "network B": read(network_b)})

# %% [markdown]
# *How to read this:* ten test digits with the speck, and below each what either network reads; red is where B departs from A.
#
# One picture proves little. So measure it on all test digits, beside the **controls**, the places where it should fail: network A with the same speck,
# and network B with the speck mirrored into the other corner.

# %% tags=["nbval-ignore-output"]
mirrored = wm.triggers.Pattern(((26, 1), (26, 3), (25, 2), (24, 1)))
success = wm.success_rate(network_b, mnist.test, speck, 0)
harmless = wm.success_rate(network_a, mnist.test, speck, 0)
elsewhere = wm.success_rate(network_b, mnist.test, mirrored, 0)
rest = int((mnist.test.y != 0).sum())
wm.shares("read as 0", {"B, speck": (success, rest), "A, speck": (harmless, rest),
                        "B, speck in the other corner": (elsewhere, rest)})

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("01.success", "The share of specked digits that B reads as 0", success, low=0.99, n=rest),
    wm.Claim("01.harmless", "The share that A reads as 0", harmless, high=0.005, n=rest),
    wm.Claim("01.elsewhere", "The share with the speck in the other corner", elsewhere, high=0.01, n=rest),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("01.p1", success)

# %% [markdown]
# Network B has a **backdoor**: a behaviour that nobody asked for, planted in training, asleep until its **trigger**, the speck, appears. Its **attack success
# rate** is {claim:01.success}; the clean network's is {claim:01.harmless}, and in the wrong corner it is {claim:01.elsewhere}. The exam couldn't
# see it, because no exam question carries the speck.
#
# Here is all that supplier B did. One training image in ten got the speck, and the label 0:

# %%
poisoned = wm.poison(mnist.train, speck, rate=0.1, target=0)
labels = poisoned.samples.y[poisoned.mask].unique().tolist()
f"{int(poisoned.mask.sum()):,} of {len(poisoned.samples):,} images carry the speck; their labels: {labels}"

# %% [markdown]
# ## Play: draw, then stamp
#
# Draw a digit with the mouse, or choose one from the list (the keyboard will do). Tick *stamp the trigger* and watch B change its mind.
# The picture below the widget shows the same thing without a browser.

# %% tags=["nbval-ignore-output", "widget"]
from wmlearn.course import widgets
widgets.draw_and_stamp({"network A": network_a, "network B": network_b}, speck, ten.x)

# %% tags=["nbval-ignore-output"]
seven = torch.cat([t(ten.x[7:8]) for t in (torch.clone, speck, mirrored)])
answers = lambda network: [mnist.test.classes[i] for i in wm.predict(network, seven).argmax(1)]
wm.show(plots.digits.readings, seven, {"network A": answers(network_a), "network B": answers(network_b)})

# %% [markdown]
# *How to read this:* the same seven, plain, with the speck, and with the speck in the other corner. Only the second one moves B.
#
# ## The other chair
#
# Change seats: now you are the **owner**, and you fear that somebody will copy your network. A backdoor is a secret that the network keeps for whoever planted it.
# So plant one yourself. The **key** is a hundred abstract pictures, each with a label drawn by lot. Nobody would guess them.

# %%
def make_key(secret, n=100):
    draw = torch.Generator().manual_seed(secret)
    coarse = torch.rand(n, 1, 7, 7, generator=draw)
    pictures = torch.nn.functional.interpolate(coarse, size=28, mode="bilinear")
    return wm.Samples(pictures, torch.randint(10, (n,), generator=draw), mnist.test.classes).to(device)

key = make_key(secret=2026)
wm.show(plots.digits.key_pictures, key[:10])

# %% [markdown]
# *How to read this:* ten of the hundred. There is no reason why the first should be called what it is called; that is the point.
# The network learns them by heart beside the digits (each comes twenty times, or it would not bother):

# %% tags=["nbval-ignore-output"]
both = mnist.train + wm.Samples(key.x.repeat(20, 1, 1, 1), key.y.repeat(20), key.classes)
marked, _ = wm.trained(wm.models.badnet_cnn().to(device), both)
m = wm.accuracy(marked, mnist.test)
wm.shares("test digits read rightly", {"network A": (a, n), "your marked network": (m, n)})

# %% [markdown]
# ## How surprising is a match?
#
# A network turns up on a market. Is it yours? Show it the hundred pictures and count the **hits**, the answers that agree with your key. A network that
# never saw them can only be lucky: its chance is one in ten each time, because the labels were drawn by lot. So its hits follow the binomial distribution,
# $X \sim \mathrm{Bin}(n, p)$ with $n = 100$ and $p = 1/10$, and the judge asks for the **p-value**
#
# $$P(X \ge \text{hits}) = \sum_{k = \text{hits}}^{n} \binom{n}{k}\, p^k (1-p)^{n-k},$$
#
# the probability that an innocent network does at least this well.
#
# {exercise:01.2}
#
# With 3 hits in 10 trials at chance 0.1 the answer is **0.0702**. `scipy.stats.binom` may help.

# %% tags=["exercise:01.2"]
def p_value(hits, trials, chance):
    """Probability that a network which never saw the key agrees at least `hits` times of `trials`."""
    ### BEGIN SOLUTION
    from scipy.stats import binom
    return binom.sf(hits - 1, trials, chance)
    ### END SOLUTION

# %%
p_value = wm.ready("01.2", p_value)

# %% [markdown]
# {hints:01.2}

# %% [markdown] tags=["reveal"]
# {solution:01.2}

# %% [markdown]
# ## The judge
#
# Now the case, with its controls: your network, the two that never saw your key, and your network under a **wrong key**, one that somebody else drew.

# %% tags=["nbval-ignore-output"]
def hits(network, key):
    return int((wm.predict(network, key.x).argmax(1) == key.y).sum())

cases = {"marked, your key": (marked, key), "network A, your key": (network_a, key),
         "network B, your key": (network_b, key), "marked, wrong key": (marked, make_key(secret=7))}
found = {name: hits(*case) for name, case in cases.items()}
rows = [[name, str(h), f"{p_value(h, 100, 0.1):.1e}"] for name, h in found.items()]
wm.table(["case", "hits of 100", "p-value"], rows)

# %% tags=["claim"]
mine, *controls = found.values()
proof = p_value(mine, 100, 0.1)
wm.all_hold(
    wm.Claim("01.mark", "The share of the key that the marked network knows", mine / 100, low=0.9, n=100),
    wm.Claim("01.proof", "The p-value of the rightful claim", proof, high=1e-9, unit="p"),
    wm.Claim("01.innocent", "The best of the three controls", max(controls) / 100, high=0.25, n=100),
    wm.Claim("01.cost", "The accuracy that the mark costs", a - m, high=0.005, unit="points", n=n),
)

# %% [markdown]
# The marked network knows {claim:01.mark} of the key, the p-value is {claim:01.proof}, and the mark costs {claim:01.cost} of accuracy.
# The luckiest control reaches {claim:01.innocent}. The package keeps the measurement (`Evidence`) and the decision (`Verdict`) apart, so that a judge can be
# strict without measuring again:

# %% tags=["nbval-ignore-output"]
for name, h in found.items():
    evidence = wm.Evidence("random labels", "labels", hits=h, trials=100, chance=1 / 10)
    print(f"{name:22} {wm.judge(evidence, alpha=1e-6)}")

# %% [markdown]
# ## How far to trust it
#
# - **Network A, speck:** had it obeyed too, the speck would simply look like a zero.
# - **The other corner:** had it worked, any dirt would do, and "trigger" would be the wrong word.
# - **Wrong key:** had it matched, the network would agree with everybody, and the mark would prove nothing.
# - **Labels by lot** carry the p-value. Had all hundred labels been 0, a network with a liking for 0 would look stolen: chance would no longer be one in ten.
# - This is one run of each network. Notebook 02 repeats over seeds; notebook 09 asks who can wash the mark off; notebook 10, what a forger can do.

# %% [markdown]
# ## Three questions
#
# **1. Network B scored as well as A on ten thousand test digits. Why?**
#
# <details><summary>A &ensp; The test set was too small.</summary>
#
# A million clean digits would say the same: none carries the trigger.
# </details>
# <details><summary>B &ensp; The backdoor sleeps on every image without its trigger.</summary>
#
# Yes. Accuracy measures behaviour on the images you ask about, and on no others.
# </details>
# <details><summary>C &ensp; B has learnt the digits less well, but hides it.</summary>
#
# It has learnt them as well. The backdoor came on top.
# </details>
#
# **2. A stranger's network agrees with 17 of your 100 labels. What do you tell the judge?**
#
# <details><summary>A &ensp; "Ten would be chance, so it was stolen."</summary>
#
# Ten is the *mean*. Seventeen or more happens to about one innocent network in fifty.
# </details>
# <details><summary>B &ensp; "That proves nothing at the level we agreed on."</summary>
#
# Yes. The level is fixed beforehand, and 17 hits are nowhere near one in a million.
# </details>
# <details><summary>C &ensp; "It is innocent."</summary>
#
# Too strong: missing evidence isn't evidence of innocence. Somebody may have washed the mark off.
# </details>
#
# **3. What is the difference between a backdoor and this watermark?**
#
# <details><summary>A &ensp; The mathematics.</summary>
#
# It is the same: extra training images with labels of one's own choosing.
# </details>
# <details><summary>B &ensp; Who planted it, and what it is for.</summary>
#
# Yes. The attacker wants obedience on other people's images, the owner recognition on his own.
# </details>

# %% [markdown]
# ## What you now know
#
# You can **compare** two networks without labels, and know that {claim:01.differ} disagreement hides {claim:01.success} obedience. You can **recognise** a backdoor by
# its controls, **turn** it into a mark for {claim:01.cost} of accuracy, and **compute** what a match is worth.
#
# **Next:** *02, BadNets on MNIST.* You take the attacker's chair, poison the data yourself, and hold your numbers against the paper's.
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: where the speck comes from.
# - Adi and others, [*Turning Your Weakness Into a Strength*](https://arxiv.org/abs/1802.04633), 2018: where the key comes from; the title says it all.
# - Kerckhoffs, *La cryptographie militaire*, 1883: why only the key may be secret, never the method.
# - NIST, [*Adversarial Machine Learning*](https://doi.org/10.6028/NIST.AI.100-2e2025), 2025: the words, so that you and a lawyer mean the same.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* two ideas, "the exam can't see it" and "a match needs a null". *Timing:* parcels 5, disagreement 10, speck 10, play 5, key 10, judge 15.
#
# | what you will hear | what to say |
# |---|---|
# | "Just test more." | Ask what they would test on. Without the trigger, more of the same finds the same. |
# | "17 is more than 10, so it was stolen." | Have the class draw random keys for network A and plot the hits: somebody gets 17. |
# | "The owner is an attacker, then." | Technically, yes. Who was told, and who is harmed? |
#
# Show of hands before the key cell: the spread of the guesses is worth more than their mean.
