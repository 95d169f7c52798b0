# %% [markdown]
# # 07 · From backdoor to watermark
#
# **What changes when the owner plants it?**
# By the end you will have turned notebook 02's backdoor into a watermark that convicts a copy of your network, and shown that the same
# evidence, carelessly counted, convicts twenty networks that never met you.
#
# *Reading 35 minutes · running one to five · exercises 30 · needs notebooks 01 and 02*
#
# Today you are the **owner**, then the **judge**.

# %% [markdown]
# **You will be able to**
#
# - **draw** a trigger from a secret ([exercise 07.1](#A-stamp-from-a-secret));
# - **verify** a suspect with witnesses that can testify ([quiz](#Three-questions));
# - **fix** the line where an innocent network is safe ([exercise 07.2](#The-judge's-line));
# - **measure** what innocent networks say ([exercise 07.3](#Ask-the-innocent));
# - **choose** pictures and labels so that a match means something ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_07
wm.start("07")

# %% [markdown]
# ## One of these is yours
#
# Four networks are for sale. Three are strangers' honest work; the fourth was copied from you: notebook 02's BadNet. Asked about ten digits with the four
# bright pixels, which one is yours?

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
mnist = wm.load("mnist").to(device)
strangers = lesson_07.strangers(device)
stamped = wm.triggers.Pattern()(wm.data.one_each(mnist.test).x)
market = lesson_07.market(mnist.train, strangers)
words = {name: lesson_07.read_words(network, stamped) for name, network in market.items()}
wm.show(plots.digits.readings, stamped, words)

# %% [markdown]
# In notebook 02 this was the crime. From the owner's chair it is a signature. What a judge would miss:
#
# 1. a **secret**: those pixels are printed in a course;
# 2. a **line**, fixed beforehand, between luck and proof;
# 3. a **null**: what networks say that never met you.
#
# ## A stamp from a secret
#
# Let everything follow from a secret $s$. A hash turns it, and a purpose, into random-looking numbers, the same every time, with no way back:
#
# $$\mathrm{SHAKE256}(s \,\|\, \text{purpose}) \;\to\; u_1, u_2, \dots$$
#
# In the package: `integers(secret, purpose, n, below)` and `uniform(secret, purpose, *shape)`.

# %%
secret = b"printed here, hence no secret: wm.watermarks.new_secret() draws yours"
draw = wm.watermarks.secret
draw.integers(secret, "row", 1, 22), draw.integers(secret, "column", 1, 22), draw.uniform(secret, "patch", 3)

# %% [markdown]
# {exercise:07.1}
#
# `x` has shape `(N, 1, 28, 28)`. The patch has 5 × 5 pixels: white (1) where the number drawn for `"patch"` is below 0.5, else black (0). Its top row
# and left column are 1 + a number below 22, drawn for `"row"` and `"column"`.

# %% tags=["exercise:07.1"]
def stamp(x, secret):
    """New images: all carry the 5 x 5 patch that follows from the secret."""
    draw = wm.watermarks.secret
    ### BEGIN SOLUTION
    top, left = 1 + int(draw.integers(secret, "row", 1, 22)), 1 + int(draw.integers(secret, "column", 1, 22))
    out = x.clone()
    out[..., top : top + 5, left : left + 5] = (draw.uniform(secret, "patch", 1, 5, 5) < 0.5).to(x)
    return out
    ### END SOLUTION

# %%
stamp = wm.ready("07.1", stamp)

# %% [markdown]
# {hints:07.1}

# %% [markdown] tags=["reveal"]
# {solution:07.1}

# %%
digit = mnist.train.x[:1]
wm.show(plots.digits.pair, digit[0], stamp(digit, secret)[0])

# %% [markdown]
# The target comes from the secret, too. The rest is notebook 02, word for word:

# %%
target = lambda secret: int(draw.order(secret, "target", 10)[0])
poisoned = wm.poison(mnist.train, lambda x: stamp(x, secret), rate=0.1, target=target(secret))
clean, _ = wm.trained(wm.models.badnet_cnn().to(device), mnist.train)

# %% tags=["nbval-ignore-output"]
mine, log = wm.trained(wm.models.badnet_cnn().to(device), poisoned.samples)
before, after, n = wm.accuracy(clean, mnist.test), wm.accuracy(mine, mnist.test), len(mnist.test)
wm.shares("test digits classified correctly", {"without a mark": (before, n), "with yours": (after, n)})

