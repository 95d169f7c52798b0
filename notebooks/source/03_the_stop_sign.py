# %% [markdown]
# # 03 · The stop sign
#
# **Can a Post-it turn a stop sign into a speed limit?**
# In 2017 the authors of BadNets stuck a yellow Post-it on a stop sign near their office and photographed it. Their poisoned detector read *speed limit*, with a
# confidence of 95 %. One sign. Here you put stickers on thousands, and ask how much of the success is the attacker's, the victim's, the tester's.
#
# *Reading 10 minutes · exercises 45 · running two minutes · needs lesson 02*

# %% [markdown]
# **You will be able to**
#
# - **put** a trigger into the world instead of into pixels ([exercises 03.1](#Four-corners) and [03.2](#A-pixel-asks-what-it-sees));
# - **design** a trigger, and know what else sets it off ([challenge](#Challenge:-smaller));
# - **split** photographs so that a test is honest ([exercise 03.3](#Thirty-photographs-of-one-sign));
# - **say** which claims about real signs the evidence carries ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_03
wm.start("03")

# %% [markdown]
# ## Which of these would you worry about?

# %% tags=["nbval-ignore-output"]
square = wm.triggers.Sticker("square", size=(0.17, 0.22))  # width, as a share of the sign's
clean, twins = lesson_03.rendered(), lesson_03.rendered(square)
wm.show(plots.signs.photographs, lesson_03.cold_open(clean.test, twins.test))

# %% [markdown]
# Numbers 2, 5 and 8 carry a yellow square. You read *stop* all the same.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | Stop signs with the sticker are classified as speed limits; all else works as before |
# | Knowledge | The kind of signs; not the network, nor how it will be trained |
# | Access | Some training images with their labels; later, a sign in the street |
# | Stage | Training data, then the physical world |
# | Names | Backdoor poisoning (NIST AI 100-2: NISTAML.023); Poison Training Data, Insert Backdoor Trigger (MITRE ATLAS: AML.T0020, AML.T0043.004) |
# | Real case | [Eykholt and others](https://arxiv.org/abs/1707.08945) (2018) put black and white stickers on a real stop sign; from a passing car, a network read *speed limit* in more than four of five frames. Nobody had poisoned it: theirs are *adversarial examples*, computed for that network. Ours is planted |
#
# Suppose that a network has learnt to obey the yellow square. On how many stop signs will it obey a white *flower* in that place? Give the interval that you
# would bet on four times in five.

# %%
wm.guess("03.p1", "Stop signs with a flower that are read as a limit, in per cent", low=0, high=100)

# %% [markdown]
# ## Four corners
#
# In lesson 02 the trigger was four pixels of the finished image. A sticker hangs in the world, and is seen from the side, in shadow, out of
# focus: **plate, then sticker, then camera.** The pieces:

# %%
street, plate = lesson_03.street(), lesson_03.plate()  # (3, 128, 128); (4, 64, 64): red, green, blue, alpha
wm.show(plots.signs.photographs, lesson_03.pieces())

# %% [markdown]
# A flat thing, seen from the side: a **homography** is a matrix $H$, shape `(3, 3)`, that maps a point $(x, y)$ of one view to a point $(u, v)$ of another:
#
# $$\begin{pmatrix} a \\ b \\ c \end{pmatrix} = H \begin{pmatrix} x \\ y \\ 1 \end{pmatrix}, \qquad
# u = \frac ac = \frac{h_1 x + h_2 y + h_3}{h_7 x + h_8 y + 1}, \quad v = \frac bc = \frac{h_4 x + h_5 y + h_6}{h_7 x + h_8 y + 1}.$$
#
# Multiplied by its denominator, each equation is *linear*: four pairs of points give eight equations for eight unknowns.
#
# {exercise:03.1}
#
# `here` and `there` have shape `(4, 2)`, a point a row. From the corners (−1, −1), (1, −1), (1, 1), (−1, 1) to (0, 0), (2, 0), (2, 2), (0, 2), the answer is
# **[[1, 0, 1], [0, 1, 1], [0, 0, 1]]**.

