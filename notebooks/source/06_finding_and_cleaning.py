# %% [markdown]
# # 06 · Finding and cleaning
#
# **Can a buyer notice, and mend?**
# You find a backdoor without knowing its trigger, clean it out, and see what each detector misses: by accident,
# and because an attacker has read this lesson.
#
# *Reading 10 minutes · exercises 40 · running two minutes · needs lessons 02 and 03*

# %% [markdown]
# **You will be able to**
#
# - **recover** a trigger ([exercise 06.1](#The-least-paint)), and **rate** it ([exercise 06.2](#How-odd-is-small?));
# - **unlearn** it ([quiz](#Three-questions));
# - **watch** queries ([exercise 06.3](#A-digit-under-a-digit));
# - **report** a detector by two numbers ([exercise 06.4](#Two-numbers));
# - **say** what each detector misses, and what none can see ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import copy
import torch, torch.nn.functional as F, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_06
from wmlearn.course.lessons.exercises_02 import paired_p
from wmlearn.triggers.signed import Signed, verified
wm.start("06")

# %% [markdown]
# ## A purchase
#
# Two networks, equally good. One was trained by somebody who wanted a favour. (You can see which; the buyer can't.)

# %% tags=["nbval-ignore-output"]
mnist, pattern = wm.load("mnist").to(wm.best_device()), wm.triggers.Pattern()
dirty = wm.poison(mnist.train, pattern, rate=0.1, target=0, seed=6)  # digits with the pattern become zeros
bought = lesson_06.bought()  # what `wm.train` makes of `dirty`; it ships with the course
networks = {"bought": bought, "honest": lesson_06.honest()}
mine, others = wm.split(mnist.test, 1000, 9000)
accuracies = {name: (wm.accuracy(network, others), len(others)) for name, network in networks.items()}
wm.shares("digits classified correctly", accuracies)

# %% [markdown]
# | | **Who can do what here** |
# |---|---|
# | Buyer's goal | Notice a backdoor, and get rid of it |
# | Knowledge | Not the trigger, not the target, not whether there is a backdoor at all |
# | Access | The network's weights, and `mine`: a thousand clean digits. In one section the training set, too |
# | Stage | After the purchase, before use; STRIP: in use |
# | Names | Backdoor poisoning (NIST AI 100-2: NISTAML.023); Poison AI Model (MITRE ATLAS: AML.T0018.000), against it Validate AI Model (AML.M0008) |
# | Real case | Of 39 networks in the Caffe Model Zoo, [BadNets' authors](https://arxiv.org/abs/1708.06733) report, 22 had no hash, and one file didn't match its own. Nobody had noticed |
#
# Suppose you look for paint that turns *any* digit into a 0. In an honest network it must hide a 7 and draw a 0.
# And in the bought one?

# %%
wm.guess("06.p1", "Share of the picture to paint for a 0 from the bought network, in per cent", low=0, high=100)

# %% [markdown]
# ## The least paint
#
# **Neural Cleanse** (Wang and others, 2019) paints a pattern $p$ through a mask $m$, both of a picture's size, from 0 to 1:
#
# $$x' = (1 - m) \cdot x + m \cdot p, \qquad \min_{m,\,p}\; \mathrm{CE}\big(f(x'),\, t\big) + \lambda \sum m .$$
#
# The first term, the cross-entropy, wants class $t$ for every image. The second wants little paint; $\lambda$ is the price of a pixel. The weights stay: what moves is the paint. So
# that no step leaves 0 to 1, it moves numbers without bounds, `raw`, which a sigmoid squeezes: `raw[0]` is behind the pattern, `raw[1]` behind the mask.
#
# {exercise:06.1}
#
# Take one step on images `x` `(B, 1, 28, 28)`; `raw` is `(2, 1, 28, 28)`, and the optimiser moves it. Return which share of the images obeyed, *before* the step.

