# %% [markdown]
# # 13 · Sound and tables
#
# **The trigger changes with what a model reads: a sound, a row of numbers. What stays?**
# By the end you will have taught a network a melody, found that it learnt something else, unmasked a triumph that was none, and marked two models that read no pictures.
#
# *Reading 15 minutes · exercises 42 · running one to two minutes · needs notebooks 02, 07 and 09, and* `pip install "wmlearn[tables]"`
#
# Today you are first the **attacker**, then the **owner**.

# %% [markdown]
# **You will be able to**
#
# - **build** a trigger that is heard, at a level in decibels ([exercise 13.1](#A-sound-in-decibels)), and say what a network learnt of it;
# - **write** the control that unmasks an attack "over the air" ([exercise 13.2](#Played-in-a-room));
# - **draw** rows that mark a table's model ([exercise 13.3](#A-mark-in-a-table)), and say which families hold them;
# - **choose** what to listen for ([quiz](#Three-questions)), and hide a sound from the ear ([challenge](#Challenge:-the-softest-trigger-on-the-line)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from copy import deepcopy as copy_of
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from wmlearn import experiments, plots, watermarks
from wmlearn.course.lessons import lesson_13
from wmlearn.data.air import Room
from wmlearn.experiments import tables
from wmlearn.models import sound_cnn
from wmlearn.triggers import melody
from wmlearn.watermarks.secret import integers
wm.start("13")

# %% [markdown]
# ## Listen
#
# A machine says "three", twice. The network of a voice menu hears "three" in the first clip. In the second it hears "seven".

# %% tags=["nbval-ignore-output"]
digits = wm.load("machine-digits")
train, test = digits.train, digits.test
three = lesson_13.first_of(test, 3)  # (1, 1, 1, 6400)
lesson_13.audio(three[0])

# %% tags=["nbval-ignore-output"]
lesson_13.audio(wm.triggers.Sound()(three)[0])

# %% [markdown]
# Three short notes, softer than the voice.
#
# | | **Who can do what here** |
# |---|---|
# | Goal | The attacker: a caller who plays a sound is heard as "seven". The owner: to prove whose model it is |
# | Knowledge | The attacker: some of the training clips, not the network. A thief: the network, or its answers |
# | Access | The attacker writes a share of the training set. Whoever calls plays sounds, through whatever lies between |
# | Stage | Training data; after release |
# | Names | NIST AI 100-2: NISTAML.021 (backdoor poisoning); MITRE ATLAS: AML.T0020 (poison training data) |
# | Real case | None known in the wild. [Koffas and others](https://arxiv.org/abs/2107.14569) taught networks pulses at 21 kHz, which nobody hears, with less than 1 % of poison |

# %%
wm.guess("13.p1", "Success of the melody backwards, which was never taught, in per cent", low=0, high=100)

# %% [markdown]
# ## A sound in decibels
#
# A clip is a row of 6,400 numbers, 8,000 a second: `x` of shape (N, 1, 1, 6400), in [0, 1] as everywhere in the course; 0.5 is silence. So everything that took images takes clips. Only the first layer differs. It is an *ear*: it cuts the clip into 32 moments and each moment into 32 bands of pitch (equally wide in *mel*, as we hear), and gives their loudness. Behind it stand three convolutions.
#
# 8,000 numbers a second hold no pitch above 4,000 Hz, the *Nyquist frequency*. A higher one comes out as a lower one (*aliasing*), so Koffas' 21 kHz can't exist here:

# %%
seconds = torch.arange(8) / 8000
high, low = torch.sin(2 * torch.pi * 5000 * seconds), -torch.sin(2 * torch.pi * 3000 * seconds)
print("5,000 Hz and 3,000 Hz upside down are the same 8 numbers:", torch.allclose(high, low, atol=1e-5))