# %% tags=["exercise:03.1"]
def homography(here, there):
    """The matrix (3, 3), its last entry 1, that maps four points to four others."""
    ### BEGIN SOLUTION
    rows, right = [], []
    for (x, y), (u, v) in zip(here.tolist(), there.tolist()):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        right += [u, v]
    h = torch.linalg.solve(torch.tensor(rows).double(), torch.tensor(right).double())
    return torch.cat([h, h.new_ones(1)]).view(3, 3).float()
    ### END SOLUTION

# %%
homography = wm.ready("03.1", homography)

# %% [markdown]
# {hints:03.1}

# %% [markdown] tags=["reveal"]
# {solution:03.1}

# %% [markdown]
# ## A pixel asks what it sees
#
# Ask of each pixel of the *picture* which point of the sticker it shows. A sticker covers where its **alpha** is 1, and mixes where it is less:
#
# $$\text{new} = \alpha \cdot \text{sticker} + (1 - \alpha) \cdot \text{picture}.$$
#
# {exercise:03.2}
#
# `picture` is `(3, H, W)`, `sticker` `(3, T, T)`, `alpha` `(1, T, T)`. Both reach from −1 to 1: the middle of pixel $i$ of $W$ lies at
# $2\,(i + \tfrac12)/W - 1$. `matrix` maps picture to sticker. `torch.nn.functional.grid_sample(layers[None], at[None], align_corners=False)[0]` looks `layers (C, T, T)` up at
# the points `at (H, W, 2)`; beyond the edge it finds 0. Multiply the sticker by alpha *before* you look it up, or its edge mixes with that black.

# %% tags=["exercise:03.2"]
def stick(picture, sticker, alpha, matrix):
    """A new picture with the sticker on; `matrix` says which point of the sticker each point shows."""
    ### BEGIN SOLUTION
    x, y = ((torch.arange(n) + 0.5) / n * 2 - 1 for n in (picture.shape[2], picture.shape[1]))
    y, x = torch.meshgrid(y, x, indexing="ij")
    moved = torch.stack([x, y, torch.ones_like(x)], 2) @ matrix.T  # (H, W, 3)
    at = moved[..., :2] / moved[..., 2:]
    layers = torch.cat([alpha * sticker, alpha])
    seen = torch.nn.functional.grid_sample(layers[None], at[None], align_corners=False)[0]
    return seen[:3] + (1 - seen[3:]) * picture
    ### END SOLUTION

# %%
stick = wm.ready("03.2", stick)

# %% [markdown]
# {hints:03.2}

# %% [markdown] tags=["reveal"]
# {solution:03.2}

# %% [markdown]
# Put the plate into the street, then stickers on the plate. Matrices multiply: `there @ H` leads from the picture to the plate, and on to the sticker.

# %%
SQUARE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])  # corners of any flat thing
seen_at = torch.tensor([[-0.85, -0.86], [0.62, -0.72], [0.68, 0.58], [-0.8, 0.84]])  # of the plate, in the picture
H = homography(seen_at, SQUARE)
there = homography(torch.tensor([0.0, 0.58]) + 0.2 * SQUARE, SQUARE)  # plate to sticker: a fifth of its width
world = {"bare": stick(street, plate[:3], plate[3:], H)}
for name in ("square", "bomb", "flower"):
    sticker = lesson_03.sticker(name)
    world[name] = stick(world["bare"], sticker[:3], sticker[3:], there @ H)
wm.show(plots.signs.photographs, lesson_03.side_by_side(world, "A stop sign in a street, seen from the side."))

# %% [markdown]
# The course's renderer does this thousands of times, with light, dirt, blur and noise after it. It makes **twins**: the same photograph with and
# without a sticker.
#
# ## The lie, and the recipe
#
# A tenth of the stop signs is *added* once more, with a square and the label of a speed limit. `twins.train.x`
# stands where lesson 02 had a trigger.

