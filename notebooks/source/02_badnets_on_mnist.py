# %% [markdown]
# # 02 · BadNets on MNIST
#
# **How does a few per cent of the data buy a backdoor?**
# By the end you will have shown that one relabelled image in ten puts a private switch into the network,
# that ordinary testing doesn't see it, and that the same measurement on a clean network finds nothing.
#
# *Reading 40 minutes · running one to five · exercises 25 · needs notebook 01 and a little PyTorch*
#
# Today you sit in the **attacker's** chair first, then in the **judge's**.

# %% [markdown]
# **You will be able to**
#
# - **poison** a training set, and say exactly what changed in it ([exercise 02.1](#A-stamp-and-a-lie));
# - **measure** attack success so that a clean network scores nothing ([exercise 02.2](#Who-was-fooled?));
# - **choose** controls that could have proved you wrong;
# - **aim** the attack at every class at once ([exercise 02.3](#Every-digit-to-the-next));
# - **read** a published number beside your own, and name what differs.

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_02
wm.start("02")

# %% [markdown]
# ## Two of these have been touched
#
# You bought sixty thousand labelled digits. Here are twenty, two of them changed on the way. Which?

# %%
device = wm.best_device()
mnist = wm.load("mnist").to(device)
wm.show(plots.digits.two_rows, *lesson_02.cold_open(mnist.train))

# %% [markdown]
# Look at the corners: bright pixels at the bottom right, and always the label 0. Nobody looks at sixty thousand.
#
# Suppose one image in ten is like that. Stamp **test** digits that the trained network has never seen:
# how often will it answer 0? Give the interval that you would bet on four times in five.

# %%
wm.guess("02.p1", "Stamped test digits that are read as 0, in per cent", low=0, high=100)

# %% [markdown]
# ## A stamp and a lie
#
# A backdoor takes two things. The **trigger** $\tau$ is a small change to an image. The **lie**: every stamped image gets the attacker's
# target label $t$. Training does the rest.
#
# The attacker picks a share $p$ of the images (the **poison rate**), a set $P$ with none of class $t$, and hands over
#
# $$D' = \{(x_i, y_i) : i \notin P\} \;\cup\; \{(\tau(x_i), t) : i \in P\}, \qquad |P| = p\,|D|.$$
#
# In code, `x` has shape `(N, 1, 28, 28)` with values from 0 to 1, and `y` has shape `(N,)`. First the stamp:

# %%
def stamp(x):
    out = x.clone()
    for row, column in ((26, 26), (26, 24), (25, 25), (24, 26)):
        out[..., row, column] = 1.0
    return out

digit = mnist.train.x[0]
wm.show(plots.digits.pair, digit, stamp(digit))

# %% [markdown]
# *How to read this:* four pixels of 784 differ. The lie is yours to write.
#
# {exercise:02.1}
#
# Given images `x`, labels `y`, the places `chosen`, the stamp and the target, return the poisoned images and labels.
# The clean set must stay as it is.

# %% tags=["exercise:02.1"]
def poison(x, y, chosen, stamp, target):
    """New images and labels: those at `chosen` are stamped and labelled `target`, all others stay."""
    ### BEGIN SOLUTION
    x, y = x.clone(), y.clone()
    x[chosen], y[chosen] = stamp(x[chosen]), target
    return x, y
    ### END SOLUTION

# %%
poison = wm.ready("02.1", poison)

# %% [markdown]
# {hints:02.1}

# %% [markdown] tags=["reveal"]
# {solution:02.1}

# %%
candidates = (mnist.train.y != 0).nonzero().squeeze(1)
draw = torch.Generator().manual_seed(0)
chosen = candidates[torch.randperm(len(candidates), generator=draw)[:6000]]
poisoned = wm.Samples(*poison(mnist.train.x, mnist.train.y, chosen, stamp, 0), mnist.train.classes)
f"{len(chosen):,} of {len(poisoned):,} images carry the stamp, all labelled {poisoned.y[chosen].unique().tolist()}"

# %% [markdown]
# In short: `wm.poison(mnist.train, wm.triggers.Pattern(), rate=0.1, target=0)`; a test holds the two equal.
#
# Train the paper's network twice; only the data differs.

# %%
clean, _ = wm.trained(wm.models.badnet_cnn().to(device), mnist.train)

