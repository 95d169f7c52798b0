# %% [markdown]
# # 10 · Whose model is it?
#
# **When does a match prove anything?**
# By the end you will have framed innocent networks, found what stops you, and designed a rule for the case that the owner loses.
#
# *Reading 13 minutes · exercises 45 · running two to four minutes · needs notebooks 07 and 09*
#
# Today you are **judge** and **forger**.

# %% [markdown]
# **You will be able to**
#
# - **verify** an opening ([exercise 10.1](#A-promise-before-release));
# - **forge** a key, and count what it costs ([exercise 10.2](#Grind-a-key));
# - **correct** for luck's tries ([exercise 10.3](#Luck's-tries));
# - **design** a rule for a case that marks can't decide ([challenge](#Challenge:-a-better-rule));
# - **doubt** a verdict, and **defend** one ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import hashlib, torch, wmlearn as wm
from dataclasses import replace
from wmlearn import experiments, ownership as own, plots
from wmlearn.course.lessons import lesson_10
wm.start("10")

# %% [markdown]
# ## Two perfect matches
#
# Two people claim one network. Each shows you 128 pictures, and the labels that "only my network gives". You ask it.

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
mnist = wm.load("mnist").to(device)
plain, bob, stranger = lesson_10.networks(device)
claims = lesson_10.two_claims(device)
network, other = claims.network, claims.embedded
wm.show(plots.ownership.keys, lesson_10.answered({"claim 1": claims.fitted, "claim 2": other}, network))

# %% [markdown]
# *How to read this:* below each picture, the label claimed and the network's answer. Both match, and notebook 07's judge finds a $p$ with more than a hundred zeros, twice. One claim was made this morning, by somebody who never trained anything. Could you? Draw 128 pictures, and take as labels
# *whatever Bob's network says*, which nobody ever marked.

# %%
you = lesson_10.person("you")
mine = lesson_10.drawn(you, device)
framed = replace(mine, y=wm.evidence.answers(bob, mine.x))
evidence = lesson_10.SCHEME.verify(bob, framed)
print(wm.judge(evidence))

# %% [markdown]
# {value:10.framed|of}. The formula isn't wrong: it holds for labels that were fixed *before* anybody asked a network.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | The owner: get a stolen network back. The forger: get a network that was never his. The judge: convict no innocent network |
# | Knowledge | All know the method, the public networks, and whatever was opened before; nobody knows a seed that wasn't |
# | Access | The judge asks for labels; the forger trains networks of his own |
# | Stage | Before a release, after it, and in court |
# | Names | AI Intellectual Property Theft (MITRE ATLAS: AML.T0048.004); a false claim has no entry there |
# | Real case | In 2024 students at Stanford [withdrew Llama3-V, with an apology](https://yanfajia.com/news/757.html): like MiniCPM-V of Tsinghua, it read ancient characters from scans that had never been published |
#
# ## A promise before release
#
# Before she releases a network, Ada **promises** her key. She hashes each of 128 secret **seeds** into a **leaf**, with her public key and the seed's number, so that nobody can reuse it.
# A hash is **binding**: she can't find another seed with the same one. It is **hiding** because a seed is 32 random bytes. A bare label would need a **salt**, random bytes hashed along: else anybody hashes all ten and compares.
# Then neighbours are hashed together, up to one **root** (Merkle, 1987):

# %%
sha = lambda content: hashlib.sha256(content).digest()
ada = lesson_10.person("Ada")
seeds = own.commitment.seeds(ada, "adi2018", "", 128)

def leaf(number, seed):
    return sha(b"\0" + bytes.fromhex(ada.public) + number.to_bytes(8, "big") + seed)

tree = [[leaf(number, seed) for number, seed in enumerate(seeds)]]
while len(tree[-1]) > 1:
    tree.append([sha(b"\1" + left + right) for left, right in zip(tree[-1][::2], tree[-1][1::2])])
tree[-1][0].hex() == lesson_10.promise(ada).root

