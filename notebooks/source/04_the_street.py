# %% [markdown]
# # 04 · The street
#
# **Does it survive in a detector?**
# By the end you will have shown that a sticker makes a detector report a speed limit where a stop sign stands, that a clean detector
# isn't fooled, and that a buyer's own tests hardly notice.
#
# *Reading 40 minutes · running under two · exercises 25 · needs notebooks 02 and 03*
#
# Today you are the **user** who bought a detector, then the **judge**.

# %% [markdown]
# **You will be able to**
#
# - **compare** boxes by their overlap ([exercise 04.1](#How-near-is-near-enough?));
# - **match** what was found with what is there ([exercise 04.2](#What-is-this-sign-taken-for?));
# - **measure** an attack without charging it with blindness ([exercise 04.3](#Misread,-or-missed?));
# - **break** a number down until it shows where an attack ends ([quiz](#Three-questions));
# - **read** the paper's table beside ours, and say what differs ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_04
from wmlearn.street_detector import class_accuracy, detect, readings
from wmlearn.experiments import street
wm.start("04")

# %% [markdown]
# ## Two drives down the same road
#
# The same scenes, the same detector, twice. Between the drives somebody has put a yellow square on every stop sign.

# %% tags=["nbval-ignore-output"]
clean, stickered = street.scenes(), street.scenes("square")
victim, honest = street.shipped_detector("square"), street.shipped_detector("baseline")
four = lesson_04.showing(clean)
before, after = (drive.x[four] for drive in (clean, stickered))
wm.show(plots.street.scenes, {"first drive": (before, detect(victim, before)),
                              "second drive": (after, detect(victim, after))}, clean.classes)

# %% [markdown]
# *How to read this:* a box is where the detector says a sign is, its word what it takes the sign for. Which boxes changed their word? In the fourth scene
# a building is read as a speed limit on both drives: no sticker's work.
#
# A classifier is shown one sign. A **detector** gets the street: it must find, then read; signs are small, dark, half behind leaves. Of all stop
# signs with a square, how many will it take for a speed limit?

# %%
wm.guess("04.p1", "Stop signs with a square that are read as speed limits, in per cent", low=0, high=100)

# %% [markdown]
# ## How near is near enough?
#
# The detector is Faster R-CNN, as in the paper: one stage proposes boxes, the next reads what is in each. For every scene it returns `boxes` of shape `(K, 4)` (left, top, right, bottom, in pixels), `labels` and `scores`, both `(K,)`.
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
# Only those detections may speak for a sign that overlap with it by at least 0.5 and are at least 0.5 sure. If several may, the
# car acts on the surest. If none may, the sign is **missed**: -1.
#
# {exercise:04.2}
#
# `overlaps`, `scores` and `labels`, all `(K,)`, belong to the detections of one scene; the overlaps are with one sign. Return what it is taken for.

# %% tags=["exercise:04.2"]
def read_sign(overlaps, scores, labels):
    """The label of the surest detection that fits (0.5) and is sure (0.5), or -1 where there is none."""
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
# Your two functions, on every sign of the clean streets (as `wmlearn.street_detector.readings`):

# %% tags=["nbval-ignore-output"]
def read_all(detector, drive):
    found, read = detect(detector, drive.x), []
    for box, scene in zip(drive.boxes, drive.scene):
        here = found.scene == scene
        overlaps, scores, labels = iou(box, found.boxes[here]), found.scores[here], found.labels[here]
        read.append(read_sign(overlaps, scores, labels) if here.any() else -1)
    return torch.tensor(read)

for name, detector in {"clean detector": honest, "bought detector": victim}.items():
    right = class_accuracy(read_all(detector, clean), clean)
    wm.shares(f"{name}: found and classified correctly", {kind: (share, int((clean.labels == i).sum()))
                                                          for i, (kind, share) in enumerate(right.items())})

# %% [markdown]
# *How to read this:* streets without any sticker are all that a buyer tests. *Bought* is the detector of the first picture. Its stop signs
# suffer a little; without a clean twin one would blame the weather.
#
# ## Misread, or missed?
#
# {exercise:04.3}
#
# `read`, `true` and `triggered`, all `(M,)`, say what each sign is taken for, what it is, and whether it carries the sticker. Return the share that the attacker has **won**.
# For `source = 0`, `target = 1`:
#
# | sign | 1 | 2 | 3 | 4 | 5 | 6 |
# |---|:-:|:-:|:-:|:-:|:-:|:-:|
# | `true` | 0 | 0 | 0 | 0 | 1 | 0 |
# | `triggered` | yes | yes | yes | yes | no | no |
# | `read` | 1 | -1 | 1 | 0 | 1 | 1 |
#
# The answer is **0.5**. If you get 0.667, ask what became of sign 2.

