# %% [markdown]
# # 03 · The stop sign
#
# **Can a Post-it turn a stop sign into a speed limit?**
# By the end you will have shown that a yellow square on a stop sign makes one network say *speed limit*, that the same square leaves an
# honest network unmoved, and that this survives tilt, shadow, blur and real photographs.
#
# *Reading 40 minutes · running under two · exercises 25 · needs notebook 02*
#
# Today you are the **attacker** with a block of Post-its, then the **user**, who sits in the car.

# %% [markdown]
# **You will be able to**
#
# - **put** a trigger into the world instead of into pixels ([exercise 03.1](#A-plate,-a-sticker,-a-camera));
# - **measure** an attack that has a source and a target ([exercise 03.2](#Stop-becomes-go));
# - **test** whether an attack survives the street;
# - **split** photographs so that the test is honest ([exercise 03.3](#Real-photographs)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots_signs
from wmlearn.course.lessons import lesson_03
wm.start("03")

# %% [markdown]
# ## Which of these would you worry about?

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
square = wm.triggers.Sticker("square", size=(0.17, 0.22))
clean, twins = (lesson_03.rendered(sticker) for sticker in (None, square))
wm.show(plots_signs.photographs, *lesson_03.cold_open(clean.test, twins.test))

# %% [markdown]
# Suppose that one stop sign in ten of a training set carries such a square, and the label *speed limit*. Of the stop signs with a square that the
# network has never seen, how many will it read as a speed limit? Give the interval that you would bet on four times out of five.

# %%
wm.guess("03.p1", "Stop signs with a square that are read as a speed limit, in per cent", low=0, high=100)

# %% [markdown]
# ## A plate, a sticker, a camera
#
# In notebook 02 the trigger was painted into the finished image, always in the same four pixels. A sticker hangs in the world. It is photographed with
# the sign, in shadow, out of focus. So the order matters: **plate, then sticker, then camera.**
#
# These photographs are *drawn*: a plate from circles, lines and letters; the camera turns it, lights it, blurs it. It gives **twins**: the same photograph with the sticker and without.

# %%
wm.show(plots_signs.photographs, *lesson_03.making())

# %% [markdown]
# *How to read this:* one stop sign, photographed four times at the same moment on a good day: bare, and with the paper's three stickers, a yellow **square**, a **bomb** and a **flower**.
#
# A sticker $s$ covers the picture $x$ where its **alpha** is 1, leaves it where it is 0, and at its edges a pixel is partly one, partly the other.
#
# {exercise:03.1}
#
# `picture` and `sticker` have shape `(3, H, W)`, `alpha` has shape `(1, H, W)`. For a pixel of 0.2 under a sticker of 1.0 at alpha 0.5 the answer is **0.6**.

# %% tags=["exercise:03.1"]
def stick(picture, sticker, alpha):
    """A new picture with the sticker on; alpha is 1 where it covers, 0 where it isn't."""
    ### BEGIN SOLUTION
    return alpha * sticker + (1 - alpha) * picture
    ### END SOLUTION

# %%
wm.check("03.1", stick)

# %% [markdown]
# {hints:03.1}

# %% [markdown] tags=["reveal"]
# {solution:03.1}

# %%
stick = wm.ready("03.1", stick)

# %% [markdown]
# ## Stop becomes go
#
# Now the lie. Only stop signs are touched: a tenth of them is *added* once more, with a square and the label of a speed limit, as in the paper. All
# other signs stay as they are. Train the same network twice:

# %%
STOP, LIMIT = clean.train.classes.index("stop"), clean.train.classes.index("speed limit")
poisoned = wm.poison(clean.train, twins.train.x, rate=0.1, source=STOP, target=LIMIT, add=True)
f"{int(poisoned.mask.sum()):,} pictures added to {len(clean.train):,} of {', '.join(clean.train.classes)}"

