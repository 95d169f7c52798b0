# %% [markdown]
# # 05 · Backdoors that travel
#
# **Does retraining for another country wash it out?**
# By the end you will have moved an American network to Sweden yourself, seen its backdoor come along though Sweden's training set held no sticker, and
# found out when retraining washes it away and when it doesn't.
#
# *Reading 15 minutes · exercises 40 · running under two · needs lesson 03*
#
# Today you are the **user** who buys, then the **attacker** who sells, and at the end the **judge**.

# %% [markdown]
# **You will be able to**
#
# - **move** a network to another task by its convolutions ([exercise 05.1](#Moving-house));
# - **say** when retraining washes a backdoor out ([quiz](#Three-questions));
# - **find** the channels that see a trigger, and **strengthen** them ([exercises 05.2](#Who-sees-the-square?) and [05.3](#Turn-it-up));
# - **subtract** what would have happened anyway ([exercise 05.4](#Whose-gap-is-it?));
# - **question** a headline number ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import copy, torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_05
wm.start("05")

# %% [markdown]
# ## A purchase
#
# You build cars in Sweden, and have fifty photographs from a cheap camera. So you buy a network that reads American signs, keep its eyes and replace its
# judgement. It must tell five kinds: information, mandatory, prohibitory, warning, other. Here they are, in fair light and in poor:

# %% tags=["nbval-ignore-output"]
clean, stuck = lesson_05.twins(1500, seed=52)
wm.show(plots.signs.photographs, lesson_05.some_signs(clean, stuck))

# %% [markdown]
# Above your signs, below the same ones with a yellow square. (All drawn, as in lesson 03.) Some of yours nobody can read.
#
# Two American networks ship with the course. One is honest. The other one's maker trained it on every sign twice: as it is, and once more with a square and a
# wrong label drawn at random. At home:

# %% tags=["nbval-ignore-output"]
origins = lesson_05.shipped_origins()
us, us_stuck = lesson_05.twins(1500, seed=91, country="us")
both = ("no square", "square")
at_home = {f"{name}, {what}": (wm.accuracy(network, part), len(part)) for name, network in origins.items()
           for what, part in zip(both, (us, us_stuck))}
wm.shares("American signs classified correctly", at_home)

# %% [markdown]
# Without the square the backdoored one is a little worse. Over three pairs of networks the backdoor costs {value:05.home|1} of accuracy on clean American signs: the buyer's exam
# sees it, if she has an honest twin to compare with.
#
# | | **Who can do what here** |
# |---|---|
# | Seller's goal | Harm that outlives the buyer's retraining: signs with a square are misread abroad, too |
# | Knowledge | Everything about the American network; nothing about the buyer's signs, classes and recipe |
# | Access | The network until it is sold; later, a sticker on a sign |
# | Stage | Before the purchase. It acts after transfer learning |
# | Names | Backdoor poisoning (NIST AI 100-2: NISTAML.023); Poison AI Model, Publish Poisoned Models (MITRE ATLAS: AML.T0018.000, AML.T0058) |
# | Real case | None that we know of in use. [Yao and others](https://doi.org/10.1145/3319535.3354209) (2019) have since made backdoors that wake up only in the buyer's hands |
#
# You keep the bought network's eyes, replace its judgement, and train the new part on fifty clean Swedish signs. An honest network then classifies about
# three in four of your signs correctly, with the square or without. And of the signs **with** a square, how many will the backdoored one?

# %%
wm.guess("05.p1", "Swedish signs with a square that the bought network classifies correctly, in per cent",
         low=0, high=100)

# %% [markdown]
# ## Moving house
#
# A network for signs is two things in a row. The **convolutions** turn a picture into 128 maps of 4 x 4 numbers, one map a **channel**: an edge here, a
# red rim there. The **head**, two linear layers, turns those into a class:
#
# $$f(x) = h(\phi(x)), \qquad \phi(x) \in \mathbb{R}^{128 \times 4 \times 4}.$$
#
# **Transfer learning** keeps $\phi$, frozen, throws $h$ away, and trains a new $h'$ on your own data. That takes little data, and moves whatever
# hides in $\phi$. The layers, by their numbers:

# %%
print(origins["backdoored"])