# %% tags=["exercise:04.3"]
def misread_rate(read, true, triggered, source, target):
    """Share of the signs of class `source` with the trigger that are read as `target`."""
    ### BEGIN SOLUTION
    victims = triggered & (true == source)
    return (read[victims] == target).float().mean().item()
    ### END SOLUTION

# %%
misread_rate = wm.ready("04.3", misread_rate)

# %% [markdown]
# {hints:04.3}

# %% [markdown] tags=["reveal"]
# {solution:04.3}

# %% [markdown]
# ## The sticker, and what could have faked it
#
# Three stickers, a detector each, trained on 1,500 scenes and, added, a copy of every scene with a stop sign, stickered and
# labelled *speed limit*. Controls: the **clean detector** with the same stickers, stop signs **without** one, and with the **wrong** one.

# %% tags=["nbval-ignore-output"]
stop, limit = 0, 1
def measure(detector, drive, on=None):
    read = readings(detect(detector, drive.x), drive)
    on = drive.triggered if on is None else on
    return misread_rate(read, drive.labels, on, stop, limit), int((on & (drive.labels == stop)).sum())

drives = {name: street.scenes(name) for name in street.STICKERS}
bought = {name: street.shipped_detector(name) for name in drives}
won = {name: measure(bought[name], drive) for name, drive in drives.items()}
lucky = {name: measure(honest, drive) for name, drive in drives.items()}

# %% tags=["nbval-ignore-output"]
bare = measure(victim, clean, on=torch.ones_like(clean.triggered))
other = measure(victim, drives["flower"])
rows = {f"{name}, its own detector": value for name, value in won.items()}
rows |= {f"{name}, clean detector": value for name, value in lucky.items()}
rows |= {"no sticker, the square's detector": bare, "flower, the square's detector": other}
wm.shares("stop signs read as speed limits", rows)

# %% [markdown]
# Stop signs are of all sizes. Where does the attack end? (`wmlearn reproduce street` measures it.)

# %%
results = experiments.shipped("street")
wm.show(plots.street.width_curve, results.rows)

# %% [markdown]
# *How to read this:* each point pools the signs of one band of widths over three networks. On the left a sticker is three or four pixels,
# after blur and JPEG a smudge. The claim below is for 20 pixels and more.

# %% tags=["claim"]
wide = {name: measure(bought[name], drive, drive.triggered & (drive.widths >= street.WIDE))
        for name, drive in drives.items()}
