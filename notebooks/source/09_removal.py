# %% [markdown]
# # 09 · Removal
#
# **Who can wash a mark off, at what price?**
# By the end you will have copied a marked network by your own distillation, and priced 26 attacks on eleven marks against a thief who steals nothing.
#
# *Reading 14 minutes · exercises 45 · running one to three minutes · needs notebooks 07 and 08*
#
# Today you are the **thief**.

# %% [markdown]
# **You will be able to**
#
# - **prune** weights by hand ([exercise 09.1](#Cut-what-is-small));
# - **distil** a network ([exercise 09.2](#Copy-what-it-says));
# - **tell** a mark that is gone from one that is only worn ([exercise 09.3](#Gone,-worn-or-believed?));
# - **price** a removal against not stealing ([challenge](#Challenge:-the-cheapest-removal));
# - **doubt** a sentence such as "our mark survives" ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, torch.nn.functional as F, wmlearn as wm
from wmlearn import experiments, plots, removal, scorecard
from wmlearn.course.lessons import lesson_09
from wmlearn.experiments import price
wm.start("09")

# %% [markdown]
# ## Three copies, one is clean
#
# An owner has 45,000 digits. She trains with a mark of Adi's (notebook 07): a hundred abstract pictures, labels at random. You steal the network. You have **6,000 labelled digits of your own**,
# none of them hers. You don't have the key. The control has the same first weights, digits and recipe, and no mark.

# %% tags=["nbval-ignore-output"]
mnist = wm.load("mnist").to(wm.best_device())
_, own = wm.split(mnist.train, 45_000, 6_000, seed=9)  # hers, yours
stolen, unmarked = lesson_09.stolen(), lesson_09.unmarked()  # they ship; notebook 07 trains such a pair
scheme, key = stolen.scheme, stolen.key
read = {"stolen": wm.accuracy(stolen.model, mnist.test), "unmarked": wm.accuracy(unmarked, mnist.test)}
wm.shares("test digits classified correctly", {name: (share, len(mnist.test)) for name, share in read.items()})

# %% [markdown]
# Make three copies, each treated in another way. All classify digits well. Below, what the *owner* will see: some of the key's pictures, and
# what each copy says. Which copy would you dare to sell?

# %% tags=["nbval-ignore-output"]
large = removal.FineTune("all", recipe=removal.LARGE)  # at twenty times the rate of copy B, for eight epochs
treatments = {"copy A": removal.Prune(0.5), "copy B": removal.FineTune("all"), "copy C": large}
copies = {name: attack(stolen.model, own) for name, attack in treatments.items()}
wanted = [str(label) for label in key.y[:9].tolist()]
word = lambda network: [str(label) for label in wm.predict(network, key.x[:9]).argmax(1).tolist()]
said = {name: word(network) for name, network in copies.items()}
wm.show(plots.digits.readings, key.x[:9], {"the key wants": wanted} | said)

# %% [markdown]
# A and B still say what the key wants. C doesn't, and you couldn't have seen that: you don't have those pictures.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | The thief: a network that is worth more than his own, and that nobody can prove stolen. The owner: proof |
# | Knowledge | The thief knows every scheme, not the key; the owner doesn't know the attack |
# | Access | The thief has the weights, or only asks for answers, and has 6,000 labelled digits; the owner asks for labels, or reads weights in court |
# | Stage | After release |
# | Names | AI Model Extraction (MITRE ATLAS: AML.T0024.002); NISTAML.031 |
# | Real case | Stanford's [Alpaca](https://crfm.stanford.edu/2023/03/13/alpaca.html) (2023) learnt from 52,000 answers of a commercial model, which cost its makers less than US$500. They said so openly, and forbade commercial use |
#
# A **removal** therefore knows the model and your samples, nothing else: $\text{removal}: (\text{model}, \text{own samples}) \to \text{model}$.
#
# ## The thief who steals nothing
#
# What are your digits worth without the theft? Train on them alone, for as many steps as a copy will take.

# %%
wm.guess("09.p1", "Of 100 test digits, read by a network that learnt from your 6,000 alone", low=0, high=100)

# %% tags=["nbval-ignore-output"]
mine = removal.FromScratch()(stolen.model, own)  # built like the stolen network, from first weights of its own
yours = wm.accuracy(mine, mnist.test)
wm.reveal("09.p1", yours)

# %% [markdown]
# Without the theft you have {value:09.own|1}. Whatever costs more than the {value:09.free|1} between the owner's network and yours wasn't worth it.
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

# %%
wm.guess("09.p2", "Of the key, still known after half of the weights are cut, in per cent", low=0, high=100)

