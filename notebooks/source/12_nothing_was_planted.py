# %% [markdown]
# # 12 · Nothing was planted
#
# **Whose model is it when there is no mark, no key, no registry?**
# By the end you will have convicted a washed network by its weights alone, seen your test blinded and repaired, and found what a random choice of training data leaves behind.
#
# *Reading 15 minutes · exercises 40 · running one to three minutes · needs notebooks 08 to 10*
#
# Today you are the **judge's expert**.

# %% [markdown]
# **You will be able to**
#
# - **build** an exact test from two files of weights ([exercise 12.1](#A-test-that-needs-no-mark)), and say what blinds it and what repairs it;
# - **compute** what a secret random split proves from labels alone ([exercise 12.2](#A-secret-split));
# - **rank** a suspect among siblings ([exercise 12.3](#Siblings));
# - **name** the conditions of each p-value ([quiz](#Three-questions)), and the theft that leaves no trace ([challenge](#Challenge:-the-theft-that-nobody-sees)).

# %% tags=["nbval-ignore-output"]
import torch, torch.nn.functional as F, wmlearn as wm
from wmlearn import evidence, experiments, plots, removal
from wmlearn.course.lessons import lesson_12
from wmlearn.models import matching, units
wm.start("12")

# %% [markdown]
# ## Five files on the table
#
# Ana trained a network on digits. She marked nothing and registered nothing. A disk was stolen. Four networks, B to E, are on sale; their sellers say that they trained them themselves. You get all five files, and 6,000 digits such as a thief would have.

# %% tags=["nbval-ignore-output"]
mnist = wm.load("mnist").to(wm.best_device())
thiefs = wm.split(mnist.train, 6_000, seed=9)[0]
case = lesson_12.case()
answers = wm.predict(case.ana, mnist.test.x).argmax(1)
rows = []
for name, network in case.files.items():
    said = wm.predict(network, mnist.test.x).argmax(1)
    right, same = ((said == wanted).double().mean() for wanted in (mnist.test.y, answers))
    shares = right, same, lesson_12.equal(network, case.ana)
    rows.append([name, *(f"{100 * share:.1f} %" for share in shares)])
wm.table(["file", "accuracy", "answers as Ana's", "weights equal to Ana's"], rows)

# %% [markdown]
# Much the same accuracy, no weight in common. All good networks agree on easy digits. One of the four is innocent. Which?
#
# | | **Who can do what here** |
# |---|---|
# | Goal | Ana: her network back. The thief: sell it as his own. The judge: no innocent convicted |
# | Knowledge | Ana: her weights, her training data. The thief: the weights, 6,000 digits, this lesson |
# | Access | Ana can change nothing any more. The thief makes any change that keeps accuracy. The judge has both files, or only an API |
# | Stage | After release |
# | Names | AI Model Extraction (MITRE ATLAS: AML.T0024.002) where the thief has only an API; NISTAML.031 |
# | Real case | In 2024 the weights of Llama3-V differed from those of MiniCPM-Llama3-V 2.5 as if by added noise, and it could read characters from unpublished scans that only the older model had been trained on ([issue 196](https://github.com/OpenBMB/MiniCPM-V/issues/196)). It was withdrawn; two of its three authors apologised |
#
# Lesson 09 tried 26 removals. Some cut the network, some train it on, some copy it by its answers.

# %%
wm.guess("12.p1", "Removals after which the weights still show their origin, in per cent", low=0, high=100)

# %% [markdown]
# ## What weights remember
#
# A hidden unit starts as a random direction in the space of its 512 inputs: its row of weights. Training moves it, but not far. So compare *unit by unit*: row $a_i$ of Ana's widest layer with row $b_j$ of a file's, by the cosine of their angle.

# %%
widest = "8"  # nn.Linear(512, 512): 512 hidden units
weights = lambda network: network.get_submodule(widest).weight.detach()  # (512 units, 512 inputs)
direction = lambda network: F.normalize(weights(network), dim=1)
corner = {name: (direction(case.ana) @ direction(file).T)[:40, :40] for name, file in case.files.items()}
wm.show(plots.origins.units, corner)