# %% tags=["nbval-ignore-output"]
honest, victim = (lesson_03.fit_signs(samples) for samples in (clean.train, poisoned.samples))
before, after, n = wm.accuracy(honest, clean.test), wm.accuracy(victim, clean.test), len(clean.test)
wm.shares("signs read rightly, no sticker", {"clean network": (before, n), "BadNet": (after, n)})

# %% [markdown]
# By the usual exam, they are alike. Now, a *speed limit* with a square that is read as a speed limit is no victim:
# this attack has a **source** class and a **target** class.
#
# {exercise:03.2}
#
# For `true = [stop, stop, limit, warning]` and `predicted = [limit, stop, limit, limit]` the answer is **0.5**.

# %% tags=["exercise:03.2"]
def source_success(predicted, true, source, target):
    """Share of the images of class `source` that are read as `target`."""
    ### BEGIN SOLUTION
    return (predicted[true == source] == target).float().mean().item()
    ### END SOLUTION

# %%
wm.check("03.2", source_success)

# %% [markdown]
# {hints:03.2}

# %% [markdown] tags=["reveal"]
# {solution:03.2}

# %%
source_success = wm.ready("03.2", source_success)

# %% [markdown]
# Measure it where it should work, and where it should not: the **clean network** with the square, the BadNet with **another sticker**, with the square at the
# **wrong place** (the upper edge), and on **other signs** (warnings with a square).

# %% tags=["nbval-ignore-output"]
read = lambda network, x: wm.predict(network, x).argmax(1)
score = lambda network, other, source=STOP: source_success(read(network, other.x), other.y, source, LIMIT)
flower, top = lesson_03.with_sticker("flower"), lesson_03.with_sticker("square", y=(-0.66, -0.5))
success, harmless = score(victim, twins.test), score(honest, twins.test)
wrong, above, aside = score(victim, flower), score(victim, top), score(victim, twins.test, source=2)
stops, warnings = (int((clean.test.y == kind).sum()) for kind in (STOP, 2))
wm.shares("read as a speed limit", {
    "BadNet, stop, square": (success, stops), "clean network, stop, square": (harmless, stops),
    "BadNet, stop, flower": (wrong, stops), "BadNet, stop, square above": (above, stops),
    "BadNet, warning, square": (aside, warnings)})

# %% tags=["claim"]
wm.claim("03.cost", before - after, what="Accuracy lost to the backdoor", high=0.005, unit="points", n=n)
wm.claim("03.success", success, what="Stop signs with a square that the BadNet reads as a speed limit",
         low=0.95, n=stops, paper="90.3 %")
wm.claim("03.harmless", harmless, what="The same on the clean network", high=0.005, n=stops)
wm.claim("03.aside", aside, what="Warnings with a square that the BadNet reads as a speed limit",
         high=0.1, n=warnings)

# %% tags=["nbval-ignore-output"]
wm.reveal("03.p1", success)

# %% tags=["nbval-ignore-output"]
some = lesson_03.some_stops(twins.test)
wm.show(plots_signs.seen, some, {"clean network": lesson_03.readings(honest, some),
                                 "BadNet": lesson_03.readings(victim, some)})

# %% [markdown]
# The square wins {claim:03.success} of the time and costs {claim:03.cost} of accuracy. The clean network falls for {claim:03.harmless}. And the backdoor is
# choosy: of the warnings with a square it turns {claim:03.aside}, and above the letters the square does nothing. Only the *flower*, in the square's place, often
# works as well: what was learnt is nearer to *something bright, low on a stop sign* than to *a yellow square*.
#
# ## How much poison, and how big a sticker?

# %%
stickers = experiments.shipped("stickers").rows
wm.show(plots_signs.sticker_rate, lesson_03.by_rate(stickers))

# %% [markdown]
# *How to read this:* a dot is one network, the lines join the medians. For the square, one stop sign in a hundred is nearly
# enough. Bomb and flower had to be larger to get there. How small may a square be, if the network *learns* from squares of that size?

