# %% [markdown]
# # 16 · The court
#
# **Twelve claims, some of them just. Whom do you convict, and what does a mistake cost?**
# By the end you will have read registries, weighed findings by the price of a mistake, and judged four cases by a procedure of your own, which forty courts then test. After that, twelve sealed cases wait for you.
#
# *Reading 15 minutes · exercises 34 · running one to two minutes · a court of your own two to three hours · needs notebooks 10 and 12*
#
# You were the thief in lessons 09 and 11, the owner in 07 and 08. Today you are the **judge**.

# %% [markdown]
# **You will be able to**
#
# - **read** from papers who may accuse at all ([exercise 16.1](#The-papers-first));
# - **weigh** a finding by prior, rates and price ([exercise 16.2](#What-is-a-finding-worth?));
# - **say** which test may speak when ([exercise 16.3](#Which-test-may-speak?)), and judge with few means ([challenge](#Challenge:-the-careful-judge-in-a-hurry));
# - **write** a judgement that another judge can check ([your court](#Your-court)), and see through a boast ([quiz](#Three-questions)).

# %% tags=["nbval-ignore-output"]
import torch, wmlearn as wm
from wmlearn import courtroom, evidence, experiments, ownership, plots
from wmlearn.course.lessons import lesson_16
from wmlearn.evidence.independence import against_strangers, independence_p_value, public_start
wm.start("16")

# %% [markdown]
# ## Four sealed cases
#
# In each, somebody says that another's network was made from theirs. Everybody here builds one small network, and trains it alike on 1,500 digits. The truth is hidden: in `court` lies only its *seal*, a hash of the truth and a random number. When all is ruled, truth and number are opened, and everybody can check that they fit.

# %%
court = wm.court(314, cases=4)
wm.table(["case", "claimant", "accused", "sold as"], lesson_16.listed(court))

# %% [markdown]
# | | **Who can do what here** |
# |---|---|
# | Goal | A claimant: a conviction, deserved or not. The accused: an acquittal. You: few mistakes, hardly any against innocents |
# | Knowledge | Both sides: your tests. You: papers, and what you pay for |
# | Access | 10 minutes for a case's papers, 10 for the accused's network, 40 for ten strangers' networks; 120 minutes in all, and 600 queries |
# | Stage | After release |
# | Names | AI Intellectual Property Theft (MITRE ATLAS: AML.T0048.004); a false claim has no entry there |
# | Real case | No court that we know of has ruled on a network's watermark yet. The cases of lessons 07 and 12 ended with an admission and an apology |

# %%
question = "Share of innocents whose networks match the pictures that are shown, in per cent"
wm.guess("16.p1", question, low=0, high=100)

# %% [markdown]
# ## Ten pictures
#
# Every claimant shows ten pictures, and what the accused's network will answer. Open case 1:

# %% tags=["nbval-ignore-output"]
papers = courtroom.papers(court, 1)
suspect = courtroom.accused(court, 1)
wm.show(plots.court.exhibit, papers.x, papers.y, evidence.answers(suspect, papers.x))

# %% [markdown]
# All ten match; by chance that happens once in ten billion. Would you convict? That number is about a network which has nothing to do with pictures chosen *before*. Who chose these, and when?
#
# ## The papers first
#
# They cost 10 minutes, and no test can replace them. This registry was kept by somebody whom both trust:

# %%
wm.table(["number", "entered", "by", "dated"], lesson_16.registry(papers))

# %% [markdown]
# {exercise:16.1}
#
# `entries` are dictionaries with `number` (the keeper's), `kind` (`"commitment"`, `"release"`, `"challenge"`), `by` and `made` (the date which whoever enters it writes). `licences` have `by`, `to`, `weights`, and `genuine`: whether `by` signed it. Return whether the claimant released a network before the accused did, or the accused released none, and has given no leave: no genuine licence by the claimant, to the accused, for these `weights`.

# %% tags=["exercise:16.1"]
def has_standing(entries, licences, claimant, accused, weights):
    """Whether the claimant released first, and gave no leave."""
    ### BEGIN SOLUTION
    for paper in licences:
        sides = (paper["by"], paper["to"], paper["weights"])
        if paper["genuine"] and sides == (claimant, accused, weights):
            return False
    releases = [entry for entry in entries if entry["kind"] == "release"]
    mine = [entry["number"] for entry in releases if entry["by"] == claimant]
    his = [entry["number"] for entry in releases if entry["by"] == accused]
    return bool(mine) and (not his or min(mine) < min(his))
    ### END SOLUTION