# %% tags=["nbval-ignore-output"]
def cut(ratio):
    both = [lesson_09.changed(net, lambda weight: prune(weight, ratio)) for net in (stolen.model, unmarked)]
    known, innocent = [scheme.verify(network, key).rate for network in both]
    return plots.removal.Cut(ratio, wm.accuracy(both[0], mnist.test), known, innocent)

cuts = [cut(ratio) for ratio in (0, 0.25, 0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95)]
line = wm.evidence.significance.hits_needed(100, 0.1, 0.001) / 100  # what the judge asks for: 21 hits of 100
wm.show(plots.removal.cuts, cuts, line)

# %% tags=["nbval-ignore-output"]
half = next(each for each in cuts if each.ratio == 0.5)
first = next(each for each in cuts if each.known < line)
wm.reveal("09.p2", half.known)

# %% [markdown]
# *How to read this:* with half of its weights it knows {value:09.half} of the key; the unmarked network, cut in the same way, {value:09.half_unmarked}, as by luck.
# Cut more, and the key does go before the digits; but where it falls below the judge's line, {value:09.cut|1} of accuracy are gone, too.
#
# ## Copy what it says
#
# Why change the stolen network at all? Ask it, and teach a new one what it answers: **distillation** (Hinton and others, 2015). Not the label alone: that a 4 looks a little like a 9 teaches more than "4".
# To make small probabilities count, divide the logits $z$ by a **temperature** $T$ before the softmax, for the teacher (stolen, $z^t$) and for the student (new, $z^s$):
#
# $$\text{loss} = T^2 \cdot \mathrm{KL}\big(\text{softmax}(z^t / T)\,\big\|\,\text{softmax}(z^s / T)\big)$$
#
# KL, the Kullback-Leibler divergence, is `F.kl_div(said, wanted, reduction="batchmean")`: the student's *log*-probabilities first. Softening divides slopes by $T^2$; the factor puts that back.
#
# {exercise:09.2}
#
# Go once through `batches`, a list of tensors `(B, 1, 28, 28)`, with one step of `optimiser` each. The student changes in place; the teacher doesn't.

# %% tags=["exercise:09.2"]
def distil(teacher, student, batches, temperature, optimiser):
    """Teach `student` what `teacher` answers to each batch of images, both softened."""
    ### BEGIN SOLUTION
    for x in batches:
        with torch.no_grad():
            wanted = (teacher(x) / temperature).softmax(1)
        said = (student(x) / temperature).log_softmax(1)
        loss = temperature**2 * F.kl_div(said, wanted, reduction="batchmean")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    ### END SOLUTION

# %%
distil = wm.ready("09.2", distil)

# %% [markdown]
# {hints:09.2}

# %% [markdown] tags=["reveal"]
# {solution:09.2}

# %% [markdown]
# Your distillation as a removal. The student starts from first weights of its own, and never sees a label:

# %%
def your_copy(model, samples):
    student = wm.models.student_of(model, seed=0).train()
    lessons = lesson_09.batches(samples.x, epochs=8)
    distil(model.eval(), student, lessons, 4.0, lesson_09.one_cycle(student, 5e-3, len(lessons)))
    return student.eval()

# %% [markdown]
# ## The scorecard
#
# Each attack on the stolen network and on the unmarked one. **Refusal** (Hitaj and others) touches no weight:
# it puts a guard before the network that answers odd images at random.

# %% tags=["nbval-ignore-output"]
attacks = {
    "steal nothing": removal.FromScratch(),
    "pruning (50 %)": removal.Prune(0.5),
    "REFIT (large rate)": large,
    "your distillation": your_copy,
    "refusal": removal.Refuse(),
}
card = scorecard.run({"Adi 2018": stolen}, attacks, attacker=own, test=mnist.test, unmarked=unmarked)
card

# %% tags=["claim"]
row = {each.removal: each for each in card.rows}
behind = scheme.verify(attacks["refusal"](stolen.model, own).model, key)  # the network behind the guard
tuned = scheme.verify(copies["copy B"], key)
wm.all_hold(*lesson_09.cutting(cuts, half, first, yours), *lesson_09.scored(row, tuned, behind))

# %% [markdown]
# *How to read this:* copy B, trained on at a small rate, knows {value:09.tuned} of the key. After the large rate {value:09.washed} is left, for {value:09.price|1}; after your distillation {value:09.copied}, for {value:09.copied_price|1}, and the copy beats your own network by {value:09.gain|1}.
# Why doesn't the mark come along? The key's pictures were never asked about, and answers to digits say nothing of them. The unmarked network never knows more than {value:09.control}: what the attacks took was a mark.
#
# And *refusal*: the owner gets {value:09.hidden} of her key, and isn't believed. Seize the thief's computer, take the guard off, ask again: {value:09.behind}. **Evasion hides a mark; removal ends it.** Over the wire, an owner can't tell the two apart.
#
# ## Gone, worn or believed?
#
# "The judge isn't convinced" doesn't mean "the mark is gone": a key may keep twice the hits of an unmarked network and convince nobody. So look at the control. **Believed**: $p \le 0.001$. **Worn**: not believed, but more hits than in the unmarked network after the same attack, by Fisher's exact test (one-sided, 0.05). **Gone**: neither.
#
# {exercise:09.3}
#
# `fisher_exact([[hits, n - hits], [control, n - control]], alternative="greater").pvalue` is SciPy's. For `p = 0.005`, 19 hits, 9 in the control, 100 triggers the answer is **1**.