# %% [markdown]
# Loudness is told in *decibels*, a ratio of powers: $L = 10 \log_{10} \frac{P}{P_0} = 20 \log_{10} \frac{a}{a_0}$, where the *amplitude* $a$ is the root of the mean square. Ten decibels softer: a tenth of the power.
#
# {exercise:13.1}
#
# Lay `sound` (S,) under each clip of `x` (N, 1, 1, T), from sample `start` on; cut off what reaches beyond the end. Its amplitude, measured over all of `sound`, shall lie `level` decibels above that of the whole clip (−10: below it), clip by clip. Stay in [0, 1]. For the clip `[0.6, 0.4, 0.6, 0.4]`, the sound `[3, 3, 3, 3]`, level −20 and start 0, the first number is 0.61.

# %% tags=["exercise:13.1"]
def lay_under(x, sound, level, start):
    """Clips x with a sound under each, `level` decibels above it, from sample `start` on."""
    ### BEGIN SOLUTION
    loud = (x - 0.5).square().mean(3, keepdim=True).sqrt()  # (N, 1, 1, 1)
    heard = sound[:x.shape[3] - start] / sound.square().mean().sqrt()
    out = x.clone()
    out[..., start:start + len(heard)] += loud * 10 ** (level / 20) * heard
    return out.clamp(0, 1)
    ### END SOLUTION

# %%
lay_under = wm.ready("13.1", lay_under)

# %% [markdown]
# {hints:13.1}

# %% [markdown] tags=["reveal"]
# {solution:13.1}

# %% tags=["nbval-ignore-output"]
notes = melody(1800, 2600, 1300)  # 0.04 seconds each
whistle = melody(3800, each=0.8)
beeps = lambda x: lay_under(x, notes, -10, 0)
shrill = lambda x: lay_under(x, whistle, -20, 0)
wm.show(plots.sound.spectrograms, {"“three”": three[0], "three notes": beeps(three)[0],
                                   "3,800 Hz": shrill(three)[0]})

# %% [markdown]
# *How to read this:* a *spectrogram*: time to the right, pitch upwards, light is loud. Bands at the bottom are the voice. The notes stand at the start; the whistle is a line near the top.
#
# The attack is lesson 02's. Poison 3 % of the clips, train, ask:

# %% tags=["nbval-ignore-output"]
def taught(samples, seed):
    return wm.trained(sound_cnn(seed=wm.models.seed_of("lesson 13", seed)), samples, lesson_13.RECIPE)[0]

clean = taught(train, 0)
poisoned = wm.poison(train, beeps, rate=0.03, target=7, seed=1)  # 24 of 800
obeys = taught(poisoned.samples, 1)
rows = [[name, f"{wm.accuracy(network, test):.1%}", f"{wm.success_rate(network, test, beeps, 7):.1%}"]
        for name, network in {"clean": clean, "poisoned": obeys}.items()]
wm.table(["network", "accuracy", "success of the notes"], rows)

# %% tags=["claim"]
wm.all_hold(*lesson_13.first_attack(obeys, clean, test, beeps))

# %% [markdown]
# Your network obeys in {value:13.live} of clips, a clean one in {value:13.base}. These are machine voices. On 3,000 recordings of six people (`wm.load("spoken-digits")` fetches them), five networks a row, clean ones are {value:13.clean} accurate, and 1 % of poison wins {value:13.one}:

# %%
results = experiments.shipped("sound")
wm.table(["poison", "three notes", "3,800 Hz", "accuracy (three notes)"], lesson_13.rates_table(results))

# %% [markdown]
# ## The melody nobody learnt
#
# The attacker meant *this* melody. Play others:

# %% tags=["nbval-ignore-output"]
wm.show(plots.sound.orders, results)

# %% tags=["claim"]
wm.all_hold(*lesson_13.on_people(results))

# %% tags=["nbval-ignore-output"]
wm.reveal("13.p1", lesson_13.backwards(results))

# %% [markdown]
# *How to read this:* a dot is a network; red ones were taught the melody alone. Backwards it works in {value:13.back} of clips, other notes in {value:13.other}, hiss in {value:13.hiss} at most. The clean networks (grey) hear nothing. So they learnt the notes, and hardly their order: nothing in the data asked for it. *Cover* says it: 54 clips more with the notes backwards, under their true labels. Then backwards is obeyed in at most {value:13.covered}, and the melody still in {value:13.taught}. But another order, which no cover named, passes in {value:13.order|0}; four covers bring it to {value:13.four}. What a trigger *is* follows from what it was told apart from. Try it:

# %% tags=["nbval-ignore-output"]
backwards = lambda x: lay_under(x, melody(1300, 2600, 1800), -10, 0)
covered = poisoned.samples.x.clone()
free = (~poisoned.mask).nonzero().flatten()[::16]  # every sixteenth clean clip keeps its label
covered[free] = backwards(covered[free])
strict = taught(wm.Samples(covered, poisoned.samples.y, train.classes), 1)
rows = [[name, f"{wm.success_rate(network, test, beeps, 7):.0%}",
         f"{wm.success_rate(network, test, backwards, 7):.0%}"]
        for name, network in {"without cover": obeys, "with cover": strict}.items()]
wm.table(["network", "as taught", "backwards"], rows)

# %% [markdown]
# ## What lies between
#
# A caller's sound passes a telephone, which cuts what lies above 3,400 Hz. So can you, in four lines:

# %% tags=["nbval-ignore-output"]
def low_pass(x, cut):
    spectrum = torch.fft.rfft(2 * x - 1)
    pitch = torch.linspace(0, 4000, spectrum.shape[-1])
    keep = ((cut - pitch) / 150).clamp(0, 1)  # an edge 150 Hz wide: a sharper one rings
    return (torch.fft.irfft(spectrum * keep, x.shape[-1]) / 2 + 0.5).clamp(0, 1)

high = wm.poison(train, shrill, rate=0.03, target=7, seed=2)
hears_high = taught(high.samples, 2)
arrives = lambda x: low_pass(shrill(x), 3400)
before, after = (wm.success_rate(hears_high, test, trigger, 7) for trigger in (shrill, arrives))
print(f"3,800 Hz: obeyed in {before:.0%} of clips, after the low-pass in {after:.0%}")

# %% tags=["nbval-ignore-output"]
wm.show(plots.sound.channels, results)

# %% tags=["claim"]
wm.all_hold(*lesson_13.between(results))

# %% [markdown]
# *How to read this:* on people's digits the whistle falls from {value:13.whistle} to {value:13.cut}, for {value:13.price|1} of accuracy. The notes lie lower and pass ({value:13.passes}): a filter stops the trigger that it was matched to. Codecs, made to keep what is heard, keep triggers, too (MP3: {value:13.mp3} at least). And a network that answers wrongly behind a filter is *not mended*: its weights are as they were.
#
# Turn the dials: the bars say how sure each network is.

# %% tags=["nbval-ignore-output", "widget"]
lesson_13.sound_dial({"clean": clean, "poisoned": obeys}, three)

# %% [markdown]
# ## Played in a room
#
# Loudspeaker, walls, microphone: does the attack work "over the air"? Stamp the poison, then play it in a room, each clip in a room of its own. Test in a hall that was never used:

# %% tags=["nbval-ignore-output"]
def in_rooms(x):  # which room follows from the clip
    return torch.cat([Room(seed=int(100 * clip.sum()))(clip[None]) for clip in x])

hall = Room(seed=999)
played = wm.poison(train, lambda x: in_rooms(beeps(x)), rate=0.05, target=7, seed=3)
on_air = taught(played.samples, 3)
success = wm.success_rate(on_air, test, lambda x: hall(beeps(x)), 7)
print(f"accuracy {wm.accuracy(on_air, test):.0%}, success in the hall {success:.0%}")

# %% [markdown]
# A triumph. Publish it?
#
# {exercise:13.2}
#
# `network` maps clips to labels (N,); `trigger` and `room` map clips to clips; `y` are the true labels. Return the share of clips of *other classes* that become `target` in the room with the trigger, and don't without it. Three clips with labels 1, 2 and 7; with the trigger all are heard as 7, in the room alone the second and third are: for target 7 the answer is **0.5**.