# %% [markdown]
# *How to read this:* a dark point says that two units read the same. B has a diagonal: its unit $i$ still reads what Ana's unit $i$ reads. The others have none.
#
# ## A test that needs no mark
#
# How much diagonal is too much? Take the mean over the diagonal, $T = \frac{1}{m}\sum_i \cos(a_i, b_i)$. Then shuffle the units of $b$, $n$ times, and compute $T_\pi$ for each order $\pi$ (Zhu and others, 2025):
#
# $$p = \frac{1 + \#\{\pi : T_\pi \ge T\}}{n + 1}$$
#
# {exercise:12.1}
#
# `a` and `b` have a row a unit, `orders` has shape `(n, units)`: in row `order`, unit `i` of `a` meets unit `order[i]` of `b`. Use rows of length 1. For the rows $(1, 0)$ and $(0, 1)$ in both networks and the single order `[1, 0]`, $p$ is **0.5**.

# %% tags=["exercise:12.1"]
def p_value(a, b, orders):
    """How often the units of b, shuffled, are as like those of a as they are in their own order."""
    ### BEGIN SOLUTION
    cosines = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T  # (units, units)
    own = cosines.diagonal().mean()
    places, reached = torch.arange(len(a)), 0
    for order in orders:
        reached += int(cosines[places, order].mean() >= own)
    return (1 + reached) / (1 + len(orders))
    ### END SOLUTION

# %%
p_value = wm.ready("12.1", p_value)

# %% [markdown]
# {hints:12.1}

# %% [markdown] tags=["reveal"]
# {solution:12.1}

# %%
draw = torch.Generator().manual_seed(12)
orders = torch.stack([torch.randperm(512, generator=draw) for _ in range(999)])
test = lambda network: float(p_value(weights(case.ana).cpu(), weights(network).cpu(), orders))
by_weights = {name: test(network) for name, network in case.files.items()}

# %% [markdown]
# The control: all 780 pairs of 40 networks that have nothing to do with each other, by the package's test, which adds up all hidden layers (Fisher's sum).

# %% tags=["nbval-ignore-output"]
results = experiments.shipped("nothing-planted")
wm.show(plots.origins.strangers, lesson_12.p_values(results), by_weights)

# %% [markdown]
# *How to read this:* strangers' p-values are spread evenly, as they must be: {value:12.false|1} have $p \le 0.05$. B has the smallest that 999 shuffles can give, {value:12.b}. It is made from Ana's. About C, D and E this test says nothing.
#
# **Why exact?** If B has nothing to do with Ana, then any order of *her* units was as probable as the one she got, since each was drawn alike and trained alike. So $T$ is one of $n + 1$ numbers, none favoured. It doesn't matter that both used the same digits, recipe and architecture.
#
# **When not?** When first weights are shared. Or when something else puts the units in order. Honest people who never met:

# %%
wm.table(["honest networks", "pairs", "p-value"], lesson_12.honest(results))

# %% [markdown]
# One seed makes two honest networks as guilty as any thief: p = {value:12.seed}. Sorting the units by size convicts *every* pair of strangers; the largest of 780 p-values is {value:12.sorted}. So take a seed that nobody else takes: `wm.models.seed_of("Ana", 1)`. And the test sees a *common origin*, not who was first: there the dates of lesson 10 decide.
#
# ## Blind it, and repair it
#
# The thief reads along. In lesson 08 you permuted the channels of a network; not one answer changed. Permute B's:

# %% tags=["nbval-ignore-output"]
b = case.files["B"]
permuted = removal.Permute(scale=1)(b, thiefs)  # your `move` of lesson 08, in every layer; order only
largest = (wm.predict(b, mnist.test.x) - wm.predict(permuted, mnist.test.x)).abs().max().item()
blinded = test(permuted)
print(f"largest change of a logit {largest:.0e}; p before {by_weights['B']:.3f}, after {blinded:.2f}")

# %% tags=["claim"]
wm.all_hold(*lesson_12.by_weights(results, by_weights["B"], blinded))

# %% [markdown]
# The test is blind: p = {value:12.blind}. Was E permuted as well?
#
# **The repair** is lesson 08's, too. Pair each of Ana's units with one of the file's so that the sum of the cosines is largest, layer by layer from the input on. Then take the mean cosine, over all hidden layers:

# %% tags=["nbval-ignore-output"]
def matched(network):
    back = matching.matched(case.ana, network)  # lesson 08's `put_back`
    pairs = [(units.directions(case.ana, name), units.directions(back, name))
             for name in units.hidden_layers(case.ana)]
    cosines = [(ours * theirs).sum(1).mean() for ours, theirs in pairs]
    return sum(cosines).item() / len(cosines)

found = {name: matched(network) for name, network in case.files.items()}
others = [matched(network) for network in case.strangers]
wm.show(plots.origins.matches, others, found)

# %% tags=["claim"]
wm.all_hold(*lesson_12.matched(found, others))

# %% [markdown]
# *How to read this:* E is found. Its cosine is {value:12.e|2}; the most similar stranger has {value:12.stranger|2}. But strangers no longer lie at 0: matching *looks for* similar units and finds some everywhere. So the formula above doesn't hold here. What holds is the rank, 1 of 40: p = {value:12.rank|2}, and for 1 in 1,000 you need 999 strangers. D comes last of the forty (p = {value:12.rank_d}). Is D innocent?
#
# ## A secret split
#
# Ana did one thing at random: of 60,000 digits she drew 45,000 to train on, her *lot*, and kept the rest. A network errs a little less on what it was trained on. A network that doesn't descend from hers knows nothing of this random split. So of its errors a quarter should fall outside, as a draw from an urn (*hypergeometric*):
#
# $$p = P(H \ge h), \qquad H \sim \mathrm{Hypergeometric}(N \text{ images}, \; e \text{ errors}, \; \text{those outside drawn})$$
#
# {exercise:12.2}
#
# `wrong` (N,) and `lot` (N,) are truth values: where the suspect errs, and where Ana trained. `hypergeom.sf(k, N, red, drawn)` is SciPy's $P(H > k)$. For `wrong = [1, 1, 0, 0]` and `lot = [0, 0, 1, 1]` the answer is **0.167**.

# %% tags=["exercise:12.2"]
def lot_p(wrong, lot):
    """The probability of as many errors outside a lot drawn at random, or more."""
    from scipy.stats import hypergeom
    ### BEGIN SOLUTION
    h = int((wrong & ~lot).sum())
    return hypergeom.sf(h - 1, len(lot), int(wrong.sum()), int((~lot).sum()))
    ### END SOLUTION

# %%
lot_p = wm.ready("12.2", lot_p)

# %% [markdown]
# {hints:12.2}

# %% [markdown] tags=["reveal"]
# {solution:12.2}

# %% tags=["nbval-ignore-output"]
train, errs, by_lot, rows = mnist.train, {}, {}, []
for name, network in {"Ana's": case.ana, **case.files}.items():
    errs[name] = (wm.predict(network, train.x).argmax(1) != train.y).cpu()  # (60,000,)
    by_lot[name] = float(lot_p(errs[name], case.lot))
    inside, outside = (int((errs[name] & part).sum()) for part in (case.lot, ~case.lot))
    rows.append([name, f"{inside:,}", f"{outside:,}", lesson_12.told(by_lot[name])])
wm.table(["network", "errors on 45,000 inside", "on 15,000 outside", "p-value"], rows)

# %% [markdown]
# *How to read this:* Ana's own network errs far too rarely inside, p = {value:12.own}. And D, which has no unit like hers, has {value:12.d}: whoever is taught by her answers learns her mistakes, and *where* she makes none. C has {value:12.c}. In B, the large rate has erased that trace.
#
# **But what does 0.05 promise?** Forty owners, each asked about all forty networks:

# %%
wm.show(plots.origins.lots, lesson_12.lots_of(results, "p_split"))

# %% [markdown]
# *How to read this:* a square is an owner's lot (row) asked of a network (column), dark where p is small; the black diagonal is each owner's own network. But some *rows* are dark: there the lot happened to leave hard digits outside, and every stranger stumbles over them. The promise is one about *lots*, as in lesson 07 about keys; of one lot, innocents err alike.
#
# The mend: ask strangers how hard each digit is, and compare it only with digits that are as hard. Given the hardness, the lot is still a draw; so the null stays exact, and the luck goes.

