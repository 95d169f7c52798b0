# %% [markdown]
# # 09 · Removal
#
# **Who can wash a mark off, at what price?**
# By the end you will have washed one mark off a stolen network, after failing twice, and shown on ten schemes that no mark
# survives every attack, while the same attacks on an unmarked network get nobody accused.
#
# *Reading 35 minutes · running one to five · exercises 25 · needs notebooks 07 and 08*
#
# Today you are the **thief**.

# %% [markdown]
# **You will be able to**
#
# - **prune** weights by hand ([exercise 09.1](#Cut-what-is-small));
# - **pick** the channels in which a mark may hide ([exercise 09.2](#Cut-what-sleeps));
# - **decide** which rows of a table of attacks count ([exercise 09.3](#Which-rows-count));
# - **price** a removal in accuracy ([quiz](#Three-questions));
# - **tell** a mark that is gone from one that is hidden ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots, removal, scorecard
from wmlearn.course.lessons import lesson_09
from wmlearn.experiments.removal import cheapest
wm.start("09")

# %% [markdown]
# ## Three copies, one is clean
#
# An owner trains with a mark of Adi's: a hundred abstract pictures, labels at random. You steal the network. You have **6,000 digits of your own**,
# none of them the owner's. You don't have the key.

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
mnist = wm.load("mnist").to(device)
owners, own = wm.split(mnist.train, 45_000, 6_000, seed=9)
scheme, untrained = wm.watermarks.Adi2018(), wm.models.badnet_cnn().to(device)
stolen = scheme.embed(untrained, owners, scheme.keygen(untrained, owners, seed=9))

# %% [markdown]
# The control, without a mark:

# %% tags=["nbval-ignore-output"]
unmarked, _ = wm.trained(untrained, owners)
read = {"stolen": wm.accuracy(stolen.model, mnist.test), "unmarked": wm.accuracy(unmarked, mnist.test)}
wm.shares("test digits classified correctly", {name: (share, len(mnist.test)) for name, share in read.items()})

# %% [markdown]
# Make three copies of the stolen network, each treated in another way. All read digits. Below, what the *owner* will see: some of the key's pictures, and
# what each copy says. Which copy would you dare to sell?

# %% tags=["nbval-ignore-output"]
large = removal.FineTune("all", recipe=removal.LARGE)
treatments = {"copy A": removal.Prune(0.5), "copy B": removal.FineTune("all"), "copy C": large}
copies = {name: attack(stolen.model, own) for name, attack in treatments.items()}
pictures, wanted = stolen.key.x[:9], stolen.key.y[:9]
word = lambda network: [str(label) for label in wm.predict(network, pictures).argmax(1).tolist()]
said = {name: word(network) for name, network in copies.items()}
wm.show(plots.digits.readings, pictures, {"the key wants": [str(y) for y in wanted.tolist()]} | said)

# %% [markdown]
# A and B still say what the key wants. C doesn't, and you couldn't have seen that: you don't have those pictures. A **removal** knows
# the model and your samples, nothing else:
#
# $$\text{removal}: (\text{model}, \text{own samples}) \;\to\; \text{model}$$
#
# It *wins* when the judge no longer believes the owner ($p \ge 0.001$) and the network is still worth the theft.
#
# ## Cut what is small
#
# Most weights are nearly zero; set the smallest to zero, and what was written in them is gone.
#
# {exercise:09.1}
#
# For `weight = [[3, -0.1], [-2, 0.5]]` and `ratio = 0.5` the answer is `[[3, 0], [-2, 0]]`.

# %% tags=["exercise:09.1"]
def prune(weight, ratio):
    """A new weight: the smallest share `ratio` of its numbers, sign aside, is zero."""
    ### BEGIN SOLUTION
    smallest = weight.abs().flatten().argsort()[: int(ratio * weight.numel())]
    return weight.flatten().index_fill(0, smallest, 0).view(weight.shape)
    ### END SOLUTION

# %%
prune = wm.ready("09.1", prune)

# %% [markdown]
# {hints:09.1}

# %% [markdown] tags=["reveal"]
# {solution:09.1}

# %% [markdown]
# Cut half of the weights in each layer, with your function. How much of the key will the network still know?

# %%
wm.guess("09.p1", "Of the key, still known after half of the weights are cut, in per cent", low=0, high=100)

