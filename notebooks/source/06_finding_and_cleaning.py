# %% [markdown]
# # 06 · Finding and cleaning
#
# **Can a buyer notice, and mend?**
# By the end you will have found a backdoor without knowing its trigger, cleaned it out with a thousand digits of your own, and shown which backdoors
# each detector misses, while honest networks and clean images are let alone.
#
# *Reading 40 minutes · running one to five · exercises 25 · needs notebooks 02 and 03*
#
# Today you are the **user** who bought a network, and has only it and some clean images.

# %% [markdown]
# **You will be able to**
#
# - **recover** a trigger from a network, and **rate** how odd it is ([exercise 06.1](#How-odd-is-small?));
# - **unlearn** it ([quiz](#Three-questions));
# - **watch** what a network is asked ([exercise 06.2](#A-digit-under-a-digit));
# - **report** a detector by two numbers ([exercise 06.3](#Two-numbers));
# - **choose** a detector by what it misses ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import detection, experiments, plots, removal
from wmlearn.course.lessons import lesson_06
wm.start("06")

# %% [markdown]
# ## A purchase
#
# Two networks read your digits equally well. One of them was trained by somebody who wanted a favour. (You can see which: the seller can't.)

# %% tags=["nbval-ignore-output"]
mnist, device = wm.load("mnist").to(wm.best_device()), wm.best_device()
pattern = wm.triggers.Pattern()
dirty = wm.poison(mnist.train, pattern, rate=0.1, target=0, seed=6)
bought, log = wm.trained(wm.models.badnet_cnn(6).to(device), dirty.samples)
honest = lesson_06.honest()
mine, others = wm.split(mnist.test, 1000, 9000)
networks = {"bought": bought, "honest": honest}
n = len(others)
accuracies = {name: wm.accuracy(network, others) for name, network in networks.items()}
wm.shares("digits classified correctly", {name: (share, n) for name, share in accuracies.items()})

# %% [markdown]
# You don't know the trigger, the target, or whether there is either. You have a thousand clean digits, `mine`.
#
# Suppose you look for paint that turns *any* digit into a 0. In an honest network it must cover much of the picture, since it has to hide a 7 and draw a 0. In the
# bought one? A digit has 784 pixels.

# %%
wm.guess("06.p1", "Share of the picture to paint for a 0 from the bought network, in per cent", low=0, high=100)

# %% [markdown]
# ## The least paint
#
# **Neural Cleanse** (Wang and others, 2019) paints a pattern $p$ through a mask $m$, both of the size of a picture:
#
# $$x' = (1 - m) \cdot x + m \cdot p, \qquad \min_{m,\,p}\; \mathrm{CE}\big(f(x'),\, t\big) + \lambda \sum m .$$
#
# The first term wants class $t$ for every image; the second wants little paint. $\lambda$ grows while 99 % of the images obey. Here all ten classes are
# searched at once: mask `(10, 1, 28, 28)`, pattern `(10, 1, 28, 28)`, and one pass of 320 images a step.

# %%
scans, frames = {}, {}
for name, network in networks.items():
    scans[name], frames[name] = lesson_06.watched(network, mine)

# %% tags=["nbval-ignore-output"]
truth = pattern(torch.zeros(1, 1, 28, 28))[0]
wm.show(plots.detection.growth, lesson_06.some(frames["bought"]), 0, truth)

# %% tags=["nbval-ignore-output"]
wm.reveal("06.p1", scans["bought"].norm[0].item() / 784)

# %% [markdown]
# *How to read this:* white is paint. From noise, the search walks to a handful of pixels in the corner: not the seller's pattern, but a neighbour of it
# that the network obeys as well. **Nobody told it where to look.**

# %% tags=["nbval-ignore-output"]
wm.show(plots.detection.norms, {name: scan.norm.cpu() for name, scan in scans.items()})

# %% [markdown]
# *How to read this:* a bar is the paint that one class needs. The red one is the cheapest; dashed is the median. In every network some class is the
# cheapest. When is it *too* cheap?
#
# ## How odd is small?
#
# Measure from the middle, in units of the usual distance from it. Both must ignore the odd one itself:
#
# $$\text{index}_t = \frac{\mathrm{median}(\lVert m \rVert) - \lVert m_t \rVert}{1.4826 \cdot \mathrm{median}\,\big|\lVert m \rVert - \mathrm{median}(\lVert m \rVert)\big|}$$
#
# A class above the median gets 0; one above 2 is flagged.
#
# {exercise:06.1}
#
# For `norm = [10, 99, 100, 101, 190]` the answer is **[60.7, 0.67, 0, 0, 0]**.