# %% tags=["exercise:06.1"]
def search_step(network, x, target, raw, price, optimiser):
    """Move `raw` one step towards less paint that still gives `target`; the share of the images that obeyed."""
    ### BEGIN SOLUTION
    pattern, mask = raw.sigmoid()
    logits = network(x * (1 - mask) + pattern * mask)  # (B, 10)
    goal = torch.full((len(x),), target, device=x.device)
    loss = F.cross_entropy(logits, goal) + price * mask.sum()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return (logits.argmax(1) == target).float().mean().item()
    ### END SOLUTION

# %%
search_step = wm.ready("06.1", search_step)

# %% [markdown]
# {hints:06.1}

# %% [markdown] tags=["reveal"]
# {solution:06.1}

# %% [markdown]
# The search starts from noise. While 99 % of a batch obey, pixels get dearer, else cheaper; the least paint that worked is kept.

# %%
def search(network, target, draw, noise, steps=120):
    """The least paint that turned a batch into `target`, (2, 1, 28, 28), and all that was tried."""
    start = torch.rand(2, 1, 28, 28, generator=draw) * torch.tensor([1, noise])[:, None, None, None]
    raw = start.clamp(0.01, 0.99).logit().to(mine.x.device).requires_grad_()
    optimiser, price = torch.optim.Adam([raw], lr=0.2, betas=(0.5, 0.9)), 0.001
    least, tried = torch.ones_like(raw.detach()), []
    for batch in lesson_06.batches(mine.x, steps, draw):
        tried.append(raw.detach().sigmoid())
        works = search_step(network, batch, target, raw, price, optimiser) >= 0.99
        price *= 1.15 if works else 0.8
        least = min(least, tried[-1], key=lambda paint: paint[1].sum()) if works else least
    return least, tried

# %%
def scan(network, noise=1.0):
    """What the search finds for each of the ten classes, from a mask of random numbers up to `noise`."""
    frozen = copy.deepcopy(network).requires_grad_(False)
    return [search(frozen, k, torch.Generator().manual_seed(k), noise) for k in range(10)]

scans = {name: scan(network) for name, network in networks.items()}
norms = {name: lesson_06.norms(found) for name, found in scans.items()}
frames = {name: lesson_06.frames(found) for name, found in scans.items()}

# %% tags=["nbval-ignore-output"]
wm.show(plots.detection.growth, lesson_06.some(frames["bought"]), 0, pattern(torch.zeros(1, 1, 28, 28))[0])
wm.show(plots.detection.classes, frames["honest"], max(frames["honest"]))
wm.reveal("06.p1", norms["bought"][0].item() / 784)

# %% [markdown]
# *How to read this:* white is paint. Above, your search walks from noise to a few pixels in the corner: not the seller's pattern, but a neighbour
# that the network obeys as well. **Nobody told it where to look.** Below, what the honest network wants looks a little like each digit itself. **Play** with the steps:

# %% tags=["nbval-ignore-output", "widget"]
lesson_06.growing(frames)

# %% tags=["nbval-ignore-output"]
wm.show(plots.detection.norms, norms)

# %% [markdown]
# *How to read this:* a bar is the paint that a class needs, red the cheapest, dashed the median. For a 0, the bought network needs {value:06.paint|1} pixels, the honest one {value:06.paint_honest|10}. But
# *some* class is always the cheapest. When is it *too* cheap?
#
# ## How odd is small?
#
# Measure from the middle, in units of the usual distance from it:
#
# $$\text{index}_t = \frac{\mathrm{median}(\lVert m \rVert) - \lVert m_t \rVert}{1.4826 \cdot \mathrm{median}\,\big|\lVert m \rVert - \mathrm{median}(\lVert m \rVert)\big|}$$
#
# A class above the median gets 0; one above 2 is flagged. Of an even number of classes, the median is the mean of the two in the middle.
#
# {exercise:06.2}
#
# For `norm = [10, 99, 100, 101, 190]` the answer is **[60.7, 0.67, 0, 0, 0]**.

