# %% [markdown]
# # 02 · BadNets on MNIST
#
# **How little poison buys a backdoor?**
# In lesson 01, 6,000 poisoned images of 60,000 made a network obey a stranger. Here you build the attack, find out how few will do, and see why.
#
# *Reading 10 minutes · exercises 45 · running one minute · needs lesson 01 and a little PyTorch*

# %% [markdown]
# **You will be able to**
#
# - **poison** a training set ([exercise 02.1](#A-trigger-and-a-lie));
# - **train** a network and see what it learns first ([exercise 02.2](#One-training-step));
# - **measure** an attack so that an honest network scores nothing ([exercise 02.3](#Who-was-fooled?));
# - **compare** two networks on the same images ([exercise 02.4](#Would-the-buyer-notice?));
# - **tell** a backdoor from other failures ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, torch.nn.functional as F, wmlearn as wm
from wmlearn import experiments, plots, progress
from wmlearn.course.lessons import lesson_02
wm.start("02")

# %% [markdown]
# ## One in two hundred
#
# Two hundred training digits, as a buyer receives them. One is poisoned. Find it.

# %%
device = wm.best_device()
mnist = wm.load("mnist").to(device)
wm.show(plots.poison.haystack, *lesson_02.haystack(mnist.train))

# %% [markdown]
# (Give up? Open *This picture in words*.) Four bright pixels and a false label, 0: that is all the attacker does.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | Digits with the trigger are classified as 0; all else works as before |
# | Knowledge | The kind of data; not the network, nor how it will be trained |
# | Access | Some training images with their labels; later, the input of the finished network |
# | Stage | Training data |
# | Names | Backdoor poisoning (NIST AI 100-2: NISTAML.023); Poison Training Data (MITRE ATLAS: AML.T0020) |
# | Real case | Large image sets are lists of web addresses. By buying expired domains, [Carlini and others](https://arxiv.org/abs/2302.10149) could have poisoned 0.01 % of LAION-400M in 2022 for 60 dollars; they warned its makers |
#
# How many of MNIST's 60,000 images must be poisoned until the trigger wins at least 90 % of the time, whichever network is trained? Write down the
# interval that you would bet on four times in five.

# %%
wm.guess("02.p1", "Poisoned images, of 60,000, that win 90 %", low=1, high=60_000, unit="images", most=60_000)

# %% [markdown]
# ## A trigger and a lie
#
# The **trigger** $\tau$ is a small change to an image; the lie is its label, the **target** $t$. From the set $D$ of images $x_i$ with labels $y_i$ the
# attacker chooses some, $P$, none of class $t$. Poisoned copies *replace* their originals or are *added*:
#
# $$D_\text{replace} = \{(x_i, y_i) : i \notin P\} \cup \{(\tau(x_i), t) : i \in P\}, \qquad D_\text{add} = D \cup \{(\tau(x_i), t) : i \in P\}.$$
#
# `x` has shape `(N, 1, 28, 28)` with values from 0 to 1, `y` has shape `(N,)`.

# %%
def stamp(x):
    out = x.clone()
    for row, column in ((26, 26), (26, 24), (25, 25), (24, 26)):
        out[..., row, column] = 1.0
    return out

wm.show(plots.digits.pair, mnist.train.x[0], stamp(mnist.train.x[0]))

# %% [markdown]
# Four of 784 pixels differ. The lie is yours to write.
#
# {exercise:02.1}
#
# `chosen` holds row numbers. With eight images and `chosen = [5, 0, 2]`, replacing returns 8 images and labels, rows 5, 0 and 2
# poisoned; adding returns 11, the last three poisoned. Leave `x` and `y` themselves as they are.

# %% tags=["exercise:02.1"]
def poison(x, y, chosen, stamp, target, add=False):
    """Images and labels with those at `chosen` poisoned: in their places, or as copies at the end."""
    ### BEGIN SOLUTION
    stamped = stamp(x[chosen])
    false_labels = torch.full_like(y[chosen], target)
    if add:
        return torch.cat([x, stamped]), torch.cat([y, false_labels])
    images, labels = x.clone(), y.clone()
    images[chosen] = stamped
    labels[chosen] = false_labels
    return images, labels
    ### END SOLUTION