# %% tags=["exercise:06.1"]
def anomaly_index(norm):
    """By how many deviations each of the norms (K,) lies below their median, or 0."""
    ### BEGIN SOLUTION
    median = norm.quantile(0.5)
    deviation = 1.4826 * (norm - median).abs().quantile(0.5)
    return ((median - norm) / deviation).clamp_min(0)
    ### END SOLUTION

# %%
anomaly_index = wm.ready("06.1", anomaly_index)

# %% [markdown]
# {hints:06.1}

# %% [markdown] tags=["reveal"]
# {solution:06.1}

# %% tags=["nbval-ignore-output"]
rows = []
for name, scan in scans.items():
    index = torch.as_tensor(anomaly_index(scan.norm.cpu()))
    worst = int(index.argmax())
    rows.append([name, str(worst), f"{scan.norm[worst]:.1f}", f"{index[worst]:.1f}",
                 "yes" if index[worst] > 2 else "no"])
wm.table(["network", "oddest class", "its paint, pixels", "index", "flagged"], rows)

# %% [markdown]
# ## Mend it
#
# What was found can be unlearnt: paint the recovered trigger on a fifth of your thousand digits, keep their *right* labels, and train on. The
# control does the same without the paint, as any owner would fine-tune.

# %% tags=["nbval-ignore-output"]
mended, tuned = removal.Unlearn()(bought, mine), removal.FineTune("all")(bought, mine)
after = {"bought": bought, "fine-tuned (control)": tuned, "unlearnt": mended}
obeys = {name: wm.success_rate(network, others, pattern, 0) for name, network in after.items()}
reads = {name: wm.accuracy(network, others) for name, network in after.items()}
fooled = int((others.y != 0).sum())
wm.shares("digits with the pattern that become 0", {name: (rate, fooled) for name, rate in obeys.items()})
wm.shares("clean digits classified correctly", {name: (rate, n) for name, rate in reads.items()})

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("06.unlearnt", "Attack success after unlearning", obeys["unlearnt"], high=0.5, n=fooled),
    wm.Claim("06.paid", "Accuracy paid for it", reads["bought"] - reads["unlearnt"], high=0.02, unit="points",
             n=n),
)

# %% [markdown]
# You never saw the pattern, and the attack is down to {value:06.unlearnt|1}, for {value:06.paid|1} of accuracy.
#
# ## A digit under a digit
#
# You may not be able to change the network, only to watch what it is asked. **STRIP** (Gao and others, 2019) lays clean digits over each query. A 7 under a 3
# is ambiguous, and the answers waver. A trigger under a 3 isn't. How much they waver is their **entropy**; for answers `p` of shape
# `(N, overlays, classes)`:
#
# $$H_i = \frac{1}{\text{overlays}} \sum_j \sum_c -p_{ijc} \log_2 p_{ijc}$$
#
# {exercise:06.2}
#
# One image, two overlays, two classes, `p = [[[0.5, 0.5], [1, 0]]]`: the answer is **[0.5]**.

# %% tags=["exercise:06.2"]
def entropy(p):
    """Mean entropy in bits, (N,), of the answers p (N, overlays, classes)."""
    ### BEGIN SOLUTION
    return -torch.xlogy(p, p).sum(2).mean(1) / torch.log(torch.tensor(2.0))
    ### END SOLUTION

# %%
entropy = wm.ready("06.2", entropy)

# %% [markdown]
# {hints:06.2}

# %% [markdown] tags=["reveal"]
# {solution:06.2}

# %% tags=["nbval-ignore-output"]
asked = others[others.y != 0][:400]
queries, over = {"clean": asked.x, "with the pattern": pattern(asked.x)}, mine.x[:16]
def answers(x):
    laid = (x[:, None] + over).clamp(max=1).flatten(0, 1)  # (N * 16, 1, 28, 28)
    return wm.predict(bought, laid).softmax(1).view(len(x), len(over), -1).cpu()