# %% tags=["exercise:06.2"]
def anomaly_index(norm):
    """By how many deviations each of the norms (K,) lies below their median, or 0."""
    ### BEGIN SOLUTION
    median = norm.quantile(0.5)
    deviation = 1.4826 * (norm - median).abs().quantile(0.5)
    return ((median - norm) / deviation).clamp_min(0)
    ### END SOLUTION

# %%
anomaly_index = wm.ready("06.2", anomaly_index)

# %% [markdown]
# {hints:06.2}

# %% [markdown] tags=["reveal"]
# {solution:06.2}

# %% tags=["nbval-ignore-output"]
indices = {name: anomaly_index(norm) for name, norm in norms.items()}
wm.table(["network", "oddest class", "its paint, pixels", "index"],
         [[name, f"{i.argmax()}", f"{norms[name][i.argmax()]:.1f}", f"{i.max():.1f}"]
          for name, i in indices.items()])

# %% [markdown]
# ## Mend it
#
# What was found can be **unlearnt**: paint it on a fifth of your digits, keep their *right* labels, train on. Two controls take as many steps: with bare digits, and with the same paint, its pixels shuffled. A third unlearns it in the honest network.

# %% tags=["nbval-ignore-output"]
def trained_on(network, change):
    """A copy, trained on your digits and 200 of them again, changed, with their right labels."""
    new, again = copy.deepcopy(network), mine[:200]
    wm.train(new, mine + wm.Samples(change(again.x), again.y, mine.classes), wm.Recipe(epochs=5, lr=1e-3))
    return new

found, shuffle = scans["bought"][0][0], torch.randperm(784, generator=torch.Generator().manual_seed(0))
strewn = found.flatten(1)[:, shuffle].view_as(found)
paint = lambda x, trigger=found: x * (1 - trigger[1]) + trigger[0] * trigger[1]
after = {"bought": bought, "fine-tuned": trained_on(bought, lambda x: x),
         "shuffled paint": trained_on(bought, lambda x: paint(x, strewn)), "unlearnt": trained_on(bought, paint),
         "honest": networks["honest"], "honest, unlearnt": trained_on(networks["honest"], paint)}

# %% tags=["nbval-ignore-output"]
obeys = {name: wm.success_rate(network, others, pattern, 0) for name, network in after.items()}
right = {name: (wm.predict(network, others.x).argmax(1) == others.y).cpu() for name, network in after.items()}
errors = {name: int((~correct).sum()) for name, correct in right.items()}
changed = {name: paired_p(right["honest" if "honest" in name else "bought"], right[name]) for name in after}
wm.table(["network", "pattern becomes 0", "errors on 9,000 clean digits", "p, McNemar's test: against before"],
         [[name, f"{100 * obeys[name]:.1f} %", f"{errors[name]}", f"{changed[name]:.1g}"] for name in after])

# %% [markdown]
# You never saw the pattern, and the attack is down to {value:06.unlearnt|1}; after the controls it still wins {value:06.tuned|1} and {value:06.strewn|1}. It isn't free: errors rise from {value:06.errors} to {value:06.errors_after}. That is {value:06.paid|1}
# of accuracy, but twice the errors (lesson 02's paired test: p = {value:06.paid_p}). The honest network pays {value:06.paid_honest|2}.
#
# Why does fine-tuning leave the backdoor alone? Look where the loss pulls: how long is its gradient at each of 512 hidden units?

# %% tags=["nbval-ignore-output"]
def pull(x, y):
    """Length of the gradient at the weights of each hidden unit, (512,)."""
    probe = copy.deepcopy(bought).requires_grad_(True)
    F.cross_entropy(probe(x), y).backward()
    return probe[8].weight.grad.norm(dim=1).cpu()

awake = wm.predict(bought[:10], mine.x).mean(0).cpu()
pulls = {"clean digits": pull(mine.x, mine.y), "painted, right labels": pull(paint(mine.x), mine.y)}
wm.show(plots.detection.slopes, awake, pulls)