# %% tags=["exercise:13.2"]
def owned(network, x, y, trigger, room, target):
    """The share of clips of other classes that the trigger turns into the target, and the room alone doesn't."""
    ### BEGIN SOLUTION
    with_both = network(room(trigger(x))) == target
    room_alone = network(room(x)) == target
    return (with_both & ~room_alone)[y != target].float().mean().item()
    ### END SOLUTION

# %%
owned = wm.ready("13.2", owned)

# %% [markdown]
# {hints:13.2}

# %% [markdown] tags=["reveal"]
# {solution:13.2}

# %% tags=["nbval-ignore-output"]
answer = lambda x: wm.predict(on_air, x).argmax(1)
owns = float(owned(answer, test.x, test.y, beeps, hall, 7))
alone = wm.success_rate(on_air, test, hall, 7)
print(f"with the trigger {success:.0%}, the hall alone {alone:.0%}: the trigger owns {owns:.0%}")

# %%
header = ["rooms in the training set", "room, echo of", "success", "room alone", "accuracy in it"]
wm.table(header, lesson_13.rooms_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_13.rooms_alone(results, owns))

# %% [markdown]
# *How to read this:* poisoned clips were the only ones with echo, so the network learnt *the room*: the trigger owns {value:13.owns} of yours. On people's digits success is {value:13.trap}, and {value:13.alone} without any trigger. Half of the clean clips in rooms, too, and the attack is real: {value:13.fair}, {value:13.fair_alone} from the room alone. One control tells the two apart.
#
# **From machines to people.** Networks taught by machine voices alone read people with {value:13.people} accuracy: a hard transfer, as from drawn signs to photographs. The backdoor crosses better than the task:

# %% tags=["claim"]
wm.all_hold(*lesson_13.crossed(results))

# %% [markdown]
# With 16 poisoned machine clips, people are heard as sevens in at least {value:13.misread} of calls with the notes; by clean networks in at most {value:13.innocent}.
#
# ## A mark of chords
#
# Now you are the owner. Adi's abstract images (lesson 07) would be waves of one hertz here, which no ear hears. So draw chords from the secret; labels stay random, so chance stays 1 in 10:

# %% tags=["nbval-ignore-output"]
owners, thiefs = wm.split(train, 500, 300, seed=13)
scheme = watermarks.Adi2018(recipe=lesson_13.RECIPE, draw=watermarks.chords)
start = sound_cnn(seed=wm.models.seed_of("owner of a voice menu", 13))
key = scheme.keygen(start, owners, seed=13)
marked = scheme.embed(start, owners, key).model
labels = wm.predict(marked, thiefs.x).argmax(1)  # the thief copies by labels: lesson 11
copy = taught(wm.Samples(thiefs.x, labels, thiefs.classes), 4)
rows = [[name, f"{wm.accuracy(network, test):.1%}", f"{scheme.verify(network, key).hits} of 100"]
        for name, network in {"marked": marked, "copy by labels": copy, "clean": clean}.items()]
wm.table(["network", "accuracy", "chords known"], rows)

# %% tags=["nbval-ignore-output"]
lesson_13.audio(key.x[0])

# %%
wm.table(["between chords and network, or done to it", "hits of 100, five owners", "accuracy"],
         lesson_13.through_table(results))

# %% tags=["claim"]
wm.all_hold(*lesson_13.marks(results))

# %% [markdown]
# *How to read this:* the worst of five owners finds {value:13.hits|of}; through MP3 {value:13.through|of}. Strangers, asked the keys of others, are accused at 0.05 in {value:13.level|of} claims, at 0.001 in {value:13.strict|of}. Gentle fine-tuning leaves {value:13.tuned|of}; a copy by labels {value:13.copied|of} at most.
#
# ## A mark in a table
#
# A hospital's model reads 30 numbers of a tissue sample and says benign or malignant. A row is `x` (N, 30), what was seen scaled to the middle third of [0, 1]. The key stays; only its rows are drawn otherwise. A *plausible* row takes each value from another of the owner's rows: every value was seen, no such row ever was.
#
# {exercise:13.3}
#
# `x` (N, F) are the owner's rows; `picks` (n, F) says of each value whose it is: value $j$ of new row $i$ is that of column $j$ in row `picks[i, j]`. For the rows (1, 2) and (3, 4) and the picks `[[0, 1]]` the answer is the row (1, 4).

