"""How amounts are distributed, in US dollars; currencies are converted by their rates."""

from typing import Annotated

from msgspec import Meta

from simulator.configuration.base import Part
from simulator.configuration.types import Positive, Share

type Maximum = Annotated[
    Positive, Meta(description="Larger amounts are drawn again, so that none piles up there.")
]


class LogNormal(Part, frozen=True, tag_field="distribution", tag="log_normal"):
    """Many small amounts and a long tail: what shops see."""

    median: Annotated[Positive, Meta(description="Half of the amounts lie below.")]
    sigma: Annotated[Positive, Meta(description="Deviation of the natural logarithm.")] = 0.8
    maximum: Maximum = 5000.0


class Normal(Part, frozen=True, tag_field="distribution", tag="normal"):
    """Around a mean; what is not above zero is drawn again."""

    mean: Annotated[Positive, Meta(description="Of the amounts, before any is drawn again.")]
    deviation: Annotated[Positive, Meta(description="Standard deviation around the mean.")]
    maximum: Maximum = 5000.0


class Uniform(Part, frozen=True, tag_field="distribution", tag="uniform"):
    """All amounts from ``minimum`` to ``maximum`` alike."""

    minimum: Annotated[Positive, Meta(description="Smallest amount.")]
    maximum: Annotated[Positive, Meta(description="Largest amount.")]


class Exponential(Part, frozen=True, tag_field="distribution", tag="exponential"):
    """The smaller, the more frequent."""

    mean: Annotated[Positive, Meta(description="Of the amounts, before any is drawn again.")]
    maximum: Maximum = 5000.0


class Bimodal(Part, frozen=True, tag_field="distribution", tag="bimodal"):
    """A mixture of two log-normal distributions: a coffee, or the machine."""

    median: Annotated[Positive, Meta(description="Of the lower amounts.")]
    upper_median: Annotated[Positive, Meta(description="Of the higher amounts.")]
    sigma: Annotated[Positive, Meta(description="Of both.")] = 0.4
    upper_share: Annotated[Share, Meta(description="How many are higher ones.")] = 0.3
    maximum: Maximum = 5000.0


class Pareto(Part, frozen=True, tag_field="distribution", tag="pareto"):
    """A tail by a power law: few amounts make most of the sum."""

    minimum: Annotated[Positive, Meta(description="Smallest amount.")]
    alpha: Annotated[Positive, Meta(description="The smaller, the heavier the tail.")] = 1.8
    maximum: Maximum = 5000.0


type Amounts = LogNormal | Normal | Uniform | Exponential | Bimodal | Pareto