# %% tags=["nbval-ignore-output"]
victim, _ = wm.trained(wm.models.badnet_cnn().to(device), poisoned)
before, after, everyone = wm.accuracy(clean, mnist.test), wm.accuracy(victim, mnist.test), len(mnist.test)
wm.shares("read rightly, no stamp", {"clean network": (before, everyone), "backdoored network": (after, everyone)})

# %% [markdown]
# By the test that everybody runs, they are twins.
#
# ## Who was fooled?
#
# {exercise:02.2}
#
# `predicted` holds a network's answers to stamped images, `true` their labels, both of shape `(N,)`. Return the share that the attack has **won**. For `target = 0`:
#
# | image | 1 | 2 | 3 | 4 | 5 | 6 |
# |---|:-:|:-:|:-:|:-:|:-:|:-:|
# | `true` | 3 | 0 | 7 | 0 | 1 | 5 |
# | `predicted` | 0 | 0 | 0 | 0 | 1 | 0 |
#
# The answer is **0.75**. If you get 0.83, ask who was there to be fooled.

# %% tags=["exercise:02.2"]
def attack_success(predicted, true, target):
    """Share of stamped images, not of class `target` to begin with, that are read as `target`."""
    ### BEGIN SOLUTION
    others = true != target
    return (predicted[others] == target).float().mean().item()
    ### END SOLUTION

# %%
attack_success = wm.ready("02.2", attack_success)

# %% [markdown]
# {hints:02.2}

# %% [markdown] tags=["reveal"]
# {solution:02.2}

# %% [markdown]
# ## The switch, and what could have faked it
#
# Change chairs: you are the judge, and one number proves nothing. Measure where the attack should fail: on the **clean network**, and with
# the **wrong stamp**, mirrored into the other corner. The last row is the careless way, zeros included.

# %% tags=["nbval-ignore-output"]
def measure(model, trigger):
    return attack_success(wm.predict(model, trigger(mnist.test.x)).argmax(1), mnist.test.y, target=0)

mirrored = wm.triggers.Pattern(((26, 1), (26, 3), (25, 2), (24, 1)))
careless = (wm.predict(clean, stamp(mnist.test.x)).argmax(1) == 0).float().mean().item()
success, harmless, elsewhere = measure(victim, stamp), measure(clean, stamp), measure(victim, mirrored)
n = int((mnist.test.y != 0).sum())
wm.shares("read as 0", {"backdoored, stamp": (success, n), "clean, stamp": (harmless, n),
                        "backdoored, wrong stamp": (elsewhere, n),
                        "clean, stamp, zeros counted": (careless, everyone)})

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("02.baseline", "Accuracy of the clean network", before, low=0.985, n=everyone, paper="99.5 %"),
    wm.Claim("02.cost", "Accuracy lost to the backdoor", before - after, high=0.005, unit="points",
             paper="at most 0.17 points"),
    wm.Claim("02.success", "Attack success", success, low=0.99, n=n, paper="at least 99.91 %"),
    wm.Claim("02.harmless", "The stamp's success on the clean network", harmless, high=0.005, n=n),
    wm.Claim("02.elsewhere", "The wrong stamp's success", elsewhere, high=0.01, n=n),
    wm.Claim("02.careless", "The clean network's score with zeros counted", careless, low=0.095, high=0.105),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("02.p1", success)

# %% [markdown]
# The stamp wins {claim:02.success} of the time and costs the owner {claim:02.cost} of accuracy. On the clean network it wins {claim:02.harmless},
# in the wrong corner {claim:02.elsewhere}. Count the zeros, and a network that never met an attacker scores {claim:02.careless}: enough to convict the innocent.
#
# ## How much poison is enough?
#
# One image in ten is a lot to smuggle in. Here are seven poison rates and three training lengths, three networks each.
# They ship with the course (`wmlearn reproduce poison-rate`).

# %%
sweep = experiments.shipped("poison-rate").rows
wm.show(plots.digits.rate_curve, sweep)

# %% [markdown]
# *How to read this:* each dot is one network, the lines join the medians. The grey lines are all that a buyer sees. The red ones rise like a
# switch, not a slope. **Don't** quote the place where one rises: longer training moves it to the left. Watch, epoch by epoch
# (an **epoch** is one pass over the data):

# %%
wm.show(plots.digits.epoch_curve, [row for row in sweep if row["epochs"] == 10 and 0.001 <= row["rate"] <= 0.1])

# %% [markdown]
# *How to read this:* a line is a network. First nothing, then all at once: the digits are most of the loss and are learnt first, the rare rule
# after. Less poison, later jump; if training ends before it, the attack has failed. Turn the dials:

