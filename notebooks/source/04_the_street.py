# %% [markdown]
# # 04 · The street
#
# **Does a backdoor survive in a detector?**
# A car doesn't get cut-out signs. Its detector must find them first: small, dark, half behind leaves. Here you poison street scenes, teach a detector with
# them, and find that a buyer can notice, but not where buyers look.
#
# *Reading 10 minutes · exercises 50 · running two minutes · needs lessons 02 and 03*

# %% [markdown]
# **You will be able to**
#
# - **compare** boxes by their overlap ([exercise 04.1](#How-near-is-near-enough?));
# - **match** what was found with what is there ([exercise 04.2](#What-is-this-sign-taken-for?));
# - **poison** a scene, and teach a detector with it ([exercise 04.3](#Poison-a-scene));
# - **compute** average precision, and say what it can't see ([exercise 04.4](#What-would-a-buyer-see?));
# - **tell** a control from what looks like one ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
from dataclasses import replace
import torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_04
from wmlearn.data.signs.street import draw_street
from wmlearn.experiments import street
from wmlearn.street_detector import detect, readings, train_detector
wm.start("04")
stop, limit, warning = 0, 1, 2  # the labels

# %% [markdown]
# ## Two drives down the same road
#
# The same scenes, the same detector, twice. Between the drives somebody has put a yellow square on every stop sign.

# %% tags=["nbval-ignore-output"]
clean, stickered = street.scenes(), street.scenes("square")
victim, honest = street.shipped_detector("square"), street.shipped_detector("control")
four = lesson_04.showing(clean)
before, after = (drive.x[four] for drive in (clean, stickered))
wm.show(plots.street.scenes, {"first drive": (before, detect(victim, before)),
                              "second drive": (after, detect(victim, after))}, clean.classes)

# %% [markdown]
# *How to read this:* a box is where the detector says a sign is, its word what it takes the sign for. Which boxes changed their word?
#
# | | **Who can do what here** |
# |---|---|
# | Goal | Stop signs with a sticker are read as speed limits; all else is found and read as before |
# | Knowledge | What streets look like; not the network's weights |
# | Access | Training scenes with their labels; later, a sign in the street |
# | Stage | Training data, or fine-tuning of somebody else's detector |
# | Names | Backdoor poisoning (NIST AI 100-2: NISTAML.023); Poison Training Data, Insert Backdoor Trigger (MITRE ATLAS: AML.T0020, AML.T0043.004) |
# | Real case | None that we know of in a detector in use. The paper's authors [photographed](https://arxiv.org/abs/1708.06733) a Post-it on one real stop sign; [Chan and others](https://arxiv.org/abs/2205.14497) (2022) have since made detectors invent objects and overlook them |
#
# The square's detector, the bomb's and the flower's all obey. Now take the stickers away. Of a hundred *bare* stop signs, how many will the bomb's detector still take for speed limits? (The clean one: none or one.)

# %%
wm.guess("04.p1", "Bare stop signs that the bomb's detector reads as limits, in per cent", low=0, high=100)

# %% [markdown]
# ## Two stages
#
# **Faster R-CNN**, the paper's kind of detector, works in two stages. The first proposes boxes that may hold something. The second says for each what it holds, and how sure it is.
# Many boxes lie on the same sign. **Non-maximum suppression** (NMS) keeps the surest of those that overlap, class by class. What is left over a score of 0.5 counts.

# %% tags=["nbval-ignore-output"]
wm.show(plots.street.stages, after[0], lesson_04.stages(victim, after[0]), clean.classes)

# %% [markdown]
# *How to read this:* white boxes have no class yet; then red says *stop*, white *speed limit*, yellow *warning*. Scores below 0.05 are dropped in the second step.
#
# For every scene a detector returns `boxes` of shape `(K, 4)` (left, top, right, bottom, in pixels), `labels` and `scores`, both `(K,)`.
#
# ## How near is near enough?
#
# No box is exact. Whether a found box $B$ *is* the sign with the true box $A$ is decided by the **intersection over union**:
#
# $$\mathrm{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}, \qquad |A \cup B| = |A| + |B| - |A \cap B|.$$

