"""The objective of PIR-GRPO against brute force: a tiny policy whose answers can all be listed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - the imports below need the train extra
from torch import Tensor

from tempo_edge.train.grounder.grpo.objective import AnswerLogProbs, advantages, objective

#: What the span answers earn (three of two words that begin alike, one of a single word), and
#: what a refusal does.
REWARDS = torch.tensor([0.9, 0.2, 0.0, 0.5], dtype=torch.float64)
NONE = 0.7
GROUP = 2
SHORT, REFUSAL = 3, 4


class _Tiny:
    """Six logits: of two first words and ``none``, then of three words after the first of them."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.logits = torch.randn(6, generator=generator, dtype=torch.float64).requires_grad_(True)

    def words(self) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``[3]`` of the first word, none last, and ``[3]`` of the second."""
        return torch.log_softmax(self.logits[:3], dim=0), torch.log_softmax(self.logits[3:], dim=0)

    def log_probs(self, answers: tuple[int, ...]) -> AnswerLogProbs:
        """The log-probabilities of one prompt, with these of the four answers as its group."""
        first, second = self.words()
        spans = torch.logsumexp(first[:2], dim=0)
        long, short = first[0] - spans, first[1] - spans
        rows = [
            torch.stack([short, second[0].detach()] if a == SHORT else [long, second[a]])
            for a in answers
        ]
        return AnswerLogProbs(first[2:], spans[None], torch.stack(rows))

    def answers(self) -> Tensor:
        """The probability of each span answer among the span answers, ``[4]``."""
        first, second = self.words()
        given = (first[:2] - torch.logsumexp(first[:2], dim=0)).exp()
        return torch.cat([given[0] * second.exp(), given[1:]])

    def expected(self) -> Tensor:
        """The expected reward, by listing every answer."""
        refused = self.words()[0][2].exp()
        return refused * NONE + (1 - refused) * (self.answers() * REWARDS).sum()

    def slope(self, value: Tensor) -> Tensor:
        (found,) = torch.autograd.grad(value, self.logits, retain_graph=True)
        return found


def _groups(tiny: _Tiny) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Every group of answers that could be drawn, with its chance."""
    chances = tiny.answers().tolist()
    for group in itertools.product(range(4), repeat=GROUP):
        yield math.prod(chances[answer] for answer in group), group


def _found(tiny: _Tiny, group: tuple[int, ...], ref: _Tiny | None = None) -> tuple[Tensor, Tensor]:
    new = tiny.log_probs(group)
    with torch.no_grad():
        reference = (ref or tiny).log_probs(group)
    found = objective(
        new,
        new.tokens.detach(),
        reference,
        torch.tensor([[1.0, float(answer != SHORT)] for answer in group], dtype=torch.float64),
        REWARDS[list(group)][None],
        torch.tensor([NONE], dtype=torch.float64),
        clip=0.2,
    )
    return found.gain.sum(), found.kl.sum()


@pytest.mark.parametrize("seed", range(4))
def test_on_average_a_step_is_the_slope_of_the_expected_reward(seed: int) -> None:
    """Listed over every group that could be drawn: without bias, to rounding."""
    tiny = _Tiny(seed)
    mean = sum(chance * tiny.slope(_found(tiny, group)[0]) for chance, group in _groups(tiny))
    assert torch.allclose(torch.as_tensor(mean), tiny.slope(tiny.expected()), atol=1e-12)


def _sampled(tiny: _Tiny, group: tuple[int, ...]) -> Tensor:
    """GRPO as it was for long, but centred alike: refusals are drawn like the others."""
    first, second = tiny.words()
    said = [*(first[0] + second), first[1], first[2]]
    earned = [*REWARDS.tolist(), NONE]
    rewards = torch.tensor([[earned[answer] for answer in group]])
    return (advantages(rewards)[0] * torch.stack([said[answer] for answer in group])).mean()


def _spread(tiny: _Tiny, slopes: list[tuple[float, Tensor]]) -> tuple[Tensor, Tensor]:
    """The mean of slopes with their chances, and the variance of each logit's."""
    mean = torch.stack([chance * slope for chance, slope in slopes]).sum(dim=0)
    parts = [chance * (slope - mean) ** 2 for chance, slope in slopes]
    return mean, torch.stack(parts).sum(dim=0)


@pytest.mark.parametrize("seed", range(4))
def test_a_step_is_less_noise_than_with_refusals_drawn(seed: int) -> None:
    """Both are without bias; the pull on `none` is what differs, and by far."""
    tiny = _Tiny(seed)
    with torch.no_grad():
        refused = float(tiny.words()[0][2].exp())
        chances = [*((1 - refused) * tiny.answers()).tolist(), refused]
    exact = [(chance, tiny.slope(_found(tiny, group)[0])) for chance, group in _groups(tiny)]
    sampled = [
        (math.prod(chances[a] for a in group), tiny.slope(_sampled(tiny, group)))
        for group in itertools.product(range(REFUSAL + 1), repeat=GROUP)
    ]
    (mean, spread), (other, wider) = _spread(tiny, exact), _spread(tiny, sampled)
    assert torch.allclose(mean, other, atol=1e-6)
    assert float(spread.sum()) < float(wider.sum())
    assert float(spread[2]) < 0.5 * float(wider[2])


