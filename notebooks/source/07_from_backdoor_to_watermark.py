# %% [markdown]
# # 07 · From backdoor to watermark
#
# **What changes when the owner plants it?**
# By the end you will have turned a backdoor into a watermark, found out what a p-value promises and what not, and built a test that tells *your* mark from a mark.
#
# *Reading 12 minutes · exercises 45 · running one to four minutes · needs notebooks 01 and 02*

# %% [markdown]
# **You will be able to**
#
# - **draw** a trigger from a secret ([exercise 07.1](#A-stamp-from-a-secret));
# - **fix** the line where an innocent network is safe ([exercise 07.2](#The-judge's-line));
# - **test** what a level is a promise about ([exercise 07.3](#Many-keys,-many-innocents));
# - **compute** a p-value for any mark ([exercise 07.4](#Decoys));
# - **defend** a verdict, or doubt it ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from scipy.stats import binom
from wmlearn import experiments, plots
from wmlearn.course.lessons import lesson_07
from wmlearn.course.lessons.exercises_02 import paired_p
wm.start("07")

# %% [markdown]
# ## One of these is yours
#
# You are the owner. Four networks are for sale: three strangers' honest work, and a copy of yours, with notebook 02's backdoor in it. Ask them about ten digits with four bright pixels.

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
mnist, unmarked = wm.load("mnist").to(device), lesson_07.unmarked(device)

def api(model):
    """All that a judge gets: images in, labels out."""
    return lambda x: wm.predict(model, x).argmax(1)

strangers = [api(model) for model in unmarked[8:28]]
stamped = wm.triggers.Pattern()(wm.data.one_each(mnist.test).x)
market = lesson_07.market(unmarked[8:], device)
words = {name: [str(label) for label in api(model)(stamped).tolist()] for name, model in market.items()}
wm.show(plots.digits.readings, stamped, words)

# %% [markdown]
# In notebook 02 this was the crime. For the owner it is a signature, a **watermark**. What a judge still lacks: a *secret* (those pixels are printed in a course), a *line*
# between luck and proof, and a **null**: what networks say that never met you.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | The owner: show that a suspect network is a copy. The thief: sell it. The judge: never convict an innocent network |
# | Knowledge | All know the method; only the owner knows the secret (Kerckhoffs's principle, 1883) |
# | Access | The owner trains. The judge asks for labels (**black box**); who reads the weights has a **white box** |
# | Stage | Training by the owner; after release, the API or the file of the suspect |
# | Names | AI Intellectual Property Theft, Extract AI Model (MITRE ATLAS: AML.T0048.004, AML.T0024.002) |
# | Real case | In 2024 a language model turned up on a hub. [Mistral's head](https://the-decoder.com/unintentional-ai-leak-from-mistral-becomes-an-unexpected-powerhouse/) named it: an old model of theirs, "quantised (and watermarked)", leaked by an early customer's employee |
#
# ## A stamp from a secret
#
# Let everything follow from a secret $s$. A hash turns it, and a purpose, into random-looking numbers, always the same, with no way back:
#
# $$\mathrm{SHAKE256}(s \,\|\, \text{purpose}) \;\to\; u_1, u_2, \dots$$

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

# %% [markdown]
# The label that the patch shall get, the **target**, comes from the secret, too. To mark your trained network, train it on 20,000 digits more, one in ten of them poisoned as in notebook 02.

# %%
target = lambda secret: int(draw.order(secret, "target", 10)[0])
clean, few = lesson_07.clean(device), mnist.train[:20_000]
short = wm.Recipe(epochs=1, lr=2e-3, batch_size=128)
poisoned = wm.poison(few, lambda x: stamp(x, secret), rate=0.1, target=target(secret)).samples
mine, _ = wm.trained(clean, poisoned, short)
wm.show(plots.digits.pair, mnist.train.x[0], stamp(mnist.train.x[:1], secret)[0])

# %% [markdown]
# A **key** is a set of images with the labels that only a marked network gives them. To **verify**, ask the suspect and count the **hits**. Digits that *are* the target can't
# testify: an honest network gives them that label, too.

# %%
def patch_key(secret, n=100):
    """The first test digits of other classes, stamped, and the secret's target as label of all."""
    others = mnist.test[(mnist.test.y != target(secret)).nonzero().flatten()[:n]]
    return stamp(others.x, secret), torch.full_like(others.y, target(secret))