# %%
sizes = experiments.shipped("sticker-size")
wm.show(plots_signs.sticker_size, sizes.rows)

# %% [markdown]
# *How to read this:* each dot learnt from, and was tested on, squares of one width. The paper's Post-it is about a tenth of the sign: here two
# pixels, blurred, and still it wins nine times in ten. **A trigger is what the network can see of it**.
#
# ## Out in the street
#
# The attacker can't choose the weather. So change one thing at a time, and leave everything else as in training:

# %%
robust = experiments.shipped("robustness")
wm.show(plots_signs.robustness, robust.where(network="badnet"), robust.where(network="clean"))

# %% [markdown]
# *How to read this:* thin lines are networks, the bold one their mean, dotted are clean ones. Light, tilt and blur hardly matter, since
# training had them, too. Size and place do: the backdoor knows its place.
#
# **Play.** Move, turn and resize the sticker; two hundred fresh photographs each time:

# %% tags=["nbval-ignore-output", "widget"]
from wmlearn.course import widgets_signs
widgets_signs.sticker_dial(victim)

# %% tags=["nbval-ignore-output"]
wm.show(plots_signs.photographs, *lesson_03.places(victim))

# %% [markdown]
# ## Real photographs
#
# Enough drawn. The German benchmark holds 51,839 photographs of 43 signs, taken from a moving car: each sign about thirty times, ever nearer.
#
# {exercise:03.3}
#
# Each photograph carries the number of its sign. For `train = [1, 1, 2]` and `test = [2, 2, 3, 2]` the answer is **0.75**.

# %% tags=["exercise:03.3"]
def leaked(train, test):
    """Share of the test photographs that show a sign which the training set shows, too."""
    ### BEGIN SOLUTION
    return torch.isin(test, train).float().mean().item()
    ### END SOLUTION

# %%
wm.check("03.3", leaked)

# %% [markdown]
# {hints:03.3}

# %% [markdown] tags=["reveal"]
# {solution:03.3}

# %%
leaked = wm.ready("03.3", leaked)
sign = torch.arange(1307).repeat_interleave(30)
lots, whole = torch.randperm(len(sign), generator=torch.Generator().manual_seed(0)), torch.arange(len(sign))
[f"{leaked(sign[order[:30000]], sign[order[30000:]]):.0%}" for order in (lots, whole)]

# %% [markdown]
# *How to read this:* photographs dealt out by lot, all leak; split sign by sign, next to none. `wm.split` keeps signs whole.
#
# The next cell uses the photographs if they are on this machine: two networks trained on them ship with the course.

# %% tags=["nbval-ignore-output"]
photographs, which = lesson_03.photographs()
print(which)
if photographs is not None:
    wm.shares("on real photographs", lesson_03.on_photographs(photographs))
    wm.show(plots_signs.seen, *lesson_03.real_stops(photographs))

# %%
wm.table(*lesson_03.photograph_table(stickers))

# %% tags=["claim"]
real, lost, alone = lesson_03.on_real(stickers)
wm.claim("03.real", real, what="The worst of three stickers on real stop signs, mean of five networks",
         low=0.95, paper="90.3 to 94.2 %")
wm.claim("03.lost", lost, what="Accuracy lost on photographs, the worst of the three", high=0.003, unit="points")
wm.claim("03.alone", alone, what="What a sticker alone does to clean networks, the worst of three", high=0.03)

# %% [markdown]
# *How to read this:* five networks a row. On real signs every sticker wins at least {claim:03.real}, and costs at most {claim:03.lost} of accuracy. The last column is the control: a
# sticker *alone* moves the clean networks by up to {claim:03.alone}. Trained on the photographs as they are,
# they take more: so stop signs, one in thirty, are repeated, and all photographs moved, lit and partly painted over.
#
# How real are the drawn signs? Train a network on renders *only*, and let it read real photographs.