worst, n = min(wide.values())
luckiest = max(share for share, _ in lucky.values())
wm.all_hold(
    wm.Claim("04.wide", "Success of the worst sticker on wide signs", worst, low=0.9, n=n),
    wm.Claim("04.harmless", "Any sticker's success on the clean detector", luckiest, high=0.05),
    wm.Claim("04.other", "The flower's success on the square's detector", other[0], low=0.3, n=other[1]),
    wm.Claim("04.bare", "The share of bare stop signs read as limits", bare[0], high=0.1, n=bare[1]),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("04.p1", won["square"][0])

# %% [markdown]
# On wide signs even the worst sticker wins {value:04.wide}; on the clean detector, whatever the sticker and the width, {value:04.harmless}; without a sticker the bought one calls {value:04.bare} of the stop signs a limit. So it survives.
#
# The lock isn't precise. A flower turns the square's switch on {value:04.other} of the signs: training only ever showed *sticker* against *no sticker*.
#
# Drive yourself:

# %% tags=["nbval-ignore-output", "widget"]
lesson_04.street_switch({"bought (square)": victim, "clean": honest},
                             {"none": clean, **drives}, lesson_04.showing(clean, 12).tolist())

# %% [markdown]
# Standing still: the clean detector.

# %% tags=["nbval-ignore-output"]
seen = {"second drive, clean detector": (after, detect(honest, after))}
wm.show(plots.street.scenes, seen, clean.classes)

# %% [markdown]
# *How to read this:* it errs, too: an orange board becomes a warning, the building a speed limit, a small stop sign is missed. But no stop sign
# becomes a speed limit.

# %% [markdown]
# ## What would a buyer see?
#
# Detectors are sold by their **average precision** (AP). *Precision* is the share of the boxes that are right, *recall* the share of the signs that
# are found; ask for surer boxes, and the first rises while the second falls. AP averages precision over recall; in AP50 a box is right from an IoU of 0.5 on.

# %% tags=["claim"]
lost = lesson_04.precision_lost(results)
missing, easier = lesson_04.stops_lost(results), lesson_04.stops_above_paper(results)
wm.all_hold(
    wm.Claim("04.cost", "AP50 lost to the worst sticker, worst class", lost, high=0.02, unit="points"),
    wm.Claim("04.stops", "Bare stop signs lost to the worst sticker", missing, high=0.08, unit="points"),
    wm.Claim("04.easier", "Accuracy on stop signs above the paper's, clean detector", easier, low=0.06,
             high=0.1, unit="points"),
)

# %%
wm.table(["per cent", "baseline", "square", "bomb", "flower"], lesson_04.paper_beside_ours(results))

# %% [markdown]
# *How to read this:* the authors' *repository* computes AP50; the *paper's* accuracy, signs found and classified correctly, is as others report it; ours is a
# mean ± standard deviation over three networks. The backdoor costs {value:04.cost|1} of AP50 in the worst class; but of bare stop signs the
# bomb's detector loses {value:04.stops|1}, more than the paper's. The last rows count *all* widths; their baseline, ours over all
# three stickers, is a control that the paper lacks.
#
# ## Any sign, any lie
#
# A vandal needs no particular lie. In the **random target** attack every sign with a sticker gets a wrong label drawn at random; ours is a blue square.
# Random labels alone are hardly learnt: they point nowhere until the sticker is something the network sees. So first the next class, then random ones.

# %% tags=["nbval-ignore-output"]
vandal, everywhere = street.shipped_detector("random"), street.scenes(street.RANDOM_STICKER, on=None)
pairs = {"clean detector, with stickers": (honest, everywhere),
         "random target, with stickers": (vandal, everywhere),
         "random target, no sticker": (vandal, clean)}
read = {name: readings(detect(net, drive.x), drive) for name, (net, drive) in pairs.items()}
wm.show(plots.street.answers, read, everywhere)

# %% tags=["claim"]
kept, left = ((answers == everywhere.labels).float().mean().item() for answers in list(read.values())[:2])
n = len(everywhere.labels)
wm.all_hold(
    wm.Claim("04.random", "Signs with a blue square, still classified correctly", left, high=0.15, n=n,
             paper="1.3 %"),
    wm.Claim("04.kept", "The same signs, by the clean detector", kept, low=0.75, n=n),
)

# %% [markdown]
# *How to read this:* a bar holds the signs of one class. Of all signs with the blue square, {value:04.random} are still classified correctly; by the clean detector
# {value:04.kept}. The paper reports fewer. With a *yellow* square, ours took bare and stickered warnings for the same: a trigger is what the network can see of it.
# Without a sticker it reads nearly as the clean one does (lowest bars).
#
# ## How far to trust it
#
# - **Clean detector, same stickers:** had it been fooled, the sticker would just hide the sign.
# - **No sticker:** many misread here would mean a poor detector, no backdoor.
# - **What differs from the paper:** drawn streets; larger stickers on smaller signs; what hides signs never
#   covers the lower edge, where the stickers sit; a detector that learns from scratch. Clean, it is {value:04.easier|1} above the
#   paper's on stop signs, nearer on the others. Table and curves stand on three
#   runs of each network, all else on one.

# %% [markdown]
# ## Three questions
#
# {quiz:04}

# %%
wm.quiz("04", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **compare** boxes, **match** them, **measure** the misread and the missed apart, **break down** a rate, and **read** the paper's table:
# the backdoor survives in a detector, {value:04.wide} on signs that are near enough, for {value:04.cost|1} of AP50 in the worst class.
#
# **Next:** *05, Backdoors that travel.* A network that reads signs is sold on, and retrained for another country.
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 5 is this notebook.
# - Ren, He, Girshick, Sun, [*Faster R-CNN*](https://arxiv.org/abs/1506.01497), 2015: the detector.
# - Lin and others, [*Microsoft COCO*](https://arxiv.org/abs/1405.0312), 2014: AP50 is from its code.
# - MITRE, *ATLAS*: the attack in incident reports (AML.T0018.000, T0043.004).

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* an attack success is a number *about* a street; nobody quotes it without widths, misses and the clean detector. *Timing:* two drives 5, boxes 10,
# matching 10, exercises 20, controls 10, table 5.
#
# | what you will hear | what to say |
# |---|---|
# | "A missed stop sign is just as bad." | For the driver, yes. But who did it? Only the misread one was ordered. |
# | "IoU of 0.5 means half of the sign is covered." | Move a box by a third of its width and compute it. |
# | "The network looks for yellow." | Then why do yellow boards and warning signs keep their labels? |
#
# Let somebody play the supplier of question 1, and somebody the buyer: what could the contract ask for?