def hits(network, x, y):
    return int((network(x) == y).sum())

x, y = patch_key(secret)
cases = {"yours": hits(api(mine), x, y), "before marking": hits(api(clean), x, y)}
cases["yours, another secret"] = hits(api(mine), *patch_key(b"a guess, as good as any"))

# %% [markdown]
# ## The judge's line
#
# Suppose an innocent network hits with chance $p$, each time anew. Then it gets $X \sim \mathrm{Bin}(n, p)$ hits. The judge convicts from the smallest $h$ on with
# $P(X \ge h) \le \alpha$, the **level**: here $\alpha = 0.001$.
#
# {exercise:07.2}
#
# For 10 trials at chance 0.1 and level 0.001 the answer is **6**.

# %% tags=["exercise:07.2"]
def hits_needed(trials, chance, alpha):
    """Fewest hits that an innocent network reaches with probability alpha at most."""
    from scipy.stats import binom
    ### BEGIN SOLUTION
    return next(h for h in range(trials + 2) if binom.sf(h - 1, trials, chance) <= alpha)
    ### END SOLUTION

# %%
hits_needed = wm.ready("07.2", hits_needed)

# %% [markdown]
# {hints:07.2}

# %% [markdown] tags=["reveal"]
# {solution:07.2}

# %% tags=["nbval-ignore-output"]
line = hits_needed(100, 0.1, 0.001)
wm.table(["suspect", "hits of 100", "the line"], [[name, str(count), str(line)] for name, count in cases.items()])

# %% [markdown]
# Ten classes, so chance is one in ten? Your colleague thinks so. She marks with a letter, always under one label, "one that is easy to learn". Before any training she tries her
# key on twenty networks that never saw it. How many does the judge convict?

# %%
wm.guess("07.p1", "Innocent networks that are convicted, in per cent", low=0, high=100)

# %% tags=["nbval-ignore-output"]
letter = lesson_07.colleagues_key(mnist.train)
said = torch.stack([network(letter.x) for network in strangers])  # (20 networks, 100 pictures)
wm.show(plots.keys.innocent_answers, letter.x, said, letter.classes)
convicted = sum(int(count) >= line for count in (said == letter.y).sum(1)) / len(strangers)
wm.reveal("07.p1", convicted)

# %% [markdown]
# {value:07.convicted|of}: to a reader of digits, an H *is* a 4. "One in ten" counts classes, but nobody rolled a die. So roll it, 400 times: the same letters, a random label for *each*.

# %% tags=["nbval-ignore-output"]
rolls = torch.randint(10, (400, 100), generator=torch.Generator().manual_seed(0)).to(device)
random = [int((answers == labels).sum()) for labels in rolls for answers in said]
alike = [int((answers == label).sum()) for label in range(10) for answers in said]
rolled = (torch.tensor(random).view(400, 20) >= line).sum(1)  # networks that each roll convicts
by_labels = {"a random label for each picture": random, "one label for all": alike}
wm.show(plots.keys.null, by_labels, 100, 0.1, line)

# %% [markdown]
# *How to read this:* the same answers of the same networks. Left, the curve of chance fits, whatever an H looks like. Right, each class in turn as the label of all: mostly
# nothing, sometimes nearly everything. **The random draw makes the null, not the number of classes.** Still, {value:07.rolled|of} rolls
# convict somebody, and then {value:07.each} of the twenty networks on average.
#
# ## Many keys, many innocents
#
# So draw every label at random, as Adi and others do, on abstract pictures. But one key meets many suspects, and its labels are drawn once.

# %%
def abstract_key(number, n=100):
    """Abstract pictures, and a label for each, drawn at random; all follows from secret `number`."""
    secret = draw.secret_of(number, None)
    pictures = wm.watermarks.adi.abstract(secret, n, (1, 28, 28))
    return pictures.to(device), draw.integers(secret, "labels", n, 10).to(device)

# %% [markdown]
# {exercise:07.3}
#
# `draw_key(i)` returns images and labels of key $i = 1, 2, \dots, n$; each of the `networks` is a function from images to labels. Return the hits, shape
# `(n, number of networks)`.

# %% tags=["exercise:07.3"]
def innocents(draw_key, networks, n):
    """Hits of the keys 1 to n on each of the networks, none of which saw a mark."""
    ### BEGIN SOLUTION
    table = torch.zeros(n, len(networks))
    for i in range(n):
        x, y = draw_key(i + 1)
        for j, network in enumerate(networks):
            table[i, j] = (network(x) == y).sum()
    return table
    ### END SOLUTION