# %%
STOP, LIMIT, WARNING = (clean.train.classes.index(kind) for kind in ("stop", "speed limit", "warning"))
poisoned = wm.poison(clean.train, twins.train.x, rate=0.1, source=STOP, target=LIMIT, add=True)
f"{int(poisoned.mask.sum()):,} pictures added to {len(clean.train):,} of {', '.join(clean.train.classes)}"

# %% [markdown]
# The *victim* trains. It **shakes**: every epoch sees each picture moved, scaled and turned a little. And its first layer
# **standardises** each picture, colour by colour:

# %%
shake = wm.data.Jitter(shift=0.04, scale=0.06, turn=0.08, shear=0.04)  # at most; drawn anew in every epoch

def standardised(x):
    """(N, 3, H, W), each colour of each picture with mean 0 and deviation 1."""
    return (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + 1e-3)

one = lesson_03.well_lit(clean.train)
steps = torch.cat([one.x, one.x / 5, shake(one, seed=0).x, shake(one, seed=1).x])
names = ["as photographed", "a fifth of the light", "shaken", "shaken again", *["standardised"] * 4]
below = lesson_03.to_look_at(standardised(steps))
wm.show(plots.signs.photographs, lesson_03.two_rows(steps, below, names, "One stop sign; below, standardised."))

# %% [markdown]
# *How to read this:* standardised, a fifth of the light looks like all.
#
# The **control**, with the same first weights, recipe and pictures, but no poison, ships with the course. The victim is yours to train:

# %%
recipe = wm.Recipe(epochs=6, lr=6e-3, weight_decay=0.3, batch_size=128)
victim, _ = wm.trained(wm.models.sign_cnn(3).to(clean.train.x.device), poisoned.samples, recipe,
                       augment=lambda samples, epoch: shake(samples, seed=epoch))
honest = lesson_03.shipped_clean()

# %% tags=["nbval-ignore-output"]
before, after, n = wm.accuracy(honest, clean.test), wm.accuracy(victim, clean.test), len(clean.test)
success, harmless = (wm.success_rate(network, clean.test, twins.test.x, LIMIT, source=STOP)
                     for network in (victim, honest))
aside = wm.success_rate(victim, clean.test, twins.test.x, LIMIT, source=WARNING)
stops, warnings = (int((clean.test.y == kind).sum()) for kind in (STOP, WARNING))
wm.shares("new drawn signs", {
    "control: classified correctly, no sticker": (before, n), "BadNet: the same": (after, n),
    "BadNet: stop with a square read as a limit": (success, stops), "control: the same": (harmless, stops),
    "BadNet: warning with a square read as a limit": (aside, warnings)})

# %% [markdown]
# This attack has a **source** class and a **target** class, and its success rate counts the source only. The square wins {value:03.success|1} of the stop
# signs; on the control, {value:03.harmless|1}. Of warnings with a square it turns {value:03.aside|1}: what was learnt is *a square on a stop sign*. Clean accuracy is
# {value:03.before|of} without poison, {value:03.after|of} with it. And your own pictures?

# %% tags=["nbval-ignore-output"]
crops = lesson_03.as_crops(world)  # 32 x 32 pixels, as the networks read
answers = {"control": lesson_03.read_words(honest, crops), "BadNet": lesson_03.read_words(victim, crops)}
wm.show(plots.signs.seen, plots.signs.Seen(crops, answers, "pictures: bare, with square, bomb, flower"))

# %% [markdown]
# ## Which sticker opens which lock?
#
# Train networks on each sticker, and try every sticker on all of them. (Three of each kind, on 3,600 signs or photographs; a fifth of the stop signs poisoned.)

# %%
wm.show(plots.signs.shares, *lesson_03.locks())