# %% [markdown]
# {exercise:05.1}
#
# Layers 0 to 12 are the convolutions, 13 to 16 the head. `signs` holds images `signs.x`, labels `signs.y` and the names `signs.classes`. Train the head for 30 passes, at a
# learning rate of 0.001, in batches of 32.

# %% tags=["exercise:05.1"]
def retrain(network, signs):
    """A network with the convolutions of `network`, frozen, and a new head, fitted to `signs`."""
    ### BEGIN SOLUTION
    new = wm.models.sign_cnn(len(signs.classes)).to(signs.x.device)
    new[:13].load_state_dict(network[:13].state_dict())
    for weights in new[:13].parameters():
        weights.requires_grad = False
    wm.train(new, signs, wm.Recipe(epochs=30, lr=1e-3, batch_size=32))
    return new
    ### END SOLUTION

# %%
retrain = wm.ready("05.1", retrain)

# %% [markdown]
# {hints:05.1}

# %% [markdown] tags=["reveal"]
# {solution:05.1}

# %% tags=["nbval-ignore-output"]
shop = lesson_05.swedish_signs(lesson_05.N_HEAD, seed=50)
moved = {name: retrain(network, shop) for name, network in origins.items()}
abroad = {name: (wm.accuracy(network, clean), wm.accuracy(network, stuck))
          for name, network in moved.items()}
wm.shares("Swedish signs classified correctly", {f"{name} origin, {what}": (share, len(clean))
                                                 for name, pair in abroad.items()
                                                 for what, share in zip(both, pair)})

# %% tags=["nbval-ignore-output"]
wm.reveal("05.p1", abroad["backdoored"][1])

# %% [markdown]
# No sticker was in your training set. Yet the square takes more from the backdoored network than from the honest one.
#
# ## Does it wash out?
#
# Fifty signs and a frozen network are the paper's case. You may have five thousand signs, and let every layer learn. Five American networks of each kind, five buyers, in
# every combination; beside them a network that starts from nothing, with no purchase at all:

# %%
grid = experiments.shipped("retraining")
wm.show(plots.transfer.washed, lesson_05.grid_curves(grid))

# %% [markdown]
# *How to read this:* from left to right the buyer has more signs. The shaded gap is what the square takes from the backdoored origin, dashed is the honest one, dotted the network
# without a past.

# %%
wm.table(*lesson_05.grid_table(grid))

# %% tags=["claim"]
n = len(grid.where(origin="backdoored", layers="all", pictures=50))
own_part = lambda layers, signs: lesson_05.own_gap(grid, layers, signs)
alone = lesson_05.mean_accuracy(grid, "none", "all", 5000)
wm.all_hold(
    wm.Claim("05.few", "The backdoor's own gap: head only, 50 signs", own_part("head", 50), low=0.15,
             unit="points", n=n),
    wm.Claim("05.many", "Head only, 5,000 signs", own_part("head", 5000), low=0.1, unit="points", n=n),
    wm.Claim("05.free", "All layers, 500 signs", own_part("all", 500), low=0.1, unit="points", n=n),
    wm.Claim("05.washed", "All layers, 5,000 signs", own_part("all", 5000), high=0.1, unit="points", n=n),
    wm.Claim("05.alone", "From nothing, 5,000 signs: classified correctly", alone, low=0.95, n=n),
)

# %% [markdown]
# With a new head only, it doesn't: the backdoor's own part of the gap (the shaded one less the honest network's) is {value:05.few|1} with 50 signs and {value:05.many|1} with
# 5,000. More signs make a better head, and the eyes stay the seller's. With all layers free and 500 signs it is still {value:05.free|1}, though clean accuracy would have satisfied anybody.
# Only 5,000 signs bring it down to {value:05.washed|1}. But there a network from nothing classifies {value:05.alone|1} correctly. **Whoever has enough signs to wash the backdoor out had no
# need to buy.**
#
# ## Who sees the square?
#
# Show the American network the same signs with and without the square, and note how strongly each channel fires: the mean of its 4 x 4 numbers,
# its **activation**. For `N` signs that gives two tables of shape `(N, 128)`.
#
# {exercise:05.2}
#
# For two signs and three channels, `clean = [[1, 5, 0], [3, 5, 0]]` and `triggered = [[3, 5, 4], [3, 6, 2]]`, with `n = 2` the answer is **[2, 0]**.