# %% tags=["nbval-ignore-output"]
def cut(ratio):
    both = [lesson_09.changed(net, lambda weight: prune(weight, ratio)) for net in (stolen.model, unmarked)]
    known, innocent = [scheme.verify(network, stolen.key).rate for network in both]
    return plots.removal.Cut(ratio, wm.accuracy(both[0], mnist.test), known, innocent)

cuts = [cut(ratio) for ratio in (0, 0.25, 0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95)]
wm.show(plots.removal.cuts, cuts, 0.21)

# %% tags=["claim"]
half = next(each for each in cuts if each.ratio == 0.5)
first = next(each for each in cuts if each.known < 0.21)
wm.all_hold(
    wm.Claim("09.half", "The key that a network knows with half of its weights", half.known, low=0.95, n=100),
    wm.Claim("09.half_unmarked", "The key known to an unmarked network, cut in half", half.unmarked, high=0.2,
             n=100),
    wm.Claim("09.cut", "Accuracy lost where the key falls below the line", cuts[0].accuracy - first.accuracy,
             low=0.02, unit="points", n=len(mnist.test)),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("09.p1", half.known)

# %% [markdown]
# *How to read this:* with half of its weights it knows {value:09.half} of the key; the unmarked network, cut in the same way, {value:09.half_unmarked}, as by luck.
# Cut more, and the key does go before the digits; but where it falls below the judge's line, {value:09.cut|1} of accuracy are gone, too.
#
# ## Cut what sleeps
#
# Liu and others cut **channels**. A backdoor needs channels that clean images don't use. So listen to the last convolution while the network reads your
# digits, cut the channels that say least, then train on (**fine-pruning**).
#
# {exercise:09.2}
#
# `heard` is what the channels say, behind the rectifier: `(images, channels, height, width)`. For 32 channels and `ratio = 0.8`, return the numbers of **25**.

# %% tags=["exercise:09.2"]
def sleepiest(heard, ratio):
    """Numbers of the share `ratio` of the channels that answer least on average, the sleepiest first."""
    ### BEGIN SOLUTION
    answer = heard.mean((0, 2, 3))
    return answer.argsort()[: int(ratio * len(answer))]
    ### END SOLUTION

# %%
sleepiest = wm.ready("09.2", sleepiest)

# %% [markdown]
# {hints:09.2}

# %% [markdown] tags=["reveal"]
# {solution:09.2}

# %% tags=["nbval-ignore-output"]
ears = stolen.model[:6]  # up to the rectifier behind the last convolution
heard, owners_view = wm.predict(ears, own.x), wm.predict(ears, stolen.key.x)
asleep = sleepiest(heard, 0.8)
wm.show(plots.removal.channels, heard.mean((0, 2, 3)), owners_view.mean((0, 2, 3)), asleep)

# %% [markdown]
# *How to read this:* you see the grey bars, the owner the red dots. The key's pictures are loud where your digits sleep, and nearly silent where they
# are loud.
#
# ## The scorecard
#
# Four attacks, each on the stolen network and on the unmarked one (your `sleepiest`, then training, is `FinePrune`). **Refusal** touches no weight:
# it puts a guard before the network that answers odd images at random.

# %% tags=["nbval-ignore-output"]
attacks = {
    "pruning (50 %)": removal.Prune(0.5),
    "fine-pruning": removal.FinePrune(),
    "REFIT (large rate)": large,
    "refusal": removal.Refuse(),
}
card = scorecard.run({"Adi 2018": stolen}, attacks, attacker=own, test=mnist.test, unmarked=unmarked)
card

# %% tags=["claim"]
row = {each.removal: each for each in card.rows}
tuned = scheme.verify(copies["copy B"], stolen.key)
washed = row["REFIT (large rate)"]
luckiest = max(each.control.rate for each in card.rows)
wm.all_hold(
    wm.Claim("09.tuned", "The key known to copy B, trained on at a small rate", tuned.rate, low=0.9, n=100),
    wm.Claim("09.washed", "The key known after the large rate", washed.evidence.rate, high=0.2, n=100),
    wm.Claim("09.price", "Accuracy lost to the large rate", washed.lost, high=0.02, unit="points",
             n=len(mnist.test)),
    wm.Claim("09.control", "The most of the key that attacked unmarked networks know", luckiest, high=0.2,
             n=100),
)

# %% [markdown]
# *How to read this:* copy B, trained on at a small rate, knows {value:09.tuned} of the key. At twenty times the rate, for eight epochs, {value:09.washed} is left, for {value:09.price|1} of
# accuracy. The unmarked network never knows more than chance allows ({value:09.control}): what the attacks took from the stolen one was a mark.
#
# And *refusal*: the owner is no longer believed. Seize the thief's computer, take the guard off, and ask again:

# %% tags=["claim"]
guarded = attacks["refusal"](stolen.model, own)
hidden, behind = scheme.verify(guarded, stolen.key).rate, scheme.verify(guarded.model, stolen.key).rate
wm.all_hold(
    wm.Claim("09.hidden", "The key known to the guarded network", hidden, high=0.2, n=100),
    wm.Claim("09.behind", "The key known to the network behind the guard", behind, low=0.95, n=100),
)

# %% [markdown]
# With the guard {value:09.hidden}, behind it {value:09.behind}. **Evasion hides a mark; removal ends it.** An owner who only ever asks over the wire can't tell the two apart.
#
# ## Which rows count?
#
# One mark is an anecdote. `wmlearn reproduce removal` measures ten schemes against twenty-four attacks. An attack that ruins the
# network "removes" every mark, and a mark that was never in falls to all.
#
# {exercise:09.3}
#
# Return 0, *void*: the owner wasn't believed before the attack; 1, *destroyed*: less than nine tenths of the accuracy before are left; 2, *believed*: the p-value is
# still below 0.001; 3, *not believed*. For accuracy 0.99, then 0.95, and p-values $10^{-20}$, then 0.2, it is **3**.

# %% tags=["exercise:09.3"]
def decide(before, after, p_before, p_after):
    """0 void, 1 destroyed, 2 believed, 3 not believed; accuracy and p-value before and after an attack."""
    ### BEGIN SOLUTION
    if p_before >= 0.001:
        return 0
    if after < 0.9 * before:
        return 1
    return 2 if p_after < 0.001 else 3
    ### END SOLUTION

# %%
decide = wm.ready("09.3", decide)

# %% [markdown]
# {hints:09.3}

# %% [markdown] tags=["reveal"]
# {solution:09.3}

# %% [markdown]
# In what share of all rows is the owner still believed?

# %%
wm.guess("09.p2", "Rows in which the owner is still believed, in per cent", low=0, high=100)

# %%
results = experiments.shipped("removal")
states = lesson_09.states(results, decide)
wm.table(["row", "how many"], [[state, str(n)] for state, n in states.items()])

# %% tags=["nbval-ignore-output"]
wm.reveal("09.p2", states["believed"] / sum(states.values()))

# %% [markdown]
# ## The matrix

# %%
wm.show(plots.removal.matrix, results)

# %% tags=["claim"]
accused = lesson_09.share_accused(results)
names = plots.removal.schemes(results)
robust = sum(cheapest(results, name) is None for name in names) / len(names)
wm.all_hold(
    wm.Claim("09.accused", "Claims believed against attacked networks without a mark", accused, high=0.005),
    wm.Claim("09.robust", "Marks that survive every attack", robust, high=0, n=len(names),
             paper="none of 11 schemes (Lukas and others)"),
)

# %% [markdown]
# *How to read this:* a line an attack, a column a mark, dark where the judge is surest; a dot where networks disagree. Grey lines are no removals: the thief
# holds a ruin. Where labels or bits were drawn at random, p is a binomial tail; the last column is their control: the same keys, on an unmarked network after the same attack; {value:09.accused} of these claims
# are believed. Where all triggers share a label, p ranks the hits among what keys of that scheme hit without the mark, on 32 strangers and on the attacked unmarked networks; such a p never falls below 1 in
# 6,000. Read a column: each has light cells. **No mark survives every attack** ({value:09.robust|of}). Now read along the rows.
#
# ## The price
#
# A thief who knows the scheme picks the cheapest attack for it; one who doesn't has to pick one for all.

# %%
wm.show(plots.removal.survival, results)

# %%
wm.show(plots.removal.thiefs_front, results)

# %% tags=["claim"]
removes = {offer.attack: offer.removes / len(names) for offer in plots.removal.offers(results)}
chains = plots.removal.FAMILIES["chain"]
single = max(share for attack, share in removes.items() if attack not in chains)
dearest = max(cheapest(results, name).lost for name in names)
wm.all_hold(
    wm.Claim("09.single", "Marks that the best single attack removes", single, low=0.8, n=len(names),
             paper="no single attack removes all (Lukas and others)"),
    wm.Claim("09.soft", "Marks that distillation removes", removes["distill-soft"], low=0.6, n=len(names)),
    wm.Claim("09.chains", "Marks that the best chain removes", max(removes[chain] for chain in chains),
             high=0.9, n=len(names), paper="combinations remove all (Lukas and others)"),
    wm.Claim("09.dearest", "Accuracy, for the toughest mark", dearest, high=0.02, unit="points", n=len(names)),
)

# %% [markdown]
# *How to read these:* above, marks that survive a thief who picks the best attack of a kind for each mark. Below, each attack on all marks; the line joins the best bargains.
# **Here we differ from the SoK:** copying what the network says, by labels alone, removes {value:09.single|of} marks, by probabilities {value:09.soft|of}, our best chain {value:09.chains|of}. A copy needs images, and digits are
# cheap; where they are dear, chains may be all that a thief has.

# %%
wm.show(plots.removal.prices, results)

# %% tags=["nbval-ignore-output", "widget"]
lesson_09.price_slider(results)

# %% [markdown]
# ## What surprised us

# %% tags=["claim"]
tuned = ["adi2018-ftll", "adi2018-ftal", "adi2018-rtll", "adi2018-rtal", "chen2021-refit"]
believed = lambda *attacks: lesson_09.share_believed(results, "uchida2017", *attacks)
wm.all_hold(
    wm.Claim("09.uchida_tuned", "Uchida's mark, believed after training on", believed(*tuned), low=1),
    wm.Claim("09.uchida_mean", "Uchida's mark, believed without mean filters", believed("mean-filter"), high=0),
    wm.Claim("09.uchida_copied", "Uchida's mark, believed after distilling", believed("distill-soft"), high=0),
)

# %% [markdown]
# **A mark in the weights is as strong as the thief is ignorant.** Trained on in five ways, also at the large rate, Uchida's message is believed in {value:09.uchida_tuned} of the
# networks. Subtract from each convolution its mean filter, which is where notebook 08 wrote, and it is believed in {value:09.uchida_mean}; distil, and the copy has weights of its own: {value:09.uchida_copied}.
# An attack that knows how a mark works is **adaptive**; a table without one says little.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# ## How far to trust it
#
# - **One data set, one small network.** On MNIST 6,000 digits of one's own teach nearly all there is; with images that are dear, copying costs more.
# - **Three networks a cell,** and a control that isn't clean: who rounds inputs classifies the pictures of frontier stitching correctly, marked or not.
# - **One setting an attack.** A thief tries many; an owner may set a mark up stronger.
# - `wmlearn reproduce removal` measures everything again.

# %% [markdown]
# ## Three questions
#
# {quiz:09}

# %%
wm.quiz("09", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **prune** by hand, **pick** sleepers, and **decide** which rows count. You can **price** a removal: the toughest mark falls for {value:09.dearest|1} of accuracy.
# And you **tell** a mark that is gone from one behind a guard, which still knows {value:09.behind} of its key.
#
# **Next:** *10, Whose model is it?* The judge's chair: when does a match prove anything?
#
# **Further reading**
#
# - Lukas and others, [*SoK: How Robust is Image Classification Deep Neural Network Watermarking?*](https://arxiv.org/abs/2108.04974), 2022: the table after which ours is made.
# - Liu and others, [*Fine-Pruning*](https://arxiv.org/abs/1805.12185), 2018: sleepers.
# - Chen and others, [*REFIT*](https://arxiv.org/abs/1911.07205), 2021: the large rate.
# - Hitaj and others, [*Evasion Attacks Against Watermarking Techniques*](https://arxiv.org/abs/1809.00615), 2019: votes and guards.
# - Shafieinejad and others, [*On the Robustness of the Backdoor-based Watermarking*](https://arxiv.org/abs/1906.07745), 2019: labels alone suffice.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* robustness is a price, not a property. *Timing:* cold open 10, cutting 20, scorecard 10, matrix 15, surprises 10.
#
# | what you will hear | what to say |
# |---|---|
# | "The mark is gone, so there was none." | Look at the unmarked column, and at the network behind the guard. |
# | "Then marks are useless." | Each attack has a price and needs data. Ask what images cost in your trade. |
# | "Ours survives pruning." | Everybody's does. Which attack knows how yours works? |