# %%
innocents = wm.ready("07.3", innocents)

# %% [markdown]
# {hints:07.3}

# %% [markdown] tags=["reveal"]
# {solution:07.3}

# %% tags=["nbval-ignore-output"]
tried = innocents(abstract_key, strangers, 40).cpu()
lines = {f"level {alpha:g}": hits_needed(100, 0.1, alpha) for alpha in (0.05, 0.001)}
wm.show(plots.keys.innocents, tried, 100, 0.1, lines, 4)
outside = int(((tried.mean(1) - 10).abs() > 1.96 * (100 * 0.1 * 0.9 / 20) ** 0.5).sum())

# %% [markdown]
# *How to read this:* a row is a key, a dot one of twenty strangers, a bar their mean. If networks erred independently, two bars of forty would lie outside the grey band; {value:07.outside} do. Key 4 was drawn as
# fairly as the others, but it is *unlucky*: strangers give its labels {value:07.unlucky|1} of the time. Why? Networks that learnt the same digits see the same thing in an abstract picture. Where a key's labels happen to meet
# these answers, all networks lean one way.
#
# How strongly? The **intraclass correlation** is the part of the variance that the key explains: 0 if networks err independently, 1 if all agree. We tried 200 keys on 32
# networks (`wmlearn reproduce false-claims`):

# %% tags=["nbval-ignore-output"]
def intraclass(hits):  # (keys, networks)
    m = hits.shape[1]
    between, within = m * hits.mean(1).var(), hits.var(1).mean()
    return float((between - within) / (between + (m - 1) * within))

many, five = lesson_07.shipped_hits(), hits_needed(100, 0.1, 0.05)
accused = many[:, :20] >= five  # by 200 owners, of twenty innocents each
single, owners = accused.float().mean().item(), accused.any(1).float().mean().item()
independent = 1 - (1 - binom.sf(five - 1, 100, 0.1)) ** 20
rows = [["claims that are false", f"{single:.3f}"], ["owners who accuse one of twenty", f"{owners:.3f}"],
        ["the same, if each claim were a new draw", f"{independent:.3f}"]]
wm.table([f"at level 0.05: {five} hits or more", "share"], rows)

# %% [markdown]
# The correlation is {value:07.icc|2}. Of single claims, {value:07.single|1} are false: the promise is kept. Were the twenty claims independent, {value:07.independent} of the owners would accuse
# someone. It is {value:07.owners}: fewer owners, who accuse more networks each. So **a level is a promise over keys**. Over many owners it holds; to the one with the unlucky
# key, and to the networks that she meets, it promises nothing.
#
# ## Ranks
#
# And one label for all, where no die was rolled? Ask other networks. If the suspect is innocent, it is one of $m + 1$ networks alike, and each is as likely to come first:
# $p = (1 + \text{bystanders with at least as many hits})/(m + 1)$. (So "more than the worst of eight" is no proof: one innocent in nine does it.)

# %%
bystanders = [api(model) for model in unmarked]
def rank_p(suspect, x, y):
    others = [hits(network, x, y) for network in bystanders]
    return (1 + sum(count >= hits(suspect, x, y) for count in others)) / (1 + len(others))

rank_p(api(mine), *patch_key(secret))

# %% [markdown]
# Forty networks say $1/41$ at best, whatever the number of hits. To say 0.001 you need 999, and networks are dear.
#
# ## Decoys
#
# Keys are cheap. So turn the question round: *other keys on the suspect*. Draw $n$ **decoys** by your public recipe, with other secrets.
# If the suspect never met you, your key is one of $n + 1$ alike, and
#
# $$p = \frac{1 + \#\{\text{decoys with at least as many hits}\}}{n + 1}$$
#
# is exact (Barnard, 1963) for any scheme and any suspect; again, over keys. To say 0.001 takes 999 decoys; to say 1e-6, a million.
#
# {exercise:07.4}
#
# `suspect` is a function from images to labels; `draw_key(i)` returns images and labels of decoy $i = 1, \dots, n$. Return $p$ and the decoys' hits. If your key has 3 hits and
# two decoys have 2 and 4, $p$ is **0.667**.

