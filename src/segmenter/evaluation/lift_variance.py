"""How two arms differ in spend less `slope` times past spend, and how surely: see `segmenter.evaluation.lift` for the formulas."""

from math import fsum
from typing import NamedTuple

from segmenter.evaluation.lift_sums import Stratum, combine, subtract_means, sum_squared_deviations


class Difference(NamedTuple):
    """An effect per customer invited, its variance, and the degrees of freedom of its t distribution."""

    effect: float
    variance: float
    degrees: float


def compare_strata(strata: list[Stratum], slope: float, *, pooled: bool) -> Difference:
    """Compare the arms within strata, weighed like the invited; variances are those of the strata, pooled over arms or not."""
    everyone = sum(stratum.invited.customers for stratum in strata)
    effects, variances = [], []
    for stratum in strata:
        weight = stratum.invited.customers / everyone
        effects.append(weight * subtract_means(*stratum, slope))
        sizes = [arm.customers for arm in stratum]
        deviations = [sum_squared_deviations(arm, slope) for arm in stratum]
        if pooled:
            degrees = sum(sizes) - 2
            variances.append((weight**2 * sum(deviations) / degrees * (1 / sizes[0] + 1 / sizes[1]), degrees))
        else:
            variances += [(weight**2 * squares / (size - 1) / size, size - 1) for squares, size in zip(deviations, sizes, strict=True)]
    whole = fsum(variance for variance, _ in variances)
    below = fsum(variance**2 / degrees for variance, degrees in variances)
    return Difference(fsum(effects), whole, whole**2 / below if below > 0 else float(sum(degrees for _, degrees in variances)))


def compare_regions(regions: list[Stratum], slope: float) -> Difference:
    """Compare the arms over regions: CR2 variance, Bell and McCaffrey's degrees of freedom; independent errors are the working model."""
    whole = Stratum(combine(region.invited for region in regions), combine(region.held_out for region in regions))
    variances, traces, pairs = [], [], []
    for arm in range(2):
        everyone, parts = whole[arm], [region[arm] for region in regions if region[arm].customers]
        shares = [part.customers / everyone.customers for part in parts]
        leverage = [1 / (1 - share) for share in shares]
        # A region's weight times how far it lies from the mean of its arm.
        apart = [share * subtract_means(part, everyone, slope) for share, part in zip(shares, parts, strict=True)]
        variances.append(fsum(lever * distance**2 for lever, distance in zip(leverage, apart, strict=True)))
        traces.append(1 / everyone.customers)
        # The sum over all pairs of regions g, h of leverage_g leverage_h (share_g [g = h] - share_g share_h)**2.
        mixed = fsum(lever * share**2 for lever, share in zip(leverage, shares, strict=True)) ** 2
        own = fsum((lever * share) ** 2 * (1 - 2 * share) for lever, share in zip(leverage, shares, strict=True))
        pairs.append((mixed + own) / everyone.customers**2)
    return Difference(subtract_means(*whole, slope), fsum(variances), sum(traces) ** 2 / sum(pairs))