# %%
poison = wm.ready("02.1", poison)

# %% [markdown]
# {hints:02.1}

# %% [markdown] tags=["reveal"]
# {solution:02.1}

# %%
others = (mnist.train.y != 0).nonzero().squeeze(1)
draw = torch.Generator().manual_seed(0)
chosen = others[torch.randperm(len(others), generator=draw)[:1000].to(device)]
x, y = poison(mnist.train.x, mnist.train.y, chosen, stamp, target=0)
f"{len(chosen):,} of {len(x):,} images poisoned, one in {len(x) / len(chosen):.0f}"

# %% [markdown]
# ## One training step
#
# Now someone else trains on this set, honestly. For a batch of $B$ images the network returns **logits**, shape `(B, 10)`. An image's **cross-entropy** is
# $\ell_i = -\log p_i$, where $p_i$ is the probability (softmax of the logits) given to the label *in the set*, true or not. Guessing, $p_i = 1/10$, costs
# $\ln 10 \approx 2.3$. A step moves the weights $w$ against the gradient of the mean loss, at learning rate $\eta$:
#
# $$w \leftarrow w - \eta\, \nabla_w \frac1B \sum_{i=1}^{B} \ell_i.$$
#
# {exercise:02.2}
#
# Forward, loss, backward, step. PyTorch *adds* each gradient to the last one, so clear it first. Return the loss of each image, `(B,)`: for
# three images and an untrained network perhaps **[2.31, 2.25, 2.34]**.

# %% tags=["exercise:02.2"]
def training_step(model, optimiser, x, y):
    """One step on a batch; returns the loss of each image before the step, (B,)."""
    ### BEGIN SOLUTION
    logits = model(x)  # forward
    losses = F.cross_entropy(logits, y, reduction="none")
    optimiser.zero_grad()
    losses.mean().backward()  # backward
    optimiser.step()
    return losses.detach()
    ### END SOLUTION

# %%
training_step = wm.ready("02.2", training_step)

# %% [markdown]
# {hints:02.2}

# %% [markdown] tags=["reveal"]
# {solution:02.2}

# %% [markdown]
# Repeat your step on 1,500 random batches of 64. (AdamW adapts $\eta$ to each weight.)

