# %% [markdown]
# # 11 · Theft through an API
#
# **A model that only answers: what can be taken from it, and what can its owner prove?**
# By the end you will have copied a network over HTTP, made a service lie to one query in two hundred, found the lies in a copy, and measured how little a network tells of its training data.
#
# *Reading 15 minutes · exercises 42 · running one to three minutes · needs notebooks 07, 09 and 10, and* `pip install "wmlearn[serve]"`
#
# Today you are first the **attacker**, then the **owner**.

# %% [markdown]
# **You will be able to**
#
# - **gather** the answers of an API that fails ([exercise 11.1](#Gather-answers)), and say what a copy costs in queries;
# - **build** a keyed hash that marks answers ([exercise 11.2](#Mark-the-answers:-DAWN)), and find the mark in a copy;
# - **measure** membership inference at few false alarms ([exercise 11.3](#Was-this-image-trained-on?));
# - **weigh** limits and watches against honest customers ([quiz](#Three-questions)), and steal thriftily ([challenge](#Challenge:-the-thriftiest-thief)).

# %% tags=["nbval-ignore-output"]
import json, tempfile, torch, wmlearn as wm
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from wmlearn import experiments, ownership, plots, privacy, suspects
from wmlearn.course.lessons import lesson_11
from wmlearn.experiments import api_theft
wm.start("11")

# %% [markdown]
# ## A model behind HTTP
#
# Ana trained a network on 10,000 digits. She sells answers: images go to a URL, labels come back. Weights, data and probabilities stay with her. You have 50,000 digits that she never saw, without labels.

# %% tags=["nbval-ignore-output"]
device = wm.best_device()
test = wm.load("mnist").test.to(device)
anas, pool = api_theft.owners_digits(0), api_theft.pool(0)
start = api_theft.start_of("owner behind an API", 0)
ana = wm.trained(start, anas, api_theft.OWNERS_RECIPE)[0]

# %%
def asking(url):
    """Return a function that sends one request: images (n, 1, 28, 28) to labels (n,), or an error."""
    def ask(x):
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=30)) as line:
            line.request("POST", "/predict", lesson_11.packed(x))
            reply = line.getresponse()
            if reply.status != 200:
                raise ConnectionError(f"status {reply.status}: {reply.reason}")
            return torch.tensor(json.loads(reply.read())["labels"])
    return ask

# %% tags=["nbval-ignore-output"]
with suspects.running(suspects.service(ana)) as url:
    print("The service reads", asking(url)(test.x[:10]).tolist(), "and the truth is", test.y[:10].tolist())

# %% [markdown]
# A real server, on your own machine.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | The thief: as good a model without paying for labels, or a look at private data. Ana: customers, and proof |
# | Knowledge | The thief: the task, the kind of network, images without labels. Not the weights, nor Ana's data |
# | Access | Queries, and what comes back: labels, or probabilities. Each is counted, and perhaps watched |
# | Stage | After release, through the API |
# | Names | MITRE ATLAS AML.T0024: infer membership (.000), invert (.001), extract the model (.002); NISTAML.031 |
# | Real case | In 2024 queries for less than 20 dollars gave [Carlini and others](https://arxiv.org/abs/2403.06634) the whole last layer of two of OpenAI's language models, ada and babbage |

# %%
wm.guess("11.p1", "Accuracy of a copy taught by 500 labels, in per cent", low=0, high=100)

# %% [markdown]
# ## Gather answers
#
# APIs fail: a line breaks, a limit is reached, a server dies. Labels that were paid for must not be lost, nor asked for twice.
#
# {exercise:11.1}
#
# `ask` sends one request, images (n, …) to labels (n,), and raises `ConnectionError`, an `OSError`, when it fails. Ask about `x` in its order, `batch` images a request. Send a request that fails again, `tries` times in all; if none succeeds, the API is dead: stop. Return labels (N,), −1 where none came.

# %% tags=["exercise:11.1"]
def gather(ask, x, batch, tries):
    """Labels (N,) of images x, in requests of `batch` images, -1 where none came."""
    ### BEGIN SOLUTION
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        for attempt in range(tries):
            try:
                labels[first:first + batch] = ask(x[first:first + batch])
                break
            except OSError:
                if attempt == tries - 1:
                    return labels
    return labels
    ### END SOLUTION