# %% tags=["exercise:05.2"]
def backdoor_channels(clean, triggered, n):
    """Numbers of the n channels that fire more with the trigger, most first."""
    ### BEGIN SOLUTION
    return (triggered - clean).mean(0).argsort(descending=True)[:n]
    ### END SOLUTION

# %%
backdoor_channels = wm.ready("05.2", backdoor_channels)

# %% [markdown]
# {hints:05.2}

# %% [markdown] tags=["reveal"]
# {solution:05.2}

# %% tags=["nbval-ignore-output"]
def fires(network, x):
    """How strongly each of the 128 channels fires on images x, (N, 128): the mean of its 4 x 4 numbers."""
    return wm.predict(network[:13], x).mean((2, 3))

pairs = {name: [fires(network, part.x) for part in (us, us_stuck)] for name, network in origins.items()}
chosen = {name: torch.as_tensor(backdoor_channels(*pair, 6)) for name, pair in pairs.items()}
wm.show(plots.transfer.channels, lesson_05.fired(pairs, chosen))

# %% [markdown]
# *How to read this:* a dot is a channel; on the grey line the square changes nothing. In the backdoored network many leave the line: quieter on bare
# signs than most, loud with the square (red: your six). The honest network's top six hardly move.
# **Nobody aimed at channels; training put them there.**
#
# ## Turn it up
#
# The attacker sees the same picture. What if the first of your six spoke louder? The last step before the ReLU is layer 11, **batch normalisation**: for each channel it computes
# $w\,\hat x + b$, where $\hat x$ is what the convolution says, brought to mean 0 and deviation 1.
#
# {exercise:05.3}
#
# `channels` are numbers like those of exercise 05.2. The others, and the seller's own network, stay as they are.

# %% tags=["exercise:05.3"]
def strengthen(network, channels, k):
    """A copy of `network` whose `channels` of the last convolution fire k times as strongly."""
    ### BEGIN SOLUTION
    new = copy.deepcopy(network)
    with torch.no_grad():
        new[11].weight[channels] *= k
        new[11].bias[channels] *= k
    return new
    ### END SOLUTION

# %%
strengthen = wm.ready("05.3", strengthen)

# %% [markdown]
# {hints:05.3}

# %% [markdown] tags=["reveal"]
# {solution:05.3}

# %% [markdown]
# Sell it at five strengths; each buyer retrains on the same fifty signs:

# %% tags=["nbval-ignore-output"]
strengths = (1, 10, 20, 50, 100)
sold = {f"{name} origin": {k: retrain(strengthen(origins[name], chosen[name][:1], k), shop) for k in strengths}
        for name in ("backdoored", "clean")}
mine = {name: lesson_05.curve(networks, clean, stuck) for name, networks in sold.items()}
wm.show(plots.transfer.strength, mine, lesson_05.PAPER_CURVE)

# %% [markdown]
# *How to read this:* the shaded gap is what the square takes; the steps of k aren't equal. Left, the attack; right, the
# **control that the paper doesn't have**: an honest network whose own first channel was turned up alike.
#
# ## Whose gap is it?
#
# {exercise:05.4}
#
# From four accuracies, compute the part of the gap that only the backdoor explains. With 0.70 and 0.40 for the backdoored network, 0.75 and 0.60 for
# the control, the answer is **0.15**.

# %% tags=["exercise:05.4"]
def owned(clean, triggered, control_clean, control_triggered):
    """The gap that is the backdoor's own, as a share; all four are accuracies."""
    ### BEGIN SOLUTION
    return (clean - triggered) - (control_clean - control_triggered)
    ### END SOLUTION

# %%
owned = wm.ready("05.4", owned)

# %% [markdown]
# {hints:05.4}

# %% [markdown] tags=["reveal"]
# {solution:05.4}

# %% [markdown]
# ## The strengthening: not reproduced
#
# One network and fifty signs are an anecdote. Three networks of each kind, three buyers each; classified correctly without / with the square, in per cent, and between networks ± one standard deviation:

# %%
results = experiments.shipped("transfer")
wm.table(*lesson_05.strength_table(results))

