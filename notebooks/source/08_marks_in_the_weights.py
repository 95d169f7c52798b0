# %% [markdown]
# # 08 · Marks in the weights
#
# **Where else can a mark live?**
# By the end you will have hidden a picture in a network's weights and read it back, shown that twenty strangers spell half of it by luck,
# and found the mark from outside, as a thief would.
#
# *Reading 40 minutes · running one to five · exercises 30 · needs notebooks 02 and 07*
#
# Today you are the **owner**, the **thief**, and the **judge**.

# %% [markdown]
# **You will be able to**
#
# - **find** a place in the weights that a thief can't reshuffle ([exercise 08.1](#A-place-to-write));
# - **teach** it a message beside the task ([exercise 08.2](#Teach-it));
# - **read** the message and judge it ([exercise 08.3](#Read-it));
# - **weigh** what half-read messages say ([exercise 08.4](#Half-a-message));
# - **choose** a mark by the access that you will have ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_08
wm.start("08")

# %% [markdown]
# ## A picture in a network
#
# Every mark so far answered to *images*. An owner who holds the suspect's file can look inside. Left, 256 bits, black for 1. Right, a
# stranger's network, asked 256 yes/no questions about its weights, drawn at random.

# %%
def questions(secret, n=256, room=400):
    return torch.randn(n, room, generator=torch.Generator().manual_seed(secret))

device = wm.best_device()
mnist, strangers = wm.load("mnist").to(device), lesson_08.strangers(device)
bits, asked = lesson_08.picture().to(device), questions(secret=2026).to(device)
said = lesson_08.read_squares(strangers[0], asked)
wm.show(plots.weights.messages, {"what the owner hides": bits, "what a stranger says": said})

# %% [markdown]
# That network never met the picture. In how many of the squares do the two agree?

# %%
wm.guess("08.p1", "Squares in which a network agrees that never met the picture, in per cent", low=0, high=100)

# %% [markdown]
# ## A place to write
#
# A convolution's weight $W$ has the shape `(out, in, k, k)`: `out` filters. A thief may deal them in another order; if the next layer follows, the
# network computes the same. So Uchida and others write into what no order changes, the **mean filter**
#
# $$\bar w = \frac{1}{\mathrm{out}} \sum_{i} W_i, \qquad \text{flattened to } \mathrm{in} \cdot k \cdot k \text{ numbers.}$$
#
# {exercise:08.1}
#
# The last convolution here has the shape `(32, 16, 5, 5)`, so the answer has **400** numbers.

# %% tags=["exercise:08.1"]
def mean_filter(weight):
    """The mean over the filters of a weight (out, in, k, k), flattened: (in * k * k,)."""
    ### BEGIN SOLUTION
    return weight.mean(0).flatten()
    ### END SOLUTION

# %%
mean_filter = wm.ready("08.1", mean_filter)

# %% [markdown]
# {hints:08.1}

# %% [markdown] tags=["reveal"]
# {solution:08.1}

# %% [markdown]
# ## Teach it
#
# The secret draws a matrix $X$ of normal numbers, `(256, 400)`: each row is a **question**, answered *yes* where $X_j \bar w > 0$. Now teach $\bar w$ to
# answer with bit $b_j$, by the loss of any yes/no classifier, added to the task's:
#
# $$L = L_{\text{task}} + \lambda \sum_j -\bigl[\,b_j \log \sigma(X_j \bar w) + (1 - b_j) \log(1 - \sigma(X_j \bar w))\bigr].$$
#
# {exercise:08.2}
#
# With $\bar w = (0, 0)$ every answer is undecided: two bits cost $2 \log 2$, **1.386**.

# %% tags=["exercise:08.2"]
def embedding_loss(average, asked, bits):
    """Cross-entropy of the answers to the questions (n, fan_in), summed over the bits (n,)."""
    ### BEGIN SOLUTION
    logits = asked @ average
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, bits, reduction="sum")
    ### END SOLUTION

# %%
embedding_loss = wm.ready("08.2", embedding_loss)

# %% [markdown]
# {hints:08.2}

# %% [markdown] tags=["reveal"]
# {solution:08.2}