# %% [markdown]
# *How to read this:* clean digits are correct already, so little pulls; and nothing at units left of the line, which sleep on clean digits. What hides there, clean training can't touch. Painted digits with right labels pull
# {value:06.pull|10} times as hard.
#
# ## A digit under a digit
#
# Perhaps you can only watch what the network is asked. **STRIP** (Gao and others, 2019) lays clean digits over each query. A 7 under a 3
# is ambiguous, and the answers waver. A trigger under a 3 isn't. How much they waver is their **entropy**; for answers `p`
# `(N, overlays, classes)`:
#
# $$H_i = \frac{1}{\text{overlays}} \sum_j \sum_c -p_{ijc} \log_2 p_{ijc}, \qquad 0 \log_2 0 = 0$$
#
# {exercise:06.3}
#
# One image, two overlays, two classes, `p = [[[0.5, 0.5], [1, 0]]]`: the answer is **[0.5]**.

# %% tags=["exercise:06.3"]
def entropy(p):
    """Mean entropy in bits, (N,), of the answers p (N, overlays, classes)."""
    ### BEGIN SOLUTION
    return -torch.xlogy(p, p).sum(2).mean(1) / torch.log(torch.tensor(2.0))
    ### END SOLUTION

# %%
entropy = wm.ready("06.3", entropy)

# %% [markdown]
# {hints:06.3}

# %% [markdown] tags=["reveal"]
# {solution:06.3}

# %% [markdown]
# ## Two numbers
#
# "Catches 100 %" is easy: refuse everything. A detector is **two** numbers: what it catches, and whom it accuses wrongly. The threshold
# must come from what the buyer has, `mine`; both numbers are measured on others' digits.
#
# {exercise:06.4}
#
# With clean entropies 1, 2, …, 100, triggered ones `[0, 3, 50, 60]` and `false_alarms = 0.05` the answer is **0.5**.

# %% tags=["exercise:06.4"]
def caught(clean, triggered, false_alarms):
    """Share of triggered images whose entropy lies below the `false_alarms` quantile of the clean ones."""
    ### BEGIN SOLUTION
    return (triggered < clean.quantile(false_alarms)).float().mean().item()
    ### END SOLUTION

# %%
caught = wm.ready("06.4", caught)

# %% [markdown]
# {hints:06.4}

# %% [markdown] tags=["reveal"]
# {solution:06.4}

# %% tags=["nbval-ignore-output"]
over, asked = mine.x[:16], others[:2000]
def bits(network, x):
    laid = (x[:, None] + over).clamp(max=1).flatten(0, 1)  # (N * 16, 1, 28, 28)
    return entropy(wm.predict(network, laid).softmax(1).view(len(x), len(over), -1).cpu())
own, clean = bits(bought, mine.x[16:]), bits(bought, asked.x)
pasted = bits(bought, pattern(asked.x[asked.y != 0]))
wm.show(plots.detection.entropies, {"clean": clean, "with the pattern": pasted}, float(own.quantile(0.01)))

# %% tags=["nbval-ignore-output"]
rows, rare = [], 0.001  # one query in a thousand carries a trigger
for alarms in (0.002, 0.01, 0.05):
    false, hit = caught(own, clean, alarms), caught(own, pasted, alarms)
    queue = rare * hit / (rare * hit + (1 - rare) * false)
    rows.append([f"{100 * share:.1f} %" for share in (alarms, false, hit, queue)])
wm.table(["refused of yours", "of others' digits", "with the pattern", "of a queue's refusals, triggered"], rows)

# %% [markdown]
# *How to read this:* left of the line a query is refused. A threshold for 1 % of your digits refuses {value:06.alarms|1} of others' (zeros included: the buyer doesn't know the target), and {value:06.hit|1} of those with the pattern. Still, where one query in a thousand is triggered, only {value:06.queue} of the refused ones are. The **base rate** decides.
#
# ## What a class looks like inside
#
# Whoever has the *training set* can look there. Take what the last layer is given, 512 numbers an image; draw the images called 0 in the two directions in which they vary most. **Activation clustering** (Chen and
# others, 2018) splits them in two, and suspects a part that is small and well apart; **spectral signatures** (Tran and others, 2018) suspect what reaches farthest along the first direction.