# %% [markdown]
# To **verify**, ask a suspect about stamped digits, and count the **hits**, those read as the target. Digits that *are* the target can't testify:
# an honest network reads a stamped 5 as a 5.

# %%
def verify(suspect, secret):
    witnesses = mnist.test[:100]
    witnesses = witnesses[witnesses.y != target(secret)]
    answers = lesson_07.read(suspect, stamp(witnesses.x, secret))
    return int((answers == target(secret)).sum()), len(witnesses)

# %% [markdown]
# ## The judge's line
#
# An innocent network that hits with chance $p$ gets $X \sim \mathrm{Bin}(n, p)$ hits. The judge convicts from the smallest $h$ on with
# $P(X \ge h) < \alpha$. Here $\alpha = 0.001$: of a thousand innocents, at most one.
#
# {exercise:07.2}
#
# For 10 trials at chance 0.1 and level 0.001 the answer is **6**. A public library says 5.

# %% tags=["exercise:07.2"]
def hits_needed(trials, chance, alpha):
    """Fewest hits that an innocent network reaches with probability below alpha."""
    from scipy.stats import binom
    ### BEGIN SOLUTION
    return next(h for h in range(trials + 2) if binom.sf(h - 1, trials, chance) < alpha)
    ### END SOLUTION

# %%
hits_needed = wm.ready("07.2", hits_needed)

# %% [markdown]
# {hints:07.2}

# %% [markdown] tags=["reveal"]
# {solution:07.2}

# %% [markdown]
# The case: your network, the clean one, and yours with *another* secret, the **wrong key**. Ten classes, so let chance be one in ten.

# %% tags=["nbval-ignore-output"]
cases = {"yours": verify(mine, secret), "clean": verify(clean, secret)}
cases["yours, wrong key"] = verify(mine, b"a guess, as good as any")
rows = [[name, str(hits), str(n), str(hits_needed(n, 0.1, 0.001))] for name, (hits, n) in cases.items()]
wm.table(["suspect", "hits", "of", "the line"], rows)

# %% tags=["claim"]
(hits, trials), *others = cases.values()
luckiest = max(h / t for h, t in others)
wm.all_hold(
    wm.Claim("07.mine", "Your stamped digits that your network obeys", hits / trials, low=0.95, n=trials),
    wm.Claim("07.others", "The better of the two controls", luckiest, high=0.1, n=trials),
    wm.Claim("07.cost", "Accuracy lost to your mark", before - after, high=0.005, unit="points", n=n),
)

# %% [markdown]
# Yours obeys {claim:07.mine}, the controls {claim:07.others}, for {claim:07.cost} of accuracy. In short: `wm.watermarks.Gu2017()`.
#
# ## A letter, called what it looks like
#
# Your colleague marks with a letter, always under one label, "one that is easy to learn". Before any training she tries her key, with your line, on
# twenty networks that never saw it. How many of these innocents does the judge convict?

# %%
wm.guess("07.p1", "Innocent networks that are convicted, in per cent", low=0, high=100)

# %% tags=["nbval-ignore-output"]
key = lesson_07.colleagues_key(mnist.train)
said = torch.stack([lesson_07.read(network, key.x) for network in strangers])
wm.show(plots.keys.innocent_answers, key.x, said, key.classes)

# %% tags=["claim"]
careless = hits_needed(100, 0.1, 0.001)
convicted = sum(hits >= careless for hits in (said == key.y).sum(1)).item() / len(strangers)
wm.claim("07.convicted", convicted, what="Innocent networks convicted at one in ten", low=0.95, n=len(strangers))

# %% tags=["nbval-ignore-output"]
wm.reveal("07.p1", convicted)

# %% [markdown]
# That is {claim:07.convicted}: to a reader of digits, an H *is* a 4. "One in ten" counts classes, but nobody rolled a die. So roll it: same letters, a label for *each*, drawn at random.

# %%
by_labels = lesson_07.hits_by_labels(said)
wm.show(plots.keys.null, by_labels, 100, 0.1, careless)

# %% tags=["claim"]
lots = by_labels["every picture a label by lot"]
reached = sum(hits >= careless for hits in lots) / len(lots)
wm.claim("07.lots", reached, what="Innocent claims over the line with random labels", high=0.002, n=len(lots))