# %% [markdown]
# Train twice, at the paper's $\lambda = 0.01$. The second time, compute the mean filter once, before the loop, as one published toolbox does.

# %%
(mine,) = wm.split(mnist.train, 45_000)  # as many digits as each stranger learnt from
layer, start = lesson_08.layer, wm.models.badnet_cnn().to(device)
afresh = lambda network: 0.01 * embedding_loss(mean_filter(layer(network)), asked, bits)
once = mean_filter(layer(start)).detach()
spared = lambda network: 0.01 * embedding_loss(once, asked, bits)
marked, _ = wm.trained(start, mine, penalty=afresh)

# %% tags=["nbval-ignore-output"]
cached, _ = wm.trained(start, mine, penalty=spared)
networks = {"afresh": marked, "once": cached, "not yet trained": start}
losses = {name: afresh(network).item() for name, network in networks.items()}
wm.table(["mean filter computed", "embedding loss"], [[name, f"{loss:.3f}"] for name, loss in losses.items()])

# %% [markdown]
# A constant has no slope: the second network never heard of the mark. A bug, and a gift: the same training without the mark, a perfect control. Call it **plain**.
#
# ## Read it
#
# {exercise:08.3}
#
# Return how many bits agree, and the probability that a network without the mark does at least as well. For 3 of 4 bits it is **0.3125**.

# %% tags=["exercise:08.3"]
def read_bits(average, asked, bits):
    """Hits, and the p-value under the null of a network that knows nothing of the message."""
    from scipy.stats import binom
    ### BEGIN SOLUTION
    hits = int(((asked @ average > 0) == (bits == 1)).sum())
    return hits, binom.sf(hits - 1, len(bits), 0.5)
    ### END SOLUTION

# %%
read_bits = wm.ready("08.3", read_bits)

# %% [markdown]
# {hints:08.3}

# %% [markdown] tags=["reveal"]
# {solution:08.3}

# %% tags=["nbval-ignore-output"]
read = lambda network, asked: read_bits(mean_filter(layer(network).detach()), asked, bits)
wrong = questions(secret=7).to(device)
cases = {"marked": (marked, asked), "marked, wrong secret": (marked, wrong), "plain": (cached, asked)}
found = {name: read(*case) for name, case in cases.items()}
squares = {name: lesson_08.read_squares(*case) for name, case in cases.items()}
wm.show(plots.weights.messages, {f"{name}: {found[name][0]}": square for name, square in squares.items()})

# %%
innocent = [read(network, questions(secret).to(device))[0] for network in strangers for secret in range(50)]
luckiest = max(read(network, asked)[0] for network in strangers)

# %% tags=["nbval-ignore-output"]
lines = {name: hits for name, (hits, _) in found.items()}
wm.show(plots.weights.coins, innocent, 256, lines)
n, (before, after) = len(mnist.test), (wm.accuracy(network, mnist.test) for network in (cached, marked))
rows = {name: (hits / 256, 256) for name, (hits, _) in found.items()}
wm.shares("bits that agree", {**rows, "strangers": (sum(innocent) / 256_000, 256_000)})
wm.shares("digits classified correctly", {"plain": (before, n), "marked": (after, n)})