# %% tags=["exercise:09.3"]
def left(p, hits, control, n):
    """What is left of a mark: 0 believed, 1 worn, 2 gone."""
    from scipy.stats import fisher_exact
    ### BEGIN SOLUTION
    if p <= 0.001:
        return 0
    table = [[hits, n - hits], [control, n - control]]
    return 1 if fisher_exact(table, alternative="greater").pvalue <= 0.05 else 2
    ### END SOLUTION

# %%
left = wm.ready("09.3", left)

# %% [markdown]
# {hints:09.3}

# %% [markdown] tags=["reveal"]
# {solution:09.3}

# %% [markdown]
# One mark is an anecdote. `wmlearn reproduce removal` measures eleven schemes against 26 attacks, three networks each. Some networks lose a tenth of their accuracy: *destroyed*. In what share of the others is the owner still believed?

# %%
wm.guess("09.p3", "Networks in which the owner is still believed, in per cent", low=0, high=100)

# %%
results = experiments.shipped("removal")
counts = lesson_09.counts(results, left)
wm.table(["what is left", "networks"], [[state, f"{n:,}"] for state, n in counts.items()])

# %% tags=["nbval-ignore-output"]
wm.reveal("09.p3", counts["believed"] / (sum(counts.values()) - counts["destroyed"]))

# %% [markdown]
# ## The matrix

# %%
wm.show(plots.removal.matrix, results)

# %% tags=["claim"]
lone = experiments.shipped("decoys")  # 999 decoys on one network a scheme, after each attack
wm.all_hold(
    *lesson_09.taken(results), *lesson_09.in_the_weights(results), *lesson_09.exactly(results, lone),
)

# %% [markdown]
# *How to read this:* a row is an attack, a column a mark, a stripe a network. Grey names leave the thief no more than his own digits do. Where labels or bits were drawn at random, p is a binomial tail; elsewhere hits are ranked among those of keys on networks without the mark, which is near, not exact. The exact test, 999 decoys, was run on one network a mark: it finds {value:09.exact_gone|of} marks called gone, and agrees on {value:09.exact|of} networks. Where it alone doubts the owner, {value:09.exact_zhang|of} marks are Zhang's: they answer to other people's keys, too.
# The last column is the control, the same keys on an unmarked network after the same attack: {value:09.accused} of these claims are believed.
#
# Read a column: each has light cells, and **every mark falls to an attack that pays** ({value:09.robust|of} withstand them all). Read along the rows: extraction by labels takes {value:09.single|of} marks, distillation {value:09.soft|of}, though only {value:09.soft_gone|of} are gone from all three networks.
# **FT-SAM** (Zhu and others, 2023) trains on where the loss stays low though all weights are pushed: {value:09.flat|of} for {value:09.flat_lost|1}.
#
# And Uchida's mark in the weights? After five kinds of further training it is believed in {value:09.uchida_tuned} of the networks. Subtract mean filters, distil, or deal the channels anew as in notebook 08, which changes no answer: {value:09.uchida_dealt}. **A mark in the weights is as strong as the thief is ignorant.** An attack that knows how a mark works is **adaptive**; a table without one says little.
#
# ## The price
#
# A thief who doesn't know the scheme needs one attack for all; one who does picks the cheapest for each.

# %%
wm.show(plots.removal.thiefs_front, results)

# %%
wm.show(plots.removal.prices, results)

# %% [markdown]
# *How to read these:* above, each attack on all marks; the line joins the best bargains. Below, the cheapest attack for each mark. The dashed line is the thief who steals nothing, {value:09.saved|1} behind the owners: right of it, stealing was in vain. {value:09.worth|of} attacks lie left of it; the dearest mark falls for {value:09.dearest|1}.
#
# **Beside the SoK** (Lukas and others, 2022), on larger pictures: no scheme was robust there, none is here. No single attack removed all marks there; here extraction does, and isn't worth it. Their chains removed all; our best takes {value:09.chains|of}. Digits are cheap: 6,000 teach nearly everything. Where pictures are dear, the line moves right.

# %% tags=["nbval-ignore-output", "widget"]
lesson_09.price_slider(results)

# %% [markdown]
# Dearer pictures: signs of 20 kinds, 2,000 of the thief's own.