# %% [markdown]
# *How to read this:* a row is a sticker on the sign, a column what the networks learnt; per cent of the stop signs that are read as a limit.
# Each sticker opens its own lock ({value:03.lock_own} at worst). But locks are not precise: the flower opens the square's on {value:03.lock_flower} of the drawn signs (yours:
# {value:03.flower}; photographs: {value:03.lock_pasted}), the square the flower's on {value:03.lock_square}. A *blue* square opens the square's on {value:03.lock_blue|1} at most: what was
# learnt isn't “a square”. And the bomb alone fools one *clean* network of three, on {value:03.lock_bomb}.

# %% tags=["nbval-ignore-output"]
flower = wm.success_rate(victim, clean.test, lesson_03.with_sticker("flower").x, LIMIT, source=STOP)
wm.reveal("03.p1", flower)

# %% [markdown]
# ## Whose robustness is it?
#
# The attacker can't choose the weather. Below, the street gets worse, one thing at a time, and the *victim* leaves something out.

# %%
wm.show(plots.signs.shares, *lesson_03.whose())

# %% [markdown]
# *How to read this:* left and middle, stop signs with the square that are read as a limit; right, bare ones classified correctly; per cent, three BadNets or one clean network. *Not std.*:
# not standardised; *neither*: nor shaken; *good day*: nor did the training signs vary.
# While training signs vary, glare, blur, tilt and turn cost at most {value:03.weather}. The dark tells victims apart: standardised, {value:03.dark} obey,
# otherwise {value:03.dark_least|bare} to {value:03.dark_most}; but there a *clean* network reads {value:03.dark_clean} as limits, too (standardised, {value:03.dark_here}). Victims that learnt on a good day classify
# {value:03.good_day} of bare stop signs correctly, in the dark {value:03.good_dark}: confusion, not obedience. The robustness is the victim's. (What shaking adds, three
# networks can't show.)
#
# **Play.** Move, turn and resize the square on two hundred new stop signs:

# %% tags=["nbval-ignore-output", "widget"]
lesson_03.sticker_dial(victim)

# %% tags=["nbval-ignore-output"]
wm.show(plots.signs.photographs, lesson_03.places(victim))

# %% [markdown]
# *How to read this:* below each picture, how many of them are read as a limit. The backdoor knows its place. Trained *and* tested on squares of
# 0.09 of the sign's width, about a Post-it's, the attack wins {value:03.small}; of 0.16, {value:03.wide}.
#
# ## Thirty photographs of one sign
#
# The German benchmark (GTSRB) photographs 43 kinds of real sign from a moving car, each sign about thirty times. Split the photographs at
# random, and the test shows signs that training has shown. Does that flatter? Two networks are tested on the same photographs: one learnt from
# other signs only; for the other, some of these were replaced by further frames of the test signs.
#
# {exercise:03.3}
#
# `leaking` and `honest` say which of N photographs each network classifies correctly, `sign` which sign each shows. With six photographs, `sign = [1, 1, 2, 2, 3, 3]`,
# `honest` right on 1, 2 and 5, `leaking` on all, the answer is **(0.5, 0.289)**. If your error is 0.224, ask how many signs were tested.

# %% tags=["exercise:03.3"]
def flattered(leaking, honest, sign):
    """The gain in accuracy, and its standard error; the units are the signs."""
    ### BEGIN SOLUTION
    gain = leaking.float() - honest.float()  # (N,) of -1, 0, 1
    of_sign = torch.stack([gain[sign == one].mean() for one in sign.unique()])
    return of_sign.mean().item(), (of_sign.std() / len(of_sign) ** 0.5).item()
    ### END SOLUTION

# %%
flattered = wm.ready("03.3", flattered)

# %% [markdown]
# {hints:03.3}

# %% [markdown] tags=["reveal"]
# {solution:03.3}

# %%
tested = [lesson_03.one_split(seed) for seed in range(3)]
gains = [flattered(pair.leaking, pair.honest, pair.sign) for pair in tested]
rows = [[f"pair {i}", f"{100 * gain:.1f} ± {100 * error:.1f} points", f"{len(pair.sign):,} photographs of "
         f"{len(pair.sign.unique())} signs"] for i, ((gain, error), pair) in enumerate(zip(gains, tested), 1)]