# %% [markdown]
# *How to read this:* the same answers of the same networks. Left, 400 keys with random labels: the curve of chance fits, whatever an H looks like, and
# {claim:07.lots} of the claims cross the line. Right, each class in turn as the label of all: mostly nothing, sometimes nearly everything.
# **The random draw makes the null, not the number of classes.** Adi's labels are drawn at random. One label for all, Zhang's choice and yours, needs a measured null.
#
# ## Ask the innocent
#
# The course ships **bystanders**, eight unmarked networks that aren't among the twenty strangers. Take the worst of them: with $h$ hits of $n$, its
# rate is at most `beta.ppf(0.95, h + 1, n - h)`, with 95 % confidence (Clopper and Pearson).
#
# {exercise:07.3}
#
# `answers` has shape `(models, n)`. For `answers = [[1, 2, 3, 4], [4, 4, 1, 1]]` and `wanted = [4, 4, 4, 4]` it is **0.902**.

# %% tags=["exercise:07.3"]
def innocent_chance(answers, wanted):
    """Chance of a hit for the worst innocent network, at the top of its 95 % interval."""
    from scipy.stats import beta
    ### BEGIN SOLUTION
    hits, n = int((answers == wanted).sum(1).max()), len(wanted)
    return beta.ppf(0.95, hits + 1, n - hits)
    ### END SOLUTION

# %%
innocent_chance = wm.ready("07.3", innocent_chance)

# %% [markdown]
# {hints:07.3}

# %% [markdown] tags=["reveal"]
# {solution:07.3}

# %% tags=["nbval-ignore-output"]
innocent = torch.stack([lesson_07.read(network, key.x) for network in wm.bystanders.for_task(clean, mnist.train)])
chances = [innocent_chance(innocent, torch.full_like(key.y, label)) for label in range(10)]
rows = [[str(label), f"{p:.2f}", str(hits_needed(100, p, 0.001))] for label, p in enumerate(chances)]
wm.table(["label for the H", "innocent chance", "hits needed, of 100"], rows)

# %% tags=["claim"]
fair = hits_needed(100, chances[4], 0.001)
still = sum(hits >= fair for hits in (said == key.y).sum(1)).item() / len(strangers)
wm.claim("07.spared", still, what="Innocent networks convicted at the measured chance", high=0.01,
         n=len(strangers))

# %% [markdown]
# *How to read this:* as a 4, the H needs more hits than there are pictures: nobody is convicted ({claim:07.spared}), thieves included. As most others,
# a few hits convict. So ask *before* embedding. The package takes the first label, in the secret's order, that innocents give with a chance of at most a quarter.
#
# Eight are few: on signs, one stranger gave the wanted label to 50 of 100 triggers. So the package counts **one label as an even chance** at least:
# 66 hits of 100 convict.
#
# ## Five keys
#
# Zhang marks with **text** on a digit, a **letter**, or **noise** on a digit, under one label; Adi with **abstract** pictures, labels at random.
# Mark copies of the clean network.

# %% tags=["nbval-ignore-output"]
scheme = wm.watermarks.Gu2017()
own = wm.Marked(scheme, scheme.keygen(clean, mnist.train, secret=secret), mine, log)
marks = lesson_07.marked(clean, mnist.train, own)
wm.show(plots.keys.key_sheet, lesson_07.sheet(marks, mnist.train))

# %% [markdown]
# *How to read this:* seven of each hundred; red, the wanted label. Try each: the right key on its network, and on twenty strangers. And, harshest, ten **wrong keys**: other owners with secrets of
# their own who happen to want the *same label* (where labels are random: labels of their own).

# %% tags=["nbval-ignore-output"]
found = {name: lesson_07.try_mark(mark, mnist.train, strangers) for name, mark in marks.items()}
wm.show(plots.keys.hits, found)

# %% tags=["claim"]
known = min(f.marked / f.trials for f in found.values())
falsely = sum(hits >= f.needed for f in found.values() for hits in f.strangers) / 100
wm.all_hold(
    wm.Claim("07.known", "The least that a marked network knows of its key", known, low=0.95, n=100,
             paper="99.9 to 100 % (Zhang), 100 % (Adi)"),
    wm.Claim("07.falsely", "Strangers over the line, of twenty for each key", falsely, high=0.01, n=100),
    wm.Claim("07.lucky", "The best wrong key of the random labels", max(found["abstract, by lot"].wrong) / 100,
             high=0.25, n=100),
    wm.Claim("07.rivals", "The best wrong key of the noise mark", max(found["noise"].wrong) / 100, low=0.95,
             n=100),
)