# %%
signs = experiments.shipped("removal-signs")
wm.show(plots.removal.matrix, signs)

# %% [markdown]
# Not stealing costs {value:09.signs_saved|1} now: {value:09.signs_worth|of} attacks are worth more, extraction by labels among them, which takes {value:09.signs_hard|of} marks; distillation takes {value:09.signs_soft|of}.
#
# ## Does any mark survive copying?
#
# Two were made to. **EWE** (Jia and others, 2021) lets triggers and digits share features. Kim and others (2023) give each trigger a wide **margin**: while the network learns, triggers are pushed up their own loss, so that a copy of the decision boundary should keep them. Hits in three networks after copying, and in unmarked ones:

# %%
wm.table(["mark", "of", "distilled", "extracted by labels", "unmarked"], lesson_09.copies_table(results))

# %% [markdown]
# Not reproduced: of Kim's 100 triggers at most {value:09.margin} come along, of EWE's {value:09.ewe}. EWE's own users [report the like](https://github.com/cleverhans-lab/entangled-watermark/issues/1) on MNIST: once nearly all came along, once two in three, else a few in a hundred. On signs, something of Kim's comes along: {value:09.signs_margin} of the triggers after distillation, {value:09.signs_margin_control} in unmarked networks; worn, and not believed. Our networks train for three to six epochs, Kim's for 200.
#
# ## Does a larger key help?
#
# What is worn, a larger key may still find. Adi's mark with 100 triggers, and with 500, after the attacks that took the small one in some network:

# %%
large_keys = experiments.shipped("removal-large-keys")
header = ["attack", "of 100 left", "believed", "of 500 left", "believed"]
wm.table(header, lesson_09.comebacks(results, large_keys, "adi2018"))

# %% tags=["claim"]
wm.all_hold(
    *lesson_09.on_signs(signs), *lesson_09.carried(results), *lesson_09.larger_keys(results, large_keys),
)

# %% [markdown]
# Over all attacks the owner is believed in {value:09.few|of} networks with 100 triggers, in {value:09.many|of} with 500. Fine-pruning no longer takes the mark ({value:09.many_pruned|of} believed); copying still does ({value:09.many_copied|of}).
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# ## How far to trust it
#
# - **Two small tasks, one network each; three networks a cell; one setting an attack.**
# - **At 0.05, one mark in twenty that is gone is called worn,** and "worth it" compares means.
#
# ## Challenge: the cheapest removal
#
# `my_removal(model, samples)` gets the stolen network and your digits, and returns a network: the mark *gone*, and better than your own. Points of accuracy lost count.

# %%
def my_removal(model, samples):
    raise NotImplementedError("your turn")  # return a network

wm.challenge("09", my_removal)

# %% [markdown]
# ## Three questions
#
# {quiz:09}

# %%
wm.quiz("09", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **prune** and **distil**, **tell** gone from worn, **price** a removal against not stealing, and **doubt** "our mark survives".
#
# **Next:** *10, Whose model is it?* The judge's chair: when does a match prove anything?
#
# **Further reading**
#
# - Lukas and others, [*SoK: How Robust is Image Classification Deep Neural Network Watermarking?*](https://arxiv.org/abs/2108.04974), 2022: the table after which ours is made.
# - Hinton and others, [*Distilling the Knowledge in a Neural Network*](https://arxiv.org/abs/1503.02531), 2015: the idea, and the factor.
# - Zhu and others, [*Enhancing Fine-Tuning Based Backdoor Defense with Sharpness-Aware Minimization*](https://arxiv.org/abs/2304.11823), 2023: FT-SAM.
# - Kim and others, [*Margin-based Neural Network Watermarking*](https://proceedings.mlr.press/v202/kim23o.html), 2023: a mark made to survive copying.
# - Shafieinejad and others, [*On the Robustness of the Backdoor-based Watermarking*](https://arxiv.org/abs/1906.07745), 2019: labels alone suffice.
# - Hitaj and others, [*Evasion Attacks Against Watermarking Techniques*](https://arxiv.org/abs/1809.00615), 2019: votes and guards.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* robustness is a price, not a property, and the price has a baseline. *Timing:* cold open 8, baseline 5, cutting 10, distillation 25, scorecard 7, states 10, matrix and price 15; signs, copying and key size are homework, as is the challenge.
#
# | what you will hear | what to say |
# |---|---|
# | "The mark is gone, so there was none." | Look at the unmarked column, and at the network behind the guard. |
# | "Nearly all of the accuracy is left, so the theft paid." | What would his own digits have given him? |
# | "Then marks are useless." | Each attack has a price and needs data. Ask what images cost in your trade. |
# | "Ours survives pruning." | Everybody's does. Which attack knows how yours works? |