# %%
gather = wm.ready("11.1", gather)

# %% [markdown]
# {hints:11.1}

# %% [markdown] tags=["reveal"]
# {solution:11.1}

# %% [markdown]
# Ana allows 15 requests a minute. You ask about 2,000 digits, 100 a request:

# %% tags=["nbval-ignore-output"]
asked = pool[:2_000]
with suspects.running(suspects.service(ana, limits=suspects.Limits(per_minute=15))) as url:
    labels = gather(asking(url), asked.x, 100, 2).to(device)
got = labels >= 0
bought = wm.Samples(asked.x[got], labels[got], asked.classes)
blank = api_theft.start_of("thief at an API", 0)
copy = wm.trained(blank, bought, api_theft.thiefs_recipe(len(bought)))[0]
own = wm.trained(blank, asked[got], api_theft.thiefs_recipe(len(bought)))[0]  # true labels instead
live = lesson_11.stolen(test, bought, ana, copy, own)

# %% tags=["claim"]
wm.all_hold(*lesson_11.first_theft(live))

# %% [markdown]
# The limit let {value:11.got|1} labels through: it counts requests, and Ana's requests may hold 1,000 images. Your copy is {value:11.copy} accurate, Ana's network {value:11.ana|1}. A network of the same first weights, taught the same digits by *true* labels, has {value:11.own}: the two lie {value:11.apart|1} apart. So the labels were worth what a person's are. That is all that extraction takes: query, train, compare.
#
# ## What does a copy cost?
#
# Five owners, five thieves, 100 to 50,000 queries, four kinds of answers, three of images:

# %% tags=["nbval-ignore-output"]
results = experiments.shipped("api-theft")
wm.show(plots.theft.curves, results)

# %% tags=["claim"]
wm.all_hold(*lesson_11.costs(results))

# %% tags=["nbval-ignore-output"]
wm.reveal("11.p1", lesson_11.after(results, "digits", "labels", 500))

# %% [markdown]
# *How to read this:* down is better. Copies by labels (blue) fall as fast as networks with true labels (grey): {value:11.l500} accurate after 500 queries, {value:11.l10000|1} after 10,000. *Probabilities* tell more: 500 of them teach {value:11.p500|1}, as much as 2,000 labels ({value:11.l2000|1}). Rounded to two digits they still teach {value:11.r500|1}. And the images need not be digits: 50,000 drawn road signs teach {value:11.s50000|1} by probabilities, noise {value:11.n_least|bare} to {value:11.n_most}.
#
# Choose what the thief asks, how he is answered, and how many queries a day Ana allows:

# %% tags=["nbval-ignore-output", "widget"]
lesson_11.theft_dial(results)

# %% [markdown]
# A limit doesn't stop a thief; it makes him wait, or open ten accounts. An archive with 10,000 honest letters waits as long.
#
# ## Mark the answers: DAWN
#
# Ana can't see who steals. But she can lie, to one query in two hundred, and a thief learns her lies (Szyller and others, 2021). The lies must be *repeatable*, or he asks twice and sees; *secret*, or he leaves them out; *hers*, or a judge shrugs. A keyed hash does all three:
#
# {exercise:11.2}
#
# Round the image's pixels to grey levels 0 … 255 (`uint8`), and compute `hmac.digest(secret, bytes, "sha256")`. Its bytes 0 … 3, read big-endian, are `pick`; bytes 4 … 7 are `turn`. Where `pick` is below `rate` · 2³², return the honest label turned by 1 + `turn` mod (`classes` − 1) places, modulo `classes`; else the honest label. For a black 2 × 2 image, honest label 3 of 10, `rate` 1 and `secret = b"sixteen bytes :)"` the answer is **5**.

# %% tags=["exercise:11.2"]
def answer(secret, image, honest, classes, rate):
    """The label that a marked service gives to an image (1, H, W) in [0, 1]."""
    import hmac
    ### BEGIN SOLUTION
    pixels = (image * 255).round().to(torch.uint8).cpu().numpy().tobytes()
    digest = hmac.digest(secret, pixels, "sha256")
    pick = int.from_bytes(digest[:4], "big")
    turn = int.from_bytes(digest[4:8], "big")
    if pick >= rate * 2**32:
        return honest
    return (honest + 1 + turn % (classes - 1)) % classes
    ### END SOLUTION