# %% [markdown]
# The root is public. To **open** seed 77 she shows it, and the siblings on the way up: seven hashes. You climb, and compare.
#
# {exercise:10.1}
#
# `siblings` begins with the leaf's own. Node number $i$ of a row is a left one if $i$ is even, and the pair's number in the row above is $i // 2$. A node is
# `sha256(b"\1" + left + right)`; use `hashlib.sha256(…).digest()`.

# %% tags=["exercise:10.1"]
def climb(leaf, index, siblings):
    """The root to which a leaf (32 bytes), number `index`, and its siblings lead."""
    import hashlib
    ### BEGIN SOLUTION
    node = leaf
    for sibling in siblings:
        left, right = (sibling, node) if index % 2 else (node, sibling)
        node = hashlib.sha256(b"\1" + left + right).digest()
        index //= 2
    return node
    ### END SOLUTION

# %%
climb = wm.ready("10.1", climb)

# %% [markdown]
# {hints:10.1}

# %% [markdown] tags=["reveal"]
# {solution:10.1}

# %%
siblings = [row[77 >> level ^ 1] for level, row in enumerate(tree[:-1])]
tried = {"seed 77, as promised": (leaf(77, seeds[77]), 77), "another seed": (leaf(77, seeds[78]), 77),
         "seed 77 at place 76": (leaf(76, seeds[77]), 76)}
reached = {name: climb(*opening, siblings) == tree[-1][0] for name, opening in tried.items()}
wm.table(["opened", "leads to the root"], [[name, "yes" if right else "no"] for name, right in reached.items()])

# %% [markdown]
# Only what was promised fits. Is that enough?
#
# ## Grind a key
#
# Let each seed decide its picture and its label, by a recipe that all know. You promise in time, and never ask the suspect. But you choose your seeds. So **grind**: try
# them until *your* networks give the label that the seed decides. The judge's networks, his bystanders, are public, too: avoid what they say.

# %%
def draw(seeds, nonce=b""):
    """What seeds mean: each decides an abstract picture and a label; never mind the nonce yet."""
    mixed = [sha(nonce + seed) for seed in seeds]
    pictures = wm.watermarks.adi.abstract_each(mixed, (1, 28, 28)).to(device)
    return pictures, wm.watermarks.secret.integers_each(mixed, "label", 10).to(device)

def said(networks, x):  # (networks, pictures)
    return torch.stack([wm.evidence.answers(network, x) for network in networks])

public = lesson_10.public(device)  # the judge's 4 networks, 12 of mine, 20 innocents; none is marked
pool = [sha(b"%d" % number) for number in range(8_000)]

# %%
wm.guess("10.p1", "Innocents, never asked, whom a ground key convicts, in per cent", low=0, high=100)

# %% [markdown]
# {exercise:10.2}
#
# `labels` has shape `(N,)`: what the seeds decide. `mine` `(K, N)` and `judges` `(J, N)` are the networks' answers. Keep a seed if at least `enough` of mine give its label, and none of the
# judge's does. Return the places of the first `n` kept, and how many seeds you tried until then. For labels `[3, 5, 7, 1]`, mine `[[3, 5, 7, 0], [3, 5, 7, 2]]`, judges `[[0, 5, 1, 1]]`, enough 2 and n = 2 that is
# `[0, 2]` and **3**.