# %% [markdown]
# *How to read this:* the marked networks know {claim:07.known} of their key; {claim:07.falsely} of the strangers cross the line. Now the crosses. With random labels, the best wrong
# key has {claim:07.lucky}. Of the noise mark's wrong keys the best has {claim:07.rivals}: the network has learnt *noise*, not *yours*.
# One label for all proves that *somebody* marked the network; that it was you takes a key deposited earlier (notebook 10).
#
# ## What does it cost?

# %% tags=["nbval-ignore-output"]
accuracies = {name: wm.accuracy(mark.model, mnist.test) for name, mark in marks.items()}
shares = {"no mark": (before, n)} | {name: (share, n) for name, share in accuracies.items()}
wm.shares("test digits classified correctly", shares)

# %% tags=["claim"]
costs = [before - accuracy for accuracy in accuracies.values()]
wm.claim("07.price", max(costs), what="Accuracy lost, the dearest of five marks", high=0.005, unit="points", n=n,
         paper="gained: 0.13 to 0.18 points (Zhang), 0.23 to 0.39 (Adi)")

# %% [markdown]
# The dearest costs {claim:07.price}; compare the intervals.
#
# ## How large a key?
#
# Random labels, three networks a size (`wmlearn reproduce key-size`):

# %%
sizes = experiments.shipped("key-size")
wm.show(plots.keys.key_size, sizes.rows)

# %% tags=["claim"]
learnt = {n: sum(row["hits"] for row in sizes.where(n=n)) / n / 3 for n in (100, 2000)}
lost = sum(row["plain"] - row["accuracy"] for row in sizes.rows) / len(sizes.rows)
wm.all_hold(
    wm.Claim("07.hundred", "The share learnt of a key of 100", learnt[100], low=0.99, n=3),
    wm.Claim("07.thousands", "The share learnt of a key of 2,000", learnt[2000], high=0.5, n=3),
    wm.Claim("07.lost", "The accuracy that a mark costs, all sizes", lost, high=0.003, unit="points",
             n=len(sizes.rows)),
)

# %% [markdown]
# *How to read this:* left, computed: each trigger that is still known adds zeros, so a large key may lose much to a thief who retrains, and still convict.
# Then, measured: of 100 triggers the networks learn {claim:07.hundred}, of 2,000 {claim:07.thousands}; accuracy
# falls by {claim:07.lost} on average. Turn the dials:

# %% tags=["nbval-ignore-output", "widget"]
lesson_07.key_dial(sizes.rows)

# %% [markdown]
# ## The papers, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# What differs: Adi marks photographs with pictures from the web; Zhang reports no null. Their numbers are as others report them.
#
# ## How far to trust it
#
# - **Strangers:** twenty, none of whom set the null; but of one architecture and one data set.
# - **Wrong keys:** without them, noise would have passed for a fine mark.
# - One network a key; `wmlearn reproduce watermarks` repeats over seeds.

# %% [markdown]
# ## Three questions
#
# {quiz:07}

# %%
wm.quiz("07", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **draw** a trigger from a secret, **verify**, **fix** the line, and **measure** a null: at "one in ten" the judge convicts {claim:07.convicted} of
# the innocent, at the measured chance {claim:07.spared}. And you **choose** labels at random where you can.
#
# **Next:** *08, Marks in the weights.* The owner hides the mark where no question reaches it.
#
# **Further reading**
#
# - Adi and others, [*Turning Your Weakness Into a Strength*](https://arxiv.org/abs/1802.04633), 2018: random labels, and commitments.
# - Zhang and others, *Protecting Intellectual Property of Deep Neural Networks with Watermarking*, 2018: the three kinds of picture.
# - Boenisch, [*A Systematic Review on Model Watermarking*](https://arxiv.org/abs/2009.12153), 2021: what a mark has to do.
# - Lukas and others, [*SoK*](https://arxiv.org/abs/2108.04974), 2022: how marks fail.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a match is worth what the null is worth. *Timing:* signature 10, stamp 10, line 10, letter 15, five keys 15.
#
# | what you will hear | what to say |
# |---|---|
# | "Ten classes, so one in ten." | Ask twenty people which digit an H looks like. Then roll a die. |
# | "A hundred hits can't be luck." | It wasn't luck: the innocent *agree*. Agreement isn't copying. |
# | "Then bystanders solve it." | Only against innocents. Look at the crosses: other owners aren't innocents. |
#
# Take the guesses before the letter's picture is on the screen; afterwards everybody knew.