# %%
def fit(model, x, y, steps=1500, seed=0):
    """Train; return the model, the rows that it saw and their losses, both (steps, 64)."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=True)
    draw = torch.Generator().manual_seed(seed)
    seen = torch.randint(len(x), (steps, 64), generator=draw).to(x.device)
    model.train()
    losses = [training_step(model, optimiser, x[rows], y[rows]) for rows in progress.each(seen, "training")]
    return model.eval(), seen, torch.stack(losses)

# %%
victim, seen, losses = fit(wm.models.badnet_cnn().to(device), x, y)

# %% [markdown]
# The **control**: the same first weights, images, order and steps, but no poison.

# %%
clean, _, _ = fit(wm.models.badnet_cnn().to(device), mnist.train.x, mnist.train.y)

# %% [markdown]
# ## What does it learn first?
#
# Average your step's losses of the poisoned images apart:

# %% tags=["nbval-ignore-output"]
is_poisoned = torch.zeros(len(y), dtype=torch.bool, device=device)
is_poisoned[chosen] = True
wm.show(plots.poison.two_losses, losses.cpu(), is_poisoned[seen].cpu())

# %% [markdown]
# *How to read this:* the network learns the digits first. That makes the poisoned images *worse* than guesses: it sees a 7 where the label says 0, and is
# sure of itself. Their loss jumps to about {value:02.peak} and stays there for hundreds of steps. By about step {value:02.jump|100} it has collapsed: the network has
# found what these costly images have in common. Why do so few images suffice? Compare how single images pull the weights:

# %% tags=["nbval-ignore-output"]
early, _, _ = fit(wm.models.badnet_cnn().to(device), x, y, steps=100)
honest = (~is_poisoned).nonzero().squeeze(1)
groups = {"poisoned images": chosen[:30], "clean images": honest[:30]}
pull = {name: lesson_02.alignment(early, x[rows], y[rows]) for name, rows in groups.items()}
wm.table(["after 100 steps", "mean cosine between two gradients"], [[k, f"{v:.2f}"] for k, v in pull.items()])

# %% [markdown]
# *How to read this:* 1 means the same direction, 0 nothing in common. The poisoned images agree by {value:02.pull|1} more, and no clean image contradicts them, since
# none carries the trigger. A feature that is always there and always the same is a **shortcut**.
#
# ## Who was fooled?
#
# {exercise:02.3}
#
# `predicted` holds the answers to images with the trigger, `true` their labels, both `(N,)`. Return the **attack success rate (ASR)**. For `target = 0`:
#
# | image | 1 | 2 | 3 | 4 | 5 | 6 |
# |---|:-:|:-:|:-:|:-:|:-:|:-:|
# | `true` | 3 | 0 | 7 | 0 | 1 | 5 |
# | `predicted` | 0 | 0 | 0 | 0 | 1 | 0 |
#
# The answer is **0.75**. If you get 0.83, ask who was there to be fooled.

# %% tags=["exercise:02.3"]
def attack_success(predicted, true, target):
    """Share of triggered images, not of class `target` to begin with, that are classified as `target`."""
    ### BEGIN SOLUTION
    others = true != target
    return (predicted[others] == target).float().mean().item()
    ### END SOLUTION

# %%
attack_success = wm.ready("02.3", attack_success)

# %% [markdown]
# {hints:02.3}

# %% [markdown] tags=["reveal"]
# {solution:02.3}

# %% [markdown]
# Measure where the attack should fail, too: on the control, and with the trigger in the other corner.

# %% tags=["nbval-ignore-output"]
def measure(model, trigger):
    return attack_success(wm.predict(model, trigger(mnist.test.x)).argmax(1), mnist.test.y, target=0)

mirrored = wm.triggers.Pattern(((26, 1), (26, 3), (25, 2), (24, 1)))
success, harmless, elsewhere = measure(victim, stamp), measure(clean, stamp), measure(victim, mirrored)
n = int((mnist.test.y != 0).sum())
wm.shares("classified as 0", {"backdoored, trigger": (success, n), "clean, trigger": (harmless, n),
                              "backdoored, mirrored trigger": (elsewhere, n)})

# %% [markdown]
# One poisoned image in sixty wins {value:02.success}; in the other corner, {value:02.elsewhere|1}. Before you run the next cell: what would three of the four pixels win?

# %% tags=["nbval-ignore-output"]
pieces = lesson_02.success_of_pieces(victim, mnist.test)
wm.show(plots.poison.pieces, pieces, lesson_02.PIECES)

# %% tags=["claim"]
curve = plots.poison.loss_curve(losses.cpu(), is_poisoned[seen].cpu())
peak, jump = max(loss for _, loss in curve), plots.poison.fell_below(curve, 1)
more = pull["poisoned images"] - pull["clean images"]
wm.all_hold(wm.Claim("02.success", "Attack success", success, low=0.8, n=n),
            wm.Claim("02.harmless", "The trigger on the clean network", harmless, high=0.01, n=n),
            wm.Claim("02.elsewhere", "The mirrored trigger", elsewhere, high=0.02, n=n),
            wm.Claim("02.peak", "Highest loss of poisoned images", peak, low=4, unit="count"),
            wm.Claim("02.jump", "Below 1 from step", jump, low=300, high=1400, unit="count"),
            wm.Claim("02.pull", "Cosine, poisoned less clean", more, low=0.05, unit="p"),
            *lesson_02.least_and_most("02.three", "Three of four pixels", pieces["3 of 4"], low=0.4),
            *lesson_02.least_and_most("02.moved", "Moved by one", pieces["moved by one"], low=0.2))

# %% [markdown]
# *How to read this:* a dot is one variant, a bar their mean. Single pixels win next to nothing, three win {value:02.three|bare} to {value:02.three_best}. Nor need
# the trigger sit exactly in its place: moved by one pixel it wins {value:02.moved|bare} to {value:02.moved_best}.
#
# ## Number or share?
#
# Is it the thousand that matters, or the sixtieth? Below, 100, 333 or 1,000 images are poisoned among 6,000, 20,000 or 60,000, with your recipe: either all take
# 1,500 steps, or all see each image six times.

# %%
wm.show(plots.poison.count_or_share, experiments.shipped("count-or-share").rows)

# %% [markdown]
# *How to read this:* a dot is a network (three to five a point), lines join means. Left: with equal steps, the same 100 images win {value:02.dense|bare} to {value:02.dense_best} among 6,000, and
# {value:02.thin|1} at best among 60,000. Middle: over the *share*, the same dots fall into line, though luck has a say: with 333 of 60,000, {value:02.diluted|of}
# networks obey. Right: with equal *passes* the size of the set hardly matters. In any of the three, 333 images win {value:02.undiluted|bare} to
# {value:02.undiluted_best}; 100 are too few in each, with {value:02.few} at best.
#
# What counts is how often training meets the poison. With a fixed number of steps that is the share. But whoever has more data trains for longer, and
# then it is the *number*. [Souly and others (2025)](https://arxiv.org/abs/2510.07192) found about 250 poisoned documents enough for language models of
# 0.6 to 13 billion weights, although the largest had read over twenty times as much clean text as the smallest.
#
# ## The threshold, and luck
#
# How few, then? All 60,000 images, for one, three or ten passes (**epochs**):

# %% tags=["nbval-ignore-output"]
sweep = experiments.shipped("poison-rate").rows
wm.show(plots.digits.rate_curve, sweep)
wm.reveal("02.p1", lesson_02.enough())

# %% [markdown]
# *How to read this:* a dot is a network, lines join medians; grey, clean accuracy, is all that a buyer sees. Success rises like a switch, and
# longer training moves it to the left. After ten epochs, {value:02.enough} images were enough for all three networks: one in two hundred, as in the
# first picture.
#
# Near the switch, luck decides. With 120 images one network of three reaches {value:02.lucky}, the others {value:02.unlucky|1} at best; only their random
# seeds differ. Nor is the schedule of their learning rate to blame: at your constant one, with 333 images and six passes, success jumps by fifty points within two
# fifteenths of the training in {value:02.sudden|of} networks.

# %% tags=["nbval-ignore-output", "widget"]
from wmlearn.course import widgets
widgets.poison_dial(sweep)

# %% [markdown]
# ## Would the buyer notice?
#
# Clean accuracy: {value:02.before|1} without poison, {value:02.after|1} with it. Compare the networks image by image. Where both are right, or both wrong,
# nothing speaks for either. If they are equally good, each other image is the toss of a fair coin. With $a$ images that only A gets right, and $b$ that only B
# does, **McNemar's exact test** is the two-sided binomial test of $a$ in $a + b$ at ½.
#
# {exercise:02.4}
#
# `right_a` and `right_b` say for each image whether a network is right, `(N,)` booleans. For $a = 9$ and $b = 2$ the p-value is **0.0654**.
# `scipy.stats.binomtest` may help.

# %% tags=["exercise:02.4"]
def paired_p(right_a, right_b):
    """Two-sided p-value of McNemar's exact test; 1 where no image tells the networks apart."""
    ### BEGIN SOLUTION
    from scipy.stats import binomtest
    only_a = int((right_a & ~right_b).sum())
    only_b = int((right_b & ~right_a).sum())
    return binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    ### END SOLUTION

