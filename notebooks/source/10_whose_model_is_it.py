# %% [markdown]
# # 10 · Whose model is it?
#
# **When does a match prove anything?**
# By the end you will have framed an innocent network with a perfect match, thrown that evidence out for the right reason, and given a stolen
# network back, in a report that also says what it does not prove.
#
# *Reading 40 minutes · running one to two · exercises 30 · needs notebook 07*
#
# Today you are the **judge**, and briefly a **forger**.

# %% [markdown]
# **You will be able to**
#
# - **audit** a rule that convicts ([exercise 10.1](#A-line,-audited));
# - **correct** for many suspects ([exercise 10.2](#Twenty-suspects));
# - **bind** an owner to a key before anybody sees it ([exercise 10.3](#A-promise-before-release));
# - **throw out** forged evidence, and say why ([quiz](#Three-questions));
# - **decide** between two parties, and name what can't be decided ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from dataclasses import replace
from wmlearn import experiments, ownership as own, plots
from wmlearn.course.lessons import exercises_10, lesson_10
wm.start("10")

# %% [markdown]
# ## Two perfect matches
#
# Two people claim one network. Each shows you a hundred pictures, and the labels that "only my network gives". You ask it.

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
mnist = wm.load("mnist").to(device)
plain, bob, stranger = lesson_10.networks(device)
claims = lesson_10.two_claims(plain, mnist.train)
network, other = claims.network, claims.embedded
wm.show(plots.ownership.keys, lesson_10.answered({"claim 1": claims.fitted, "claim 2": other}, network))

# %% [markdown]
# *How to read this:* below each picture, the label claimed and the network's answer. Both match. Notebook 07's judge computes
#
# $$p = P(X \ge h), \qquad X \sim \mathrm{Bin}(n, 0.1),$$
#
# and finds a number with some hundred zeros, twice. One claim was made this morning, by somebody who never trained anything. Could you?
#
# ## Frame somebody
#
# Bob's network is innocent: nobody marked it. Draw a hundred pictures at random. Then take as labels *whatever Bob's network says*.

# %%
you = lesson_10.person("you")
mine = lesson_10.drawn(you, device)
framed = replace(mine, y=wm.evidence.answers(bob, mine.x))
evidence = lesson_10.SCHEME.verify(bob, framed)
print(wm.judge(evidence))

# %% tags=["claim"]
wm.claim("10.framed", evidence.rate, what="The innocent network's match with your forged key", low=0.99, n=100)

# %% [markdown]
# An innocent network matches {value:10.framed} of your forged key. The formula isn't wrong. It holds for labels that were fixed *before* anybody asked the network.
# A judge needs three things: a line that keeps its promise, a count of luck's tries, and proof of *when* the key was made.
#
# ## A line, audited
#
# The judge convicts from a **line** on, at a level $\alpha$: an innocent reaches it with probability below $\alpha$. A public library convicts a key of 10 triggers
# from 5 hits on, at level 0.001. Does that line keep its promise?
#
# {exercise:10.1}
#
# `lines` is a list of pairs: triggers, and the hits that convict. For `[(10, 5), (20, 8), (100, 21)]` at chance 0.1 and level 0.001 the answer
# is **1**.

# %% tags=["exercise:10.1"]
def broken(lines, chance, alpha):
    """How many of the lines (n, hits) an innocent network reaches with probability alpha or more."""
    from scipy.stats import binom
    ### BEGIN SOLUTION
    return sum(binom.sf(hits - 1, n, chance) >= alpha for n, hits in lines)
    ### END SOLUTION

# %%
broken = wm.ready("10.1", broken)

# %% [markdown]
# {hints:10.1}

# %% [markdown] tags=["reveal"]
# {solution:10.1}

# %%
sizes = range(10, 201)
rules = {rule: exercises_10.lines(rule, 0.1, 0.001, sizes) for rule in ("exact", "one less", "bell curve")}
rows = [[rule, str(lines[0][1]), str(lines[90][1]), str(broken(lines, 0.1, 0.001))]
        for rule, lines in rules.items()]
wm.table(["rule", "line of 10", "line of 100", f"broken, of {len(sizes)}"], rows)

