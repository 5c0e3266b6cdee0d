"""The `dataset` section of a configuration: where rows come from, how they are divided, and what is
done to them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nettrain.component import Count, Flag, Index, Integer, Record, Text
from nettrain.data.augmentation import Augmentation
from nettrain.data.missing_target import MissingTarget
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.data.transform import Transform


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(Record):
    """Where the rows come from, how they are split, and how they are transformed.

    A target of strings makes classes, and so does one of integers with at most 20 distinct values;
    integers with more, and other numbers, make regression. One-hot columns (a single 1 per row)
    make classes, other columns of 0 and 1 independent labels. If a target can serve several of
    these, the loss decides: `cross_entropy` makes classes, `mse` regression.

    Data larger than memory: `source.read: disk`, which large files get by themselves, keeps rows in
    files of the cache (`nettrain cache`). Results are bitwise those of memory: every statistic is
    exact, quantiles and medians too (one column at a time), and every epoch a fair permutation.
    """

    source: Annotated[Source, Field(description="where the rows come from", examples=["digits"])]
    validation_source: Annotated[
        Source | None, Field(description="a separate source for the validation part")
    ] = None
    test_source: Annotated[
        Source | None, Field(description="a separate source for the test part")
    ] = None
    target: Annotated[
        Literal["self"] | None,
        Field(
            description="self: an autoencoder, whose targets are the transformed inputs; null: the "
            "source's target"
        ),
    ] = None
    positive: Annotated[
        Text | Integer | Flag | None,
        Field(
            description="of two classes the one that is sought; null: the rarer, of equals the "
            "second. ROC, precision-recall and `eval --threshold` are about it",
            examples=["yes"],
        ),
    ] = None
    missing_target: Annotated[
        MissingTarget,
        Field(description="rows without a target: an error, or left out (drop) and not counted"),
    ] = "error"
    seed: Annotated[
        Index | None,
        Field(
            description="of split, limit and generated rows, so that runs of other seeds can share "
            "them; null: the run's"
        ),
    ] = None
    weights: Annotated[
        Text | None,
        Field(
            description="npy file of how much each row of the source counts in the loss, times its "
            "own weight",
            examples=["weights.npy"],
        ),
    ] = None
    split: Split = Split()
    transforms: Annotated[
        tuple[Transform, ...] | None,
        Field(
            description="in this order; null: impute, standardize or scale, one_hot, as the data "
            "needs"
        ),
    ] = None
    number_transforms: Annotated[
        tuple[Transform, ...] | None,
        Field(
            description="of a table's numbers where `transforms` is null, in place of impute and "
            "standardize; null: these two",
            examples=[["robust_scale", "smooth_clip"]],
        ),
    ] = None
    category_transforms: Annotated[
        tuple[Transform, ...] | None,
        Field(
            description="of a table's categories where `transforms` is null, behind those of "
            "numbers; null: one_hot",
            examples=[["ordinal"]],
        ),
    ] = None
    target_transforms: Annotated[
        tuple[Transform, ...] | None,
        Field(
            description="for numeric targets; null: standardize, or the model's. clamp, put "
            "first, keeps predictions in the range of the targets seen",
            examples=[["clamp", "standardize"]],
        ),
    ] = None
    augmentation: Annotated[
        tuple[Augmentation, ...],
        Field(
            description="random augmentation of the training part's images, in this order; never "
            "in evaluation",
            examples=[["flip"]],
        ),
    ] = ()
    limit: Annotated[
        Count | None,
        Field(
            description="keep this many rows, drawn with the seed, the same fraction of every part",
            examples=[1000],
        ),
    ] = None