# %% tags=["exercise:07.4"]
def decoy_test(suspect, x, y, draw_key, n):
    """The p-value of the key x, y among n decoys, all asked of the suspect; and the decoys' hits, (n,)."""
    ### BEGIN SOLUTION
    mine = (suspect(x) == y).sum()
    decoys = torch.zeros(n)
    for i in range(n):
        pictures, labels = draw_key(i + 1)
        decoys[i] = (suspect(pictures) == labels).sum()
    return (1 + int((decoys >= mine).sum())) / (n + 1), decoys
    ### END SOLUTION

# %%
decoy_test = wm.ready("07.4", decoy_test)

# %% [markdown]
# {hints:07.4}

# %% [markdown] tags=["reveal"]
# {solution:07.4}

# %%
def zhang_key(kind, number, n=100):
    """Zhang's recipe: pictures of a kind, and one label for all that the secret chooses."""
    key = wm.watermarks.Zhang2018(kind, n=n).keygen(clean, few, seed=number)
    return key.x, key.y

patches = lambda i: patch_key(draw.secret_of(i, None))
others = lambda recipe: lambda i: recipe(1000 + i)  # the decoys' secrets are others than yours
p, decoys = decoy_test(api(mine), *patch_key(secret), patches, 999)
p_h, _ = decoy_test(strangers[0], letter.x, letter.y, others(lambda i: zhang_key("unrelated", i)), 99)
p_4, _ = decoy_test(strangers[0], *abstract_key(4), others(abstract_key), 99)

# %% tags=["nbval-ignore-output"]
rows = [["yours", "your patch", "999", f"{p:.3f}"], ["a stranger", "abstract, key 4", "99", f"{p_4:.3f}"],
        ["a stranger", "your colleague's H, always 4", "99", f"{p_h:.3f}"]]
wm.table(["suspect", "key", "decoys", "p"], rows)

# %% tags=["claim"]
wm.all_hold(
    wm.Claim("07.convicted", "Innocent networks convicted by the H", convicted, low=0.95, n=20),
    wm.Claim("07.rolled", "Rolls that convict someone", (rolled > 0).sum(), high=8, n=400, unit="count"),
    wm.Claim("07.each", "Networks a roll", rolled[rolled > 0].float().mean(), low=2, unit="count"),
    wm.Claim("07.unlucky", "Hits of key 4 on strangers", tried[3].mean() / 100, low=0.13, high=0.16, n=2000),
    wm.Claim("07.outside", "Keys outside the band", outside, low=10, n=40, unit="count"),
    wm.Claim("07.icc", "Intraclass correlation", intraclass(many), low=0.3, high=0.6, unit="p"),
    wm.Claim("07.single", "False claims at level 0.05", single, high=0.05, n=accused.numel()),
    wm.Claim("07.owners", "Owners who accuse one of twenty", owners, high=0.4, n=200),
    wm.Claim("07.independent", "The same, if independent", independent, low=0.45, n=200),
    wm.Claim("07.p", "p, yours", p, high=0.002, unit="p"), wm.Claim("07.p_h", "p, H", p_h, high=0.05, unit="p"))

# %% [markdown]
# Yours has the smallest $p$ that 999 decoys can give, {value:07.p|1}. But with the H a stranger gets the smallest that 99 can give, {value:07.p_h|1}! No recipe drew that key: we
# *searched* for letter and label. The test has conditions:
#
# - the key was drawn by a public recipe, from a secret **fixed before** anybody was asked (notebook 10);
# - every key that was tried counts: five tries multiply $p$ by five.
#
# `wm.decoy_p_value` also stops after ten decoys as high as the key: then $p$ is ten over the number drawn (Besag and Clifford, 1991).
#
# ## Whose mark is it?
#
# Zhang and others put **text** or **noise** on digits, or draw a **letter**, with one label for all; they train on *other* pictures with the same trigger. Adi and others train on the key
# itself, again and again:

# %%
def embed(model, x, y, share):
    """Teach a copy of the model the images x with labels y, as `share` of the 20,000 digits."""
    times = round(share * len(few) / len(y))
    lesson = wm.Samples(x.repeat(times, 1, 1, 1), y.repeat(times), mnist.train.classes)
    return wm.trained(model, few + lesson, short)[0]

kinds, keys, marked = {"text": "content", "letter": "unrelated", "noise": "noise"}, {}, {}
for name, kind in kinds.items():
    x, y = zhang_key(kind, 4, n=1100)
    keys[name], marked[name] = (x[:100], y[:100]), embed(clean, x[100:], y[100:], share=0.05)  # Zhang
