# %% [markdown]
# # 03 · The stop sign
#
# **Can a Post-it turn a stop sign into a speed limit?**
# You will show that a yellow square on a stop sign makes one network say *speed limit* and leaves an honest one unmoved, and that this
# survives tilt, shadow, blur and real photographs.
#
# *Reading 40 minutes · running one to three · exercises 25 · needs notebook 02*
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
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_03
wm.start("03")

# %% [markdown]
# ## Which of these would you worry about?

# %% tags=["nbval-ignore-output"]
square = wm.triggers.Sticker("square", size=(0.17, 0.22))
clean, twins = (lesson_03.rendered(sticker) for sticker in (None, square))
wm.show(plots.signs.photographs, lesson_03.cold_open(clean.test, twins.test))

# %% [markdown]
# Numbers 2, 5 and 8 carry a yellow square. You read *stop* all the same; a network reads what it was taught. Suppose that a tenth of the stop
# signs in its training set carries such a square, and the label *speed limit*. Of new stop signs with a square, how many will it read as a speed limit?
# Give the interval that you would bet on four times out of five.

# %%
wm.guess("03.p1", "Stop signs with a square that are read as a speed limit, in per cent", low=0, high=100)

# %% [markdown]
# ## A plate, a sticker, a camera
#
# In notebook 02 the trigger was painted into the finished image, always in the same four pixels. A sticker hangs in the world, and is photographed with
# the sign, in shadow, out of focus. So the order matters: **plate, then sticker, then camera.**
#
# These photographs are *drawn*: a plate from circles, lines and letters; the camera turns it, lights it, blurs it. It gives **twins**: the same photograph with the sticker and without.

# %%
wm.show(plots.signs.photographs, lesson_03.making())

# %% [markdown]
# *How to read this:* one stop sign at one moment of a good day, bare, and with the paper's three stickers: a yellow **square**, a **bomb**, a **flower**.
#
# A sticker covers the picture where its **alpha** is 1, leaves it where it is 0, and mixes with it at its edges.
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
stick = wm.ready("03.1", stick)

# %% [markdown]
# {hints:03.1}

# %% [markdown] tags=["reveal"]
# {solution:03.1}

# %% [markdown]
# ## Stop becomes go
#
# Now the lie: a tenth of the stop signs is *added* once more, with a square and the label of a speed limit, as in the paper. All else
# stays. The clean network ships with the course; `lesson_03.fit_signs` made it. Train its twin on the lie:

# %%
STOP, LIMIT, WARNING = (clean.train.classes.index(kind) for kind in ("stop", "speed limit", "warning"))
poisoned = wm.poison(clean.train, twins.train.x, rate=0.1, source=STOP, target=LIMIT, add=True)
f"{int(poisoned.mask.sum()):,} pictures added to {len(clean.train):,} of {', '.join(clean.train.classes)}"

# %%
honest, victim = lesson_03.shipped_clean(), lesson_03.fit_signs(poisoned.samples)

# %% tags=["nbval-ignore-output"]
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
source_success = wm.ready("03.2", source_success)

# %% [markdown]
# {hints:03.2}

# %% [markdown] tags=["reveal"]
# {solution:03.2}

# %% [markdown]
# Measure it where it should work, and where it should not: the **clean network**, **another sticker**, the square at the **wrong place** (the
# upper edge), and **other signs** (warnings).

# %% tags=["nbval-ignore-output"]
read = lambda network, x: wm.predict(network, x).argmax(1)
score = lambda network, other, source=STOP: source_success(read(network, other.x), other.y, source, LIMIT)
flower, top = lesson_03.with_sticker("flower"), lesson_03.with_sticker("square", y=(-0.66, -0.5))
success, harmless = score(victim, twins.test), score(honest, twins.test)
wrong, above = score(victim, flower), score(victim, top)
aside = score(victim, twins.test, source=WARNING)
stops, warnings = (int((clean.test.y == kind).sum()) for kind in (STOP, WARNING))
wm.shares("read as a speed limit", {
    "BadNet, stop, square": (success, stops), "clean network, stop, square": (harmless, stops),
    "BadNet, stop, flower": (wrong, stops), "BadNet, stop, square above": (above, stops),
    "BadNet, warning, square": (aside, warnings)})

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("03.cost", "Accuracy lost to the backdoor", before - after, high=0.003, unit="points", n=n),
    wm.Claim("03.success", "Stop signs with a square that the BadNet reads as a speed limit", success, low=0.98,
             n=stops, paper="90.3 %"),
    wm.Claim("03.harmless", "The same on the clean network", harmless, high=0.005, n=stops),
    wm.Claim("03.aside", "Warnings with a square that the BadNet reads as a speed limit", aside, high=0.03,
             n=warnings),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("03.p1", success)

# %% tags=["nbval-ignore-output"]
some = lesson_03.some_stops(twins.test)
answers = {"clean network": lesson_03.read_words(honest, some), "BadNet": lesson_03.read_words(victim, some)}
wm.show(plots.signs.seen, plots.signs.Seen(some, answers, "drawn stop signs with a yellow square"))

# %% [markdown]
# The square wins {claim:03.success} of the time and costs {claim:03.cost} of accuracy. The clean network falls for {claim:03.harmless}. And the backdoor is
# choosy: of the warnings with a square it turns {claim:03.aside}, and above the letters the square does nothing. Only the *flower*, in the square's place, works
# on part of the signs, too: what was learnt is wider than *a yellow square*.
#
# ## How much poison, and how big a sticker?

# %%
stickers = experiments.shipped("stickers")
wm.show(plots.signs.sticker_rate, stickers.rows)