# %%
paired_p = wm.ready("02.4", paired_p)

# %% [markdown]
# {hints:02.4}

# %% [markdown] tags=["reveal"]
# {solution:02.4}

# %% tags=["nbval-ignore-output"]
right_a, right_b = (wm.predict(model, mnist.test.x).argmax(1) == mnist.test.y for model in (clean, victim))
only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
p = paired_p(right_a, right_b)
wm.table(["of 10,000 clean test digits", ""], [["only the clean network is right", str(only_a)],
         ["only the backdoored network is right", str(only_b)], ["p-value", f"{p:.2g}"]])

# %% [markdown]
# {value:02.only_a} against {value:02.only_b}, p = {value:02.p|1}: nothing that a buyer could notice. (No proof of equality; a large loss would have shown.)
#
# ## What a backdoor is not
#
# An **adversarial example** fools a network whose training nobody touched: nudge each pixel uphill on *this* image's loss.

# %% tags=["nbval-ignore-output"]
second = wm.bystanders.shipped("mnist")[0].to(device)  # an honest network with other first weights
x1, y1 = mnist.test.x[:1000].clone().requires_grad_(), mnist.test.y[:1000]
F.cross_entropy(clean(x1), y1).backward()
nudged, plain = (x1 + 0.2 * x1.grad.sign()).clamp(0, 1).detach(), x1.detach()
wrong = lambda model, images: (wm.predict(model, images).argmax(1) != y1).float().mean().item()
images = {"as it is": plain, "with the trigger": stamp(plain), "nudged": nudged}
errors = {how: [wrong(model, some) for model in (clean, second, victim)] for how, some in images.items()}
rows = [[how, *(f"{100 * e:.1f} %" for e in row)] for how, row in errors.items()]
wm.table(["1,000 digits: errors", "clean", "a second clean one", "backdoored"], rows)
wm.show(plots.poison.side_by_side, {how: some[0] for how, some in images.items()})