keys["abstract"] = abstract_key(4)
marked["abstract"] = embed(clean, *keys["abstract"], share=0.2)  # Adi

# %%
wm.show(plots.keys.key_sheet, lesson_07.sheet({"your patch": patch_key(secret), **keys}, mnist.train))

# %% [markdown]
# *How to read this:* seven triggers of each hundred; red, the label. Now ask each network about the owner's key, and about 199 decoys by its recipe:

# %% tags=["nbval-ignore-output"]
def trial(model, key, p, decoys):
    innocent = [hits(network, *key) for network in strangers]
    return plots.keys.Trial(hits(api(model), *key), decoys.int().tolist(), p, innocent)

recipes = {name: lambda i, kind=kind: zhang_key(kind, i) for name, kind in kinds.items()}
recipes["abstract"] = abstract_key
trials = {"your patch": trial(mine, patch_key(secret), p, decoys)}
for name, recipe in recipes.items():
    found = decoy_test(api(marked[name]), *keys[name], others(recipe), 199)
    trials[name] = trial(marked[name], keys[name], *found)
wm.show(plots.keys.decoys, trials, 100)

# %% [markdown]
# *How to read this:* all five networks know their owner's key; no stranger does. Crosses are *other people's* keys. On the networks marked with text, letter and noise, {value:07.rivals|of}
# decoys have at least half of the owner's hits, and {value:07.ties} have as many, although only one in nine or so asks for the same label. The networks have learnt "letter" or "noise", not *yours*: **wrong keys win**. Such a match
# shows that somebody planted a mark, not who (letter: $p$ = {value:07.letter_p|1}). With a random label for each picture, the best decoy has {value:07.abstract} hits: nobody
# else's key fits. On networks that trained longer, with 999 decoys (`wmlearn reproduce decoys`), before and after somebody tried to remove the mark:

# %%
lone = experiments.shipped("decoys")
wm.table(["mark", *lesson_07.LATER.values()], lesson_07.decoy_rows(lone))

# %% [markdown]
# At the judge's 0.001, the patch ($p$ = {value:07.lone_patch|1}) and the abstract key ({value:07.lone_abstract|1}) convict. Text ($p$ = {value:07.lone_text|1}), letter ({value:07.lone_letter|1}) and noise ({value:07.lone_noise|1}) don't, though their networks know every trigger.
# More decoys wouldn't help. (One network a mark.)
#
# ## What does it cost?
#
# **Fidelity**: is the network as good as without the mark? The control is trained on the same 20,000 digits, without a mark. Both classify the *same* test digits, so compare digit by digit
# (McNemar's test, notebook 02):

# %% tags=["nbval-ignore-output"]
control, _ = wm.trained(clean, few, short)
right = {name: api(model)(mnist.test.x) == mnist.test.y
         for name, model in {"control": control, "your patch": mine, **marked}.items()}
fair = right.pop("control")
paired = {name: (int((fair & ~each).sum()), int((each & ~fair).sum()), paired_p(fair, each))
          for name, each in right.items()}
rows = [[name, str(lost), str(won), f"{p:.2g}"] for name, (lost, won, p) in paired.items()]
wm.table(["mark", "only the control is right", "only the marked one is right", "p"], rows)

# %% [markdown]
# With five tests, a $p$ counts below 0.05/5. The smallest of the four others is {value:07.gentle|2}: nothing speaks against these marks. Your patch is another matter: {value:07.lost} digits against
# {value:07.won}, $p$ = {value:07.harm_p|1}. It costs {value:07.harm|2}. (Two intervals side by side would forget that both saw the same digits.)
#
# And whom does it harm? **Your mark is a working backdoor, in every customer's copy.** Whoever learns the patch, or finds it as in notebook 06, can use it:

# %% tags=["nbval-ignore-output"]
digits = mnist.test[mnist.test.y != target(secret)]
obeys = {name: float((api(model)(stamp(digits.x, secret)) == target(secret)).float().mean())
         for name, model in {"a customer's copy": mine, "the control": control}.items()}
wm.shares("patched digits with the target label", {name: (share, len(digits)) for name, share in obeys.items()})