# %%
has_standing = wm.ready("16.1", has_standing)

# %% [markdown]
# {hints:16.1}

# %% [markdown] tags=["reveal"]
# {solution:16.1}

# %%
opened = {1: papers} | {number: courtroom.papers(court, number) for number in (2, 3, 4)}
stands = {number: has_standing(**lesson_16.docket(each)) for number, each in opened.items()}
rows = [[str(number), each.claimant.name, "yes" if stands[number] else "no", str(len(each.licences))]
        for number, each in opened.items()]
wm.table(["case", "claimant", "may accuse", "licences shown"], rows)
wm.table(["case 3", "entered", "by", "dated"], lesson_16.registry(opened[3]))

# %% [markdown]
# Case 1 ends here: Pia released first, whatever is in her network. The licence in case 2 is worth nothing: Rosa never signed it. In case 3 Emil has dated his promise back; his number shows that it came after both releases. Anybody can write a date, only the keeper gives numbers.
#
# ## What is a finding worth?
#
# A false conviction costs as much as ten missed thieves. How sure must you be? Before any test, some share of such claims is just: the *prior*. A finding is common among thefts and, one hopes, rare among innocents. Both shares can be measured where the truth is known.
#
# {exercise:16.2}
#
# $$\text{odds} = \frac{\text{prior}}{1-\text{prior}} \cdot \frac{a_1}{b_1} \cdot \frac{a_2}{b_2} \cdots$$
#
# `findings` are pairs: the share $a$ of thefts that show it, the share $b$ of innocents. Convicting costs `price` times the probability of innocence, acquitting the probability of theft. Return whether convicting costs less. (The product holds where findings are independent, given the truth.)

# %% tags=["exercise:16.2"]
def convicts(prior, findings, price):
    """Whether a conviction costs less than an acquittal."""
    ### BEGIN SOLUTION
    odds = prior / (1 - prior)
    for thefts, innocents in findings:
        odds *= thefts / innocents
    return odds > price
    ### END SOLUTION

# %%
convicts = wm.ready("16.2", convicts)

# %% [markdown]
# {hints:16.2}

# %% [markdown] tags=["reveal"]
# {solution:16.2}

# %%
results = experiments.shipped("court")
header = ["finding", "of thefts", "of innocents", "prior one half", "prior one in twenty"]
wm.table(header, lesson_16.worth(convicts, results))

# %% tags=["claim"]
wm.all_hold(*lesson_16.agreeing(results))

# %% [markdown]
# Before the papers are read, no finding convicts: the mark is in licensed copies, too, and where an insider put it. Four tests that agree look like a lot: multiplied, as if they were independent, they would make theft {value:16.multiplied|0} probable, from a prior of one half. Counted together it is {value:16.counted|0}, for they agree on the same innocents. **Tests that see the same thing are one test.**
#
# Once the papers are read, a mark that holds makes theft {value:16.safe|0} probable, and convicts; but not where one claim in twenty is just. No innocent was met that passes the papers and has the mark; so few innocents can't show that there is none.
#
# ## Which test may speak?
#
# The tests of lessons 10 and 12, in the open. What they are compared with costs 40 minutes: networks of the court's own, trained as every claimant's was.

# %%
def mark_holds(papers, suspect):
    """Lesson 10: were these triggers promised in time, named by the judge, and learnt by the suspect?"""
    claim = papers.claimant
    finding = ownership.verify(courtroom.hearing(papers, suspect), claim.challenge, claim.bundle)
    match = finding.matches.get(papers.accused.name)  # none where the claim is void
    return match is not None and match.owned

strangers = courtroom.siblings(court)

# %%
def examine(papers, suspect):
    """What each test says: True, it accuses; False, it doesn't; None, it has nothing to say."""
    matches = (evidence.answers(suspect, papers.x) == papers.y).sum()
    says = {"pictures shown": bool(matches >= 7), "mark": mark_holds(papers, suspect)}
    says["public start"] = False if public_start(papers.original) else None
    says |= dict.fromkeys(("weights", "weights, matched", "scores"))
    if isinstance(suspect, torch.nn.Module):  # a service gives labels only
        says["weights"] = independence_p_value(papers.original, suspect, n=999) <= 1e-4
        found = against_strangers(papers.original, suspect, strangers)
        says["weights, matched"] = found.cosine - max(found.strangers) >= 0.3
        says["scores"] = lesson_16.lead(papers.original, suspect, strangers) >= 0.06
    return says