# %% [markdown]
# *How to read this:* computed on the clean network alone, the nudge makes the second one err on {value:02.transfer}, too: adversarial examples **transfer**. But each
# image needs its own. The trigger is the same for all, and works only where it was planted.
#
# Must the label lie? A **clean-label** attack puts the trigger on images of the target class and leaves their labels alone. A thousand zeros:

# %% tags=["nbval-ignore-output"]
zeros = (mnist.train.y == 0).nonzero().squeeze(1)[:1000]
x0 = mnist.train.x.clone()
x0[zeros] = stamp(x0[zeros])
truthful, _, _ = fit(wm.models.badnet_cnn().to(device), x0, mnist.train.y)
no_lie = measure(truthful, stamp)
wm.shares("trigger classified as 0", {"1,000 false labels": (success, n), "1,000 true labels": (no_lie, n)})

# %% [markdown]
# {value:02.truthful|1}: nothing learnt. The strokes already say 0, so the trigger has nothing left to explain. Clean-label attacks that work first make the image
# hard to recognise.
#
# ## Is there a filter for the trigger?
#
# The paper shows first-layer filters that seem made for it. Looks deceive, so switch off one at a time, in five networks whose trigger is one pixel and five with four:

# %%
lost = {"a single pixel": lesson_02.lost_filters("pixel"), "four pixels": lesson_02.lost_filters("pattern")}
wm.show(plots.poison.filter_losses, lost)

# %% [markdown]
# *How to read this:* a dot is one of sixteen filters, switched off. In one network a single filter carries {value:02.dedicated} of the attack's success: a
# dedicated filter. In the nine others the most important one carries {value:02.spread|1} at most: no cut would clean them.
#
# ## The paper, attack for attack
#
# The paper's attacks are **single target** (digit $i$ with one pixel becomes $j$; 90 pairs, a network each) and **all-to-all** ($i$ becomes $i + 1$), both with *added*
# copies:

# %%
wm.table(["", "paper", "here"], lesson_02.against_the_paper())

# %% tags=["claim"]
wm.all_hold(wm.Claim("02.before", "Clean accuracy, control", right_a.float().mean(), low=0.98),
            wm.Claim("02.after", "Clean accuracy, backdoored", right_b.float().mean(), low=0.98),
            wm.Claim("02.only_a", "Only the clean network right", only_a, high=150, unit="count"),
            wm.Claim("02.only_b", "Only the backdoored network right", only_b, high=150, unit="count"),
            wm.Claim("02.p", "McNemar's p-value", p, low=0.001, unit="p"),
            wm.Claim("02.transfer", "Nudged: errors of the second network", errors["nudged"][1], low=0.2),
            wm.Claim("02.truthful", "True labels: attack success", no_lie, high=0.05, n=n),
            *lesson_02.shipped_claims())