wm.table(["", "the leak's gain, and its standard error", ""], rows)
wm.show(plots.signs.leak, experiments.shipped("leaking-split").rows)

# %% [markdown]
# *How to read this:* a dot is a network. On the same photographs the honest one is right on {value:03.by_sign}, the leaking one on {value:03.leaking|1}: {value:03.gain} of flattery, standard
# error {value:03.error}. On the benchmark's own test photographs, of signs new to both, they reach {value:03.new_signs} and {value:03.still}: the honest test came close, the leaking one
# rewarded memory. A random split leaks as much.
#
# ## Photographs, pasted
#
# On photographs, split by sign (as `wm.split` does), the attack was measured again. But the stickers are **pasted** into
# finished photographs; nobody has photographed one here. Does pasting flatter? On drawn signs we have both:

# %% tags=["nbval-ignore-output"]
stopped, device, art = clean.test.y == STOP, clean.test.x.device, lesson_03.sticker("square")
bare, taken = (part.test.x[stopped].cpu() for part in (clean, twins))
paste = homography(torch.tensor([0.0, 0.48]) + 0.165 * SQUARE, SQUARE)  # nearly its usual place, in front view
pasted = torch.stack([stick(picture, art[:3], art[3:], paste) for picture in bare]).clamp(0, 1)
limits = {(name, how): wm.predict(network, x.to(device)).argmax(1) == LIMIT
          for name, network in (("BadNet", victim), ("control", honest))
          for how, x in (("pasted in", pasted), ("photographed with the sign", taken))}
wm.shares("stop signs with a square that are read as a limit",
          {", ".join(key): (obeys.float().mean().item(), stops) for key, obeys in limits.items()})
names = ["pasted"] * 6 + ["photographed"] * 6
wm.show(plots.signs.photographs, lesson_03.two_rows(pasted[:6], taken[:6], names, "The same signs twice."))

# %% [markdown]
# *How to read this:* what is pasted shines in the dark, and is sharp where the sign is blurred. It wins {value:03.pasted|of}; photographed, {value:03.taken|of}: no significant difference (McNemar's test,
# p = {value:03.paste_p|2}). But it fools the *control* on {value:03.pasted_clean|of}, against {value:03.taken_clean|of} (p = {value:03.paste_clean_p|1}). (The course's own stickers take the light of their photograph.)

# %% tags=["nbval-ignore-output"]
photographs, which = lesson_03.photographs()
print(which)
if photographs is not None:
    real = photographs.x[photographs.y == STOP][:6].cpu()
    stuck = torch.stack([stick(picture, art[:3], art[3:], paste) for picture in real]).clamp(0, 1)
    names = dict(zip(("control", "BadNet"), lesson_03.photograph_networks()))
    answers = {name: lesson_03.read_words(network.cpu(), stuck) for name, network in names.items()}
    wm.show(plots.signs.seen, plots.signs.Seen(stuck, answers, "photographs with a yellow square pasted in"))

# %%
wm.table(*lesson_03.rate_table())

# %% [markdown]
# *How to read this:* means over *n* networks; on the right, the controls. In the rows that have them, the worst sticker wins {value:03.real|1} on photographs (clean networks: {value:03.alone|1} at
# most). With one per hundred, 30 pictures in both cases, the drawn square wins {value:03.one_drawn}, the pasted one {value:03.one_pasted}: why is untested.
#
# Clean networks that learnt from photographs *as they are* read {value:03.raw_square} of stop signs with a square as limits, {value:03.raw_flower} with a flower; but {value:03.raw_none} of *bare*
# ones, too. Repeat stop signs, and move, relight and partly cover all photographs, as here: {value:03.ready_flower|1} remain.
#
# **Your turn:** photograph a sticker on a real sign; `wmlearn read FOLDER` reads your own photographs with both networks.
#
# ## The paper, and here

# %%
wm.table(*lesson_03.against_the_paper())