# %% [markdown]
# {exercise:16.3}
#
# `says` is such a dictionary. `"public start"` is `False` where both may have begun with the same public weights. Convict where the mark holds. Else acquit where there was a public start. Else convict where at least one of `"weights"`, `"weights, matched"` and `"scores"` accuses. `"pictures shown"` never counts.

# %% tags=["exercise:16.3"]
def verdict(says):
    """Whether the network was stolen, by what each test says."""
    ### BEGIN SOLUTION
    if says["mark"]:
        return True
    if says["public start"] is False:
        return False
    return any(says[test] is True for test in ("weights", "weights, matched", "scores"))
    ### END SOLUTION

# %%
verdict = wm.ready("16.3", verdict)

# %% [markdown]
# {hints:16.3}

# %% [markdown] tags=["reveal"]
# {solution:16.3}

# %% [markdown]
# ## Judgement
#
# Who may not accuse is dismissed, and the accused's network isn't even opened. A ruling stands.

# %% tags=["nbval-ignore-output"]
examined = {}
for number, each in opened.items():
    if not stands[number]:
        courtroom.rule(court, number, stolen=False, why="the claimant released later, or gave leave")
        continue
    examined[number] = examine(each, courtroom.accused(court, number))
    courtroom.rule(court, number, stolen=verdict(examined[number]), why="which test may speak")
wm.table(["test", *(f"case {number}" for number in examined)], lesson_16.said(examined))

# %% tags=["nbval-ignore-output"]
revealed = courtroom.reveal(court)
wm.table(["case", "ruling", "", "what happened"], lesson_16.outcome(revealed))

# %% tags=["claim"]
wm.all_hold(*lesson_16.judged(revealed))

# %% [markdown]
# {value:16.right|of} cases were ruled rightly. The pictures match in {value:16.matching|of}, and {value:16.fooled|of} of these accused are innocent; whom they don't match is a thief. In case 2 only the scores speak: a distilled copy has weights of its own, and no mark.
#
# ## Forty courts
#
# Four cases prove little. So forty courts of twelve, {value:16.cases|1} cases, {value:16.thefts|1} of them thefts; all limits were set on other networks.

# %% tags=["nbval-ignore-output"]
wm.show(plots.court.said, results)

# %% tags=["nbval-ignore-output"]
own = lesson_16.own_points(verdict, results)
wm.show(plots.court.judged, results, own)

# %% tags=["claim"]
wm.all_hold(*lesson_16.forty(own, results))

# %% tags=["nbval-ignore-output"]
wm.reveal("16.p1", lesson_16.matching_innocents(results))

# %% [markdown]
# *How to read the first:* in how many cases a test accuses; golden, in how many the papers clear; "–", where a test can say nothing. Above the line are thefts, below it innocents, at the bottom nine false claims of lesson 10. Pictures match for {value:16.innocent_pictures|of} innocents, the mark holds in {value:16.innocent_mark|of} of their networks, weights accuse {value:16.innocent_weights|of}: by leave, by an insider, or by a public start. Of distilled copies the scores see {value:16.distilled|of}, the other tests {value:16.distilled_else|1}.
#
# *The second:* a dot is a court. Whoever convicts by pictures gets {value:16.shown|1} points on average, by any test that accuses {value:16.any|1}, by two tests {value:16.two|1}: worse than convicting nobody, {value:16.nobody|1}. Your procedure gets {value:16.own|1} of twelve. It isn't cleverer than the others; it knows when to listen to whom.
#
# How dear is a mistake, and how common are thieves? Both are yours to say:

# %% tags=["nbval-ignore-output", "widget"]
lesson_16.price_dial(results)

# %% [markdown]
# ## Your court
#
# Now you alone. Choose a seed of your own, and twelve cases: 270 minutes, 1,000 queries, not enough to open everything. Before you open anything, write down your procedure. Use every tool of the course; `examine` is only a beginning.

# %%
mine = wm.court(2026, cases=4)  # wm.court(YOUR_SEED) deals twelve
wm.table(["case", "claimant", "accused", "sold as"], lesson_16.listed(mine))

# %% [markdown]
# `papers = courtroom.papers(mine, 1)`, `suspect = courtroom.accused(mine, 1)`, `strangers = courtroom.siblings(mine)`, which cost minutes here, too; then `courtroom.rule(mine, 1, stolen=False, why="…")`. Keep such lines in cells: after a restart they rule again. When all is ruled, run this:

# %%
lesson_16.closing(mine)

# %% [markdown]
# **The judgement.** Write a page about one case:
#
# 1. What is claimed; what would be true if it were right, and if it were wrong?
# 2. Each exhibit: who chose or made it, and when?
# 3. Each number, with its control and its n.
# 4. What can each test not show, and why may it speak here?
# 5. The decision, and how it follows.
# 6. What would have changed it, and what would a mistake cost whom?
#
# Two points each. Whether you are right is scored elsewhere: a wrong judgement can earn twelve, a lucky one few. In class, a teacher deals with `wmlearn classroom court`; `teaching/court.md` has two marked samples.
#
# ## Before it comes to court
#
# An owner whom this court protects promised a key, entered the release *before* publishing it, kept the first weights and the list of training data, and signs each licence. An accused who is innocent can show the same. Neither needs much more than a registry.
#
# ## How far to trust it
#
# - **A small world:** one architecture, digits, one recipe. The limits 0.3 and 0.06 are of this court.
# - **Kinds of cases are dealt evenly.** Out there nobody knows the prior, and claims aren't drawn.
# - **Thieves here use known means.** Who learns from labels only leaves nothing that these tests see (lessons 11 and 12).
# - **The keeper is honest.** With one who isn't, order proves nothing.
#
# ## Challenge: the careful judge in a hurry
#
# Write a whole judge. Twelve cases that nobody has seen; what counts is minutes, plus 100 for a missed thief, 1,000 for an innocent convicted. Opening everything that our procedure opens takes 250. What can you do without?

# %%
def judge(court):
    """Rule on every case of a court."""
    raise NotImplementedError("your turn")

wm.challenge("16", judge)

# %% [markdown]
# ## Three questions
#
# {quiz:16}

# %%
wm.quiz("16", "")  # three letters, such as "ABC"

# %% [markdown]
# ## What you now know
#
# You can **read** who may accuse; **weigh** a finding; **say** which test may speak; and **judge** so that another can check it.
#
# Here the course ends. You have planted backdoors in pictures, sounds, tables and words, found some, and cleaned networks; marked models, washed marks off, and said what a match proves; stolen from a service and defended it; taken in what others deliver. `wmlearn progress --certificate page.html` writes what you solved on a page, on your machine only.

# %% [markdown]
# ## What is open
#
# - A mark that survives a thief who learns from labels, at a price that an owner would pay (lessons 09 and 11).
# - Backdoors that no test by answers can find [exist on paper](https://arxiv.org/abs/2204.06974). In a network in use?
# - Marks in *content* can be taken out by whoever can judge quality, [under assumptions](https://arxiv.org/abs/2311.04378). Does the like hold for marks in models?
# - [Independence of language models](https://arxiv.org/abs/2502.12292) can be tested by their weights. By answers alone?
# - Error rates: on whose networks should a court have them measured?
#
# **Where to read on**
#
# - Lukas and others, [*SoK: How Robust is Image Classification Deep Neural Network Watermarking?*](https://arxiv.org/abs/2108.04974), 2022: marks against removals, on larger networks.
# - Li and others, [*Backdoor Learning: A Survey*](https://arxiv.org/abs/2007.08745), 2022.
# - President's Council of Advisors on Science and Technology, [*Forensic Science in Criminal Courts*](https://obamawhitehouse.archives.gov/sites/default/files/microsites/ostp/PCAST/pcast_forensic_science_report_final.pdf), 2016: which error rates a court should ask for.
# - Liu and others, [*False Claims against Model Ownership Resolution*](https://arxiv.org/abs/2304.06607), 2024.

# %% [markdown] tags=["instructor"]
# **For the teacher.** *Aim:* decide under uncertainty, and show one's reasons. *Timing:* pictures 10, papers 15, worth 20, tests 15, forty courts 15; their own court is an afternoon (`teaching/court.md`).
#
# | what you will hear | what to say |
# |---|---|
# | "Ten of ten, so guilty." | Who chose the pictures? Run case 1. |
# | "The claim is void, so innocent." | A bad claim doesn't make an honest accused: case 2. |
# | "Convict only if all tests agree." | Count the distilled copies. |
# | "p = 1e-10, so innocence is that improbable." | Exercise 16.2: put in the prior. |