def test_a_refusal_that_earns_more_is_learnt_without_being_drawn() -> None:
    """Answers that all earn the same, as those to absent prompts do, still say so."""
    tiny = _Tiny(0)
    new = tiny.log_probs((0, 1))
    ones, same = torch.ones(2, 2), torch.full((1, 2), 0.1)
    found = objective(new, new.tokens.detach(), new.detach(), ones, same, torch.tensor([1.0]), 0.2)
    refused = float(new.none.exp().detach())
    slope = tiny.slope(found.gain.sum())
    assert float(slope[2]) == pytest.approx(0.9 * refused * (1 - refused), abs=1e-6)
    assert slope[3:].abs().max() == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_on_average_the_distance_is_that_of_whole_answers(seed: int) -> None:
    """Refusal and spans add up to the KL of the policy from the reference, listed."""
    tiny, ref = _Tiny(seed), _Tiny(seed + 10)
    mean = sum(
        chance * float(_found(tiny, group, ref)[1].detach()) for chance, group in _groups(tiny)
    )
    with torch.no_grad():
        chances = []
        for each in (tiny, ref):
            refused = each.words()[0][2].exp()
            chances.append(torch.cat([(1 - refused) * each.answers(), refused[None]]))
        truth = float((chances[0] * (chances[0] / chances[1]).log()).sum())
    assert mean == pytest.approx(truth, abs=1e-9)
    assert float(_found(tiny, (0, SHORT), tiny)[1].detach()) == pytest.approx(0.0, abs=1e-12)


def test_long_answers_count_for_no_less_than_short_ones() -> None:
    """Tokens are summed: a second chosen word pulls as the first does, and takes nothing off it."""
    slopes = []
    for mask in ([[1.0, 0.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]):
        tokens = torch.full((2, 2), -1.0, requires_grad=True)
        new = AnswerLogProbs(torch.tensor([-1.0]), torch.tensor([-0.5]), tokens)
        rewards, none = torch.tensor([[1.0, 0.0]]), torch.tensor([0.0])
        found = objective(
            new, tokens.detach(), new.detach(), torch.tensor(mask), rewards, none, 0.2
        )
        slopes.append(torch.autograd.grad(found.gain.sum(), tokens)[0])
    assert slopes[0][:, 0].tolist() == slopes[1][:, 0].tolist()
    assert slopes[1][:, 1].tolist() == slopes[1][:, 0].tolist()
    # Half the mean over the group, of an advantage of 1, by the chance that it is answered.
    assert float(slopes[0][0, 0]) == pytest.approx(0.5 * math.exp(-0.5), abs=1e-6)


@pytest.mark.parametrize(
    ("gain", "apart", "slope"),
    [
        (2.0, 0.0, 2.0),
        (2.0, 0.5, 0.0),
        (2.0, -0.5, 2.0 * math.exp(-0.5)),  # an answer that became less likely is called back
        (-2.0, 0.0, -2.0),
        (-2.0, -0.5, 0.0),
        (-2.0, 0.5, -2.0 * math.exp(0.5)),
    ],
)
def test_the_clipped_gain_stops_growing_beyond_the_clip(
    gain: float, apart: float, slope: float
) -> None:
    old = torch.full((2, 1), -1.0)
    tokens = (old + torch.tensor([[apart], [0.0]])).requires_grad_(True)
    new = AnswerLogProbs(torch.tensor([-50.0]), torch.tensor([0.0]), tokens)
    rewards, none = torch.tensor([[gain, 0.0]]), torch.zeros(1)  # advantages of gain and -gain
    found = objective(new, old, new.detach(), torch.ones(2, 1), rewards, none, 0.2)
    (slopes,) = torch.autograd.grad(found.gain.sum(), tokens)
    assert float(slopes[0, 0]) == pytest.approx(slope / 2, abs=1e-6)


@pytest.mark.parametrize("apart", [-1.5, -0.5, 0.0, 0.5, 1.5])
def test_the_distance_of_words_is_estimated_as_grpo_does(apart: float) -> None:
    tokens = torch.full((2, 2), -2.0, requires_grad=True)
    new = AnswerLogProbs(torch.tensor([-50.0]), torch.tensor([0.0]), tokens)
    away = torch.tensor([[-2.0 + apart, 50.0], [-2.0, 50.0]])  # the second word was no choice
    ref = AnswerLogProbs(new.none, new.spans, away)
    mask, zero = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.zeros(1, 2)
    found = objective(new, tokens.detach(), ref, mask, zero, torch.zeros(1), 0.2)
    assert float(found.kl.sum().detach()) == pytest.approx(
        (math.exp(apart) - apart - 1.0) / 2, abs=1e-6
    )
    (slopes,) = torch.autograd.grad(found.kl.sum(), tokens)
    # A step against the slope goes to the reference.
    assert float(slopes[0, 0]) == pytest.approx((1.0 - math.exp(apart)) / 2, abs=1e-6)


def _by_definition(rewards: list[float]) -> list[float]:
    return [
        reward - sum(rewards[:place] + rewards[place + 1 :]) / (len(rewards) - 1)
        for place, reward in enumerate(rewards)
    ]


@pytest.mark.parametrize("rewards", [[1.0, 0.0], [0.3, 0.3, 0.9, 0.0], [0.5, 0.5]])
def test_an_advantage_is_over_the_mean_of_the_others(rewards: list[float]) -> None:
    found = advantages(torch.tensor([rewards, [0.0] * len(rewards)]))
    assert found[0].tolist() == pytest.approx(_by_definition(rewards), abs=1e-6)
    assert found[1].tolist() == [0.0] * len(rewards)


@pytest.mark.parametrize("shape", [(3,), (2, 1)])
def test_what_is_no_group_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"rewards of shape \("):
        advantages(torch.zeros(shape))