# %% [markdown]
# One hit less is the library's line at 10: innocents are convicted at 0.0016 instead of 0.001. As a rule it breaks *every* promise, as does the
# bell curve, whose tail is too thin. `wm.significance.hits_needed` is exact.
#
# ## Twenty suspects
#
# An owner tries her key on twenty shops, each at level 0.05. All are innocent. How many such owners accuse at least one?

# %%
wm.guess("10.p1", "Owners who accuse at least one of twenty innocents, in per cent", low=0, high=100)

# %% [markdown]
# We tried 200 keys a scheme on 32 unmarked networks (`wmlearn reproduce false-claims`).

# %%
results = experiments.shipped("false-claims")
wm.show(plots.ownership.false, results)

# %% [markdown]
# *How to read this:* dots, false claims; bars, their intervals, wide because networks that face one key err alike; dashed, the level. Adi's labels and Uchida's bits are drawn at random:
# their rates lie just under what was promised. Where all triggers share a label, the null is decoys (notebook 07): no interval lies above its level. So much for *one* claim. Now count owners.
#
# S. Holm corrects for $m$ claims: the smallest $p$ must be below $\alpha/m$, the next below $\alpha/(m-1)$, and so on; **the first that fails stops all
# larger ones**.
#
# {exercise:10.2}
#
# `p` has shape `(m,)`. For `p = [0.02, 0.0004, 0.03, 0.012]` and `alpha = 0.05` all four stand; for `[0.04, 0.02, 0.021]` none.

# %% tags=["exercise:10.2"]
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
holm = wm.ready("10.2", holm)

# %% [markdown]
# {hints:10.2}

# %% [markdown] tags=["reveal"]
# {solution:10.2}

# %%
p = experiments.false_claims.p_values(*results.where(scheme="adi2018"), "binomial")[:, :20]  # (keys, networks)
loose = sum(bool((each < 0.05).any()) for each in p) / len(p)
strict = sum(any(holm(each, 0.05)) for each in p) / len(p)

# %% tags=["claim"]
lots = experiments.false_claims.EXACT
counts = [experiments.false_claims.false_claims(results, scheme, 0.05) for scheme in lots]
worst = max(each.false / each.claims for each in counts)
wm.all_hold(
    wm.Claim("10.single", "False claims, each at level 0.05", worst, high=0.05, n=counts[0].claims),
    wm.Claim("10.anyone", "Owners who accuse an innocent, without a correction", loose, low=0.25, n=len(p)),
    wm.Claim("10.holm", "Owners who accuse an innocent, with Holm's", strict, high=0.1, n=len(p)),
)

# %% tags=["nbval-ignore-output"]
wm.reveal("10.p1", loose)

# %% [markdown]
# Of single claims, {value:10.single|1} are false, by the worse of both schemes. Yet {value:10.anyone} of the owners accuse somebody, and with Holm's correction {value:10.holm}. A judge corrects for
# all that luck could try: suspects, keys, challenges.
#
# ## How many triggers?
#
# Strict levels protect the innocent, and also thieves who have washed most of a mark away. **Power** is how often a true claim succeeds.

# %%
wm.show(plots.ownership.power, 0.001)

# %% [markdown]
# *How to read this:* the more of the mark is left, the fewer triggers convict. Right, the null that a careful judge measures from a few opened triggers:
# half a mark proves little there. Turn the dials:

# %% tags=["nbval-ignore-output", "widget"]
lesson_10.power_dial()

# %% [markdown]
# ## A promise before release
#
# Ada made claim 2. Before she released her network, she wrote one hash into a public **registry**. It binds her to every trigger and label, and shows none.
#
# Trigger, label and salt become a **leaf**. Neighbours are hashed together, `sha256(b"\1" + left + right)`, and those again, up to one **root**
# (Merkle). A key of 100 is filled up to 128 leaves.
#
# {exercise:10.3}
#
# `leaves` is a list of 32-byte hashes; its length is a power of two. Use `hashlib.sha256(…).digest()`.

# %% tags=["exercise:10.3"]
def root(leaves):
    """The hash over all leaves: neighbours hashed in pairs, level by level."""
    import hashlib
    ### BEGIN SOLUTION
    row = list(leaves)
    while len(row) > 1:
        row = [hashlib.sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2])]
    return row[0]
    ### END SOLUTION

# %%
root = wm.ready("10.3", root)