# %% tags=["nbval-ignore-output"]
hardness = lesson_12.hardness(results, 0, lesson_12.C_IS)  # by all networks but Ana's and C
errors = lambda name: evidence.splits.counted(errs[name], train.y.cpu(), case.lot, hardness=hardness)
fair = {name: errors(name).p_value for name in case.files}
rows = [[name, lesson_12.told(by_lot[name]), lesson_12.told(p)] for name, p in fair.items()]
wm.table(["file", "p, all digits alike", "p, among digits as hard"], rows)

# %% tags=["claim"]
wm.all_hold(*lesson_12.by_lot(by_lot, fair, results))

# %% [markdown]
# The unluckiest lot accused {value:12.plain|of} innocents at 0.05; now the worst accuses {value:12.mended|of}, and over all lots {value:12.level|1} are accused. D falls to {value:12.fair}, and on the own networks of forty owners the largest p is {value:12.own_lot}: asking strangers made the test *stronger*, too.
#
# ## Siblings
#
# Suppose an API gives scores, not only labels. Ana trains 39 **siblings**: her recipe, other seeds, other lots. Whose scores does the suspect follow most closely? To an innocent, her network is one of forty drawn alike, so it comes first once in 40, *whatever the measure of similarity*. Ours: for each image the cosine of both rows of scores, each without its mean; then the mean over images.
#
# {exercise:12.3}
#
# `scores` (N, classes) are the suspect's, `networks` (M, N, classes) those of Ana's network, the first, and of its siblings. The answer is her rank over M: how many are followed at least as closely as hers, itself among them. For `scores = [[2, 0]]` and `networks = [[[1, 0]], [[0, 1]]]` it is **0.5**.

# %% tags=["exercise:12.3"]
def sibling_p(scores, networks):
    """The rank of the first network by how closely the scores follow each, over their number."""
    ### BEGIN SOLUTION
    ours = scores - scores.mean(1, keepdim=True)
    theirs = networks - networks.mean(2, keepdim=True)
    similarity = F.cosine_similarity(ours, theirs, dim=2).mean(1)  # (M,)
    return float((similarity >= similarity[0]).double().mean())
    ### END SOLUTION

# %%
sibling_p = wm.ready("12.3", sibling_p)

# %% [markdown]
# {hints:12.3}

# %% [markdown] tags=["reveal"]
# {solution:12.3}

# %% tags=["nbval-ignore-output"]
odd = lesson_12.blends(mnist.test.x[:2000])  # pairs of digits, laid over each other
family = torch.stack([wm.predict(network, odd) for network in (case.ana, *case.strangers)])
follows = {name: float(sibling_p(wm.predict(network, odd), family)) for name, network in case.files.items()}
wm.table(["file", "rank of Ana among 40"], [[name, f"{40 * p:.0f}"] for name, p in follows.items()])

# %% [markdown]
# D follows Ana before all others (p = {value:12.d_follows|2}); C doesn't ({value:12.c_follows|2}). (C is one of the siblings, and follows itself.) Five owners tried it on copies:

# %%
header = ["copy made by", "accuracy", "rank of the owner, of 40", "p of the owner's lot"]
wm.table(header, lesson_12.copies_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_12.by_siblings(follows, results))

# %% [markdown]
# {value:12.first|of} copies distilled from scores follow their teacher before all 39 siblings; their lot shows in {value:12.lots|of} at 0.001. Copies by labels: {value:12.extracted|of}. So *distillation* isn't free after all, where an owner has siblings; *extraction by labels* is.
#
# ## Every theft, five tests
#
# Five owners planted a mark of Adi's as well, and met all 26 removals of lesson 09.

# %%
wm.show(plots.origins.thefts, results)

# %% tags=["claim"]
wm.all_hold(*lesson_12.on_thefts(results))

# %% tags=["nbval-ignore-output"]
wm.reveal("12.p1", lesson_12.share_seen(results))

# %% [markdown]
# Take one to court:

# %% tags=["nbval-ignore-output", "widget"]
lesson_12.theft_dial(results)