# %%
answer = wm.ready("11.2", answer)

# %% [markdown]
# {hints:11.2}

# %% [markdown] tags=["reveal"]
# {solution:11.2}

# %% [markdown]
# A thief asks about 10,000 digits, and trains for 20 epochs on what he hears. Then the judge counts the lies that the copy repeats. An innocent network, whatever it says, repeats a lie in one case of nine at most, so hits are binomial:

# %% tags=["nbval-ignore-output"]
secret = b"sixteen bytes of Ana's"
queries = pool[:10_000]
honest = wm.predict(ana, queries.x).argmax(1)
said = torch.tensor([answer(secret, image, y, 10, 0.005)
                     for image, y in zip(queries.x.cpu(), honest.tolist())]).to(device)
taught = wm.Samples(queries.x, said, queries.classes)
learnt = wm.trained(blank, taught, wm.watermarks.dawn.SURROGATE)[0]
marked = lesson_11.marked(queries.x, honest, said, learnt, copy)

# %% tags=["claim"]
wm.all_hold(*lesson_11.lies(marked, results))

# %% [markdown]
# {value:11.told} lies among 10,000 answers; the copy repeats {value:11.repeats|of}, p = {value:11.p_lies|1}. Your first copy, of honest answers, repeats {value:11.innocent|of}. And Ana's customers pay: {value:11.customers|1} of their answers are wrong on purpose.
#
# **What does a thief do who has read this?**

# %%
wm.show(plots.theft.lies, results)

# %% [markdown]
# *How to read this:* lies are learnt last, once nothing else is left to learn. After 8 epochs a copy is {value:11.early|1} accurate and repeats {value:11.early_hits|of} lies; after 20, {value:11.late|1} and {value:11.late_hits|of}. *Stopping early* is nearly free. So is *asking three times*, with one pixel changed by a grey level, for the majority: {value:11.thrice|of} lies are left. (The paper hashes a coarser image.)
#
# **And marks in the model?** EWE and wide margins (lessons 08, 09) were made to pass into copies:

# %% tags=["nbval-ignore-output"]
wm.table(["10,000 digits asked", "hits of 100, five owners"], lesson_11.marks_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_11.marks(results))

# %% [markdown]
# Marked networks name {value:11.planted|of} triggers of EWE, copies by labels {value:11.ewe|of}, by probabilities {value:11.ewe_soft|of}; of wide margins {value:11.margin|of} are left. Users of the authors' own code report 3 %, 98 % and 63 % on MNIST ([issue 1](https://github.com/cleverhans-lab/entangled-watermark/issues/1)): it hangs on details. Here: not reproduced.
#
# ## Who is asking?
#
# A service may watch its clients. Two watches: *PRADA* (Juuti and others, 2019) asks whether the distances between a client's queries look normal; the other, how confident Ana's network is on average. Both limits accuse 1 usual client in 100. 200 queries a client, 500 clients of each kind:

# %%
wm.table(["client", "by distances", "by confidence"], lesson_11.clients_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_11.clients(results))

# %% [markdown]
# *How to read this:* shares of clients barred. One watch sees signs ({value:11.signs} barred) and noise ({value:11.noise}). Whoever asks about *digits* is a usual client: {value:11.barred|1} are barred. But honest customers pay: of those who send each image twice, {value:11.twice} are barred, of those with dark scans {value:11.dark}.
#
# ## Was this image trained on?
#
# A copy isn't all that leaks. *Membership inference*: a network's loss on an image is small where it was trained on it (Yeom and others, 2018). But how small is small? Ask images it never saw. The p-value of a loss is its rank among those of $n$ strangers:
#
# $$p(\ell) = \frac{1 + \#\{j : \ell_j \le \ell\}}{n + 1}$$
#
# {exercise:11.3}
#
# `members` (M,) and `strangers` (N,) are losses. Return the share of members with $p \le$ `alarms`. For members `[0.1, 0.5]`, strangers `[0.2, 0.3, 0.4]` and `alarms = 0.25` it is **0.5**.