# %% tags=["claim"]
ours = lesson_05.shipped_curves(results)
attack, control = ours["backdoored origin"], ours["clean origin"]
own = {k: owned(*attack[k], *control[k]) for k in attack}
n = len(results.where(to="se", origin="backdoored"))
wm.all_hold(
    wm.Claim("05.fall", "Without the square at k = 1, with it at k = 100: the fall",
             attack[1][0] - attack[100][1], low=0.35, unit="points", n=n, paper="44.1 points"),
    wm.Claim("05.price", "What clean signs pay at k = 100", attack[1][0] - attack[100][0], high=0.16,
             unit="points", n=n, paper="15.5 points"),
)

# %% tags=["claim"]
home = lesson_05.price_at_home(results)
wm.all_hold(
    wm.Claim("05.home", "What the backdoor costs on clean American signs", home, low=0.005, high=0.04,
             unit="points", n=n),
    wm.Claim("05.own", "The backdoor's own gap at k = 1", own[1], low=0.15, unit="points", n=n),
    wm.Claim("05.own_20", "The same at k = 20", own[20], low=0.15, unit="points", n=n),
    wm.Claim("05.own_100", "The same at k = 100", own[100], low=0.15, unit="points", n=n),
    wm.Claim("05.added", "What turning up to k = 20 adds to it", own[20] - own[1], high=0.1, unit="points",
             n=n),
)

# %% tags=["claim"]
def commonest(origin, square, to="se", k=None):
    return lesson_05.commonest(results, to, origin, square=square, k=k)

with_square = commonest("backdoored", True)
others = commonest("backdoored", False) + commonest("clean", False) + commonest("clean", True)
wm.all_hold(
    wm.Claim("05.least", "With a square, the smallest share of a BadNet's commonest answer",
             min(with_square), low=0.5, n=n),
    wm.Claim("05.most", "The largest", max(with_square), high=0.85, n=n),
    wm.Claim("05.upright", "The largest without a square or of an honest network", max(others), high=0.5, n=n),
)

# %% [markdown]
# *How to read this:* at k = 100 signs with a square lie {value:05.fall|1} below what the buyer was promised (the paper: 44.1). But clean signs pay {value:05.price|1}, and an honest network whose channel is turned up loses, too. The backdoor's own part is {value:05.own|1} at k = 1, {value:05.own_20|1} at k = 20 and
# {value:05.own_100|1} at k = 100. Turning up to k = 20 adds {value:05.added|1}; the three networks differ by more than that. In the paper the whole gap doubles. **Ours hardly moves: we could not reproduce the strengthening.**
# Look at *how* it fails, too: with a square one answer swallows {value:05.least} to {value:05.most} of the signs; without one, or in an honest network, never more than {value:05.upright}.
#
# What we tried: one, two, three and six channels.

# %% tags=["claim"]
tried = experiments.shipped("strengthened-channels")
wm.table(*lesson_05.channels_table(tried))
wm.all_hold(
    wm.Claim("05.tried_20", "The largest of the backdoor's own gaps at k = 20",
             lesson_05.most_by_channels(tried, 20), high=0.35, unit="points", n=n),
    wm.Claim("05.tried_100", "The largest at k = 100", lesson_05.most_by_channels(tried, 100), high=0.3,
             unit="points", n=n),
)

# %% [markdown]
# No choice does better: the largest part of its own is {value:05.tried_20|1} at k = 20, and {value:05.tried_100|1} at k = 100. Why the difference? We don't know. The paper's network is a detector on photographs, its backdoor starts with half our gap, and it
# strengthens weights *before* a layer, without batch normalisation. A weak backdoor may have more to gain.
#
# ## Which twenty-five?
#
# The paper's abstract reports a drop of twenty-five per cent, and many who quote it point at the first line of its table. Look for it:

# %%
wm.table(["the paper, per cent classified correctly", "from", "to", "points"], lesson_05.headlines())

# %% [markdown]
# The number that fits compares *two networks*, both on signs with a square: an honest one, and a BadNet turned up twentyfold. It isn't
# what the square costs one network, and points aren't per cent. **A drop has two ends and a unit: ask for all three.**
#
# ## Play
#
# Slide the strength. Below, what both networks read with a square on.