bits = {name: torch.as_tensor(entropy(answers(x))) for name, x in queries.items()}
wm.show(plots.detection.entropies, bits, float(bits["clean"].quantile(0.01)))

# %% [markdown]
# *How to read this:* left of the line a query is refused. The line is where one clean digit in a hundred would be refused by mistake.
#
# ## Two numbers
#
# "Catches 100 %" is easy: refuse everything. A detector is always **two** numbers, what it catches and whom it accuses wrongly, and the threshold
# may only be set on what the defender has: clean images.
#
# {exercise:06.3}
#
# With clean entropies 1, 2, …, 100, triggered ones `[0, 3, 50, 60]` and `false_alarms = 0.05` the answer is **0.5**.

# %% tags=["exercise:06.3"]
def caught(clean, triggered, false_alarms):
    """Share of triggered images with less entropy than all but that share of the clean ones."""
    ### BEGIN SOLUTION
    return (triggered < clean.quantile(false_alarms)).float().mean().item()
    ### END SOLUTION

# %%
caught = wm.ready("06.3", caught)

# %% [markdown]
# {hints:06.3}

# %% [markdown] tags=["reveal"]
# {solution:06.3}

# %% tags=["nbval-ignore-output"]
rows = [[f"{100 * alarms:g} %", f"{100 * caught(*bits.values(), alarms):.1f} %"] for alarms in (0.005, 0.01, 0.05)]
wm.table(["clean digits refused", "digits with the pattern caught"], rows)

# %% [markdown]
# ## Who finds what
#
# Two more detectors read a *training set*: **activation clustering** (Chen and others, 2018) splits what each class looks like inside the network in two, and suspects a
# small, separate part; **spectral signatures** (Tran and others, 2018) remove what reaches farthest along its strongest direction. And a recent one,
# **topological evolution** (Mo and others, 2024), follows a query through the layers: which clean digits are its neighbours? A 3 that will be called 4 starts
# among 3s and changes company on the way. It needs to know nothing about the target.
#
# Every attack, every detector, several networks each:

# %%
results = experiments.shipped("detection")
wm.show(plots.detection.finders, lesson_06.finders(results))

# %% [markdown]
# *How to read this:* Neural Cleanse: networks whose target was flagged. The others: per cent of poison caught, false alarms in brackets. Rows without a backdoor are the
# controls: only false alarms.

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("06.flagged", "All-to-one networks that Neural Cleanse flags",
             lesson_06.flagged(results, "pattern"), low=1.0, n=5),
    wm.Claim("06.accused", "Honest networks that it flags", lesson_06.flagged(results, "clean"), high=0.1,
             n=10),
    wm.Claim("06.evaded", "All-to-all networks that it flags", lesson_06.flagged(results, "all to all"),
             high=0.1, n=3),
)

# %% tags=["claim"]
share = lambda attack, detector, key="caught": lesson_06.average(results, attack, detector, key)
wm.all_hold(
    wm.Claim("06.strip", "STRIP: all-to-one caught", share("pattern", "strip"), low=0.99, paper="over 99 %"),
    wm.Claim("06.strip_misses", "STRIP: all-to-all caught", share("all to all", "strip"), high=0.05),
    wm.Claim("06.half", "Activation clustering: all-to-one at 10 %", share("pattern", "activation_clustering"),
             high=0.1),
    wm.Claim("06.next", "Activation clustering: all-to-all", share("all to all", "activation_clustering"),
             low=0.9),
    wm.Claim("06.company", "Topological evolution: all-to-all", share("all to all", "ted"), low=0.9),
)

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("06.ramp", "Clean-label networks flagged", lesson_06.flagged(results, "clean label"), high=0, n=3),
    wm.Claim("06.ramp_queries", "Topological evolution: clean label", share("clean label", "ted"), low=0.8),
)