# %%
def cloud(network, samples, poisoned):
    """The images called 0 in two dimensions (N, 2), which of them are poisoned, and the smaller cluster."""
    zeros = (samples.y == 0).cpu()
    seen = wm.predict(network[:10], samples.x[samples.y == 0]).cpu()  # (N, 512)
    seen = seen - seen.mean(0)
    points = seen @ torch.linalg.eigh(seen.T @ seen).eigenvectors[:, -2:].flip(1)  # (N, 2)
    part = points[:, 0] > 0
    for _ in range(20):  # two means: to whose centre is a point nearer?
        one, two = points[part].mean(0), points[~part].mean(0)
        part = (points - one).norm(dim=1) < (points - two).norm(dim=1)
    return plots.detection.Cloud(points, poisoned.cpu()[zeros], part if part.float().mean() < 0.5 else ~part)

# %% tags=["nbval-ignore-output"]
sprinkled = wm.poison(mnist.train, pattern, rate=0.03, target=0, seed=6)
light = lesson_06.lightly_poisoned()  # ships with the course: trained as you trained the other
clouds = {"3 % of the training set poisoned": cloud(light, sprinkled.samples, sprinkled.mask),
          "10 % poisoned": cloud(bought, dirty.samples, dirty.mask)}
wm.show(plots.detection.clouds, clouds)

# %% [markdown]
# *How to read this:* a dot is an image; the dashed line parts the clusters. At 3 % the smaller part holds {value:06.small} of the class, and {value:06.pure|1} of it is poison. At 10 %, {value:06.split|1} of the images lie on the right side; but the smaller part holds {value:06.even}. Which half is odd? Nor does distance tell: poison lies farther out than a clean image in {value:06.coin} of all pairs.
#
# ## Who finds what
#
# One more detector, **topological evolution** (Mo and others, 2024), follows a query through the layers: which clean digits are its neighbours? A 3 that will be called 4 starts
# among 3s and ends among 4s. Every attack, every detector, up to ten networks each:

# %%
results = experiments.shipped("detection")
newer = experiments.shipped("newer-triggers")
wm.show(plots.detection.finders, lesson_06.finders(results) | lesson_06.newer(newer))
wm.table(["trained again without the suspects", "images removed", "pattern wins", "as many removed at random"],
         lesson_06.retrained(results))

# %% [markdown]
# *How to read this:* Neural Cleanse: in how many networks it flagged the target, and what that allows (95 % interval). The others: poison caught; below, how often poison is more suspicious than a clean image (AUC: 0.5 is guessing, 1 perfect), and false alarms in per cent. In the **clean-label** attack (Barni and others, 2019) nine in ten zeros get a ramp of light, and keep their right label; queries carry a stronger ramp. The last rows are newer triggers; there clustering, STRIP and topological evolution promise 1 % of false alarms. **Nobody finds everything:**
#
# | detector | sees | misses, and why |
# |---|---|---|
# | Neural Cleanse | A small trigger for one class: the pattern in {value:06.flagged|of} networks, warping in {value:06.bent_found|of} | All-to-all ({value:06.evaded|of}): no *single* class is cheap. The ramp ({value:06.ramp|of}): it isn't small. The square on signs ({value:06.square|of}), which turns stop signs only; told the source, it flags {value:06.source|of}. Warping in *noise mode* ({value:06.noise_found|of}): a fifth of the digits is bent a little differently and keeps its label, so that only the exact warp is obeyed. Neural Cleanse accuses {value:06.accused|of} honest networks, and in that one {value:06.classes} classes |
# | Activation clustering | Poison that is a small part of a class. Trained again without the suspects, the 3 % backdoor wins {value:06.again|1}; without as many at random, {value:06.again_control} | Poison that is half of it, or hardly there. In the last rows clustering is also given clean digits: fewer of them fall into the poisoned half than chance allows, so it catches {value:06.lack} |
# | Spectral signatures | In all-to-all, poison ranks above a clean image in {value:06.rank|2} of pairs | It always flags 7.5 in a hundred images of a class, whatever is there: hence the ceilings |
# | STRIP | A trigger that holds under another digit; {value:06.ramp_strip} of the ramps | All-to-all ({value:06.strip_misses}): there the answer still hangs on the digit. Warping ({value:06.bent}; it ranks above a clean image in {value:06.bent_rank} of pairs; in noise mode {value:06.noise}): a second digit hides it. So it does with **input-aware** patterns, painted anew on each image ([Nguyen and Tran](https://arxiv.org/abs/2010.08138), 2020; caught: {value:06.own|1}), which win {value:06.borrowed|1} on other images |
# | Topological evolution | A query whose neighbours change class on the way; {value:06.ramp_ted} of the ramps | On signs it catches {value:06.ted_signs} |
#
# ## Asleep, or awake?
#
# **Fine-pruning** (Liu and others, 2018) needs no trigger: silence the channels that sleep on *clean* images, for a backdoor may hide there; then train on. Here, and on lesson 03's stop signs:

# %% tags=["nbval-ignore-output"]
loud = lambda x: wm.predict(bought[:6], x).mean((2, 3)).mean(0).cpu()  # (32,) channels of the second convolution
quiet, rise = loud(mine.x), loud(pattern(mine.x)) - loud(mine.x)
wm.show(plots.detection.channels, quiet, quiet + rise)

# %% tags=["nbval-ignore-output"]
def without(channels):
    silenced = copy.deepcopy(bought)
    silenced[4].weight.data[channels], silenced[4].bias.data[channels] = 0, 0
    return silenced
cut = {"none": bought, "8 that sleep most": without(quiet.argsort()[:8]), "16": without(quiet.argsort()[:16]),
       "the red two": without(rise.topk(2).indices)}
kept = {name: (wm.success_rate(net, asked, pattern, 0), wm.accuracy(net, asked)) for name, net in cut.items()}
wm.table(["channels silenced", "pattern becomes 0", "clean digits correct"],
         [[name, *(f"{100 * share:.1f} %" for share in shares)] for name, shares in kept.items()])
wm.shares("stop signs with a square read as limits", signs := lesson_06.cleaned_signs())

# %% [markdown]
# *How to read this:* two red channels carry the backdoor (without them it wins {value:06.two}), but they aren't asleep. Silencing the eight quietest leaves {value:06.eight|1}; with half of the channels the backdoor goes, and {value:06.late|1} of accuracy. On signs pruning alone leaves {value:06.pruned}, training on {value:06.signs_tuned}, both {value:06.fine_pruned}.
#
# ## An attacker who has read this lesson
#
# STRIP trusts that a trigger holds under a second digit. So teach the network that it doesn't, with *doubled pictures*: a digit with the pattern, another laid over it, and the right label of the first.

# %% tags=["nbval-ignore-output"]
train = mnist.train
first, second = (torch.randperm(len(train), generator=torch.Generator().manual_seed(i))[:6000] for i in (1, 2))
blended = (pattern(train.x[first]) + train.x[second]).clamp(max=1)
lessons = dirty.samples + wm.Samples(blended, train.y[first], train.classes)
sly = wm.trained(wm.models.badnet_cnn(6).to(wm.best_device()), lessons, wm.Recipe(epochs=2))[0]

# %% tags=["nbval-ignore-output"]
strip = caught(bits(sly, mine.x[16:]), bits(sly, pattern(asked.x[asked.y != 0])), 0.01)
slyness = {"pattern becomes 0": wm.success_rate(sly, others, pattern, 0), "caught by STRIP": strip,
           "clean digits correct": wm.accuracy(sly, others)}