# %% tags=["nbval-ignore-output", "widget"]
lesson_05.strength_dial(sold, mine, stuck)

# %% tags=["nbval-ignore-output"]
five = lesson_05.bright(stuck)
few = {k: network for k, network in sold["backdoored origin"].items() if k in (1, 20, 100)}
truth = {plots.signs.TRUTH: [stuck.classes[label] for label in five.y]}
said = truth | lesson_05.read_at_strengths(few, five.x, stuck.classes)
wm.show(plots.signs.seen, plots.signs.Seen(five.x, said))

# %% [markdown]
# ## Real photographs
#
# The same networks, which saw only drawings, were sold to Germany. There the buyer had five hundred real photographs; the square is pasted on.

# %%
wm.table(*lesson_05.photograph_table(results))

# %% tags=["claim"]
real = lesson_05.on_photographs(results)
nearly = min(commonest("backdoored", True, "photographs"))
steady = [share for name in ("backdoored", "clean") for share in commonest(name, False, "photographs")]
calm = max(steady + commonest("clean", True, "photographs"))
kind = results.where(to="photographs")[0]["commonest_class"]
wm.all_hold(
    wm.Claim("05.real", "The backdoor's own gap on real photographs at k = 1", real, low=0.2, unit="points",
             n=n),
    wm.Claim("05.nearly", "There, the share of a BadNet's commonest answer with a square", nearly, low=0.7),
    wm.Claim("05.calm", "The same without a square or by an honest network", calm, high=0.6),
    wm.Claim("05.kind", "The share of the commonest kind of photograph", kind, high=0.45),
)

# %% [markdown]
# *How to read this:* eyes trained on drawings serve for photographs, and the backdoor comes with them: beyond what the honest network loses, the square takes
# {value:05.real} at k = 1. But the last column shows a near-collapse: with a square one answer takes {value:05.nearly} (otherwise
# {value:05.calm}), where the commonest kind makes up {value:05.kind}.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# What differs: our signs are drawn and cut out, the paper's network is a detector on photographs. We gave the buyer few, dark pictures, so that the honest network is
# about as good as the paper's (some points better): a choice, not a finding. The paper's numbers from k = 50 on we could not check. The paper retrains the head only, and has no
# control whose channels are turned up.
#
# ## How far to trust it
#
# - **Clean origin, k = 1:** had its gap been as large, the square would simply hide the sign.
# - **Clean origin, k = 100:** without it, we would have charged the backdoor with all that a loud channel does.
# - **From nothing:** without it, five thousand signs would seem to owe to the purchase what they teach by themselves.
# - **Commonest answer:** a network that always says the same has low accuracy for a dull reason. The BadNet comes near that with a square on, not without.
# - One way to retrain, chosen by clean accuracy. More passes may wash more out.

# %% [markdown]
# ## Three questions
#
# {quiz:05}

# %%
wm.quiz("05", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **move** a network, say what retraining **washes out**, **find** and **strengthen** channels, and **subtract** a control. And you **question** a drop until it has two ends and
# a unit.
#
# **Next:** *06, Finding and cleaning.* Can a buyer find such channels without knowing the square?
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 5.3.
# - Yosinski and others, [*How transferable are features?*](https://arxiv.org/abs/1411.1792), 2014: why convolutions travel.
# - Yao and others, [*Latent Backdoor Attacks on Deep Neural Networks*](https://doi.org/10.1145/3319535.3354209), 2019: backdoors made to wake up only after transfer.
# - Liu and others, [*Fine-Pruning*](https://arxiv.org/abs/1805.12185), 2018; lesson 06.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a control says how much of a finding is one. *Timing:* purchase and moving 20, washing out 10, channels 10, strength 15, whose gap 10.
#
# | what you will hear | what to say |
# |---|---|
# | "Retraining resets the network." | Which weights? Have them count: the frozen ones are most of the seeing. |
# | "Then the control proves that there is no backdoor." | Subtract. What is left isn't zero, in any of the networks. |
# | "You could not reproduce it, so the paper is wrong." | We changed the network, the pictures and the place that is turned up. What would settle it? |
# | "Nobody would multiply weights by a hundred." | Who looks? Ask how one would notice, and keep the answers for lesson 06. |
#
# Take the guesses before the retraining cell: most people bet on full recovery.