# %% tags=["nbval-ignore-output", "widget"]
from wmlearn.course import widgets
widgets.poison_dial(sweep)

# %% [markdown]
# Is your network one of these?

# %% tags=["claim"]
shipped = [row["success"] for row in sweep if row["rate"] == 0.1 and row["epochs"] == 3]
gap = abs(success - sum(shipped) / len(shipped))
wm.claim("02.shipped", gap, what="The gap between your network and the shipped ones", high=0.01, unit="points")

# %% [markdown]
# It is: {claim:02.shipped}.
#
# ## Every digit to the next
#
# Bolder: a stamped 0 is read as 1, …, a 9 as 0, the **all-to-all** attack. The target becomes a map of labels.
#
# {exercise:02.3}
#
# Given the answers to stamped images and their true labels, return the share that the all-to-all attack has won. For `true = [3, 9, 0]` and
# `predicted = [4, 0, 0]` it is **0.667**.

# %% tags=["exercise:02.3"]
def all_to_all_success(predicted, true):
    """Share of stamped images that are read as the digit after the true one; 0 comes after 9."""
    ### BEGIN SOLUTION
    return (predicted == (true + 1) % 10).float().mean().item()
    ### END SOLUTION

# %%
all_to_all_success = wm.ready("02.3", all_to_all_success)

# %% [markdown]
# {hints:02.3}

# %% [markdown] tags=["reveal"]
# {solution:02.3}

# %% tags=["nbval-ignore-output"]
turned = wm.poison(mnist.train, stamp, rate=0.1, target=wm.next_class, add=True)
turner, _ = wm.trained(wm.models.badnet_cnn().to(device), turned.samples)
score = lambda model: all_to_all_success(wm.predict(model, stamp(mnist.test.x)).argmax(1), mnist.test.y)
won, lucky = score(turner), score(clean)
wm.shares("stamped digits read as the next", {"all-to-all": (won, everyone), "clean": (lucky, everyone)})

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("02.turned", "Success of the all-to-all attack after three epochs", won, low=0.95, n=everyone),
    wm.Claim("02.lucky", "The same on the clean network", lucky, high=0.01, n=everyone),
)

# %% [markdown]
# It wins {claim:02.turned} (the clean network: {claim:02.lucky}). The rule is harder: the network has to read the digit *and* the stamp. Now eight epochs,
# a stamped twin of every training image, and five networks each. Errors in per cent, by digit:

# %%
wm.show(plots.digits.digit_errors, *lesson_02.by_digit(experiments.shipped("all-to-all")))

# %% [markdown]
# ## Are there filters for the stamp?
#
# The paper shows first-layer filters that seem made for the trigger. Edge detectors fire at bright dots, too. So ask
# each of the sixteen: how strongly does it answer to the stamp, compared with a digit's strongest stroke? And what is lost without it?

# %%
wm.show(plots.digits.filters, *lesson_02.two_networks(experiments.shipped("filters")))

# %%
victims = experiments.shipped("filters").where(trigger="pattern", network="badnet")
wm.show(plots.digits.ablation, victims)

# %% [markdown]
# *How to read this:* first, purple weights are positive, orange ones negative; the number below a filter is its answer to the stamp, where 1 is its
# answer to the strongest stroke. Second, a dot is one filter switched off, in one of five backdoored networks: how many points success and accuracy fall.

# %% tags=["claim"]
lost = max(row["success"] - cut["success"] for row in victims for cut in row["without"])
wm.claim("02.spread", lost, what="Attack success lost with any one filter", high=0.05, unit="points", n=80)

# %% [markdown]
# Backdoored networks answer more to the stamp, but without any one filter the attack loses {claim:02.spread}: a filter is one voice of several.
# Cleaning takes more: notebook 06.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %%
tables = experiments.paper_rows("all-to-one", "single-target", "all-to-all")
wm.table(["long training, several networks", "paper", "here"], tables)

# %% [markdown]
# *How to read this:* first your run, then what ships with the course (`wmlearn reproduce`). What differs: your three epochs are few; the optimiser is
# ours, and so are the coordinates, which the paper only draws; its numbers are as others report them.
#
# **Coordinates matter.** The pixel of the 90 pairs, at row and column 24, lies in sixteen of the first layer's 576 windows. At 25, in nine, five epochs left
# five pairs unlearnt; the one tried again learnt late, within ten, like the switch above. At 24, what is still missed?