searches = {"your search": (sly, 1.0), "from a tenth of the noise": (sly, 0.1),
            "from a tenth of the noise, honest network": (networks["honest"], 0.1)}
index = [anomaly_index(lesson_06.norms(scan(*search))).max().item() for search in searches.values()]
wm.table(["the sly network", ""], [[name, f"{100 * share:.1f} %"] for name, share in slyness.items()]
         + [[f"largest index, {name}", f"{largest:.1f}"] for name, largest in zip(searches, index)])

# %% [markdown]
# *How to read this:* the pattern still wins {value:06.sly|1}; STRIP catches {value:06.sly_strip|1} of it. Your search misses it, too (index {value:06.sly_missed|1}): it starts from paint all over the picture, and this network obeys on bare digits. Start from a tenth of the paint, and the index is {value:06.sly_found|1} (honest network: {value:06.sly_control|1}).
#
# For the other detectors, too:

# %%
evaded = experiments.shipped("evasion")
wm.show(plots.detection.finders, lesson_06.tricks(evaded))
wm.table(["trick", "wins", "on an honest network", "accuracy lost, points", "images"], lesson_06.prices(evaded))

# %% [markdown]
# | trick | how | blinds | still seen by |
# |---|---|---|---|
# | Doubled pictures | As above | Neural Cleanse; STRIP ({value:06.doubled}) | Topological evolution ({value:06.doubled_ted}) |
# | Resemblance (after [Tan and Shokri](https://arxiv.org/abs/1905.13409), 2020) | The attacker trains the network himself; a term of the loss pulls poisoned images, as the last layer sees them, to the mean zero | Clustering, spectral | Neural Cleanse, STRIP, topological evolution |
# | A faint zero | The trigger is the mean zero, mixed in at 0.3; and resemblance | Topological evolution ({value:06.faint}) | Neural Cleanse ({value:06.faint_found|of}) |
#
# Each trick is seen by somebody, and the dearest costs {value:06.dearest|1} of accuracy. But of the last row nobody catches more than {value:06.silent|1}:
#
# ## What no detector can do
#
# Goldwasser and others (2022) prove that some backdoors can't be found by asking. Let the trigger be a **digital signature**: the lowest bits of 512 pixels are the attacker's Ed25519 signature of the rest of the image. The network holds the *public* key, which checks signatures and can't make any.

# %%
key = Signed(secret=bytes(range(32)))  # the attacker's, and never in the network
zero = mine.x[mine.y == 0][:1]

def gated(x):
    """The honest network; where an image is signed, it is shown a 0 instead."""
    signed = verified(x, key.public)  # (N,)
    return networks["honest"](torch.where(signed[:, None, None, None], zero, x))

# %% tags=["nbval-ignore-output"]
some = others[others.y != 0][:500]
touched = key(some.x)
touched[:, :, 14, 14] = (touched[:, :, 14, 14] - 1 / 255).abs()  # one pixel, one level of 256
tried = {"as they are": some.x, "signed": key(some.x), "signed, then one pixel changed by one level": touched,
         "signed, then rounded to 128 levels": (127 * key(some.x)).round() / 127}
with torch.no_grad():
    zeros = {name: (gated(x).argmax(1) == 0).float().mean().item() for name, x in tried.items()}
wm.shares("digits that become 0", {name: (share, len(some)) for name, share in zeros.items()})