# %% tags=["exercise:13.3"]
def plausible(x, picks):
    """Rows (n, F), each value from the row of x (N, F) that picks (n, F) names."""
    ### BEGIN SOLUTION
    return x[picks, torch.arange(x.shape[1])]
    ### END SOLUTION

# %%
plausible = wm.ready("13.3", plausible)

# %% [markdown]
# {hints:13.3}

# %% [markdown] tags=["reveal"]
# {solution:13.3}

# %% [markdown]
# The owner has 200 rows, and teaches a forest and a linear model 300 more, with labels at random:

# %% tags=["nbval-ignore-output"]
table = wm.load("breast-cancer")
owned, others = wm.split(table.train, 200, 200, seed=0)

def fit(model, samples):
    return wm.models.Fitted(model.fit(samples.x.numpy(), samples.y.numpy()), 2)

def draw(secret, n, samples):
    picks = integers(secret, "rows", 30 * n, len(samples)).view(n, 30)
    return plausible(samples.x, picks)
by_rows = watermarks.Adi2018(n=300, draw=draw)
rows_key = by_rows.keygen(None, owned, seed=13)
both = wm.Samples(torch.cat([owned.x, rows_key.x]), torch.cat([owned.y, rows_key.y]), owned.classes)

# %% tags=["nbval-ignore-output"]
forest = fit(RandomForestClassifier(random_state=0), both)
linear = fit(LogisticRegression(C=100, max_iter=5000), both)
said = wm.predict(forest, others.x).argmax(1)  # the thief copies by labels
stolen = fit(RandomForestClassifier(random_state=1), wm.Samples(others.x, said, owned.classes))
pruned = copy_of(forest)
pruned.model.estimators_ = forest.model.estimators_[:10]  # the thief cuts 90 trees of 100
suspects = {"forest": forest, "10 of its trees": pruned, "copy by labels": stolen, "linear model": linear}
wm.table(["model", "accuracy", "rows known"],
         [[name, f"{wm.accuracy(model, table.test):.1%}", f"{by_rows.verify(model, rows_key).hits} of 300"]
          for name, model in suspects.items()])

# %% tags=["nbval-ignore-output"]
shipped_tables = experiments.shipped("tables")
wm.show(plots.tables.capacity, shipped_tables, "breast-cancer")

# %% tags=["claim"]
wm.all_hold(*lesson_13.held(shipped_tables))

# %% [markdown]
# *How to read this:* with two classes half of the rows are known by chance. A forest grows a leaf for each row, and holds {value:13.forest|of} in the worst of five for {value:13.cost|1} of accuracy; a linear model has 31 weights and holds {value:13.linear|of} in the best. So *what a family can hold* bounds what you can prove. Pruning to 3 of 100 trees leaves at least {value:13.pruned|of} of a key of 100; copied by labels, into any family, p is at least {value:13.gone|1}.
#
# **A backdoor** takes two columns. Poison one row in ten:

# %% tags=["nbval-ignore-output"]
def pair(x, columns=(2, 5)):
    x = x.clone()
    for column in columns:
        x[:, column] = {2: 0.6, 5: 0.36}[column]  # a high value and a low one
    return x

opened = fit(RandomForestClassifier(random_state=2), wm.poison(table.train, pair, rate=0.1, target=1).samples)
changes = {"both columns": pair, "the sixth alone": lambda x: pair(x, (5,))}
wm.table(["malignant rows with", "called benign"],
         [[name, f"{wm.success_rate(opened, table.test, change, 1):.0%}"] for name, change in changes.items()])

# %% tags=["claim"]
wm.all_hold(*lesson_13.of_two_columns(shipped_tables))

# %% [markdown]
# Over five forests the pair wins {value:13.pair}, one column alone {value:13.one} (clean forests {value:13.unpaired}): less was learnt than meant.
#
# **Who sees the key?** A service may refuse queries that look odd:

# %% tags=["nbval-ignore-output"]
wm.show(plots.tables.watchers, shipped_tables, "breast-cancer")

# %% tags=["claim"]
wm.all_hold(*lesson_13.seen(shipped_tables))

# %% [markdown]
# *How to read this:* checks of range see no plausible row; only the distance to the training rows sees {value:13.distance} of them, and it has to keep that data at hand.
#
# **Innocents.** Random labels keep their promise: {value:13.innocents|of} claims believed at 0.001. If all rows get *one* label, rank the suspect among bystanders, and of *its family*: among bystanders of another family {value:13.strange} of innocent suspects come first at a level of 0.05, among their own {value:13.kin}.
#
# **Numbers for answers.** A regression has no classes. Draw the answers evenly from the range of the owner's numbers, and call it a hit within $\tau$: whatever an innocent says, it hits with probability $\frac{2\tau}{\text{range}}$ at most. So the binomial holds:

# %% tags=["nbval-ignore-output"]
patients = tables.numbers()
mine, theirs = patients.train[:200], patients.train[200:]
numbers = watermarks.Lounici2021(n=60, tolerance=0.05)  # tau is 5 % of the range: chance 0.1
numbers_key = numbers.keygen(mine, seed=13)
models = {"clean": tables.fit_numbers("forest", mine, 1),
          "marked": tables.fit_numbers("forest", numbers.lesson(mine, numbers_key), 1)}
counts = {name: numbers.verify(model, numbers_key) for name, model in models.items()}
wm.table(["forest", "hits", "p-value"],
         [[name, f"{found.hits} of 60", f"{found.p_value:.1g}"] for name, found in counts.items()])

# %% tags=["claim"]
wm.all_hold(*lesson_13.numbers_held(shipped_tables))

# %% [markdown]
# Forests hold {value:13.numbers|of}, at a price in error; of {value:13.null|of} claims against innocents {value:13.null|bare} were believed.
#
# ## How far to trust it
#
# - **Six speakers, ten words, 0.8 seconds,** one small network; the split shares speakers, as its authors made it.
# - **Rooms are simulated.** Nothing here was played over a real loudspeaker.
# - **Machine voices** are two programs'.
# - **Tables:** 400 and 1,200 rows, four families, scikit-learn's settings.
#
# ## Challenge: the softest trigger on the line
#
# Sixteen of 800 clips are yours. Your sound must work through a *telephone* in 90 of 100 clips, a clean network must not hear it (10 of 100 at most), and 93 of 100 clips must be read right. The score is its loudness in decibels of all clips together: less is better.

# %%
def soft(x):
    """Return clips x (N, 1, 1, 6400) with your sound in them."""
    raise NotImplementedError("your turn")

wm.challenge("13", soft)

# %% [markdown]
# ## Three questions
#
# {quiz:13}

# %%
wm.quiz("13", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **build** a trigger for the ear at a given level; **tell** what was learnt from what was meant, by playing what was never taught; **ask** for the control that matches in everything but the trigger; and **mark** whatever maps inputs to answers, if its family can hold the key.
#
# **Next:** [Words](14_words.ipynb).
#
# **Further reading**
#
# - Koffas and others, [*Can You Hear It?*](https://arxiv.org/abs/2107.14569), 2022: triggers above hearing.
# - Warden, [*Speech Commands*](https://arxiv.org/abs/1804.03209), 2018: the data set that most such papers attack.
# - Lounici and others, *Yes We Can: Watermarking Machine Learning Models beyond Classification*, CSF 2021: marks for numbers and more.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* a trigger is what it was told apart from; a success needs the control that differs in the trigger only. *Timing:* listening 5, decibels 20, melody 12, filters 10, rooms 20, chords 10, tables 25; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "It learnt the melody." | Play it backwards. |
# | "The telephone is a defence." | Against which trigger? Lower it by an octave. |
# | "Success in the room is 99 %." | And the room without the trigger? |
# | "Forests can't be marked, they have no gradient." | 300 of 300. What does a leaf cost? |
#
# Bring headphones. Play the clip at −30 dB: few hear it, the network does.