# %% [markdown]
# **Nobody finds everything.** Neural Cleanse flags {value:06.flagged|of} all-to-one networks and {value:06.accused|of} honest ones. Of all-to-all networks it flags {value:06.evaded|of}:
# no *single* class is cheap, since the pattern moves every digit elsewhere. Limiting a backdoor to 7s doesn't hide it on digits: its pattern is cheap from every other digit, too.
# STRIP catches {value:06.strip_misses} of all-to-all, since there the answer still hangs on the digit.
#
# Activation clustering finds {value:06.next} of all-to-all but {value:06.half} of the pattern at 10 %: then poison is *half* of class 0, and nobody can say which half is odd. Spectral signatures fail there for the
# same reason. Topological evolution catches {value:06.company} of all-to-all, from queries alone.
#
# A **clean-label** attack changes no label (Barni and others, 2019): nine in ten zeros get a ramp of light, and are called zeros. Whoever checks labels finds nothing; the
# ramp covers the whole image, so Neural Cleanse, which looks for something small, flags {value:06.ramp|of}. Its queries give it away: topological evolution catches {value:06.ramp_queries}.
#
# ## Play
#
# Slide through the search: ten classes, two networks.

# %% tags=["nbval-ignore-output", "widget"]
lesson_06.growing(frames)

# %% tags=["nbval-ignore-output"]
wm.show(plots.detection.classes, frames["honest"], max(frames["honest"]))

# %% [markdown]
# Beside the bought network's growing corner, this is what an honest one ends with: paint that looks a little like the digit it must become.
#
# ## The stop sign, cleaned
#
# **Fine-pruning** (Liu and others, 2018) needs no trigger: silence the channels that sleep on *clean* images, for something else must wake them, and train on. With 450
# clean signs, a twentieth of what the network was trained on:

# %% tags=["nbval-ignore-output"]
cleaned = lesson_06.pruned_signs()
obeyed = {name: (success, cleaned.n_stop) for name, success in cleaned.success.items()}
wm.shares("stop signs with a square read as limits", obeyed)
rows = [[name, f"{100 * accuracy:.1f} %"] for name, accuracy in cleaned.accuracy.items()]
wm.table(["network", "clean signs classified correctly"], rows)

# %% tags=["claim"]
wm.claim("06.pruned", cleaned.success["fine-pruned"], what="Attack success after fine-pruning", high=0.5,
         n=cleaned.n_stop)

# %% [markdown]
# Down to {value:06.pruned}. Why not to 0, for certain? The channels that see the yellow square also see yellow warning signs: they aren't asleep on clean images, and
# pruning spares them.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# What differs: all classes in one search; thresholds at 1 % of false alarms, set on clean images; clustering by principal components. The detectors' settings were chosen on
# networks that aren't in the table.
#
# ## How far to trust it
#
# - **Honest networks:** without them, "class 0 is the cheapest" would be an accusation. Some class always is.
# - **Fine-tuning alone:** without it, unlearning would get the credit for mere retraining.
# - **False alarms:** without them, STRIP at any threshold looks perfect.
# - The table holds attacks that don't know the detectors. One who does can train against them.

# %% [markdown]
# ## Three questions
#
# {quiz:06}

# %%
wm.quiz("06", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **recover** a trigger and **rate** it, **unlearn** it (down to {value:06.unlearnt|1}), **watch** queries, **report** two numbers, and **choose** by what is missed.
#
# **Next:** *07, From backdoor to watermark.* What changes when the owner plants it?
#
# **Further reading**
#
# - Wang and others, *Neural Cleanse*, IEEE S&P 2019: the search, the index, the unlearning.
# - Gao and others, [*STRIP*](https://arxiv.org/abs/1902.06531), 2019.
# - Chen and others, [*Activation Clustering*](https://arxiv.org/abs/1811.03728), 2018; Tran and others, [*Spectral Signatures*](https://arxiv.org/abs/1811.00636), 2018.
# - Mo and others, [*Topological Evolution Dynamics*](https://arxiv.org/abs/2312.02673), 2024.
# - Liu and others, [*Fine-Pruning*](https://arxiv.org/abs/1805.12185), 2018.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a detector is two numbers and a list of what it misses. *Timing:* least paint 15, index 10, mending 5, STRIP 15, the table 15.
#
# | what you will hear | what to say |
# |---|---|
# | "It found the trigger." | It found *a* trigger. Lay it over the truth: what is shared? |
# | "Then run all detectors." | Their false alarms add up. How many honest networks would be left? |
# | "All-to-all is a toy." | So is any attack, until the detector everybody runs can't see it. |