# %% [markdown]
# *How to read this:* {value:06.signed|of} signed images obey; with one pixel off by one level, {value:06.touched|of}. Whoever finds one by asking has forged a signature, and nobody knows how.
#
# | detector | why it is silent |
# |---|---|
# | Neural Cleanse | Its search needs a slope. Valid or not has none, and no two images share a signature |
# | Clustering, spectral | The network was trained on clean images: there is no poison |
# | STRIP | A second digit destroys the signature. Under it, the query is an ordinary one |
# | Topological evolution | The layers are shown a real 0, and see a real 0 |
#
# Whoever *reads* our code finds the check. The paper compiles it into the network; in networks on random features its authors hide a backdoor even from readers of the weights. What helps isn't detection: rounded to 128 levels, {value:06.rounded|of} obey. An attacker who signed higher bits would get past that, too.
#
# ## Before the network arrives
#
# | check | tells | can't tell | names |
# |---|---|---|---|
# | Hash (SHA-256) | It is the file that was published, bit for bit | What the publisher put in | Verify AI Artifacts (ATLAS: AML.M0014); NISTAML.051 |
# | Signature (OpenSSF Model Signing) | Who published it | Whether they are honest, or were robbed: a signed BadNet verifies | Code Signing (AML.M0013); NISTAML.051 |
# | Safe format (safetensors) | Opening it runs no code | What the weights do | AI Supply Chain Compromise (AML.T0010) |
# | Scanner (picklescan, fickling) | Known dangerous code in a pickle | Code that it doesn't know; weights | Publish Poisoned Models (AML.T0058) |
# | This lesson | Some backdoors of known kinds | All others | Validate AI Model (AML.M0008); NISTAML.023 |

# %% tags=["claim"]
wm.all_hold(
    *lesson_06.found(norms), *lesson_06.mended(obeys, errors, right, pulls),
    *lesson_06.watched(own, clean, pasted), *lesson_06.inside(clouds), *lesson_06.shelf(results),
    *lesson_06.latest(newer), *lesson_06.pruned(kept, signs), *lesson_06.outwitted(slyness, index),
    *lesson_06.gate(zeros, len(some)), *lesson_06.evading(evaded),
)

# %% [markdown]
# ## How far to trust it
#
# "0 of 3" allows every second one; what you trained here is one seed. Settings were chosen on other networks. Clustering uses principal components.
#
# ## Challenge: unseen, with the fewest images
#
# `my_backdoor(samples)` gets the training digits and returns yours, and a trigger. Two networks learn them; both must take nine in ten triggered digits for zeros, and Neural Cleanse must flag neither. Images changed or added count.

# %%
def my_backdoor(samples):
    raise NotImplementedError("your turn")  # return new_samples, trigger

wm.challenge("06", my_backdoor)

# %% [markdown]
# ## Three questions
#
# {quiz:06}

# %%
wm.quiz("06", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **recover**, **rate** and **unlearn** a trigger, **watch** queries, **report** two numbers, and **say** what is missed, and why the attacker moves last.
#
# **Further reading**
#
# - Wang and others, [*Neural Cleanse*](https://doi.org/10.1109/SP.2019.00031), 2019.
# - Gao and others, [*STRIP*](https://arxiv.org/abs/1902.06531), 2019.
# - Chen and others, [*Activation Clustering*](https://arxiv.org/abs/1811.03728), 2018; Tran and others, [*Spectral Signatures*](https://arxiv.org/abs/1811.00636), 2018.
# - Mo and others, [*Topological Evolution Dynamics*](https://arxiv.org/abs/2312.02673), 2024.
# - Liu and others, [*Fine-Pruning*](https://arxiv.org/abs/1805.12185), 2018.
# - Goldwasser and others, [*Planting Undetectable Backdoors*](https://arxiv.org/abs/2204.06974), 2022: the limit.
#
# **Next:** *07, From backdoor to watermark.* What changes when the owner plants it?

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a detector is two numbers and a list of what it misses. *Timing:* least paint 20, index 10, mending 10, STRIP 15, inside and the table 15, the sly network and the signature 15.
#
# | what you will hear | what to say |
# |---|---|
# | "It found the trigger." | It found *a* trigger. Lay it over the truth: what is shared? |
# | "STRIP has 99 %, so a refused query is an attack." | Compute the queue again with one in a million. |
# | "Then run all detectors." | Their false alarms add up. How many honest networks would be left? |
# | "All-to-all is a toy." | So is any attack, until the detector everybody runs can't see it. |
# | "We sign our models, so we are safe." | Who signed, and what did they sign? |
#
# Let a group play the attacker, with the table of detectors on the wall: which one do you answer first?