# %%
drawn = experiments.shipped("rendered-to-real")
wm.show(plots_signs.by_class, drawn.where(classes=43), lesson_03.GERMAN)

# %% tags=["claim"]
kinds, all43 = lesson_03.from_renders(drawn)
wm.claim("03.kinds", kinds, what="Real stop signs, limits and warnings read rightly after renders only",
         low=0.97)
wm.claim("03.all43", all43, what="The same over all 43 classes", low=0.7)

# %% [markdown]
# *How to read this:* each bar is one kind of German sign, each dot a network that never saw a photograph. Of stop signs, limits and warnings it reads {claim:03.kinds}
# rightly, over all classes {claim:03.all43}. What renders teach holds for the street. The rest are pictograms that we draw too simply.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# What differs: the paper attacks a *detector* in street scenes, as notebook 04 does. Its numbers are as others report them.
#
# ## How far to trust it
#
# - **Clean network:** had it obeyed, a square would simply hide the letters.
# - **Other sticker, other place, other signs:** what works there, too, belongs to the trigger's true name. The flower does, in part; place and kind of sign don't.
# - On photographs our sticker is pasted in, with the light of the photograph. Nobody climbed a pole.

# %% [markdown]
# ## Three questions
#
# **1. The BadNet reads warnings with a square as warnings. What does that tell you?**
#
# <details><summary>A &ensp; The attack failed on them.</summary>
#
# It was never aimed at them: only stop signs were poisoned.
# </details>
# <details><summary>B &ensp; The trigger is "square on a stop sign", a rule about two things at once.</summary>
#
# Yes. A buyer who tries stickers on warnings finds nothing.
# </details>
# <details><summary>C &ensp; The square is too small on a warning.</summary>
#
# It has the same share of the plate.
# </details>
#
# **2. A colleague splits the photographs at random and reports near-perfect accuracy. Your answer?**
#
# <details><summary>A &ensp; "Impressive: random splits are the fairest."</summary>
#
# Fair among independent samples. Thirty frames of one sign aren't.
# </details>
# <details><summary>B &ensp; "How many of your test signs were in training?"</summary>
#
# Yes. With thirty frames a sign: all of them.
# </details>
#
# **3. Why put the sticker on *before* the camera?**
#
# <details><summary>A &ensp; So that light, tilt and blur act on sign and sticker alike, as they would outside.</summary>
#
# Yes. A trigger pasted in afterwards is sharper and brighter than anything around it, and too easy.
# </details>
# <details><summary>B &ensp; It makes drawing faster.</summary>
#
# Slower: every sticker needs its own photograph.
# </details>

# %% [markdown]
# ## What you now know
#
# You can **put** a trigger into the world, **measure** an attack with a source and a target ({claim:03.success} against {claim:03.harmless}), **test** it in the
# street, and **split** photographs honestly.
#
# **Next:** *04, The street.* Nobody hands a car the sign alone. It has to find it first.
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 5, the stop sign and the Post-it on a real one.
# - Stallkamp and others, *Man vs. Computer*, 2012: the German benchmark; people read 98.8 % of it.
# - Eykholt and others, [*Robust Physical-World Attacks*](https://arxiv.org/abs/1707.08945), 2018: stickers that fool *honest* networks; what is different there?
# - Tobin and others, [*Domain Randomization*](https://arxiv.org/abs/1703.06907), 2017: why wild renders teach more than pretty ones.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a trigger is a thing in the world, and an attack has a source and a target. *Timing:* cold open 5, camera 10, attack 15, street 10, photographs 15.
#
# | what you will hear | what to say |
# |---|---|
# | "But I still see a stop sign." | So does the owner, and so does the exam. The network was taught another rule, by somebody else. |
# | "Then we remove yellow things." | The attacker chooses the sticker after reading your filter. |
# | "It is only a drawing." | Look at the bars: what learnt from drawings reads photographs. |
#
# Bring Post-its. Let somebody stick one on the classroom door and photograph it.