# %% [markdown]
# {hints:10.3}

# %% [markdown] tags=["reveal"]
# {solution:10.3}

# %%
ada, today = lesson_10.person("Ada"), lesson_10.TODAY
promise = own.commit(ada, other, made=today)
root(exercises_10.leaves(other)).hex() == promise.root

# %% [markdown]
# Ada signs the promise, registers it, and only then releases. Bob releases, too. You, the forger, come last:

# %% tags=["nbval-ignore-output"]
book, late = lesson_10.registry(), own.commit(you, framed, made=today)
own.register(book, promise, own.release(ada, "Ada's network", own.fingerprint(network), made=today))
own.register(book, own.release(lesson_10.person("Bob"), "Bob's network", own.fingerprint(bob), made=today), late)
wm.table(["entry", "who", "what", "hash"], lesson_10.shown(book, ["Ada", "Bob", "you"]))

# %% [markdown]
# Every entry holds the hash of the one before. The registry's keeper, bribed, swaps two promises:

# %%
for fault in own.audit(lesson_10.tampered(book)).faults:
    print(fault)

# %% [markdown]
# ## You are caught
#
# You accuse Bob. The judge draws a **nonce**, which names 50 of your triggers to open; the others stay secret.

# %% tags=["nbval-ignore-output"]
innocent = wm.bystanders.for_task(plain, mnist.train)
case = own.Case({"Bob's network": bob}, innocent, own.read_book(book), released=3)
rows = [["labels fitted, registered now", lesson_10.heard(case, you, framed, late).void[0]]]
honest = own.commit(you, mine, made=today)
early = replace(case, book=own.chained([honest, *map(lesson_10.document_of, case.book.entries[:3])], keeper=lesson_10.KEEPER), released=4)
rows += [["labels at random, in time, swapped later", lesson_10.swapped(early, you, mine, honest, bob).void[0]]]
rows += [["labels at random, left alone", lesson_10.stopped_by(lesson_10.heard(early, you, mine, honest))]]
wm.table(["your claim", "why it falls"], rows)

# %% [markdown]
# The order, the root, the numbers: one of them fails. The match was never in doubt. It just isn't evidence.
#
# ## Ada's turn, through a shop window
#
# Mallory took Ada's network, trained **his own mark over hers** (on 10,000 digits), and sells answers over HTTP. The judge sees labels only.

# %% tags=["nbval-ignore-output"]
mallory = lesson_10.person("Mallory")
over = lesson_10.drawn(mallory, device)
sold = lesson_10.SCHEME.embed(network, mnist.train[:10_000], over).model
with lesson_10.shop(sold) as (shop, way):
    case = own.Case({"the shop": shop}, innocent, own.read_book(book), released=2)
    found = lesson_10.heard(case, ada, other, promise).matches["the shop"]
proof = found.evidence
print(f"by {way}: {proof.hits} of {proof.trials}, chance at most {proof.chance:.2f}, p = {proof.p_value:.0e}")

# %% tags=["claim"]
wm.claim("10.shop", proof.p_value, what="The p-value of Ada's claim on the shop", high=1e-5, unit="p", n=50)

# %% [markdown]
# The judge trusts nobody's 0.1: he asks bystanders about the opened triggers, and takes the top of the worst one's interval. $p$ is {value:10.shop}.
#
# ## Two parties, one network
#
# In court, Mallory answers: "*My* mark is in it, too, and I registered it before *I* released." True. And Carol claims it with labels fitted to it. Who wins?

# %% tags=["nbval-ignore-output"]
carol = lesson_10.person("Carol")
fit = lesson_10.fitted(lesson_10.drawn(carol, device), sold)
his, hers = own.commit(mallory, over, made=today), own.commit(carol, fit, made=today)
own.register(book, his, own.release(mallory, "the one on sale", own.fingerprint(sold), made=today), hers)
suspects = {"Ada's network": network, "the one on sale": sold, "Carol's network": stranger}
case = own.Case(suspects, innocent, own.read_book(book), released=6)
parties = [lesson_10.party(case, ada, "Ada's network", other, promise),
           lesson_10.party(case, mallory, "the one on sale", over, his),
           lesson_10.party(case, carol, "Carol's network", fit, hers)]