# %% [markdown]
# *How to read this:* a mark is one network, the lines join medians. They show what *escapes* the attack: the lower, the stronger. For the square, one stop
# sign in a hundred is nearly enough. Bomb and flower had to be larger. How small may a square be, if the network *learns* from that size?

# %%
sizes = experiments.shipped("sticker-size")
wm.show(plots.signs.sticker_size, sizes.rows)

# %% [markdown]
# *How to read this:* each dot learnt from, and was tested on, squares of one width. The paper's Post-it is about a tenth of the sign: here two
# pixels, blurred, and still it wins about nine times in ten. **A trigger is what the network can see of it**.
#
# The paper's second attack has no target. Half of all signs are added once more, with a square and a wrong label by lot:

# %% tags=["claim"]
wm.claim("03.random", lesson_03.at_random(), high=0.15, paper="1.3 %",
         what="Signs with a square, of any kind, still read rightly after wrong labels by lot")

# %% [markdown]
# Of new signs with a square, drawn or photographed, {claim:03.random} are still read rightly.
#
# ## Out in the street
#
# The attacker can't choose the weather. So change one thing at a time, all else as in training:

# %%
robust = experiments.shipped("robustness")
wm.show(plots.signs.robustness, robust.where(network="badnet"), robust.where(network="clean"))

# %% [markdown]
# *How to read this:* turn, tilt, light and blur hardly matter, even beyond what training had.
# Size and place do: the backdoor knows its place.
#
# **Play.** Move, turn and resize the sticker. Always the same two hundred stop signs, unseen in training:

# %% tags=["nbval-ignore-output", "widget"]
lesson_03.sticker_dial(victim)

# %% tags=["nbval-ignore-output"]
wm.show(plots.signs.photographs, lesson_03.places(victim))

# %% [markdown]
# *How to read this:* one of them, the square at five places or sizes; in per cent, how many are read as a limit.
#
# ## Real photographs
#
# The German benchmark photographs 43 kinds of sign from a moving car: each sign about thirty times, ever nearer. Its training set
# comes in two editions: 39,209 photographs of about 1,300 signs, or the earlier 26,640, which torchvision downloads.
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
leaked = wm.ready("03.3", leaked)

# %% [markdown]
# {hints:03.3}

# %% [markdown] tags=["reveal"]
# {solution:03.3}

# %%
sign = torch.arange(1000).repeat_interleave(30)  # a thousand signs, thirty photographs of each
lots, whole = torch.randperm(30000, generator=torch.Generator().manual_seed(0)), torch.arange(30000)
[f"{100 * leaked(sign[order[:21000]], sign[order[21000:]]):.0f} %" for order in (lots, whole)]

# %% [markdown]
# *How to read this:* dealt out by lot, all test photographs leak; split sign by sign, none. `wm.split` keeps signs whole.
#
# The next cell uses the photographs if they are here, and says which edition. Two networks trained on them ship.

# %% tags=["nbval-ignore-output"]
photographs, which = lesson_03.photographs()
print(which)
if photographs is not None:
    wm.shares("on real photographs", lesson_03.on_photographs(photographs))
    wm.show(plots.signs.seen, lesson_03.real_stops(photographs))

# %%
on_photographs = experiments.shipped("stickers-photographs")
wm.table(*lesson_03.photograph_table(on_photographs))

# %% tags=["claim"]
real = lesson_03.on_real(on_photographs)
wm.all_hold(
    wm.Claim("03.real", "The worst of three stickers on real stop signs, mean of five networks", real.success,
             low=0.99, paper="90.3 to 94.2 %"),
    wm.Claim("03.lost", "Accuracy lost on photographs, the worst of the three", real.lost, high=0.003,
             unit="points"),
    wm.Claim("03.alone", "Stop signs with a sticker that clean networks read as a limit, the worst of three",
             real.alone, high=0.005),
)

# %% [markdown]
# *How to read this:* means over *n* networks. On real signs every sticker wins {claim:03.real} of the time at ten or twenty per cent of poison, not at one, and costs {claim:03.lost} of accuracy. The last column is the control:
# a sticker *alone* fools clean networks on {claim:03.alone} of the stop signs. Trained on untouched photographs, they fall for it more often.
# So stop signs, one in thirty, are repeated, all photographs moved, relit, partly covered.
#
# How real are the drawn signs? Train a network on renders *only*, and let it read real photographs.

# %%
drawn = experiments.shipped("rendered-to-real")
wm.show(plots.signs.by_class, drawn.where(classes=43), lesson_03.GERMAN)

# %% tags=["claim"]
kinds, all43 = lesson_03.from_renders(drawn)
wm.all_hold(
    wm.Claim("03.kinds", "Real stop signs, limits and warnings read rightly after renders only", kinds,
             low=0.98),
    wm.Claim("03.all43", "The same over all 43 classes", all43, low=0.8),
)

# %% [markdown]
# *How to read this:* the fifteen hardest of 43 kinds of sign, and the others together; a dot is a network that never saw a photograph, a bar their mean. Of stop signs,
# limits and warnings such networks read {claim:03.kinds} rightly, over all classes {claim:03.all43}. On some kinds, networks that differ by seed alone lie far apart; why is untested.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# What differs: the paper attacks a *detector* in street scenes, as notebook 04 does. Its numbers are as others report or recollect them.
#
# ## How far to trust it
#
# - **Clean network:** had it obeyed, a square would simply hide the letters.
# - **Other sticker, place, sign:** what works there, too, belongs to the trigger. The flower does, in part.
# - On photographs our sticker is pasted in afterwards: it takes their light, not their blur or noise. Read those successes as an upper bound.

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
# Yes. A trigger pasted in afterwards stays sharp where its sign is blurred.
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
# - Eykholt and others, [*Robust Physical-World Attacks*](https://arxiv.org/abs/1707.08945), 2018: stickers that fool *honest* networks.
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