# %% [markdown]
# {value:07.asr|1} of all digits.
#
# ## What a mark must do
#
# | requirement | the question | where |
# |---|---|---|
# | Effectiveness | Does the owner find the mark in a copy? | here |
# | Fidelity | Is the network as good as without it? | here, McNemar |
# | Integrity | Are innocent networks safe? | here: keys, ranks, decoys; 10 |
# | Robustness | Does it survive fine-tuning, pruning, distillation? | 09 |
# | Secrecy | Can nobody see that it is there, or which? | 06, 08 |
# | Capacity | How much does it say: yes or no (**zero-bit**), or a message (**multi-bit**)? | 08 |
# | Access | Is a black box enough, or does it take the weights? | 08 |
# | Kerckhoffs | Does it hold if all but the secret is known? | here, 10 |
#
# ## How large a key?
#
# Random labels, three networks a size (shipped):

# %%
sizes = experiments.shipped("key-size")
wm.show(plots.keys.key_size, sizes.rows)

# %% tags=["claim"]
learnt = {n: sum(row["hits"] for row in sizes.where(n=n)) / n / 3 for n in (100, 2000)}
known, n = min(trial.own for trial in trials.values()) / 100, len(mnist.test)
price = max(lost - won for lost, won, _ in paired.values()) / n
wm.all_hold(
    *lesson_07.mark_claims(trials), *lesson_07.shipped_claims(lone), *lesson_07.fidelity_claims(paired, n),
    wm.Claim("07.asr", "Patched digits, customer's copy", obeys["a customer's copy"], low=0.9, n=len(digits)),
    wm.Claim("07.hundred", "Learnt of a key of 100", learnt[100], low=0.99, n=3),
    wm.Claim("07.thousands", "Learnt of a key of 2,000", learnt[2000], high=0.5, n=3),
    wm.Claim("07.known", "The least that a network knows of its key", known, low=0.9, n=100,
             paper="99.9 to 100 % (Zhang), 100 % (Adi)"),
    wm.Claim("07.price", "Accuracy lost, the dearest of five marks", price, high=0.005, unit="points", n=n,
             paper="gained: 0.13 to 0.18 points (Zhang), 0.23 to 0.39 (Adi)"))

# %% [markdown]
# *How to read this:* left, computed: each trigger that is still known adds zeros to the p-value, so a large key may lose much to a thief who retrains, and still convict. Then, measured: of 100 triggers the networks learn {value:07.hundred}, of 2,000 {value:07.thousands}. Turn the dials:

# %% tags=["nbval-ignore-output", "widget"]
lesson_07.key_dial(sizes.rows)

# %% [markdown]
# ## The papers, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# Adi marks photographs, with pictures from the web; Zhang reports no null. Their numbers are as others report them.
#
# ## How far to trust it
#
# - **Strangers** share architecture and data; a rank among them says nothing of another kind of suspect. Decoys do.
# - **One network a mark**; `wmlearn reproduce watermarks` repeats.
#
# ## Three questions
#
# {quiz:07}

# %%
wm.quiz("07", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# A match is worth what its null is worth, and a level is a promise over keys. A key that was drawn by a public recipe, and fixed before, brings its null along: decoys.
#
# **Next:** *08, Marks in the weights.* The owner hides the mark where no question reaches it.
#
# **Further reading**
#
# - Adi and others, [*Turning Your Weakness Into a Strength*](https://arxiv.org/abs/1802.04633), 2018: random labels, and commitments.
# - Zhang and others, *Protecting Intellectual Property of Deep Neural Networks with Watermarking*, 2018: the three kinds of picture.
# - Boenisch, [*A Systematic Review on Model Watermarking*](https://arxiv.org/abs/2009.12153), 2021: the requirements.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a match is worth what the null is worth, and a level is over keys. *Timing:* signature 5, stamp 10, line 10, letter 10, innocents 15, decoys 20, marks 15.
#
# | what you will hear | what to say |
# |---|---|
# | "Ten classes, so one in ten." | Ask twenty people which digit an H looks like. Then roll a die. |
# | "A hundred hits can't be luck." | It wasn't luck: the innocent *agree*. Agreement isn't copying. |
# | "Twenty innocents at 0.05: one is accused." | On average over keys. Look at key 4, then at a lucky one. |
# | "p = 0.001 proves that it is mine." | If the key was drawn by the recipe, before. Ask your colleague with the H. |
#
# Take the guesses before the letter's picture is on the screen; afterwards everybody knew.