report = lesson_10.decided(case, "the one on sale", parties)
wm.show(plots.ownership.cross, report)

# %% tags=["claim"]
found = {name: {model: match.evidence.rate for model, match in finding.matches.items()}
         for name, finding in report.findings.items()}
wm.all_hold(
    wm.Claim("10.his", "Mallory's mark in what he sells", found["Mallory"]["the one on sale"], low=0.75, n=50),
    wm.Claim("10.not_hers", "Mallory's mark in Ada's network", found["Mallory"]["Ada's network"], high=0.3,
             n=50),
    wm.Claim("10.hers", "Ada's mark in what he sells", found["Ada"]["the one on sale"], low=0.5, n=50),
)

# %% [markdown]
# *How to read this:* a row, a mark; a column, a network. Mallory's mark has {value:10.his} of its hits in what he sells, {value:10.not_hers} in Ada's. Ada's
# is in both, worn, with {value:10.hers} in his. A thief can mark his copy, not her original. Carol's evidence is **void**: nobody even counts.
#
# The judge's report is one page:

# %% tags=["nbval-ignore-output"]
lesson_10.show_report(report)

# %% [markdown]
# Ada wins. Read what the page says it does *not* prove.
#
# ## Every forgery we know
#
# By somebody who sees all that is public:

# %% tags=["nbval-ignore-output"]
stage = lesson_10.stage(ada, other, network, mnist.train[:10_000])
attempts = lesson_10.forged(stage, mallory)
wm.table(["false claim", "what stops it"], [[a.story, lesson_10.stopped_by(a.finding)] for a in attempts.values()])

# %% tags=["claim"]
accepted = sum(attempt.accepted for attempt in attempts.values()) / len(attempts)
wm.claim("10.forged", accepted, what="False claims accepted", high=0, n=len(attempts))

# %% [markdown]
# {value:10.forged|of} were accepted. Now one that the registry can't see: the same forger **had the network before its release**, as an employee. He picks pictures that it
# alone answers so, and registers them in time.

# %% tags=["nbval-ignore-output"]
inside = lesson_10.insider(stage, mallory)
print("What stops it?", lesson_10.stopped_by(inside))

# %% tags=["claim"]
wm.claim("10.insider", inside.matches["model"].evidence.rate, what="The insider's match", low=0.95, n=30)

# %% [markdown]
# It stands, with {value:10.insider} of the triggers. The judge heard *chosen* triggers here; insisting that they follow from salts makes this dearer, not impossible.
#
# ## How far to trust it
#
# - **Order, not time:** the registry proves who registered first. Register before anybody else has the network.
# - **Silence is no alibi:** a washed mark, or a service that refuses, proves neither guilt nor innocence.
# - **A key is no person:** that the public key is Ada's must be shown by other means.
# - **One dispute, one seed.** Taught on a third of the digits, Ada's mark did *not* survive Mallory's, and the judge gave him the network. Power first.
# - **200 keys, 32 networks** of one architecture: no independent trials.

# %% [markdown]
# ## Three questions
#
# {quiz:10}

# %%
wm.quiz("10", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **audit** a line, **correct** for luck's tries, **bind** an owner by a root, **throw out** a match of {value:10.framed} that you forged yourself, and
# **decide**, with the limits on the page.
#
# **Next:** out into the world: theft through an API, sound and text, and a court of your own.
#
# **Further reading**
#
# - Adi and others, [*Turning Your Weakness Into a Strength*](https://arxiv.org/abs/1802.04633), 2018: commitments to a key.
# - Fan and others, [*Rethinking DNN Ownership Verification*](https://arxiv.org/abs/1909.07830), 2019: ambiguity attacks.
# - Haber and Stornetta, *How to Time-Stamp a Digital Document*, 1991: chains of hashes.
# - Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, 1979: four pages.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* evidence is a match *and* a history. *Timing:* framing 10, line 10, Holm 15, root 10, court 15.
#
# | what you will hear | what to say |
# |---|---|
# | "p is tiny, so it's proved." | Of which null? You chose the labels after the answers. |
# | "Blockchain solves it." | It orders what was registered. It doesn't know who had the network before. |
# | "Then Mallory is guilty." | His network was made from Ada's. How he got hers is another case. |
#
# Let them frame Bob before anybody says "commitment"; it is the discomfort that teaches.