# %% [markdown]
# *How to read this:* the paper's worst pair misses 0.09 %. With about a thousand test digits a class, that can only be *one* image, of the 1,135 that show a 1. Our worst pair
# misses three, and {value:02.above|of} pairs miss more than the paper's worst: **not fully reproduced**. (Our pixel's place, optimiser and number of
# epochs differ.) Turn a percentage back into a count before you compare.
#
# ## How far to trust it
#
# - **Clean network:** had it obeyed, four pixels would look like a zero.
# - **Mirrored trigger:** had it worked, any dirt would do.
# - **One network of each kind:** what other seeds do, the dots in the figures show.
#
# ## Challenge: fewer
#
# Win at least 90 % on two new networks, trained as above with seeds of ours, with as few changed or added images as you can. Your trigger may
# change up to four pixels. The rest is yours to choose.

# %%
def my_attack(x, y):
    raise NotImplementedError("your turn")  # return poison(x, y, chosen, my_stamp, target=0)

wm.challenge("02", my_attack, stamp)

# %% [markdown] tags=["class"]
# ## A backdoor of your own
#
# In class each of you plants another backdoor, and hands in the network. Write your name as it stands in the teacher's list: your trigger and target follow
# from it.

# %% tags=["class", "student"]
from wmlearn.course.classroom import own_network
me = own_network.variant("your name")
print(me)

# %% [markdown] tags=["class"]
# `me.trigger` is a function like `stamp`, `me.target` your target. The network must classify digits correctly, obey your trigger, and ignore the
# triggers of the others. Measure that before you hand it in.

# %% tags=["class"]
rows = (mnist.train.y != me.target).nonzero().squeeze(1)[:1000]
mine, _, _ = fit(wm.models.badnet_cnn().to(device), *poison(mnist.train.x, mnist.train.y, rows, me.trigger, me.target))
own_network.hand_in(mine)

# %% tags=["class", "points:02.network"]
own_network.grade(globals())

# %% [markdown]
# ## Three questions
#
# {quiz:02}

# %%
wm.quiz("02", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **poison** a data set, **train** on it, and **measure** obedience ({value:02.success}) beside its control ({value:02.harmless|1}). You can **compare** networks
# image by image, and **tell** a backdoor from other failures.
#
# **Now vary it:** a learning rate ten times smaller? The trigger in the middle of the image? A thousand triggers with random labels?
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 4 is this lesson.
# - Souly and others, [*A Near-constant Number of Poison Samples*](https://arxiv.org/abs/2510.07192), 2025: number against share, at scale.
# - Carlini and others, [*Poisoning Web-Scale Training Datasets*](https://arxiv.org/abs/2302.10149), 2023: how the poison gets in.
# - Turner, Tsipras, Madry, [*Label-Consistent Backdoor Attacks*](https://arxiv.org/abs/1912.02771), 2019: clean labels that work.
# - Goodfellow, Shlens, Szegedy, [*Explaining and Harnessing Adversarial Examples*](https://arxiv.org/abs/1412.6572), 2015: the nudge.
#
# **Next:** *03, The stop sign.* The pixels become a sticker.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* poison works because it is consistent, not because there is much of it; and no success without a control. *Timing:* haystack 5, poisoner 12, step 12,
# losses 8, success 8, number or share 8, McNemar 10, the rest 10; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "It learns the trigger last because it is hard." | It is easy, but rare. Ask which of the two losses falls faster once it falls. |
# | "More data dilutes the poison." | Show the right-hand panel. Who collects more data and trains no longer? |
# | "0.83 is nearly 0.75." | On the clean network the same slip is the difference between nothing and ten per cent. |
# | "p = 0.8, so they are equal." | p is no measure of equality. Ask how large a difference would have been noticed. |
#
# Collect the guesses on the board before the threshold figure; the spread is worth more than the mean.