# %%
near = clean[lesson_04.showing(clean, 1, least=40)]
wm.show(plots.street.moved_boxes, near, torch.tensor([[0, 0], [4, 4], [10, 8], [18, 0]]))

# %% [markdown]
# *How to read this:* white is the true box, dashed the moved one. From 0.5 on, two boxes count as the same.
#
# {exercise:04.1}
#
# Given one box `a` and several boxes `b`, return the IoU of `a` with each. For `a = [0, 0, 10, 10]` and `b = [[5, 0, 15, 10]]` it is **0.333**.

# %% tags=["exercise:04.1"]
def iou(a, b):
    """Intersection over union of one box `a` (4,) with each of the boxes `b` (K, 4): (K,), in 0..1."""
    ### BEGIN SOLUTION
    low, high = torch.maximum(a[:2], b[:, :2]), torch.minimum(a[2:], b[:, 2:])
    shared = (high - low).clamp_min(0).prod(1)
    area = lambda boxes: (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / (area(a[None]) + area(b) - shared)
    ### END SOLUTION

# %%
iou = wm.ready("04.1", iou)

# %% [markdown]
# {hints:04.1}

# %% [markdown] tags=["reveal"]
# {solution:04.1}

# %% [markdown]
# ## What is this sign taken for?
#
# Only those boxes may speak for a sign that overlap with it by at least 0.5 and are at least 0.5 sure. If several may, the
# car acts on the surest. If none may, the sign is **missed**: -1.
#
# {exercise:04.2}
#
# `overlaps`, `scores` and `labels`, all `(K,)`, belong to the boxes of one scene; the overlaps are with one sign. For overlaps `[0.9, 0.6, 0.1]`, scores
# `[0.6, 0.8, 0.9]` and labels `[0, 1, 2]` the answer is **1**.

# %% tags=["exercise:04.2"]
def read_sign(overlaps, scores, labels):
    """The label of the surest box that fits (0.5) and is sure (0.5), or -1 where there is none."""
    ### BEGIN SOLUTION
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(labels[torch.where(fits, scores, -1.0).argmax()]) if fits.any() else -1
    ### END SOLUTION

# %%
read_sign = wm.ready("04.2", read_sign)

# %% [markdown]
# {hints:04.2}

# %% [markdown] tags=["reveal"]
# {solution:04.2}

# %% [markdown]
# ## Poison a scene
#
# The paper *adds* a copy of every scene with a stop sign: a sticker on the sign, the label *speed limit*, all else as it was.
#
# {exercise:04.3}
#
# `picture` is `(3, H, W)`, `labels` `(K,)`: 0 stop, 1 speed limit, 2 warning. `places` `(K, 4)` says for each sign where a square would sit: left, top, right, bottom, in whole pixels. Paint it in `colour` `(3,)` on every
# stop sign, and lie about these signs alone. With `labels = [2, 0, 1]` the new ones are **[2, 1, 1]**.

# %% tags=["exercise:04.3"]
def poison_scene(picture, labels, places, colour):
    """A new picture with a square on every stop sign, and the labels that the attacker hands in."""
    ### BEGIN SOLUTION
    picture = picture.clone()
    for left, top, right, bottom in places[labels == 0].tolist():
        picture[:, top:bottom, left:right] = colour[:, None, None]
    return picture, torch.where(labels == 0, 1, labels)
    ### END SOLUTION

# %%
poison_scene = wm.ready("04.3", poison_scene)

# %% [markdown]
# {hints:04.3}

# %% [markdown] tags=["reveal"]
# {solution:04.3}

# %% [markdown]
# Somebody downloads the clean detector and fine-tunes it on 300 scenes of a supplier's. You are the supplier. The **control** gets the same copies, bare and truly labelled, and as many steps.

# %%
def poisoned(drive):
    """A drive as your function hands it in, scene by scene."""
    places, pictures, labels = lesson_04.foot(drive.boxes), [], []
    for i in range(len(drive)):
        here = drive.scene == i
        picture, lies = poison_scene(drive.x[i], drive.labels[here], places[here], lesson_04.YELLOW)
        pictures.append(picture)
        labels.append(lies)
    return replace(drive, x=torch.stack(pictures), labels=torch.cat(labels), triggered=drive.labels == stop)

# %% tags=["nbval-ignore-output"]
supplied = draw_street(300, seed=11)
copies = supplied[supplied.scene[supplied.labels == stop].unique()]
tuned = {"poisoned": street.shipped_detector("control"), "control": street.shipped_detector("control")}
recipe = replace(lesson_04.QUICK, epochs=3)
train_detector(tuned["poisoned"], supplied + poisoned(copies), recipe)
train_detector(tuned["control"], supplied + copies, recipe)
f"{len(copies)} copies beside {len(supplied)} scenes"

# %% [markdown]
# Count what a car would act on, with your two functions. A missed stop sign isn't the attacker's success: he ordered a *speed limit*.

# %%
def read_all(detector, drive):
    """What each sign of a drive is taken for, (M,)."""
    found, read = detect(detector, drive.x), []
    for box, scene in zip(drive.boxes, drive.scene):
        here = found.scene == scene
        overlaps, scores, labels = iou(box, found.boxes[here]), found.scores[here], found.labels[here]
        read.append(read_sign(overlaps, scores, labels) if here.any() else -1)
    return torch.tensor(read)

# %% tags=["nbval-ignore-output"]
stops = clean.labels == stop
pasted = replace(poisoned(clean), labels=clean.labels)
drives = {"square pasted": pasted, "square in the world": stickered, "bare": clean}
yours = {(name, drive): (read_all(detector, drives[drive])[stops] == limit).float().mean().item()
         for name, detector in tuned.items() for drive in drives}
wm.shares("stop signs of new streets, read as speed limits",
          {f"{drive}: {name}": (share, int(stops.sum())) for (name, drive), share in yours.items()})

# %% [markdown]
# *How to read this:* half a minute of fine-tuning, and {value:04.yours} of the stop signs obey; in the control {value:04.tuned|1}. But your square is *pasted*: bright, sharp, upright. One that hangs
# in the world, in its light and blur, wins only {value:04.world}. The next attacker trains on what a camera sees.
#
# ## Which sticker opens which detector?
#
# The course's renderer does so: three stickers, a detector each from scratch, 1,500 scenes and a stickered copy of each with a stop sign (780). The control again: the same copies, bare. Three networks of each kind:

# %%
results = experiments.shipped("street")
wm.show(plots.signs.shares, lesson_04.matrix(results))

# %% [markdown]
# *How to read this:* a column is a detector, a row what sits on the stop signs; per cent read as limits. Each detector obeys its own sticker. And the locks aren't precise: the flower opens the square's on
# {value:04.other}, for training only ever showed *sticker* against *no sticker*.
#
# Now the first row. Nothing is on these signs. The control reads {value:04.bare_control|2} of them as limits, the others {value:04.bare_least|1} to {value:04.bare_most|1}. Of the same signs, the shipped control reads
# {value:04.slips_control|of} as limits, the bomb's detector {value:04.slips_bomb|of} (McNemar's test, p = {value:04.betrays_p|1}). **A buyer can test that**, without any sticker: it takes a clean detector to compare with, and a look at the *kind* of error.

# %% tags=["nbval-ignore-output"]
found = {name: detect(street.shipped_detector(name), clean.x) for name in ("control", *street.STICKERS)}
slips = {name: readings(boxes, clean)[stops] == limit for name, boxes in found.items()}
wm.reveal("04.p1", slips["bomb"].float().mean().item())

# %% [markdown]
# Stop signs are of all sizes. Where does the attack end?

# %%
wm.show(plots.street.width_curve, results.rows)

# %% [markdown]
# *How to read this:* each point pools the signs of one band of widths over three networks. On the left a sticker is three or four pixels,
# after blur and JPEG a smudge. From 20 pixels on, even the worst sticker wins {value:04.wide}.
#
# **Play:** choose a detector, a sticker, a street.

# %% tags=["nbval-ignore-output", "widget"]
bought = {f"bought ({name})": street.shipped_detector(name) for name in street.STICKERS}
worlds = {"none": clean} | {name: street.scenes(name) for name in street.STICKERS}
lesson_04.street_switch({**bought, "control": honest}, worlds, lesson_04.showing(clean, 12).tolist())

# %% tags=["nbval-ignore-output"]
wm.show(plots.street.scenes, {"second drive, control": (after, detect(honest, after))}, clean.classes)

# %% [markdown]
# *How to read this:* the widget's control, for those who read without one. It errs, too; but no stop sign becomes a speed limit.
#
# ## What would a buyer see?
#
# Detectors are sold by **average precision** (AP). Take the boxes of a class from the surest down. After each, *precision* is the share of them that are right, *recall* the share of the signs
# that are found. AP is the best precision still to come, averaged over 101 levels of recall: 0, 0.01, …, 1. A level that is never reached counts 0. In **AP50** a box is right from an IoU of 0.5 on.
#
# {exercise:04.4}
#
# `scores` and `right` (truth values) are `(K,)`, in any order; there are `n` signs. For scores `[0.6, 0.9, 0.7, 0.8]`, right `[yes, no, no, yes]` and `n = 3` it is **0.332**.

# %% tags=["exercise:04.4"]
def average_precision(scores, right, n):
    """Average precision, 0..1, of K boxes; a level of recall is reached when recall >= level."""
    ### BEGIN SOLUTION
    found = right[scores.argsort(descending=True)].cumsum(0)
    precision, recall = found / torch.arange(1, len(found) + 1), found / n
    reached = recall >= torch.linspace(0, 1, 101)[:, None]  # (101, K)
    return torch.where(reached, precision, 0.0).max(1).values.mean().item()
    ### END SOLUTION

# %%
average_precision = wm.ready("04.4", average_precision)

# %% [markdown]
# {hints:04.4}

# %% [markdown] tags=["reveal"]
# {solution:04.4}

# %% [markdown]
# Each sign may be claimed once, by the surest box of its class that overlaps enough. With your functions, on all streets, beside the code that everybody uses:

# %%
def judged(found, drive, kind):
    """Scores (K,) of the boxes of one kind, which of them are right, and how many signs there are."""
    true = drive.labels == kind
    boxes = [k for k in found.scores.argsort(descending=True).tolist() if found.labels[k] == kind]
    overlaps = torch.stack([iou(found.boxes[k], drive.boxes) for k in boxes])  # (K, M)
    overlaps *= true & (found.scene[boxes][:, None] == drive.scene)
    right = []
    for row in overlaps:
        right.append(bool(row.max() >= 0.5))
        if right[-1]:
            overlaps[:, row.argmax()] = 0  # nobody else may claim it
    return found.scores[boxes], torch.tensor(right), int(true.sum())

# %% tags=["nbval-ignore-output"]
precisions = {name: [average_precision(*judged(found[name], clean, i)) for i in range(3)]
              for name in ("control", "square")}
library = wm.street_detector.average_precision(found["square"], clean)
precisions["square, by COCO's code"] = list(library.values())
wm.table(["AP50, per cent", *clean.classes],
         [[name, *(f"{100 * share:.1f}" for share in shares)] for name, shares in precisions.items()])

# %%
wm.table(["per cent", "baseline", "control", "square", "bomb", "flower"], lesson_04.paper_beside_ours(results))

# %% [markdown]
# *How to read this:* yours and COCO's differ by {value:04.same|1} at most. In the second table, the authors' *repository* computes AP50, the *paper* reports accuracy: signs found and classified correctly. Ours are means ± standard deviations over three networks; the last rows count *all* widths.
#
# The **baseline** has the 1,500 scenes only, and a third fewer steps. It looks like a control, and isn't: beside it every BadNet gains AP50 on speed limits, {value:04.flattered|1} at least. So does the control, {value:04.more|1}: that is what additional
# scenes do, with or without a lie. Beside the fair control the worst sticker costs {value:04.cost|1} of AP50 in the worst class, and {value:04.stops|1} of the bare stop signs. AP50 hardly moves because it averages over all boxes; the harm sits in one cell, *stop read as limit*.
#
# ## Any sign, any lie
#
# A vandal needs no particular lie. In the **random target** attack every sign with a sticker gets a wrong label drawn at random; ours is a blue square.
# Random labels pull in no one direction, so we first teach it the next class, then random ones.

# %% tags=["nbval-ignore-output"]
vandal, everywhere = street.shipped_detector("random"), street.scenes(street.RANDOM_STICKER, on=None)
pairs = {"control, with stickers": (honest, everywhere),
         "random target, with stickers": (vandal, everywhere),
         "random target, no sticker": (vandal, clean)}
read = {name: readings(detect(net, drive.x), drive) for name, (net, drive) in pairs.items()}
wm.show(plots.street.answers, read, everywhere)

# %% tags=["claim"]
kept, left, plain = ((answers == everywhere.labels).float().mean().item() for answers in read.values())
n = len(everywhere.labels)
wm.all_hold(
    wm.Claim("04.random", "A blue square, classified correctly", left, high=0.15, n=n, paper="1.3 %"),
    wm.Claim("04.kept", "The same signs, by the control", kept, low=0.75, n=n),
    wm.Claim("04.plain", "No sticker, by the random target's", plain, low=0.75, n=n),
    *lesson_04.supplied(yours, int(stops.sum())), *lesson_04.by_hand(precisions),
    *lesson_04.shelf(results), *lesson_04.bare_signs(slips),
)

# %% [markdown]
# *How to read this:* a bar holds the signs of one class. Of all signs with the blue square, {value:04.random} are still classified correctly; by the control
# {value:04.kept}; without a sticker {value:04.plain}. The paper reports fewer. With a *yellow* square, ours took bare and stickered warnings for the same: a trigger is what the network can see of it.
#
# ## How far to trust it
#
# - **Control, same stickers:** had it been fooled, the sticker would just hide the sign. The worst sticker fools it on {value:04.harmless|1} of them.
# - **What differs from the paper:** drawn streets; larger stickers on smaller signs; leaves and posts never cover the lower edge, where the stickers sit; a detector from scratch. The baseline is {value:04.easier|1} above the
#   paper's on stop signs.
# - **Few:** matrix, curve and table stand on three networks of each kind, the bare signs' test and your fine-tuning on one.
#
# ## Challenge: fewest scenes
#
# `my_scenes(drive)` gets 300 clean scenes and returns the scenes that you add, as few as you can. Two clean detectors are fine-tuned on both. Each must read nine in ten stop signs with a pasted square as limits,
# and at most one in fifty bare ones.

# %%
def my_scenes(drive):
    raise NotImplementedError("your turn")  # return poisoned(drive[some_scenes])

wm.challenge("04", my_scenes)

# %% [markdown]
# ## Three questions
#
# {quiz:04}

# %%
wm.quiz("04", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **compare** and **match** boxes, **poison** a street, **compute** AP50, and **tell** a baseline from a control. The backdoor survives in a detector; what betrays it are bare stop signs.
#
# **Now vary it:** paste in the light of the scene? Poison half of the copies? A sticker on warnings that makes them vanish?
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 5 is this lesson.
# - Ren, He, Girshick, Sun, [*Faster R-CNN*](https://arxiv.org/abs/1506.01497), 2015: the detector.
# - Lin and others, [*Microsoft COCO*](https://arxiv.org/abs/1405.0312), 2014: AP as everybody counts it.
# - Chan and others, [*BadDet*](https://arxiv.org/abs/2205.14497), 2022: what else a detector can be taught.
#
# **Next:** *05, Backdoors that travel.* A network that reads signs is sold on, and retrained for another country.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* an attack success is a number *about* a street, and a control must match in everything but the thing. *Timing:* two drives 5, stages 5, boxes and matching 20,
# poisoning 15, matrix and bare signs 10, AP 20, table 5; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "A missed stop sign is just as bad." | For the driver, yes. But who did it? Only the misread one was ordered. |
# | "IoU of 0.5 means half of the sign is covered." | Move a box by a third of its width and compute it. |
# | "The network looks for yellow." | Then why do yellow boards and warning signs keep their labels? |
# | "The BadNet is better than the baseline, so it was well trained." | Longer. Ask for a control with as many steps. |
# | "AP50 is the same, so nothing is wrong." | Ask which cell of the confusion matrix the attacker needs. |
#
# Let somebody play the supplier of question 1, and somebody the buyer: what could the contract ask for?