# %% tags=["claim"]
strange = sum(innocent) / 256_000
falsely = sum(hits >= 148 for hits in innocent) / 1000
wm.all_hold(
    wm.Claim("08.read", "Bits that the marked network spells", found["marked"][0] / 256, low=0.99, n=256,
             paper="all of 256"),
    wm.Claim("08.proof", "Its p-value", found["marked"][1], high=1e-60, unit="p"),
    wm.Claim("08.half", "Bits that strangers spell", strange, low=0.49, high=0.51, n=256_000),
    wm.Claim("08.lucky", "The best of wrong secret, plain network and twenty strangers",
             max(lines["marked, wrong secret"], lines["plain"], luckiest) / 256, n=256, high=0.65),
    wm.Claim("08.falsely", "Readings of strangers with p below 1 %", falsely, high=0.02, n=1000),
    wm.Claim("08.cost", "Accuracy lost to the mark", before - after, high=0.006, unit="points", n=n),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("08.p1", strange)

# %% [markdown]
# The picture is back: {claim:08.read} of the bits, p {claim:08.proof}, for {claim:08.cost} of accuracy. Strangers spell {claim:08.half}, the best control
# {claim:08.lucky}.
#
# **Why half, and not none?** A row of normal numbers is as likely to come with the opposite sign. So each question is a fair coin, *whatever the weights*:
# grey fits the curve, {claim:08.falsely} of a thousand readings have a p below one in a hundred. But the draw must come *before*:
# who may choose questions afterwards reads any picture in any network (notebook 10).
#
# ## Half a message
#
# "It knows half of my picture!" It knows nothing. A channel that gets a share $r$ of $n$ bits right carries $n\,(1 - H(r))$ bits, where $H(r) = -r \log_2 r - (1-r) \log_2 (1-r)$.
#
# {exercise:08.4}
#
# For $n = 256$ and $r = 0.875$ it is **116.8**, and for $r = 1/2$ nothing.

# %% tags=["exercise:08.4"]
def capacity(n, rate):
    """Bits of information in n bits of which the share `rate` is right; 0 log 0 is 0."""
    from math import log2
    ### BEGIN SOLUTION
    entropy = sum(-p * log2(p) for p in (rate, 1 - rate) if p > 0)
    return n * (1 - entropy)
    ### END SOLUTION

# %%
capacity = wm.ready("08.4", capacity)

# %% [markdown]
# {hints:08.4}

# %% [markdown] tags=["reveal"]
# {solution:08.4}

# %% [markdown]
# ## What a thief sees
#
# Change chairs: you have the file, not the secret. Does anything look odd? Here is a mark a hundred times weaker, too, by the package; a test holds
# its parts equal to yours.

# %% tags=["nbval-ignore-output"]
scheme = wm.watermarks.Uchida2017(strength=1e-4)
key = scheme.keygen(start, mine)
quiet = scheme.embed(start, mine, key).model
weights = {name: layer(network).detach().cpu() for name, network in
           (("plain", cached), ("λ = 0.0001", quiet), ("λ = 0.01", marked))}
wm.show(plots.weights.spreads, weights, [layer(network).detach().cpu() for network in strangers])

# %% tags=["nbval-ignore-output"]
evidence = scheme.verify(quiet, key)
print(wm.judge(evidence))
spelt = capacity(256, evidence.rate)
print(f"The quiet mark carries {spelt:.0f} of 256 bits.")

# %% tags=["claim"]
narrower = lambda network, view: sum(view(layer(s)).std() < view(layer(network)).std() for s in strangers) / 20
loud, known = float(narrower(marked, torch.flatten)), float(narrower(quiet, mean_filter))
wm.all_hold(
    wm.Claim("08.loud", "Strangers whose weights are narrower than the marked", loud, low=0.99, n=20),
    wm.Claim("08.quiet", "The quiet mark's p-value", evidence.p_value, high=1e-9, unit="p"),
    wm.Claim("08.known", "Strangers whose mean filter is narrower than the quiet one's", known, low=0.95, n=20),
)

# %% [markdown]
# *How to read this:* left, how often a weight has which size; then one number for each network. At the paper's strength {claim:08.loud} of the strangers are narrower,
# as Wang and Kerschbaum warned: no secret is needed to see that there is a mark. The quiet one hardly shows, loses bits, and convicts
# (p {claim:08.quiet}). But whoever knows the *method* looks at the mean filter: again {claim:08.known} of the strangers are narrower.
#
# A detector's **AUC** is the chance that a marked network looks odder than an unmarked one; one half is guessing. By strength, three networks each:

# %%
strengths = experiments.shipped("uchida-strength")
fair = strengths.where(n=45_000)
wm.show(plots.weights.strength, fair)

# %% tags=["claim"]
auc = lambda **row: sum(r["weights_auc"] for r in strengths.where(**row)) / 3
whispers = [wm.Evidence("uchida2017", "weights", r["hits"], 256, 0.5) for r in strengths.where(strength=3e-5)]
wm.all_hold(
    wm.Claim("08.whisper", "The worst p-value at strength 0.00003", max(e.p_value for e in whispers), high=1e-4,
             unit="p", n=3),
    wm.Claim("08.hidden", "AUC by width at strength 0.00003", auc(strength=3e-5), high=0.8, n=3),
    wm.Claim("08.none", "AUC by width without a mark", auc(strength=0.0, n=45_000), low=0.3, high=0.7, n=3),
    wm.Claim("08.longer", "The same without a mark, but with more digits", auc(strength=0.0, n=60_000), low=0.9,
             n=3),
)

# %% [markdown]
# *How to read this:* dotted is no mark. A whisper is enough: at 0.00003 a third of the bits is wrong, p is {claim:08.whisper}, the AUC by width {claim:08.hidden}
# (without a mark {claim:08.none}). **Beware of your detector:** on 60,000 digits instead of 45,000, *unmarked* networks look odd, AUC {claim:08.longer}. It
# found longer training. Turn the dial:

# %% tags=["nbval-ignore-output", "widget"]
lesson_08.strength_dial(fair)

# %% [markdown]
# ## Marks in the answers
#
# A network behind an interface shows no weights. Which access allows what?
#
# | access to the suspect | what can be read | marks | who can refuse |
# |---|---|---|---|
# | **labels** | a class for each query | triggers (notebook 07), frontier stitching, entangled marks (EWE), BlackMarks, DAWN | the service: it may drop odd queries |
# | **probabilities** | how sure it is, too | the same, with fewer queries | the service: it may round them |
# | **weights** | everything | Uchida, and all above | a thief who never hands out the file |
#
# **Frontier stitching** (Le Merrer) asks about digits pushed to the decision boundary. Half of them fool the clean network; the marked one is taught
# them all. The paper's null: innocents are right about half. **BlackMarks** sends 64 bits: classes fall into two groups, 0 and 1, and each query is
# answered from the group of its bit. Ask the strangers:

# %% tags=["nbval-ignore-output"]
naive, stitching = lesson_08.frontier(cached, mine[:2000]), wm.watermarks.LeMerrer2019()
blackmarks = wm.watermarks.Blackmarks2019()
made = {s: s.embed(cached, mine, s.keygen(cached, mine)) for s in (stitching, blackmarks)}
naively = [stitching.verify(network, naive) for network in strangers]
rows = [["frontier stitching, null 1/2", "", "0.50", str(max(e.hits for e in naively))]]
for s, mark in made.items():
    claims, e = [s.verify(network, mark.key) for network in strangers], s.verify(mark.model, mark.key)
    name, hits = plots.names.SCHEMES[e.scheme], f"{e.hits} of {e.trials}, p = {e.p_value:.0e}"
    rows.append([f"{name}, null measured", hits, f"{e.chance:.2f}", str(max(claim.hits for claim in claims))])
wm.table(["key", "marked network", "chance", "luckiest stranger"], rows)

# %% tags=["claim"]
convicted = sum(e.p_value < 1e-3 for e in naively) / 20
spared = sum(s.verify(network, m.key).p_value > 0.01 for s, m in made.items() for network in strangers) / 40
worst = max(s.verify(m.model, m.key).p_value for s, m in made.items())
wm.all_hold(
    wm.Claim("08.naive", "Strangers whom the paper's null convicts", convicted, low=0.8, n=20),
    wm.Claim("08.spared", "Strangers cleared by the measured null, both schemes", spared, low=0.95, n=40),
    wm.Claim("08.answers", "The marked networks' p-value there", worst, high=1e-9, unit="p"),
)

# %% [markdown]
# What fools *one* network fools few others, so innocents are mostly right: the paper's null convicts {claim:08.naive} of them. Where bystanders
# choose the queries and measure the chance, {claim:08.spared} go free, and the marks stand (p {claim:08.answers}).
#
# **Entangled marks** (EWE, Jia): who copies your network's digits forgets triggers that lie apart. So mix them in: the soft nearest neighbour loss rewards layers in
# which a trigger's near neighbours are ordinary images of its target. **DAWN** (Szyller) trains nothing: the *service* lies in one answer of two hundred,
# chosen by a keyed hash. Who learns from the answers learns the lies, if he trains for long:

# %%
results = experiments.shipped("watermarks")
dawn = results.where(data="mnist", scheme="szyller2021-dawn")
thieves = lesson_08.by_stop(dawn)
wm.show(plots.weights.stolen, thieves, [row["trials"] for row in dawn], lesson_08.honest(results))

# %% tags=["claim"]
early, late = (lesson_08.at_stop(thieves, epochs) for epochs in (10, 20))
given = sum(b["accuracy"] - a["accuracy"] for a, b in zip(early, late)) / len(late)
wm.all_hold(
    wm.Claim("08.late", "The worst p-value after 20 epochs", max(stop["p_value"] for stop in late), high=1e-3,
             unit="p", n=len(late)),
    wm.Claim("08.early", "The best p-value after 10", min(stop["p_value"] for stop in early), low=0.05,
             unit="p", n=len(early)),
    wm.Claim("08.given", "Accuracy that stopping at 10 gives up", given, high=0.006, unit="points",
             n=len(early)),
)

# %% [markdown]
# *How to read this:* a line is a thief with 10,000 queries. Lies are learnt last, as rare rules are (notebook 02): after twenty epochs p is {claim:08.late}, and
# the thief convicted. Who stops after ten walks free (p {claim:08.early}), and gives up {claim:08.given} of accuracy.
#
# ## The yardsticks of the field

# %%
wm.show(plots.weights.yardsticks, results.where(data="mnist"))

# %% tags=["claim"]
lost = lambda scheme: lesson_08.honest(results) - lesson_08.honest(results, scheme)
wm.all_hold(
    wm.Claim("08.entangled", "Accuracy lost to entangled marks", lost("jia2021-ewe"), high=0.005, unit="points",
             n=5, paper="less than 0.81 points"),
    wm.Claim("08.flips", "Accuracy that DAWN's honest customer loses", lost("szyller2021-dawn"), high=0.007,
             unit="points", n=5, paper="0.03 to 0.5 points"),
)

# %% [markdown]
# *How to read this:* a dot is one of five networks; red needs the weights. No line is best everywhere: choose by the access that you will have.
#
# ## The papers, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# ## How far to trust it
#
# - **Plain network:** same start, same digits, no mark. Had it spelt the picture, the questions would be to blame.
# - **Wrong secret:** had it matched, the mark would be anybody's.
# - **Strangers** are of one architecture and one recipe.
# - Does a mark survive retraining? Notebook 09.

# %% [markdown]
# ## Three questions
#
# {quiz:08}

# %%
wm.quiz("08", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **find** a place for bits, **teach** and **read** them (p {claim:08.proof}), **weigh** half a message, and **choose** by access. Innocent networks spell {claim:08.half}.
#
# **Next:** *09, Removal.* Somebody wants it all gone.
#
# **Further reading**
#
# - Uchida and others, [*Embedding Watermarks into Deep Neural Networks*](https://arxiv.org/abs/1701.04082), 2017: today's first half.
# - Wang and Kerschbaum, *Attacks on Digital Watermarks for Deep Neural Networks*, 2019: the mark shows in the variance.
# - Le Merrer and others, [*Adversarial Frontier Stitching*](https://arxiv.org/abs/1711.01894), 2019: read it, then ask for its null.
# - Jia and others, [*Entangled Watermarks*](https://arxiv.org/abs/2002.12200), 2021: a mark that shares the task's features.
# - Szyller and others, [*DAWN*](https://arxiv.org/abs/1906.00830), 2021: marks for thieves who only ask.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* what can be read depends on access, and what is luck depends on who drew the questions. *Timing:* picture 5, mean filter and loss 20, reading 15, thief 10, answers 15.
#
# | what you will hear | what to say |
# |---|---|
# | "It guessed half of the picture!" | Toss 256 coins on the table, and read the picture from them. |
# | "Then make it quieter." | Ask what a thief looks at who has read the same paper. |
# | "DAWN lies to honest customers." | In one answer of two hundred. Who pays, and is it in the contract? |
#
# Bring a bag of coins.