# %% tags=["exercise:11.3"]
def caught(members, strangers, alarms):
    """The share of members whose p-value among strangers is at most `alarms`."""
    ### BEGIN SOLUTION
    as_small = (strangers[None] <= members[:, None]).sum(1)
    p = (1 + as_small) / (1 + len(strangers))
    return (p <= alarms).double().mean().item()
    ### END SOLUTION

# %%
caught = wm.ready("11.3", caught)

# %% [markdown]
# {hints:11.3}

# %% [markdown] tags=["reveal"]
# {solution:11.3}

# %% tags=["nbval-ignore-output"]
unseen = api_theft.unseen()
inside, outside = privacy.losses(ana, anas), privacy.losses(ana, unseen)
wm.show(plots.theft.roc, inside, outside)

# %% tags=["nbval-ignore-output"]
live_share = float(caught(inside.cpu(), outside[:2_000].cpu(), 0.01))
wm.table(["asked about", "AUC", "caught at 1 %"], lesson_11.members_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_11.members(live_share, results))

# %% [markdown]
# *How to read this:* Ana's network is at least 99 % sure of {value:11.sure} of its training digits, and of {value:11.sure_strangers} of all others: *confidence is no proof*. At 1 % false alarms the loss catches {value:11.live|1} of what it was trained on, over five owners {value:11.caught|1}. *Calibrated*, less the mean loss of four networks that never saw the image, it catches {value:11.calibrated|1}, and of another owner's digits {value:11.stranger|1}: more than chance, and next to nothing. Control: digits with *wrong labels* had to be learnt by heart, and {value:11.heart} of them are caught. So the test can see; these digits have little to tell.
#
# **Model inversion** draws a class from the weights: from black, up the slope of its probability (Fredrikson and others, 2015).

# %% tags=["nbval-ignore-output"]
drawn = privacy.invert(ana, range(10), (1, 28, 28))
wm.show(plots.theft.drawn, *lesson_11.likest(drawn, anas, unseen))

# %% tags=["claim"]
wm.all_hold(*lesson_11.inversions(results))

# %% [markdown]
# It shows what the network takes for a class. Does it show *training images*? Compare with the digits of all five owners: an own one is likest in {value:11.inverted|of} pictures; by chance, 10. Of networks taught *ten* digits: {value:11.inverted_ten|of}. Such pictures look like a leak; without the control nobody can say.
#
# ## A service that marks for others
#
# Few owners run servers. On a *platform*, Ana registers her model over HTTP, after a promise of lesson 10's kind; the platform plants her key, and serves (Zhang and others, 2018):

# %% tags=["nbval-ignore-output"]
accounts, desk = ownership.accounts, ExitStack()
folder = Path(desk.enter_context(tempfile.TemporaryDirectory()))
owner, judge, keeper = map(ownership.new_identity, ("Ana", "judge", "keeper"))
platform = ownership.platforms.opened(folder, keeper, api_theft.owners_digits(0)[:6000].to("cpu"))
url = desk.enter_context(ownership.hosting.hosted(platform, suspects.Limits(per_minute=100_000)))
tokens = [ownership.platforms.admit(folder, person.public) for person in (owner, judge)]
hers, his = (accounts.Account(url, token) for token in tokens)
promise = ownership.commit(owner, n=100, shape=(1, 28, 28), classes=10)
receipt = accounts.enter(hers, promise)  # the nonce comes after the promise
accounts.place(hers, "digits", ana)
card = accounts.teach(hers, "digits", ownership.draw(owner, receipt))
release = accounts.enter(hers, accounts.released(owner, card, promise))

# %% [markdown]
# The judge asks the same URL, and your copy:

# %% tags=["nbval-ignore-output"]
accused = {"the service": accounts.suspect(url, "digits"), "your copy": copy}
book = lambda: accounts.book_of(url)
challenge = ownership.challenge(judge, promise, accused, book=book())
question = accounts.enter(his, challenge)
bundle = ownership.respond(owner, receipt, question, judge=judge.public, book=book())
case = ownership.Case(accused, book(), judge.public, release.entry.number)
found = ownership.verify(case, challenge, bundle).matches
desk.close()
says = {True: "found, at 0.001", False: "not shown"}
wm.table(["accused", "Ana's mark"], [[name, says[match.owned]] for name, match in found.items()])