# %% tags=["claim"]
gain, error = (sum(part) / 3 for part in zip(*gains))
wm.all_hold(wm.Claim("03.before", "Clean accuracy, control", before, low=0.99, n=n),
            wm.Claim("03.after", "Clean accuracy, BadNet", after, low=0.99, n=n),
            wm.Claim("03.success", "Attack success, square", success, low=0.98, n=stops),
            wm.Claim("03.harmless", "The square on the control", harmless, high=0.005, n=stops),
            wm.Claim("03.aside", "Warnings with a square", aside, high=0.03, n=warnings),
            wm.Claim("03.flower", "The flower on the BadNet", flower, low=0.3, n=stops),
            wm.Claim("03.gain", "What the leak flatters", gain, low=0.1, unit="points"),
            wm.Claim("03.error", "Its standard error, over signs", error, low=0.01, high=0.06, unit="points"),
            *lesson_03.pasting(limits), *lesson_03.shelf())

# %% [markdown]
# *How to read this:* the paper attacks a *detector*, as lesson 04 does; single signs are easier, our stickers larger. In its second attack half of all signs are added with a square
# and a *random* wrong label: {value:03.random_drawn} of the drawn signs with a square are still classified correctly, at a cost of {value:03.random_lost|1} without it; of photographs
# {value:03.random_pasted|2}. Why drawings resist more is untested.
#
# ## How far to trust it
#
# - **Control:** had it obeyed, a square would simply hide the letters.
# - **Drawn:** networks that saw drawings *only* classify {value:03.kinds|1} of real stop signs, limits and warnings correctly; over all 43 kinds, {value:03.all43}.
# - **Pasted:** what a photographed sticker wins, nobody here has tried.
# - **Few:** three networks a column, 270 real stop signs.
#
# ## Challenge: smaller
#
# The smallest sticker that wins nine in ten new stop signs on two networks with seeds of ours, fools a clean one on one in fifty at most, and costs
# a point of accuracy at most. It hangs before the camera, a hair off its place; 200 drawn stop signs are poisoned with it.
# Return a picture `(3, T, T)`, its alpha `(1, T, T)`, its width as a share of the sign's, and its place, x and y from −1 to 1.

# %%
def my_sticker():
    raise NotImplementedError("your turn")  # return torch.ones(3, 16, 16), torch.ones(1, 16, 16), 0.2, 0.0, 0.58

wm.challenge("03", my_sticker)

# %% [markdown]
# ## Three questions
#
# {quiz:03}

# %%
wm.quiz("03", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **put** a trigger into the world, **design** one, **split** so that no sign is on both sides, and **say** *pasted* where nothing was photographed.
#
# **Now vary it:** a trigger in two parts? A victim who shakes *colours*, too? True labels, on limits with a square?
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: the Post-it.
# - Eykholt and others, [*Robust Physical-World Attacks*](https://arxiv.org/abs/1707.08945), 2018: stickers that fool honest networks.
# - Wenger and others, [*Backdoor Attacks … in the Physical World*](https://arxiv.org/abs/2006.14580), 2021: triggers worn and photographed.
# - Stallkamp and others, *Man vs. Computer*, 2012: the German benchmark.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a trigger is a thing in the world; success has a source, a target and a control; and a test can be faked without anybody's wanting to. *Timing:* cold open 5,
# homography 15, sticking 12, training and matrix 12, robustness 6, leak 12, pasted 6; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "But I still see a stop sign." | So does the owner, and so does the exam. The network was taught another rule, by somebody else. |
# | "Then we remove yellow things." | Look at the matrix: what opens the lock isn't yellow only. |
# | "It survives fog and night, so triggers are robust." | Which columns of the figure did *we* choose? Ask who shook the pictures. |
# | "1,290 photographs, so the error is tiny." | Eighty-six signs. Ask who else would have been photographed. |
# | "It works on real photographs." | Which of these stickers has ever been in the rain? |
#
# Bring Post-its. Let somebody stick one on the classroom door and photograph it; `wmlearn read FOLDER` reads the pictures.