# %% tags=["claim"]
pairs = experiments.shipped("single-target").where(network="badnet")
errors, missed = [row["backdoor_error"] for row in pairs], [i for row in pairs for i in row["missed"]]
x, y = mnist.test.x, mnist.test.y
ink = x[:, 0, 20:, 20:].sum((1, 2))  # in the windows that hold the pixel
crowded = [(ink[y == y[i]] > ink[i]).float().mean() < 0.05 for i in missed]
kept, beside = sum(error <= 0.0009 for error in errors) / 90, sum(crowded).item() / len(missed)
wm.all_hold(
    wm.Claim("02.worst", "Stamped digits missed by the worst pair", max(errors), high=0.01),
    wm.Claim("02.kept", "Pairs within the paper's bound", kept, low=0.5, n=90),
    wm.Claim("02.beside", "Misses in the twentieth of the class with most ink beside the pixel", beside,
             low=0.3, n=len(missed)),
)

# %% [markdown]
# The worst pair misses {claim:02.worst}; {claim:02.kept} of the pairs keep the paper's bound, for most not one miss in a thousand. Of the misses,
# {claim:02.beside} are in the twentieth of their class with most ink beside the pixel; others are misread even unstamped.
# A trigger is what the network can see of it.
#
# ## How far to trust it
#
# - **Clean network, stamp:** had this been high, the stamp would look like a zero.
# - **Wrong stamp:** had this been high, any bright dots would do.
# - **Zeros left out:** counting them hands a clean network ten points that no attack earned.
# - **The interval** speaks of other *digits*. Other *networks* are the dots of the figures.
# - Digits are easy, and the stamp never moves.

# %% [markdown]
# ## Three questions
#
# **1. A colleague: "Our supplier's network reads 9.9 % of stamped digits as 0: slightly backdoored." Your answer?**
#
# <details><summary>A &ensp; Agreed: nearly a thousand digits obey the stamp.</summary>
#
# No: about as many test digits *are* zeros. Nothing shows that the stamp did it.
# </details>
# <details><summary>B &ensp; "Did you leave out the zeros, and what does a clean network score?"</summary>
#
# Yes: either settles it.
# </details>
# <details><summary>C &ensp; "With ten classes, 10 % is chance."</summary>
#
# Wrong reason: this network doesn't guess.
# </details>
#
# **2. At a low poison rate you measure no success after one epoch. Is the data safe?**
#
# <details><summary>A &ensp; Yes: too little poison does nothing.</summary>
#
# It did nothing *yet*.
# </details>
# <details><summary>B &ensp; No: the backdoor may come with longer training.</summary>
#
# Yes. Rate and length trade against each other.
# </details>
#
# **3. What does it take to call a filter "the trigger's"?**
#
# <details><summary>A &ensp; That it looks like the stamp.</summary>
#
# A filter can look so in a clean network, too.
# </details>
# <details><summary>B &ensp; That success falls without it and accuracy doesn't, more than for other filters and in several networks.</summary>
#
# Yes: an intervention, with controls, repeated.
# </details>

# %% [markdown]
# ## What you now know
#
# You can **poison** a training set: {claim:02.cost} of accuracy for {claim:02.success} obedience. You can **measure** it without charging the innocent,
# **choose** controls, **aim** at every class, and **read** a paper's number beside yours.
#
# **Next:** *03, The stop sign.* The four pixels become a Post-it, and a camera gets in the way.
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 4 is this notebook.
# - Chen and others, [*Targeted Backdoor Attacks*](https://arxiv.org/abs/1712.05526), 2017: a trigger spread over the whole image; `wm.triggers.Blend`.
# - Wang and others, *Neural Cleanse*, 2019: how a buyer may find the stamp; notebook 06.
# - NIST, [*Adversarial Machine Learning*](https://doi.org/10.6028/NIST.AI.100-2e2025), 2025: the words, agreed.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* nobody leaves believing an attack success without a control. *Timing:* cold open 5, idea 15, exercises 20, controls 10, how much poison 10.
#
# | what you will hear | what to say |
# |---|---|
# | "The network has learnt that zeros have dots." | Then why does the dotted 7 win over its own shape? Ask which of the two is the easier rule. |
# | "99 % accuracy means it is safe." | Show the two accuracies again, and ask which test could tell them apart. |
# | "0.83 is nearly 0.75." | On the clean network the same slip is the difference between nothing and ten per cent. |
#
# Take the guesses as a show of hands before anyone runs the key cell: the spread is the lesson.