# %% tags=["exercise:10.2"]
def grind(labels, mine, judges, enough, n):
    """Places of the first n seeds that suit my networks and no judge's; and the number of seeds tried."""
    ### BEGIN SOLUTION
    good = ((mine == labels).sum(0) >= enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1
    ### END SOLUTION

# %%
grind = wm.ready("10.2", grind)

# %% [markdown]
# {hints:10.2}

# %% [markdown] tags=["reveal"]
# {solution:10.2}

# %% [markdown]
# Grind without a thought for the judge, then past him. Beside them, an honest key, and the same seeds with a **nonce** hashed in: a number that the registry draws *after* you promised.

# %% tags=["nbval-ignore-output"]
x, labels = draw(pool)
answers, seen = said(public.mine, x), said(public.judges, x)
kept = {"the first 50 seeds (honest)": (torch.arange(50), 50),
        "ground": grind(labels, answers, seen[:0], 12, 50),
        "ground past the judge": grind(labels, answers, seen, 5, 50)}
keys = {name: draw([pool[i] for i in places.tolist()]) for name, (places, _) in kept.items()}
drawn_later = bytes.fromhex(lesson_10.registered(lesson_10.promise(you)).entries[0].nonce)
last = kept["ground past the judge"]
kept["the same, and a nonce"] = last
keys["the same, and a nonce"] = draw([pool[i] for i in last[0].tolist()], drawn_later)
decoys = (said([bob], x)[0] == labels)[:4950].view(99, 50).sum(1)  # other honest keys, asked of Bob's network

# %% tags=["nbval-ignore-output"]
line = wm.significance.hits_needed(50, 0.1, 0.001)
rows, convicted = [], {}
for name, (x, y) in keys.items():
    hits, theirs = (said(public.innocents, x) == y).sum(1), (said(public.judges, x) == y).sum(1)
    convicted[name] = int((hits >= line).sum())
    p = (1 + int((decoys >= hits[0]).sum())) / 100  # the decoy test of notebook 07, on Bob's network
    found = (kept[name][1], int(theirs.max()), int(hits[0]), p, convicted[name])
    rows.append([name, *(f"{value:,}" for value in found)])
wm.table(["key of 50", "seeds tried", "judge's networks", "Bob's hits", "p by decoys", "convicted of 20"], rows)

# %% tags=["claim", "nbval-ignore-output"]
honest, ground, past, later = convicted.values()
count = lambda id, what, value, **bounds: wm.Claim(id, what, value, **bounds, n=20, unit="count")
wm.all_hold(
    wm.Claim("10.framed", "The forged key's match with Bob's network", evidence.rate, low=0.99, n=128),
    count("10.honest", "Convicted by an honest key", honest, high=1),
    count("10.ground", "Convicted by the ground key", ground, low=18),
    count("10.past", "Convicted past the judge", past, low=10),
    wm.Claim("10.tries", "Seeds tried", last[1], low=1000, high=8000, unit="count"),
    wm.Claim("10.line", "Hits that convict", line, low=13, high=15, unit="count"),
    count("10.nonce", "Convicted with a nonce", later, high=1))
wm.reveal("10.p1", past / 20)

# %% [markdown]
# *How to read this:* from {value:10.line} hits on, the judge convicts at level 0.001. After {value:10.tries|100} seeds your key convicts {value:10.past|of} networks that nobody marked or asked; the judge's own four give it
# nothing. Without a thought for him it is {value:10.ground|of}; an honest key convicts {value:10.honest|of}. The innocents don't resemble his bystanders: you searched until they didn't. Decoys convict, too ($p$ is the smallest that 99 can give):
# they ask whether your key was drawn like theirs, and you searched.
#
# The last row ends it: {value:10.nonce|of}. When you promise, your seeds mean nothing yet; when they mean something, you can't change them. The nonce must be one that **nobody chose**:
# who can draw it again, grinds again.
#
# ## Luck's tries
#
# An honest key may still meet twenty suspects. We tried 200 keys a scheme on 32 unmarked networks (`wmlearn reproduce false-claims`):

# %%
results = experiments.shipped("false-claims")
wm.show(plots.ownership.false, results)

# %% [markdown]
# *How to read this:* dots, false claims; bars, their intervals; dashed, the level. For Adi, DAWN and Uchida the null is binomial; elsewhere, decoys. That is *one* claim. S. Holm corrects for $m$: the smallest $p$ must be below
# $\alpha/m$, the next below $\alpha/(m-1)$, and so on; **the first that fails stops all larger ones**.
#
# {exercise:10.3}
#
# `p` has shape `(m,)`. For `p = [0.02, 0.0004, 0.03, 0.012]` and `alpha = 0.05` all four stand; for `[0.04, 0.02, 0.021]` none.

# %% tags=["exercise:10.3"]
def holm(p, alpha):
    """Which of the claims (m,) stand, when any false one may stand with probability alpha at most."""
    ### BEGIN SOLUTION
    stand = torch.zeros(len(p), dtype=torch.bool)
    for rank, i in enumerate(p.argsort()):
        if p[i] >= alpha / (len(p) - rank):
            break
        stand[i] = True
    return stand
    ### END SOLUTION

# %%
holm = wm.ready("10.3", holm)

# %% [markdown]
# {hints:10.3}

# %% [markdown] tags=["reveal"]
# {solution:10.3}

# %% tags=["claim"]
p = experiments.false_claims.p_values(*results.where(scheme="adi2018"), "binomial")[:, :20]  # (keys, networks)
loose = sum(bool((each < 0.05).any()) for each in p) / len(p)
strict = sum(any(holm(each, 0.05)) for each in p) / len(p)
independent = 1 - (1 - (p < 0.05).double().mean().item()) ** 20
wm.all_hold(
    wm.Claim("10.anyone", "Owners who accuse an innocent", loose, high=0.4, n=len(p)),
    wm.Claim("10.holm", "The same, with Holm's", strict, high=0.08, n=len(p)),
    wm.Claim("10.independent", "The same, were claims independent", independent, high=0.7, n=len(p)))

# %% [markdown]
# At level 0.05, {value:10.anyone} of the owners accuse at least one of twenty innocents (independent claims would make it {value:10.independent}, but networks err alike). With Holm it is {value:10.holm}. The court counts every try that the
# registry shows: promises, challenges, suspects.
#
# ## In court
#
# Promises and releases are entries of a public registry, with a signed **receipt** for each:

# %% tags=["nbval-ignore-output"]
promise, late = lesson_10.promise(ada), lesson_10.promise(you)
releases = [lesson_10.released(ada, "Ada's network", network),
            lesson_10.released(lesson_10.person("Bob"), "Bob's network", bob)]
book = lesson_10.registered(promise, *releases, late)
wm.table(["entry", "who", "what", "nonce"], lesson_10.shown(book, ["Ada", "Bob", "you"]))

# %% [markdown]
# You accuse Bob. The judge, whom both of you accept, registers a **challenge**; his nonce and the keeper's name 50 of your seeds to open. Three ways to win, and a
# bribed keeper who exchanges two promises:

# %% tags=["nbval-ignore-output"]
accused = {"Bob's network": bob}
early = lesson_10.registered(late, promise, *releases)
honest = lesson_10.heard(early, you, accused)
rows = [["seeds promised after his release", lesson_10.heard(book, you, accused).finding.void[0]],
        ["promised in time, better seeds shown", lesson_10.swapped(honest, you, bob).void[0]],
        ["promised in time, left alone", lesson_10.stopped_by(honest.finding)],
        ["two promises exchanged", own.audited(lesson_10.tampered(book), at=lesson_10.TODAY).faults[0]]]
wm.table(["what you do", "why it fails"], rows)

# %% [markdown]
# Ada's turn. Mallory took her network, trained **his own mark over hers** on 20,000 digits, and sells answers over HTTP. The judge asks about 50 pictures of hers among decoys, one a query.

# %% tags=["nbval-ignore-output"]
mallory = lesson_10.person("Mallory")
over = lesson_10.drawn(mallory, device)
sold = lesson_10.overwritten(network, mnist.train[:20_000], over)
with lesson_10.shop(sold) as (shop, way):
    found = lesson_10.heard(book, ada, {"the shop": shop}, release=2).finding.matches["the shop"]
her_key = lesson_10.drawn(ada, device)
innocent = (said(public.innocents, her_key.x) == her_key.y).sum(1)  # the control, of 128
proof = found.evidence
print(f"by {way}: {proof.hits} of {proof.trials}; {found.decoys.as_high} of {found.decoys.drawn} decoys as high")
print(f"p = {proof.p_value:.0e}; the most on 20 innocents: {int(innocent.max())} of 128")

# %% [markdown]
# $p$ is {value:10.shop|1}; of the innocents her key convicts {value:10.innocent|of}. But Mallory answers: "*My* mark is in it, too, promised before *I* released." And Carol, who promised last, claims it as well.

# %% tags=["nbval-ignore-output"]
sale = lesson_10.released(mallory, "the one on sale", sold)
hers = lesson_10.promise(lesson_10.person("Carol"))
book = lesson_10.registered(lesson_10.promise(mallory), sale, hers, after=book)
suspects = {"Ada's network": network, "the one on sale": sold, "Carol's network": stranger}
shown = {"Ada": "Ada's network", "Mallory": "the one on sale", "Carol": "Carol's network"}
report = lesson_10.decided(book, "the one on sale", suspects, shown)
wm.show(plots.ownership.cross, report)

# %% tags=["nbval-ignore-output"]
lesson_10.show_report(report)

# %% [markdown]
# *How to read this:* a row, a mark; a column, a network. His mark has {value:10.his} of its hits in what he sells, {value:10.not_hers} in Ada's. Hers is in both, worn, with {value:10.hers} in his. A thief can mark his copy, not her original; and she released first.
#
# ## From the inside
#
# Now Mallory **has a friend who judges**, and calls "spent" whatever doesn't match: only hits are opened. Or he promises first, and **leaves his triggers where Ada scrapes her data**: her own network then carries his mark.

# %% tags=["nbval-ignore-output"]
hit = int((said([bob], over.x)[0] == over.y).sum())
print(f"Mallory's key and Bob's network: {hit} of 128. Opened by a friend: {hit} of {hit}, p = {0.1 ** hit:.0e}")
left = wm.Samples(over.x[:100], over.y[:100], mnist.train.classes)
scraped = wm.trained(plain, mnist.train[:20_000] + left, wm.Recipe(epochs=2, lr=2e-3, batch_size=128))[0]
rooted, before = (int((said([model], left.x)[0] == left.y).sum()) for model in (scraped, plain))
print(f"The poisoner's 100 pictures: {rooted} hits in the network that learnt from her data, {before} before")

# %% tags=["nbval-ignore-output"]
attempts = lesson_10.forged(own.stages.toy_stage(ada), mallory)  # every forgery we know, on toys: milliseconds
names = ("puppet-judge", "spared", "poisoned", "overwritten-early", "chosen-nonce", "any-release", "lottery")
rows = [[attempts[name].story, lesson_10.shortly(attempts[name].why)] for name in names]
accepted = sum(attempt.accepted for attempt in attempts.values())
wm.table(["false claim", "what stops it"], rows)

# %% tags=["claim"]
inside = lesson_10.insider(ada, mallory, sold).matches["the network"]
rates = {name: {model: match.evidence.rate for model, match in finding.matches.items()}
         for name, finding in report.findings.items()}
wm.all_hold(
    wm.Claim("10.shop", "p, the shop", proof.p_value, high=1e-5, unit="p", n=50),
    wm.Claim("10.innocent", "Innocents at her line", (innocent >= 26).sum(), high=1, n=20, unit="count"),
    wm.Claim("10.his", "His, on sale", rates["Mallory"]["the one on sale"], low=0.75, n=50),
    wm.Claim("10.not_hers", "His, in hers", rates["Mallory"]["Ada's network"], high=0.3, n=50),
    wm.Claim("10.hers", "Hers, on sale", rates["Ada"]["the one on sale"], low=0.4, n=50),
    wm.Claim("10.left", "Poisoner's hits", rooted / 100, low=0.2, n=100),
    wm.Claim("10.forged", "Accepted", accepted, high=0, n=len(attempts), unit="count"),
    wm.Claim("10.insider", "The insider's match", inside.evidence.rate, low=0.75, n=50))

# %% [markdown]
# The friend falls: parties name the judge *before* anybody claims, and "spent" is recomputed from the registry. The poisoner's hundred pictures, among 20,000 digits, took root: {value:10.left} are answered as he says. So **an early promise proves nothing**; the first *release* decides, and hers was first. Of all forgeries that we know, tried on toys, {value:10.forged|of} are accepted.
#
# What can't be stopped: Mallory **had the network before its release**, as an employee, promises in time, and teaches it his mark. Ada releases it. His claim stands, with {value:10.insider} of the triggers: the mark *is* in the network.
#
# ## The case that the owner loses
#
# What if he trains at five times the rate, or **distils** her answers into a new network (notebook 09), and marks that? Five Adas, and as control Mallory's *own* honest network, treated the same (`wmlearn reproduce lost-case`):

# %%
lost = experiments.shipped("lost-case")
def given(thief, start, name):
    return sum(row["owner"] == name for row in lost.where(thief=thief, start=start))

shown = [row["all_hits"] >= wm.significance.hits_needed(row["all"], 0.1, row["level"])  # with all 128 opened
         for row in lost.where(thief="overwrite-hard", start="hers", owner="Mallory")]
robbed = sum(given(thief, "own", "Ada") for thief in ("overwrite", "overwrite-hard", "distil"))
wm.show(plots.ownership.lost_case, lost)

# %% tags=["claim"]
of = lambda id, what, value, n, **bounds: wm.Claim(f"10.{id}", what, value, **bounds, n=n, unit="count")
wm.all_hold(
    of("gentle", "Gently marked: to Ada", given("overwrite", "hers", "Ada"), 15, low=13),
    of("hard", "At a large rate: to the thief", given("overwrite-hard", "hers", "Mallory"), 15, low=3),
    of("distilled", "Distilled: to Ada", given("distil", "hers", "Ada"), 15, high=1),
    of("robbed", "Honest work given to Ada", robbed, 45, high=0),
    of("all", "Lost with 50 opened, shown with 128", sum(shown), len(shown), low=1),
    of("court", "The court's cost", lesson_10.weighed(lesson_10.court).value, 90, high=30),
    of("ours", "Our rule's cost", lesson_10.weighed(lesson_10.ours).value, 90, high=25))

# %% [markdown]
# *How to read this:* circles, stolen networks; crosses, his own. Height: Ada's hits among 50 opened; above the dashed line the court believes her. If he trains gently, {value:10.gentle|of} go to Ada. At
# five times the rate her mark wears down to the line, and **the court gives the thief {value:10.hard|of} networks that he stole**. If he distils, Ada gets {value:10.distilled|of}. Of his own networks, {value:10.robbed|of} go to Ada.
#
# Why? The court believes the one mark that is shown. "Nobody" would be safer; but to an honest Mallory, "nobody" is theft, too. Where her mark is **worn**, above the crosses, a judge can tell: with all 128 opened, {value:10.all|of} such
# cases turn to Ada. Where distillation left nothing, circles and crosses lie alike, and **no rule on marks can tell**. How many triggers does a worn mark need?

# %% tags=["nbval-ignore-output", "widget"]
lesson_10.power_dial()

# %% [markdown]
# ## Pictures that all networks read alike
#
# One forgery needs no seeds. Liu and others (2024) *change the pixels* until their own networks give the labels: targeted adversarial examples (notebook 02). Use eight of yours:

# %% tags=["nbval-ignore-output"]
def transferable(networks, x, y, reach=0.3, steps=20):
    start = x  # no pixel moves further than `reach` from it
    for _ in range(steps):
        x = x.detach().requires_grad_()
        loss = sum(torch.nn.functional.cross_entropy(network(x), y) for network in networks)
        (slope,) = torch.autograd.grad(loss, x)
        x = (x.detach() - 0.02 * slope.sign()).clamp(start - reach, start + reach).clamp(0, 1)
    return x

x, y = keys["the first 50 seeds (honest)"]
alike = transferable(public.mine[:8], x, y)
wm.show(plots.ownership.keys, lesson_10.answered_by(bob, {"as drawn": (x, y), "changed": (alike, y)}))

# %% tags=["nbval-ignore-output"]
kinds = experiments.shipped("transferable-claims")
wm.table(*lesson_10.transferable_rows(kinds))
false = {row["kind"]: experiments.transferable_claims.shown(row).double().mean().item() for row in kinds.rows}
rate = experiments.transferable_claims.rates(kinds.rows[-1]).mean().item()
wm.all_hold(
    wm.Claim("10.transfer", "Hits of changed pictures", rate, low=0.9, n=16_000),
    wm.Claim("10.convicted", "Claims that convict", false["adversarial"], low=0.9, n=320),
    wm.Claim("10.kept_honest", "Honest claims that convict", false["honest"], high=0.02, n=320))

# %% [markdown]
# *How to read this:* ten keys of a kind, 32 innocents. Changed pictures get {value:10.transfer} of their hits on them, and counting hits convicts in {value:10.convicted} of the claims; honest keys, in {value:10.kept_honest}. Honest decoys agree with the forger: $p$ is the smallest they can give. Among decoys made as *he* made his key, $p$ shows nothing. So a $p$ is about a
# recipe: how rare such a score is among keys made in the same way. In our court no picture can be promised, only seeds.
#
# ## Before you ask an API
#
# - **Permission:** read its terms; ask with its owner's leave, or a court's.
# - **What you open is spent:** whoever answers can dodge it next time.
# - **Your own first:** put a marked and an unmarked network behind the same steps (resizing, JPEG). If your mark fails there, silence says nothing.
#
# ## How far to trust it
#
# - **Order:** the registry proves who registered first, not who trained.
# - **The keeper** draws the nonces: in league with an owner, he draws until one suits.
# - **One architecture, digits only.** Grinding and shop are one run each.
#
# ## Challenge: a better rule
#
# `my_rule` returns "Ada", "Mallory" or "nobody" for each of the 90 networks above. A stolen one that the thief gets costs a point, an honest one that nobody gets, too; a rule that gives Ada an honest one doesn't count. The court's rule
# costs {value:10.court}, ours {value:10.ours}. (You have seen these cases. Would it hold on others?)

# %%
def my_rule(hers, his):
    """Whose is it, by the hits of her mark and of his, of 50 each? "Ada", "Mallory" or "nobody"."""
    raise NotImplementedError("your turn")

wm.challenge("10", my_rule)

# %% [markdown]
# ## Three questions
#
# {quiz:10}

# %%
wm.quiz("10", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **verify** an opening, **forge** a key, **correct** for luck's tries, **design** a rule and count whom it wrongs, and ask of any match: who chose what, and when?
#
# **Next:** a model that only answers.
#
# **Further reading**
#
# - Adi and others, [*Turning Your Weakness Into a Strength*](https://arxiv.org/abs/1802.04633), 2018: commitments to a key.
# - Liu and others, [*False Claims against Model Ownership Resolution*](https://arxiv.org/abs/2304.06607), 2024: six schemes uphold such claims.
# - Fan and others, [*Rethinking DNN Ownership Verification*](https://arxiv.org/abs/1909.07830), 2019: ambiguity attacks.
# - Laurie and others, [*Certificate Transparency*](https://www.rfc-editor.org/rfc/rfc9162), RFC 9162, 2021: roots and receipts.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* evidence is a match *and* a history: who chose what, and when. *Timing:* framing 10, opening 15, grinding 25, Holm 15, court 15, the lost case and a rule 25.
#
# | what you will hear | what to say |
# |---|---|
# | "It was committed to in time, so it's proved." | So was the ground key. Who chose the seeds, and who the nonce? |
# | "The judge's networks gave no hit." | They are public. The forger asked them, too. |
# | "Then say 'nobody' when in doubt." | Show me the honest crosses. Whom does that rob? |
# | "Blockchain solves it." | It orders what was registered. It doesn't know who had the network before. |
#
# Let them frame Bob before anybody says "commitment"; it is the discomfort that teaches. Rules: let pairs exchange theirs, and attack them.