# %% tags=["claim"]
wm.all_hold(lesson_11.judged(found["the service"].owned, found["your copy"].owned))

# %% [markdown]
# The judge convicts {value:11.convicted|of}, the service; your copy is of the model *before* it was marked.
#
# Then forgers come, and *pick* labels that her model already gives, or *breed* images on a copy. Both are derived from the abstract of Lounici and others (2021), who name two such attacks. Ten false claims against each of five owners, by the platform's rule:

# %% tags=["nbval-ignore-output"]
forged = experiments.shipped("forging")
wm.table(["rule", "owner", "stranger", "forgers"], lesson_11.forged_table(forged))

# %% tags=["claim"]
wm.all_hold(*lesson_11.forgeries(forged))

# %% [markdown]
# Where keys are handed in, {value:11.picked|of} picked keys are believed; a promise in time hardly helps ({value:11.promised|of}), and neither do decoys. What refuses all is lesson 10's court: seeds promised before the release, triggers drawn from them *and* a nonce that comes later: {value:11.refused|of} forgeries believed, {value:11.owners|of} owners. The judge sees no weights, and only the triggers that he opens.
#
# ## Before you ask
#
# - **Terms and permission.** Many services forbid training on their answers. A judge asks with a court order, or as a customer, within the limits.
# - **Opened triggers are spent:** whoever runs the service has seen them.
# - **A service may answer the judge otherwise than its customers.** Nothing here mends that.
#
# ## The paper, and here

# %% tags=["nbval-ignore-output"]
wm.paper_table()

# %% [markdown]
# ## How far to trust it
#
# - **Digits are easy.** What a hard task costs and leaks was not measured here.
# - **The thief knows the architecture and has images of the task.**
# - **DAWN's null** needs the secret to be promised before the copy appears; its mark says "from this service's answers", and not who asked.
# - **Two watches, made-up clients:** real honest use is stranger.
#
# ## Challenge: the thriftiest thief
#
# Make a copy that is right on 96 of 100 test digits with the fewest labels. You get `ask`, which counts images; 20,000 digits without labels; and a network that has learnt nothing. Who chooses his queries?

# %%
def thief(ask, x, blank):
    """Return a trained network; ask(images) gives labels (n,), and each image counts."""
    raise NotImplementedError("your turn")

wm.challenge("11", thief)

# %% [markdown]
# ## Three questions
#
# {quiz:11}

# %%
wm.quiz("11", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **copy** a model that only answers, and price it; **mark** answers with a keyed hash, and say how a thief avoids it; **measure** what losses tell of training data, beside a null; and say which watch costs which customer.
#
# **Next:** [Nothing was planted](12_nothing_was_planted.ipynb).
#
# **Further reading**
#
# - Tramèr and others, [*Stealing Machine Learning Models via Prediction APIs*](https://arxiv.org/abs/1609.02943), 2016: where it began.
# - Szyller and others, [*DAWN*](https://arxiv.org/abs/1906.00830), 2021: your keyed hash.
# - Juuti and others, [*PRADA*](https://arxiv.org/abs/1805.02628), 2019: watching queries.
# - Carlini and others, [*Membership Inference Attacks From First Principles*](https://arxiv.org/abs/2112.03570), 2022: why few false alarms.
# - Carlini and others, [*Stealing Part of a Production Language Model*](https://arxiv.org/abs/2403.06634), 2024: exact weights from answers.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a price and a control for each sentence about theft. *Timing:* service 8, gathering 20, costs 8, DAWN 25, watches 7, membership 20, platform 8; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "Then give labels only." | The blue line: after 10,000 labels half a point is missing. |
# | "Then bar strange clients." | Who is barred, and who isn't? Read the table aloud. |
# | "It is 99.9 % sure, so it saw my picture." | How sure is it of pictures it never saw? |
# | "The drawn 3 looks like a training image." | Like whose? Show the one it never saw. |
#
# Two groups: one runs a service with its own secret, the other steals from it over the room's network; exchange the copies and find the lies.