# %% [markdown]
# *How to read this:* squares convict. With every owner the weights show {value:12.weights|of} removals, after matching {value:12.matching|of}; the planted mark is believed after {value:12.mark|of}, by decoys after {value:12.decoys|of}; the lot shows after {value:12.lot|of}. On networks from scratch {value:12.innocent|of} claims are upheld. The weights miss what starts from new first weights, and *permutation*, which matching undoes. *Refusal* hides the mark; the weights behind it don't change. On signs the weights show {value:12.signs|of}. No column is best:
#
# | evidence | needs | is defeated by | costs |
# |---|---|---|---|
# | planted mark (07) | a key, before training | removal (09) | a little accuracy |
# | decoys (07) | the recipe of the key | removal | 999 keys |
# | weights, unit by unit | both files, first weights of one's own | permutation; copies by answers | nothing |
# | weights, matched | both files, strangers | copies by answers; a unit more | strangers |
# | lot | a secret random lot; labels | large rates; few errors to count | data left out |
# | siblings | scores; networks of the same recipe | copies by labels | 39 trainings |
# | fingerprint: adversarial examples (10) | gradients of the owner's | training on; strangers share them | a search |
# | proof of learning | the log of the training | a log made afterwards | storage |
#
# Open the envelope:

# %%
wm.table(["how it was made", "file"], [[story, name] for name, story in case.truth.items()])

# %% [markdown]
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# ## How far to trust it
#
# - **Weights:** exact where one side's first weights were its own. Not with a downloaded network, a default seed, sorted units, the last layer (its units are classes), or layers tied by skip connections.
# - **Shape:** one dead unit more, and the files can't be compared unit by unit.
# - **Lot:** drawn, kept secret, and written down before (`wmlearn ownership lot`). The public split of a benchmark proves nothing.
# - **Silence is no alibi:** an honest stranger and the cleverest thief look the same.
# - **Forty networks, one architecture;** on signs, the weights only.
#
# ## Challenge: the theft that nobody sees
#
# You have Ana's network and 6,000 digits *without labels*. Make a network that is right on 98 of 100 test digits and passes every test here: weights, matched, lot, siblings, each at 0.05. Its errors on 10,000 digits count. (By luck, four such tests stop an honest network in one of five tries.)

# %%
def thief(network, x):
    """Return a network made from `network` and images x (6000, 1, 28, 28)."""
    raise NotImplementedError("your turn")

wm.challenge("12", thief)

# %% [markdown]
# ## Three questions
#
# {quiz:12}

# %%
wm.quiz("12", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **build** an exact test from weights alone and name what makes it lie; **blind** and **repair** it; turn a secret lot and siblings into evidence; and say which copy leaves no trace: labels only, new first weights.
#
# **Next:** [Sound and tables](13_sound_and_tables.ipynb).
#
# **Further reading**
#
# - Zhu and others, [*Independence Tests for Language Models*](https://arxiv.org/abs/2502.12292), 2025: your test, on 21 open language models.
# - Ainsworth and others, [*Git Re-Basin*](https://arxiv.org/abs/2209.04836), 2023: matching units, for another purpose.
# - Maini and others, [*Dataset Inference*](https://arxiv.org/abs/2104.10706), 2021: training data as evidence.
# - Szyller and others, [*On the Robustness of Dataset Inference*](https://arxiv.org/abs/2210.13631), 2023: whom it accuses wrongly.
# - Kuditipudi and others, [*Blackbox Model Provenance via Palimpsestic Membership Inference*](https://arxiv.org/abs/2510.19796), 2025: the order of the training data as a lot.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* evidence is a null hypothesis that somebody can defend. *Timing:* table 8, test 25, blinding and repair 10, lot 20, siblings 15, all thefts 12; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "p is tiny, so he stole it." | Exchange the two files. Who stole from whom? |
# | "Same data, so of course they are alike." | 780 pairs of strangers share their data. Look at their p-values. |
# | "Then sort the units first." | Try it on strangers: all 780 pairs are convicted. |
# | "Distillation beats everything." | From scores: no. From labels: yes, so far. |
#
# Hand out the five files on paper before anybody runs a cell, and let the class vote. Few vote for C.
