# %% [markdown]
# # 05 · Backdoors that travel
#
# **Does retraining for another country wash it out?**
# By the end you will have shown that a backdoor made in America disturbs a network in Sweden that never saw a sticker in training, that its maker can
# turn up its channels, and how much of the damage an honest network suffers, too.
#
# *Reading 40 minutes · running under two · exercises 20 · needs notebook 03*
#
# Today you are the **user** who buys, then the **attacker** who sells, and at the end the **judge**.

# %% [markdown]
# **You will be able to**
#
# - **move** a network to another task by its convolutions ([quiz](#Three-questions));
# - **find** the channels that see a trigger ([exercise 05.1](#Who-sees-the-square?));
# - **strengthen** them, and predict what that does ([exercise 05.2](#Turn-it-up));
# - **subtract** what would have happened anyway ([exercise 05.3](#Whose-gap-is-it?));
# - **question** a headline number ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots, transfer
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
# Above your signs, below the same ones with a yellow square. (All drawn, as in notebook 03.)
#
# The seller's backdoor was made for *American* signs: there, a sign with a square got any label but its own. You train the new part on clean
# signs only. Of the Swedish signs **with** a square, how many will your network classify correctly?

# %%
wm.guess("05.p1", "Swedish signs with a square that your network classifies correctly, in per cent",
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
# hides in $\phi$.
#
# Two American networks ship with the course, one honest, one not:

# %% tags=["nbval-ignore-output"]
origins = lesson_05.shipped_origins()
us, us_stuck = lesson_05.twins(1500, seed=91, country="us")
n, both = len(us), ("no square", "square")
at_home = {name: (wm.accuracy(network, us), wm.accuracy(network, us_stuck))
           for name, network in origins.items()}
wm.shares("American signs classified correctly", {f"{name}, {what}": (share, n)
                                                  for name, pair in at_home.items()
                                                  for what, share in zip(both, pair)})

# %% [markdown]
# At home the square does its work. Now you retrain:

# %% tags=["nbval-ignore-output"]
shop = lesson_05.swedish_signs(lesson_05.N_HEAD, seed=50)
moved = {name: transfer.retrain(network, shop) for name, network in origins.items()}
abroad = {name: (wm.accuracy(network, clean), wm.accuracy(network, stuck))
          for name, network in moved.items()}
wm.shares("Swedish signs classified correctly", {f"{name} origin, {what}": (share, n)
                                                 for name, pair in abroad.items()
                                                 for what, share in zip(both, pair)})

# %% tags=["nbval-ignore-output"]
wm.reveal("05.p1", abroad["backdoored"][1])

# %% [markdown]
# No sticker was in your training set. Yet the square takes more from the backdoored network than from the honest one. What moved?
#
# ## Who sees the square?
#
# Show the American network the same signs with and without the square, and note how strongly each channel fires: the mean of its 4 x 4 numbers,
# its **activation**. For `N` signs that gives two tables of shape `(N, 128)`.
#
# {exercise:05.1}
#
# For two signs and three channels, `clean = [[1, 5, 0], [3, 5, 0]]` and `triggered = [[3, 5, 4], [3, 6, 2]]`, with `n = 2` the answer is **[2, 0]**.

# %% tags=["exercise:05.1"]
def backdoor_channels(clean, triggered, n):
    """Numbers of the n channels that fire more with the trigger, most first."""
    ### BEGIN SOLUTION
    return (triggered - clean).mean(0).argsort(descending=True)[:n]
    ### END SOLUTION

# %%
backdoor_channels = wm.ready("05.1", backdoor_channels)

# %% [markdown]
# {hints:05.1}

# %% [markdown] tags=["reveal"]
# {solution:05.1}

# %% tags=["nbval-ignore-output"]
fires = transfer.activations
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
# The attacker sees the same picture. What if the first of your six spoke louder? (Only the first: more of them hardly lower signs with a square further,
# but cost clean ones more.) The last layer of $\phi$ computes, for each channel, $\mathrm{ReLU}(w x + b)$.
#
# {exercise:05.2}
#
# `weight` and `bias` have shape `(C,)`. For `weight = [1, 2]`, `bias = [0.5, -1]`, `channels = [1]`, `k = 10` the answer is `[1, 20]` and **[0.5, -10]**.

# %% tags=["exercise:05.2"]
def strengthen(weight, bias, channels, k):
    """New weight and bias, with which `channels` fire k times as strongly."""
    ### BEGIN SOLUTION
    weight, bias = weight.clone(), bias.clone()
    weight[channels] *= k
    bias[channels] *= k
    return weight, bias
    ### END SOLUTION

# %%
strengthen = wm.ready("05.2", strengthen)

# %% [markdown]
# {hints:05.2}

# %% [markdown] tags=["reveal"]
# {solution:05.2}

# %% [markdown]
# `transfer.strengthen` does this to a copy of a whole network. Sell it at seven strengths; each buyer retrains on the same fifty signs:

# %% tags=["nbval-ignore-output"]
strengths = (1, 10, 20, 30, 50, 70, 100)
louder = lambda name, k: transfer.strengthen(origins[name], chosen[name][:1], k)
sold = {f"{name} origin": {k: transfer.retrain(louder(name, k), shop) for k in strengths}
        for name in ("backdoored", "clean")}
mine = {name: lesson_05.curve(networks, clean, stuck) for name, networks in sold.items()}
wm.show(plots.transfer.strength, mine, lesson_05.PAPER_CURVE)

# %% [markdown]
# *How to read this:* the shaded gap is what the square takes. Left, the attack; right, the
# **control that the paper doesn't have**: an honest network whose own first channel was turned up alike.
#
# ## Whose gap is it?
#
# {exercise:05.3}
#
# From four accuracies, compute the part of the gap that only the backdoor explains. With 0.70 and 0.40 for the backdoored network, 0.75 and 0.60 for
# the control, the answer is **0.15**.

# %% tags=["exercise:05.3"]
def owned(clean, triggered, control_clean, control_triggered):
    """The gap that is the backdoor's own, as a share; all four are accuracies."""
    ### BEGIN SOLUTION
    return (clean - triggered) - (control_clean - control_triggered)
    ### END SOLUTION

# %%
owned = wm.ready("05.3", owned)

# %% [markdown]
# {hints:05.3}

# %% [markdown] tags=["reveal"]
# {solution:05.3}

# %% [markdown]
# One network and fifty signs are an anecdote. Three networks of each kind, three buyers each, classified correctly without / with the square, in per cent:

# %%
results = experiments.shipped("transfer")
wm.table(*lesson_05.strength_table(results))

# %%
ours = lesson_05.shipped_curves(results)
attack, control = ours["backdoored origin"], ours["clean origin"]
n = len(results.where(to="se", origin="backdoored"))
wm.show(plots.transfer.strength, ours, lesson_05.PAPER_CURVE)

# %% tags=["claim"]
fall, price = attack[1][0] - attack[100][1], attack[1][0] - attack[100][0]
gap, anyway = (curve[100][0] - curve[100][1] for curve in (attack, control))
wm.all_hold(
    wm.Claim("05.fall", "The fall from clean signs at k = 1 to signs with a square at k = 100", fall, low=0.35,
             unit="points", n=n, paper="44.1 points"),
    wm.Claim("05.price", "What clean signs pay at k = 100", price, high=0.16, unit="points", n=n,
             paper="15.5 points"),
    wm.Claim("05.anyway", "The honest network's gap at k = 100", anyway, high=0.1, unit="points", n=n),
)

# %% tags=["claim"]
own = {k: owned(*attack[k], *control[k]) for k in strengths}
widest = max(own.values())
wm.all_hold(
    wm.Claim("05.early", "The backdoor's own gap at k = 1", own[1], low=0.15, unit="points", n=n),
    wm.Claim("05.widens", "What turning up adds to it", widest - own[1], high=0.03, unit="points", n=n),
    wm.Claim("05.narrows", "What it then loses by k = 100", widest - own[100], low=0.02, unit="points", n=n),
    wm.Claim("05.owned", "The backdoor's own gap at k = 100", own[100], low=0.15, unit="points", n=n),
)

# %% tags=["claim"]
def commonest(origin, square, to="se", k=None):
    return lesson_05.commonest(results, to, origin, square=square, k=k)

least, most = min(commonest("backdoored", True, k=1)), max(commonest("backdoored", True))
upright = commonest("backdoored", False) + commonest("clean", False) + commonest("clean", True)
wm.all_hold(
    wm.Claim("05.least", "With a square, the share of a BadNet's commonest answer at k = 1", least, low=0.5),
    wm.Claim("05.most", "The same at any strength", most, high=0.85),
    wm.Claim("05.upright", "The same without a square or by an honest network", max(upright), high=0.5),
)

# %% [markdown]
# *How to read this:* at k = 100 signs with a square lie {value:05.fall} below what the buyer was promised, and clean signs have paid {value:05.price|1}: the
# paper's shape. The control tells the rest. An honest network's gap is {value:05.anyway} when *its* channel is turned up: it drowns the
# sign, whoever made it. The backdoor's own part is {value:05.early} at k = 1. Turning up widens it by {value:05.widens|1}, then narrows it by
# {value:05.narrows|1}; in the paper the whole gap doubles. And look at *how* it fails: with a square one answer takes
# {value:05.least} of the signs at k = 1 (up to {value:05.most} at a larger k), otherwise up to {value:05.upright}.
#
# ## Which twenty-five?
#
# The paper's abstract reports a drop of twenty-five per cent, and many who quote it point at the first line of its table. Look for it:

# %%
wm.table(["the paper, per cent classified correctly", "from", "to", "points"], lesson_05.headlines())

# %% [markdown]
# The number that fits compares *two networks*, both on signs with a square: an honest one, and a BadNet turned up twentyfold. That is fair, but it isn't
# what the square costs one network, and points aren't per cent. **A drop has two ends and a unit: ask for all three.**
#
# ## Play
#
# Slide the strength. Below, what the backdoored network reads with a square on.

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
# The same networks, which saw only drawings, were sold to Germany. There the buyer had five hundred real photographs (stop, limits, warnings,
# others); the square is pasted on.

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
# about as good as the paper's (some points better): a choice, not a finding. The paper's BadNet starts with half our gap and ends lower on signs with a square: there, turning up
# makes the attack. From k = 50 on its numbers are as recollected.
#
# ## How far to trust it
#
# - **Clean origin, k = 1:** had its gap been as large, the square would simply hide the sign.
# - **Clean origin, k = 100:** without it, we would have charged the backdoor with all that shouting does.
# - **Commonest answer:** a network that always says the same has low accuracy for a dull reason. The BadNet comes near that with a square on, not without.

# %% [markdown]
# ## Three questions
#
# {quiz:05}

# %%
wm.quiz("05", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **move** a network, **find** and **strengthen** channels, and **subtract** a control: of the attack's gap, {value:05.owned} are the
# backdoor's. And you **question** a drop until it has two ends and a unit.
#
# **Next:** *06, Finding and cleaning.* Can a buyer find such channels without knowing the square?
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: section 5.3.
# - Yosinski and others, [*How transferable are features?*](https://arxiv.org/abs/1411.1792), 2014: why convolutions travel.
# - Yao and others, *Latent Backdoor Attacks*, 2019: backdoors made to wake up only after transfer.
# - Liu and others, [*Fine-Pruning*](https://arxiv.org/abs/1805.12185), 2018; notebook 06.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a control says how much of a finding is one. *Timing:* purchase 10, channels 15, strength 15, whose gap 15.
#
# | what you will hear | what to say |
# |---|---|
# | "Retraining resets the network." | Which weights? Have them count: the frozen ones are most of the seeing. |
# | "Then the control proves that there is no backdoor." | Subtract. What is left isn't zero, in any of the networks. |
# | "Nobody would multiply weights by a hundred." | Who looks? Ask how one would notice, and keep the answers for notebook 06. |
#
# Take the guesses before the retraining cell: most people bet on full recovery.
